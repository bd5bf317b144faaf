/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What all observers share. An observer turns one piece of the world into timeline entries: it lives on the loop,
 * appends what it saw and does nothing else. It never waits, except for a bounded moment where its header says so.
 *
 * All functions of this layer are for the one thread of the performer. An observer borrows the Observer it was given.
 */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/error.h"
#include "timeline/timeline.h"

typedef struct Observer {
        sd_event *event;
        Timeline *timeline;
        pid_t user_manager; /* whose lines are about the units, where they are a user's; 0: PID 1's */
        int host_proc_fd;   /* the machine's outermost /proc; -EBADF (or 0) where not to be had */
        int evidence_fd;    /* this scenario's evidence folder; copies of files and journals go there */
} Observer;

/**
 * BarrierCallback - a channel was drained
 * @error: 0: everything that happened on the channel before the barrier was asked for is in the timeline;
 *         a negative errno: the channel could not be drained, an ENTRY_CHANNEL says why
 *
 * Called from the loop, never from within the call that asks for the barrier.
 */
typedef void (*BarrierCallback)(int error, void *userdata);

/* A new entry seen now; @at_usec of 0 means: the source has no stamp of its own, take now. NULL: out of memory. */
Entry *observer_entry(Observer *observer, EntrySource source, EntryKind kind, uint64_t at_usec, const char *unit);

/**
 * observer_append() - hand an entry to the timeline
 * @entry: from observer_entry(); NULL is taken for out of memory
 *
 * A fact that cannot be recorded must not be lost in silence: on error the loop is asked to exit with it.
 */
int observer_append(Observer *observer, Entry *entry);

/* Appends ENTRY_CHANNEL: what became of channel @channel ("ok", "lost", "late", "closed", "absent") and why. */
int observer_channel(Observer *observer, EntrySource source, const char *channel, const char *health,
                const char *format, ...) PRINTF_LIKE(5, 6);
