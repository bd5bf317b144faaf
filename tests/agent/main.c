/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "rig.h"

int main(void) {
        SRunner *runner = srunner_create(protocol_suite());
        int n_failed;

        srunner_add_suite(runner, startup_suite());
        srunner_add_suite(runner, stop_suite());
        srunner_add_suite(runner, recovery_suite());
        srunner_add_suite(runner, fault_suite());
        rig_base_make();
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        rig_base_remove();
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
