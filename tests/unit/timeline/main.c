/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "suites.h"

int main(void) {
        SRunner *runner = srunner_create(base64_suite());
        int n_failed;

        srunner_add_suite(runner, codec_suite());
        srunner_add_suite(runner, entry_suite());
        srunner_add_suite(runner, timeline_suite());
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
