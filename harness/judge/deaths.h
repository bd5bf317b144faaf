/* SPDX-License-Identifier: MIT */
#pragma once

/* Rule 6: no unexplained deaths. Every exit of a main process, and every death by a signal on the stage, needs a
 * cause. */

#include "judge/expect.h"

/* Appends one verdict per unexplained death, and one pass ("no unexplained deaths") where there was none. */
int judge_deaths(const Case *facts, Judgement *judgement, Error *reterr);
