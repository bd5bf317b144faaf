/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * within, for, always and never for the kinds that examine one observation at a time.
 *
 * An observation counts for a window when it was asked for after what the window's anchor step did (its signal was
 * sent, the process it killed was gone), or when the source's own stamp says that it became so after that. Of those
 * made while the anchor step still ran only the newest counts: what had passed when the step ended is history.
 */

#include "judge/expect.h"

/* For a step's window: becomes true by the deadline, and stays so. PENDING while the window is open and undecided. */
int level_judge(const Expectation *expectation, const Case *facts, const Window *window, Verdict *ret_verdict,
                Error *reterr);

/* Over the whole scenario: was it ever @unwanted (TRUTH_FALSE for `always`, TRUTH_TRUE for `never`)? */
int level_judge_invariant(const Expectation *expectation, const Case *facts, const Window *window, Truth unwanted,
                Verdict *ret_verdict, Error *reterr);
