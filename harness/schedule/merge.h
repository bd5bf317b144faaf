/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One report of many runs, each of a part of a suite: from the record (reports/record.c) and the evidence that each
 * left. Nothing is judged again; what a run said is what is reported, as if one run had played it all.
 *
 * A run that did not end, and a part of a sharded suite that is not there, break the merged run: what is not known is
 * not green. Parts add up only where they are of one suite, of as many scenarios of the same names. Where runs have
 * played the same scenario it is one played several times: " #2" behind its name.
 */

#include "reports/report.h"

typedef struct Merge Merge;

int merge_new(Merge **ret_merge);
Merge *merge_free(Merge *merge);

/**
 * merge_add() - take one run in
 * @folder: of its evidence
 *
 * Errors: -ENOENT where it holds no record; -EINVAL for a run that is there already, also as a copy; -EBADMSG,
 * -ENOMEM.
 */
int merge_add(Merge *merge, const char *folder, Error *reterr);

/**
 * merge_report() - tell @reports of all runs as of one
 * @ret_summary: to be released with run_summary_done(), on errors too
 *
 * To be called once; @merge outlives the reports.
 *
 * Timelines are read one at a time. Evidence that is named in a record and cannot be read is an error verdict of its
 * play. Errors: -ENOMEM.
 */
int merge_report(Merge *merge, Report *const *reports, size_t n_reports, RunSummary *ret_summary, Error *reterr);

DEFINE_CLEANUP(Merge, merge_free)
