/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A process of its own that outlives the run to tidy up after it, whichever way the run ends, SIGKILL included.
 *
 * It sits in a session of its own, ignores what a terminal or a service manager sends to the run, and reads from a
 * socket whose other end only the run holds. The end of that socket is the death of the run. It then kills what is in
 * the run's cgroups, waits for the run's lock (with it no process of the run is left that could make another cgroup;
 * see ownership.h), and removes cgroups and folder.
 *
 * Start it before any scenario, from a single-threaded process. A forked child that lives on must call
 * guard_forget(), or the guard waits for that child too; exec closes the descriptor by itself.
 */

#include <stdint.h>

#include "base/error.h"
#include "stage/ownership.h"

typedef struct Guard Guard;

/* The guard has a session of its own, and nothing of the run's but the socket, when this returns. Errors: those of
 * socketpair(2), fork(2) and pidfd_open(2); -ECHILD where it ends at once. */
int guard_start(const Ownership *ownership, Guard **ret_guard, Error *reterr);

/* In a forked child: closes this process's end and frees the object; the guard of the parent goes on. Returns NULL.
 */
Guard *guard_forget(Guard *guard);

/**
 * guard_finish() - orderly end: let the guard remove what is left, and wait until it has
 * @deadline_usec: CLOCK_MONOTONIC; when to give up
 *
 * The caller still holds @ownership of guard_start(), has reaped all its performers, and frees it afterwards. Frees
 * @guard in any case. Where the guard was killed meanwhile this process does the work itself.
 *
 * Errors: -ETIMEDOUT; those of run_remove_cgroups().
 */
int guard_finish(Guard *guard, uint64_t deadline_usec, Error *reterr);

/* The guard's pid, for tests that kill it. */
pid_t guard_pid(const Guard *guard);
