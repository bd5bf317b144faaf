/* SPDX-License-Identifier: MIT */
#pragma once

/* The suites of the log book, of the kinds that examine one observation, and of left-behind. */

#include <check.h>

Suite *capture_suite(void);
Suite *command_suite(void);
Suite *count_suite(void);
Suite *file_suite(void);
Suite *kinds_suite(void);
Suite *left_behind_suite(void);
Suite *log_suite(void);
Suite *logbook_suite(void);
Suite *process_suite(void);
Suite *quota_suite(void);
Suite *socket_suite(void);
Suite *sqlite_suite(void);
Suite *trend_suite(void);

#define SUITES_B                                                                                                     \
        capture_suite, command_suite, count_suite, file_suite, kinds_suite, left_behind_suite, log_suite,            \
                        logbook_suite, process_suite, quota_suite, socket_suite, sqlite_suite, trend_suite
