/* SPDX-License-Identifier: MIT */
#pragma once

/* One play in progress: its performer, its stream, what came so far; and the verdict where the performer gave none.
 */

#include <systemd/sd-event.h>

#include "schedule/collect.h"
#include "schedule/line-reader.h"
#include "schedule/performer.h"

/* How hard the performer has been asked to end. */
typedef enum StopLevel {
        STOP_NOT_ASKED,
        STOP_ASKED,     /* SIGTERM: it ends the scenario in order */
        STOP_KILLED,    /* SIGKILL: the kernel ends it */
        STOP_ABANDONED, /* not even that: it hangs in the kernel, and is waited for no longer */
} StopLevel;

struct Schedule;

typedef struct Playing {
        struct Schedule *schedule;
        const Play *play;
        Performer performer;
        LineReader reader;
        PlayEvidence evidence;
        Collection collection;
        Error problem; /* the stream could not be believed or read from here on */
        StopLevel stop_level;
        bool is_overdue;
        int wait_status;
        uint64_t begin_usec;
        sd_event_source *on_stream, *on_exit, *on_deadline;
} Playing;

Playing *playing_new(struct Schedule *schedule, const Play *play, uint64_t begin_usec);
/* Kills a performer that is still there. */
Playing *playing_free(Playing *playing);

/* Reads what is there. After the first problem the rest of the stream is left alone. */
void playing_read(Playing *playing);

/**
 * playing_conclude() - the judgement of a play whose performer is gone
 * @interrupted_by: what ended the run, for people; NULL: nothing did
 *
 * Verdicts of the performer are kept. Where its stream cannot be believed, did not end, or contradicts the way the
 * process ended, a verdict about that is added: a stream without an end is never a pass.
 */
int playing_conclude(Playing *playing, const char *interrupted_by);

DEFINE_CLEANUP(Playing, playing_free)
