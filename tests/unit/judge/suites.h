/* SPDX-License-Identifier: MIT */
#pragma once

/* The suites of the judge's core: windows, levels, exits, jobs, restarts, deaths, the whole scenario, verdicts. */

#include <check.h>

#include "suites-b.h"

Suite *action_suite(void);
Suite *deaths_suite(void);
Suite *exit_suite(void);
Suite *invariant_suite(void);
Suite *level_suite(void);
Suite *restart_suite(void);
Suite *scenario_suite(void);
Suite *verdict_suite(void);
