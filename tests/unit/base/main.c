/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "suites.h"

/* Under ASan, too big an allocation fails as it does without: one test asks for it. Called by ASan's runtime. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
        return "allocator_may_return_null=1";
}

int main(void) {
        SRunner *runner = srunner_create(error_suite());
        int n_failed;

        srunner_add_suite(runner, json_suite());
        srunner_add_suite(runner, quantity_suite());
        srunner_add_suite(runner, regex_suite());
        srunner_add_suite(runner, socket_address_suite());
        srunner_add_suite(runner, text_suite());
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
