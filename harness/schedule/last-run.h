/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What became of each scenario when it was last played, for --rerun-failed: STATE-FOLDER/last-run.ndjson holds one
 * line for each that did not pass or that its run did not get to. One that passes loses its line; one that is not
 * played, or skipped for what is missing, keeps it. So several runs, each of a part, add up.
 *
 * A scenario is known by its file's absolute path and its name in the file.
 */

#include "reports/report.h"

typedef struct LastRun LastRun;

/* Errors: -EBADMSG, -EACCES, ...: there is a file and it cannot be read. Where there is none, nothing has failed. */
int last_run_read(LastRun **ret_last_run, Error *reterr);
LastRun *last_run_free(LastRun *last_run);

/* Has anything been played yet? */
bool last_run_exists(void);

/* Did it not pass, or was it not run, when it was last to be played? */
bool last_run_has(const LastRun *last_run, const Scenario *scenario);

/*
 * A report that keeps the file. Closing writes it; two runs at a time wait for each other. NULL: out of memory.
 * Needs RunFacts.plays for those that were not run.
 */
Report *last_run_report_new(void);

DEFINE_CLEANUP(LastRun, last_run_free)
