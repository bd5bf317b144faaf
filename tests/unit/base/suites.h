/* SPDX-License-Identifier: MIT */
#pragma once

/* The suites of the base layer. */

#include <check.h>

Suite *error_suite(void);
Suite *json_suite(void);
Suite *quantity_suite(void);
Suite *regex_suite(void);
Suite *socket_address_suite(void);
Suite *text_suite(void);
