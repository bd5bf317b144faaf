/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How far a counter that only grows got in a window, as far as the readings tell: a range.
 *
 * A reading of a unit's own cgroup gives the lower end. There is an upper end only where nothing can have been
 * missed: one cgroup all the time, as far as a bus without loss tells, read when the window began and once more when
 * it was over. Where the cgroup is gone, a peak has the one of the slice as its upper end; anything else was "at
 * least" what was read.
 */

#include "judge/counters.h"

typedef struct CounterRange {
        size_t n_low;         /* SIZE_MAX in both: nothing was read */
        size_t n_high;        /* SIZE_MAX: no upper end */
        size_t n_low_timed;   /* by readings that were done before the deadline */
        const Entry *last;    /* the reading the lower end rests on; NULL: none */
        const Entry *reached; /* the first in time by which the match held, however much further it goes; NULL: none
                               */
} CounterRange;

/**
 * counter_range() - the range over all readings of the window; an open window has no upper end
 * @match: looked for in `reached`; may be NULL
 *
 * Errors: -ENOMEM.
 */
int counter_range(const Case *facts, const Window *window, const char *unit, const CounterKind *kind,
                const Match *match, const TemplateLookup *lookup, CounterRange *ret_range);

/**
 * counter_load() - processor time used in the window, in percent of one processor
 *
 * From the first to the last reading of cpu.usage of the last cgroup. The range is what the moments of reading leave
 * open. @ret_usec: how long that was, at least; 0: there are no two readings.
 */
void counter_load(const Case *facts, const Window *window, const char *unit, CounterRange *ret_range,
                uint64_t *ret_usec);
