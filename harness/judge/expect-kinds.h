/* SPDX-License-Identifier: MIT */
#pragma once

/* The rows of the table in expect.c, each defined in its own file judge/expect-*.c. */

#include "judge/expect.h"

extern const ExpectKind state_expectation;
extern const ExpectKind job_expectation;
extern const ExpectKind exit_expectation;
extern const ExpectKind restart_expectation;
extern const ExpectKind log_expectation;
extern const ExpectKind process_expectation;
extern const ExpectKind file_expectation;
extern const ExpectKind sqlite_expectation;
extern const ExpectKind socket_expectation;
extern const ExpectKind command_expectation;
extern const ExpectKind left_behind_expectation;
extern const ExpectKind cgroup_expectation;
extern const ExpectKind limit_expectation;
extern const ExpectKind oom_kill_expectation;
extern const ExpectKind trend_expectation;
