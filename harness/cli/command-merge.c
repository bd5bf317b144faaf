/* SPDX-License-Identifier: MIT */

/* agenttest merge: one report of many runs. */

#include "cli/command.h"
#include "cli/reporting.h"
#include "schedule/merge.h"

static int read_runs(const Options *options, Merge *merge) {
        FOREACH_ARRAY (path, options->paths.items, options->paths.n_items) {
                CLEANUP_ERROR Error error = ERROR_INIT;

                if (merge_add(merge, *path, &error) >= 0)
                        continue;
                complain("%s", error_text(&error));
                return STATUS_USAGE;
        }
        return STATUS_PASS;
}

static int report(const Options *options, Merge *merge, Reports *reports) {
        CLEANUP(run_summary_done) RunSummary summary = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;

        if (reports_open(options, reports, &error) < 0 ||
                        merge_report(merge, reports->items, reports->n_items, &summary, &error) < 0) {
                complain("%s", error_text(&error));
                return reports_close(reports, STATUS_ERROR);
        }
        return reports_close(reports, run_summary_exit_status(&summary, &options->exit_policy));
}

int command_merge(const Options *options) {
        CLEANUP(merge_free_p) Merge *merge = NULL;
        Reports reports = REPORTS_INIT;
        int status;

        if (merge_new(&merge) < 0) {
                complain("Out of memory");
                return STATUS_ERROR;
        }
        status = read_runs(options, merge);
        return status == STATUS_PASS ? report(options, merge, &reports) : status;
}
