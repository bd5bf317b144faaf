/* SPDX-License-Identifier: MIT */
#include "perform/cursor.h"

void cursor_done(Cursor *cursor) {
        free(cursor->counts);
        free(cursor->frames);
        *cursor = (Cursor){ 0 };
}

int cursor_push(Cursor *cursor, const Step *steps, size_t n_steps, uint64_t n_times) {
        Frame *frames;

        if (n_steps == 0 || n_times == 0)
                return 0;
        frames = reallocarray(cursor->frames, cursor->n_frames + 1, sizeof(Frame));
        if (!frames)
                return -ENOMEM;
        cursor->frames = frames;
        frames[cursor->n_frames++] = (Frame){ .steps = steps, .n_steps = n_steps, .n_rounds_left = n_times - 1 };
        return 0;
}

static const Step *cursor_next(Cursor *cursor) {
        while (cursor->n_frames > 0) {
                Frame *frame = &cursor->frames[cursor->n_frames - 1];

                if (frame->position < frame->n_steps)
                        return &frame->steps[frame->position++];
                if (frame->n_rounds_left == 0) {
                        cursor->n_frames--;
                        continue;
                }
                frame->n_rounds_left--;
                frame->position = 0;
        }
        return NULL;
}

static int cursor_count(Cursor *cursor, const Step *step, uint64_t *ret_n_run) {
        StepCount *counts;

        FOREACH_ARRAY (count, cursor->counts, cursor->n_counts)
                if (count->step == step) {
                        *ret_n_run = count->n_taken++;
                        return 0;
                }
        counts = reallocarray(cursor->counts, cursor->n_counts + 1, sizeof(StepCount));
        if (!counts)
                return -ENOMEM;
        cursor->counts = counts;
        counts[cursor->n_counts++] = (StepCount){ .step = step, .n_taken = 1 };
        *ret_n_run = 0;
        return 0;
}

int cursor_take(Cursor *cursor, const Step **ret_step, uint64_t *ret_n_run) {
        *ret_step = cursor_next(cursor);
        return *ret_step ? cursor_count(cursor, *ret_step, ret_n_run) : 0;
}
