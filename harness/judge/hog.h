/* SPDX-License-Identifier: MIT */
#pragma once

/* What a hog has brought about: has the counter of its resource moved since its step began? */

#include "judge/expect.h"

/* The counters that show it, by the resource ("memory", "cpu", "tasks"); NULL-terminated. */
const char *const *hog_counters(const char *resource);

typedef enum HogEffect {
        HOG_TRYING,  /* nothing to be seen yet, and it goes on */
        HOG_REACHED, /* the counter moved, or the kernel has a record */
        HOG_SPENT,   /* it took all it was to take, or ended, and nothing moved */
} HogEffect;

/**
 * hog_effect() - by entries of its step
 * @begin, @end: the step's, [begin, end)
 * @ret_proof:   the entry that shows it; NULL where nothing does. May be NULL
 */
HogEffect hog_effect(const Timeline *timeline, const char *unit, const char *resource, size_t begin, size_t end,
                const Entry **ret_proof);
