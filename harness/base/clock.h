/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * CLOCK_MONOTONIC in microseconds: the clock of every deadline and of every stamp of the timeline, and the one
 * journald, systemd and the kernel stamp their facts with. A timeout becomes an absolute deadline at the edge:
 * usec_add(clock_now_usec(), timeout_usec), and is handed down as that.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/quantity.h"

static inline uint64_t clock_now_usec(void) {
        struct timespec now;

        /* Cannot fail: the clock exists on every Linux. Source: clock_gettime(2). */
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000;
}

/* The wall clock, for reports only: it may jump. */
static inline uint64_t clock_wall_usec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000;
}

static inline bool clock_is_past(uint64_t deadline_usec) {
        return clock_now_usec() >= deadline_usec;
}
