/* SPDX-License-Identifier: MIT */
#pragma once

/* The suites of the scheduler, and a folder for each test to work in. */

#include <check.h>
#include <stdbool.h>

#include "base/text.h"

Suite *discover_suite(void);
Suite *select_suite(void);
Suite *limits_suite(void);
Suite *lateness_suite(void);
Suite *line_reader_suite(void);
Suite *requires_suite(void);
Suite *evidence_suite(void);
Suite *schedule_suite(void);
Suite *interrupt_suite(void);
Suite *replay_suite(void);
Suite *merge_suite(void);

/* A new folder under /tmp for the running test; removed by leave_folder(). The working directory is in it. */
void enter_folder(void);
void leave_folder(void);

/* Writes @text to @path, below the folder; folders are made. */
void put_file(const char *path, const char *text);
/* The whole file; the caller's. Fails the test where there is none. */
char *get_file(const char *path);
bool is_there(const char *path);
