/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the runs of this user agree on, because the kernel counts it for all of them together (inotify instances): how
 * many scenarios each plays side by side, in the file `jobs` of its folder.
 *
 *     run_share_begin(ownership, &share, …);   no other run can decide meanwhile
 *     n_jobs = …                               with share.n_jobs of the others in mind
 *     run_share_end(&share, n_jobs, …);
 */

#include "stage/ownership.h"

typedef struct RunShare {
        unsigned n_jobs; /* of all other runs that have decided */
        char **marks;    /* of those runs; their sandboxes' cgroups are named after it */
        size_t n_marks;
        int runs_fd;   /* the folder of the runs, locked */
        int folder_fd; /* of our run */
} RunShare;

#define RUN_SHARE_INIT ((RunShare){ .runs_fd = -EBADF, .folder_fd = -EBADF })

/* Errors: those of the folder of the runs; -ENOMEM. */
int run_share_begin(const Ownership *ownership, RunShare *ret_share, Error *reterr);
/* Tells the other runs and lets them go on. */
int run_share_end(RunShare *share, unsigned n_jobs, Error *reterr);
/* Lets them go on in any case. */
void run_share_done(RunShare *share);
