/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many scenarios may run side by side on this machine. Reading (limits_read) and deciding (limits_jobs) are
 * apart, so that the decision can be tested with any numbers.
 */

#include <stdint.h>

#include "base/text.h"
#include "stage/run-share.h"

/* What is left of each resource; UINT64_MAX: no limit, or not to be found out. */
typedef struct Limits {
        unsigned n_cores;
        uint64_t inotify_max;       /* fs.inotify.max_user_instances */
        uint64_t inotify_left;      /* instances this user may still make */
        unsigned n_jobs_elsewhere;  /* scenarios of other runs, whose instances are taken off, made or not */
        uint64_t descriptors_left;  /* of this process */
        uint64_t tasks_left;        /* pids.max of our cgroups, minus what is there */
        uint64_t memory_left_bytes; /* MemAvailable, and memory limits of our cgroups */
} Limits;

/* @others: what other runs will take, whether or not they have taken it yet; NULL: there are none. */
void limits_read(const RunShare *others, Limits *ret_limits);

/**
 * limits_jobs() - how many scenarios side by side
 * @n_wanted: of --jobs; 0: not given
 * @n_plays:  how many there are to play: more than that are never needed
 * @ret_note: why it is less than @n_wanted (or than the default), one sentence; empty where it is not
 *
 * At least 1: one scenario is always tried, and says itself what it lacks.
 */
unsigned limits_jobs(const Limits *limits, unsigned n_wanted, size_t n_plays, Text *ret_note);

/* Raises the soft limit of descriptors to the hard one; what is forked resets nothing, systemd sets its own. */
void limits_raise_descriptors(void);
