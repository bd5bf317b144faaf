/* SPDX-License-Identifier: MIT */
/* The sandbox stage on this very machine: what it shows, what it keeps in, how it fails, what it leaves. */
#include "base/error.h"
#include "sandbox-rig.h"

int main(void) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        SRunner *runner;
        int n_failed;

        if (sandbox_stage.probe(&error) < 0) {
                (void) fprintf(stderr, "SKIP: this machine cannot stage a sandbox: %s\n", error_text(&error));
                return 77;
        }
        runner = srunner_create(sandbox_boot_suite());
        srunner_add_suite(runner, sandbox_error_suite());
        srunner_add_suite(runner, sandbox_kill_suite());
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
