/* SPDX-License-Identifier: MIT */
#pragma once

/* The performer's only output: lines of JSON on a pipe to the scheduler. */

#include "judge/verdict.h"
#include "timeline/timeline.h"

/* Each writes whole lines, blocking. Errors: -EPIPE where the scheduler is gone. */
int stream_entry(int fd, const Entry *entry);
int stream_verdicts(int fd, const Judgement *judgement);
/* The last line: without it the stream counts as cut. */
int stream_end(int fd, Outcome outcome);
