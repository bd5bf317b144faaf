/* SPDX-License-Identifier: MIT */
#pragma once

#include <check.h>

Suite *command_suite(void);
Suite *file_suite(void);
Suite *journal_suite(void);
Suite *kmsg_suite(void);
Suite *probes_suite(void);
Suite *socket_suite(void);
Suite *sqlite_suite(void);
