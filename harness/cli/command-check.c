/* SPDX-License-Identifier: MIT */

/* agenttest check: every mistake in scenario files. */

#include "cli/command.h"
#include "cli/suite.h"

int command_check(const Options *options) {
        CLEANUP(library_done) Library library = LIBRARY_INIT;
        size_t n_scenarios = 0;
        int status = load_scenarios(options, &library);

        if (status != STATUS_PASS)
                return status;
        FOREACH_ARRAY (file, library.files, library.n_files)
                n_scenarios += file->scenarios.n_items;
        printf("%zu scenario%s in %zu file%s, no mistake found\n", n_scenarios, n_scenarios == 1 ? "" : "s",
                        library.n_files, library.n_files == 1 ? "" : "s");
        return finish_output(STATUS_PASS);
}
