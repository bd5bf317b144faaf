/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a scenario is: which step comes next, in the nest of `repeat`s, and how often each has been taken. */

#include "scenario/scenario.h"

typedef struct Frame {
        const Step *steps; /* borrowed */
        size_t n_steps;
        size_t position;
        uint64_t n_rounds_left;
} Frame;

typedef struct StepCount {
        const Step *step;
        uint64_t n_taken;
} StepCount;

typedef struct Cursor {
        Frame *frames; /* the innermost is the last */
        size_t n_frames;
        StepCount *counts;
        size_t n_counts;
} Cursor;

void cursor_done(Cursor *cursor);

/* These steps come next, @n_times over, and then what would have come now. -ENOMEM. */
int cursor_push(Cursor *cursor, const Step *steps, size_t n_steps, uint64_t n_times);

/**
 * cursor_take() - go to the next step
 * @ret_step:  NULL where there is none any more
 * @ret_n_run: how often it was taken before
 *
 * Errors: -ENOMEM.
 */
int cursor_take(Cursor *cursor, const Step **ret_step, uint64_t *ret_n_run);
