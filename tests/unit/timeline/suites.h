/* SPDX-License-Identifier: MIT */
#pragma once

#include <check.h>

Suite *base64_suite(void);
Suite *codec_suite(void);
Suite *entry_suite(void);
Suite *timeline_suite(void);
