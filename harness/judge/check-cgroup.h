/* SPDX-License-Identifier: MIT */
#pragma once

/* What a `cgroup` expectation cannot mean: counters there are none of, comparisons that are never true or never fail.
 */

#include "judge/expect.h"
#include "scenario/diagnostic.h"

/* A quota is given out in periods of 100 ms: over less than ten of them the share says little. */
#define LOAD_MIN_USEC USEC_PER_SEC

/* The names, and what they are compared with. */
void check_counters(const Value *counters, DiagnosticList *diagnostics);

/* The same in its scenario: against the limits that it sets, and the window. */
void check_counters_in(const Scenario *scenario, const Expectation *expectation, DiagnosticList *diagnostics);
