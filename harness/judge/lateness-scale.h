/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Budgets for lateness (`late-by-at-most`) on a machine that is slow by nature: an emulated one needs a multiple of
 * the time for what lies between a timer and the process it starts. They, and no deadline, count `lateness-scale`
 * times; the recording says how many times that is, so a replay counts the same.
 */

#include "base/text.h"
#include "timeline/timeline.h"

/* How many times a budget counts, by the recording: at least 1. */
uint64_t lateness_scale(const Timeline *timeline);

/* " (late-by-at-most counts 20 times here)" where it counts more than once, else nothing. */
void lateness_scale_note(const Timeline *timeline, Text *text);
