/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Rule 7: a limit that is not in force, or was not reached, proves nothing.
 *
 * A counter tells of the unit's limit only where that limit is what stopped the unit: a slice's, or the machine's,
 * moves the same counter. For kills the kernel's record names whose limit it was (judge/oom.h); for tasks the peak
 * tells whether the unit ever had as many as it may.
 */

#include "judge/counters.h"

/* Had the unit no main process yet, or none any more? Its cgroup may then be one without its limits. */
bool is_of_idle_unit(const Timeline *timeline, const Entry *look);

/**
 * quota_limit() - the reading that tells whether the limit of @kind was in force in entries [begin, end)
 * @is_throughout: all the time; else by the latest reading
 * @ret_is_in_force: false also where nothing could be read
 *
 * Where it was not all the time, the reading is one that says so. NULL: there is none.
 */
const Entry *quota_limit(const Timeline *timeline, const char *unit, const CounterKind *kind, size_t begin,
                size_t end, bool is_throughout, bool *ret_is_in_force);

/**
 * quota_reached() - was it the unit's own limit that moved the counter of @kind?
 * @proof:   the reading, or the record, that shows that it moved; among entries [begin, end)
 * @ret_why: where TRUTH_FALSE: whose limit it was, as far as known; for people
 *
 * TRUTH_UNKNOWN where nothing tells, TRUTH_IRRELEVANT where it has yet to be read.
 */
Truth quota_reached(const Timeline *timeline, const char *unit, const CounterKind *kind, const Entry *proof,
                size_t begin, size_t end, Text *ret_why);
