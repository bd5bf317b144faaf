/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "suites.h"

int main(void) {
        SRunner *runner = srunner_create(entry_line_suite());
        int n_failed;

        srunner_add_suite(runner, summary_suite());
        srunner_add_suite(runner, golden_suite());
        srunner_add_suite(runner, tap_suite());
        srunner_add_suite(runner, junit_suite());
        srunner_add_suite(runner, github_suite());
        srunner_add_suite(runner, measures_suite());
        srunner_add_suite(runner, xml_text_suite());
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
