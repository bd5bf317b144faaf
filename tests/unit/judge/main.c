/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/macros.h"
#include "suites.h"

int main(void) {
        static Suite *(*const suites[])(void) = {
                action_suite,
                deaths_suite,
                exit_suite,
                invariant_suite,
                level_suite,
                restart_suite,
                scenario_suite,
                verdict_suite,
                SUITES_B,
        };
        SRunner *runner = srunner_create(NULL);
        int n_failed;

        FOREACH_ARRAY (make, suites, ELEMENTS_OF(suites))
                srunner_add_suite(runner, (*make)());
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
