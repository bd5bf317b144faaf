/* SPDX-License-Identifier: MIT */
/* Contract tests of the evidence channels on the real sandbox: each delivers what entry.h says, and says when it
 * cannot. */
#include "channel-rig.h"

int main(void) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        SRunner *runner;
        int n_failed;

        if (sandbox_stage.probe(&error) < 0) {
                (void) fprintf(stderr, "SKIP: this machine cannot stage a sandbox: %s\n", error_text(&error));
                return 77;
        }
        runner = srunner_create(channel_bus_suite());
        srunner_add_suite(runner, channel_journal_suite());
        srunner_add_suite(runner, channel_process_suite());
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
