/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Process accounting: every death in this pid namespace -> ENTRY_DEATH, also of children that a daemon reaps itself.
 *
 * The record is written before the parent can reap the process (kernel/exit.c: acct_process() before exit_notify()).
 * The kernel stops writing in silence where the file system is nearly full (/proc/sys/kernel/acct) or somebody
 * calls acct(NULL); so a barrier is a child of ours whose record has to come. Where it does not come: ENTRY_CHANNEL
 * "acct" "lost".
 * Source: acct(2), acct(5).
 */

#include "observe/observer.h"

typedef struct AcctWatch AcctWatch;

/**
 * acct_watch_new() - switch accounting on, into the new file @path
 * @path: NULL: not here, the whole machine would be accounted for
 *
 * Where the kernel or our capabilities (CAP_SYS_PACCT) do not allow it: ENTRY_CHANNEL "acct" "absent" and 0; the
 * watch then does nothing and its barrier succeeds.
 */
int acct_watch_new(Observer *observer, const char *path, AcctWatch **ret_watch, Error *reterr);
/* Switches accounting off. */
AcctWatch *acct_watch_free(AcctWatch *watch);

/* Reads the records that are there now. */
int acct_watch_drain(AcctWatch *watch);

/* Errors: -EBUSY where a barrier is under way; fork() failed. */
int acct_watch_barrier(AcctWatch *watch, BarrierCallback callback, void *userdata);

DEFINE_CLEANUP(AcctWatch, acct_watch_free)
