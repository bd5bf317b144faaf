/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel's log -> ENTRY_KERNEL, for records that explain a death: OOM kills ("oom-kill:", "Out of memory",
 * "Memory cgroup out of memory", "oom_reaper"), refused forks ("fork rejected by pids controller"), and the kernel's
 * own lines about crashing programs ("segfault at", "traps:", "general protection", "potentially unexpected fatal
 * signal").
 *
 * The log is that of the whole machine, with its pids: the reader of the entries has to tell whose they are. `at` is
 * the moment of reading: the records' own clock is not CLOCK_MONOTONIC. Source: Documentation/ABI/testing/dev-kmsg.
 */

#include "observe/observer.h"

typedef struct KmsgWatch KmsgWatch;

/* @kmsg_fd: opened O_NONBLOCK, at its end before the stage booted; borrowed. -EBADF: ENTRY_CHANNEL "kmsg" "absent".
 */
int kmsg_watch_new(Observer *observer, int kmsg_fd, KmsgWatch **ret_watch, Error *reterr);
KmsgWatch *kmsg_watch_free(KmsgWatch *watch);

/* Reads to the tail: the barrier of this channel, at once. */
int kmsg_watch_drain(KmsgWatch *watch);

/* Does @message explain a death? */
bool kmsg_is_relevant(const char *message);

DEFINE_CLEANUP(KmsgWatch, kmsg_watch_free)
