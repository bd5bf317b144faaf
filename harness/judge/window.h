/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The window in which an expectation has to hold, read back from the timeline: where it is measured from, whether it
 * was closed by barriers, and whether the channels were complete while it was open.
 *
 *     begin of the anchor step      begin of the expect step        deadline     barrier
 *     | from_usec                   |                               |            | complete_usec
 *     |<------------------------- within -------------------------->|            |
 */

#include "judge/expect.h"

/* Entries that one execution of a step left; SIZE_MAX where there is none. */
typedef struct StepRun {
        const Entry *begin;
        size_t window_index;
        size_t deadline_index;
        size_t barrier_index; /* its last one */
        size_t end_index;     /* ENTRY_STEP_END */
        size_t next_index;    /* where the next step begins, or the scenario's end; else the timeline's length */
} StepRun;

void step_run_find(const Timeline *timeline, size_t begin_index, StepRun *ret_step_run);

/**
 * window_of_step() - the window of an expect step that began at @begin_index
 *
 * Made from the scenario (which a replay may have edited: its `within`, `for` and `since` count) and from what was
 * recorded. It counts as closed only where the recording reaches its deadline. Without a deadline everything up to
 * the barrier is in the window.
 */
void window_of_step(const Case *facts, const Step *step, size_t begin_index, Window *ret_window);

/* The whole scenario, for invariants and deaths. Closed by the last barrier before ENTRY_SCENARIO_END. */
void window_of_scenario(const Case *facts, Window *ret_window);

/* Has the step that the window belongs to ended, so that nothing more will be recorded for it? */
bool window_is_over(const Window *window);

/* Deadline + `for`: as long as the window has to be watched. */
uint64_t window_until(const Window *window);

/* May entry @index of the timeline be looked at? (It is behind the anchor's begin and not behind the window's end.)
 */
bool window_holds(const Window *window, size_t index);

/* Was one of the @channels (as below) lost while the window was open? Also for a window that is not closed. */
bool window_has_loss(const Case *facts, const Window *window, unsigned channels, const char *unit, Text *ret_why);

/**
 * window_is_complete() - may "it did not happen" be believed?
 * @channels: bits of Channel that had to be complete
 * @unit:     whose lines matter for CHANNEL_JOURNAL; NULL: all
 * @ret_why:  where not: what was lost, for people; may be NULL
 *
 * For a closed window. Accounting that the machine does not have ("absent") is no loss: nothing is judged on it.
 * That journald dropped lines counts wherever it is told behind the anchor: it may be told after the window.
 */
bool window_is_complete(const Case *facts, const Window *window, unsigned channels, const char *unit, Text *ret_why);

typedef enum Timing {
        TIMING_BEFORE,    /* by its stamp before the window */
        TIMING_IN_TIME,   /* by its stamp in the window */
        TIMING_LATE,      /* provably after the deadline */
        TIMING_UNDECIDED, /* by its stamp after the deadline, possibly in time (rule 1) */
} Timing;

/* When did something happen whose stamp is @upper_usec and which had not happened at @lower_usec (0: nobody knows)?
 */
Timing window_timing(const Window *window, uint64_t lower_usec, uint64_t upper_usec);

/* Time that was left at @at_usec, for Verdict.margin_usec. */
uint64_t window_margin(const Window *window, uint64_t at_usec);

/* The end of the job that @action queued, among entries [from, end); NULL: not seen. (expect-job.c) */
const Entry *job_removed(const Timeline *timeline, const Entry *action, size_t from, size_t end);

/* "3.2s after steps[1] began", for sentences; into @buffer, which is returned. */
#define WINDOW_MOMENT_MAX 96
const char *window_moment(
                const Case *facts, const Window *window, uint64_t at_usec, char buffer[static WINDOW_MOMENT_MAX]);
