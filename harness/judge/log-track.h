/* SPDX-License-Identifier: MIT */
#pragma once

/* What the log book keeps of one log expectation: its hits, and the lines that came nearest. */

#include "judge/log-filter.h"
#include "judge/logbook.h"

#define EXCERPT_MAX_BYTES ((size_t) 256)
#define N_NEAR_MISSES     3

/* One expectation. */
typedef struct LogTrack {
        LogFilter filter;
        LogHit *hits;
        size_t n_hits;
        size_t n_allocated;
        size_t chosen; /* index of the hit that decided the last judged window; SIZE_MAX: none */
        size_t n_late_bytes;
        bool has_overflown; /* candidates were dropped for want of LATE_MAX_BYTES */

        LogHit near_misses[N_NEAR_MISSES];
        char excerpts[N_NEAR_MISSES][EXCERPT_MAX_BYTES + 1];
        unsigned scores[N_NEAR_MISSES]; /* falling */
        size_t n_near_misses;
        unsigned near_miss_budget;

        /* Of the line that is being looked at. */
        unsigned lost_weight;
        bool is_out;
        bool lacks_unit;
} LogTrack;

int log_track_init(LogTrack *track, const Expectation *expectation);
void log_track_done(LogTrack *track);

/* The line fails the part: it is no hit, and worth looking at further only as a near miss. */
void log_track_lose(LogTrack *track, const LogPart *part);

/* The line fails some parts, but fewer or lighter ones than others did. */
void log_track_keep_near_miss(LogTrack *track, const LogLine *line);

/**
 * log_track_keep_hit() - the line satisfies all parts
 *
 * Errors: -ENOENT where it does not count after all: the kernel's line, or there is no room to keep it until the
 * captures are known; -ENOMEM.
 */
int log_track_keep_hit(LogTrack *track, const LogLine *line);
