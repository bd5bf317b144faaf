/* SPDX-License-Identifier: MIT */
#pragma once

/* Why a scenario did not pass, for people: place, quoted line, expected, seen, what came nearest, what went on
 * around. */

#include "reports/report.h"

typedef struct FailureStyle {
        bool has_color;
        bool is_verbose; /* every verdict, not only what did not pass */
} FailureStyle;

void failure_write(const PlayResult *result, const FailureStyle *style, Text *ret_text);

/* One line per verdict: outcome, id, and the time that was left where it passed in a window. */
void verdicts_write(const Judgement *judgement, Text *ret_text);

/* "PASS", "FAIL", ...: how an outcome is shown; and the SGR number of its color. */
const char *outcome_label(Outcome outcome);
unsigned outcome_color(Outcome outcome);
