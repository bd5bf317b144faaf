/* SPDX-License-Identifier: MIT */
#pragma once

#include <check.h>

TCase *stream_cases(void);
