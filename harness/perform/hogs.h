/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The hogs of a running scenario, and the sampling of the counters they are to move: v1 has no event for most of
 * these, so they are read again and again while a hog's step waits, sparingly after the first moments.
 */

#include "observe/hog.h"
#include "perform/run.h"

int hogs_new(Run *run, Hogs **ret_hogs);
Hogs *hogs_free(Hogs *hogs);

/* Starts one in the cgroup of @unit and samples its counters until hogs_settle(). -ENOENT: the unit has no cgroup. */
int hogs_start(Hogs *hogs, const char *unit, const char *resource, uint64_t amount, const char *address,
                Error *reterr);
/* The counters once more, now; then no more sampling. */
void hogs_settle(Hogs *hogs);
/* Reads them once now, for a word of the hog's that has just come. */
void hogs_sample(Hogs *hogs);
/* Ends the hogs of @unit. */
void hogs_release(Hogs *hogs, const char *unit);

DEFINE_CLEANUP(Hogs, hogs_free)
