/* SPDX-License-Identifier: MIT */
#pragma once

/* Absolute deadlines on CLOCK_MONOTONIC: a timeout becomes one at the edge and is handed down as that. */

#include <limits.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/quantity.h"

static inline uint64_t deadline_in(uint64_t timeout_usec) {
        return usec_add(clock_now_usec(), timeout_usec);
}

static inline bool deadline_is_past(uint64_t deadline_usec) {
        return clock_now_usec() >= deadline_usec;
}

/* What poll(2) is to wait until @deadline_usec: rounded up, 0 once it has passed, -1 where it never comes. */
static inline int deadline_poll_msec(uint64_t deadline_usec) {
        uint64_t left_msec;

        if (deadline_usec == USEC_INFINITY)
                return -1;
        left_msec = (usec_sub(deadline_usec, clock_now_usec()) + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
        return left_msec > INT_MAX ? INT_MAX : (int) left_msec;
}
