/* SPDX-License-Identifier: MIT */
#pragma once

/* Numbers as scenario files write them, and as daemons and systemd print them. */

#include <stdbool.h>

#include "base/macros.h"

typedef enum LiteralDimension {
        LITERAL_PLAIN,   /* 100, -1.5 */
        LITERAL_BYTES,   /* 64M */
        LITERAL_USEC,    /* 500ms */
        LITERAL_PERCENT, /* 50% */
} LiteralDimension;

/* A decimal number with sign, fraction and exponent as JSON has them; nothing else around it. -EINVAL. */
int number_parse(const char *text, size_t n_bytes, double *ret_number);

/* A number, size, duration or percentage, in that order. -EINVAL. */
int literal_parse(const char *text, double *ret_number, LiteralDimension *ret_dimension);

/* A level of syslog(3) by its name (`err`) or number (`3`). -EINVAL. */
int priority_parse(const char *text, double *ret_number);
