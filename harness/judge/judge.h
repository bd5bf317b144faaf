/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Scenario, timeline and journal -> verdicts. Pure: sees no clock, no process and no service manager. The same code
 * judges live (judge_step, to know when a step is finished) and at the end (judge_scenario, the only thing reported);
 * `agenttest replay` calls judge_scenario again on what was recorded and must get the same bytes.
 */

#include "judge/expect.h"

/**
 * judge_step() - how the expectations of an expect step stand
 * @step:        an expect step
 * @begin_index: timeline index of this execution's ENTRY_STEP_BEGIN
 * @ret_judgement: one verdict per expectation; outcome is PENDING while any is
 *
 * The window is read from the ENTRY_WINDOW behind the begin, and closed by an ENTRY_BARRIER of the same step and run.
 */
int judge_step(const Case *facts, const Step *step, size_t begin_index, Judgement *ret_judgement, Error *reterr);

/**
 * judge_invariants() - has an invariant been broken already?
 * @ret_judgement: one verdict per always and never; PENDING where nothing speaks against it so far
 */
int judge_invariants(const Case *facts, Judgement *ret_judgement, Error *reterr);

/**
 * judge_scenario() - the final judgement of a finished timeline
 *
 * Steps and their expectations in the order they were executed, then invariants, then deaths (rule 6), then the
 * scenario's own end (interrupted, timed out, broken). What was not reached is a skip with REASON_NOT_REACHED.
 */
int judge_scenario(const Case *facts, Judgement *ret_judgement, Error *reterr);

/**
 * judge_action() - the verdict on one execution of an action step
 * @begin_index: timeline index of its ENTRY_STEP_BEGIN
 * @how:         what its ENTRY_STEP_END says, or will say: "done", "deadline"
 *
 * From the raw facts behind the begin: JOB_ACTION and JOB_REMOVED (start, stop, restart, ...), SIGNAL_ACTION (signal,
 * crash), COMMAND (run). A job that failed is no failure of the step where the next step is an expect with `job`,
 * `exit`, `restart` or `state`: then that one judges. Used live by the performer, and by judge_scenario().
 */
int judge_action(const Case *facts, const Step *step, size_t begin_index, const char *how, Verdict *ret_verdict,
                Error *reterr);

/* Index of the ENTRY_STEP_BEGIN that an expect step, begun at @begin_index, is measured from. */
size_t judge_anchor(const Timeline *timeline, const Scenario *scenario, const Step *step, size_t begin_index);

/* Bits of Channel that closing this step's windows needs, and of the questions its expectations ask. */
unsigned judge_step_channels(const Step *step);
