/* SPDX-License-Identifier: MIT */
#pragma once

/* The suites of the reports, and the results they are all shown. */

#include <check.h>

#include "reports/report.h"

Suite *entry_line_suite(void);
Suite *summary_suite(void);
Suite *golden_suite(void);
Suite *tap_suite(void);
Suite *junit_suite(void);
Suite *github_suite(void);
Suite *measures_suite(void);
Suite *xml_text_suite(void);

/*
 * A whole run on @report with one play of each outcome, made by hand: names that need escaping, hostile bytes in what
 * a daemon wrote, a verdict with everything in it. Closes the report.
 */
void show_sample_run(Report *report);
/* A run that was ended by SIGINT after its first play. */
void show_interrupted_run(Report *report);

/* Compares with tests/golden/reports/@name; with GOLDEN_UPDATE=1 in the environment writes it. */
void assert_golden(const char *name, const char *text);
