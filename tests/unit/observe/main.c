/* SPDX-License-Identifier: MIT */
/* Observers that need no service manager: files, databases, sockets, commands, journal files, processes, cgroups. */
#include <stdlib.h>

#include "suites.h"

int main(void) {
        SRunner *runner = srunner_create(command_suite());
        int n_failed;

        srunner_add_suite(runner, file_suite());
        srunner_add_suite(runner, journal_suite());
        srunner_add_suite(runner, kmsg_suite());
        srunner_add_suite(runner, probes_suite());
        srunner_add_suite(runner, socket_suite());
        srunner_add_suite(runner, sqlite_suite());
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
