/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Durations, sizes and percentages as systemd writes them: `5s`, `1min 30s`, `500ms`, `64M`, `1.5G`, `50%`.
 * Source: systemd.time(7) "Parsing time spans"; systemd.resource-control(5) for sizes (K, M, G, T are base 1024).
 */

#include <stdint.h>

#include "base/macros.h"

#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_INFINITY UINT64_MAX

/* A duration in microseconds. A bare number is seconds; "infinity" is USEC_INFINITY. -EINVAL, -ERANGE. */
int duration_parse(const char *string, uint64_t *ret_usec);
/* A size in bytes. A bare number is bytes; "infinity" is UINT64_MAX. -EINVAL, -ERANGE. */
int size_parse(const char *string, uint64_t *ret_bytes);
/* "50%" as 50.0. -EINVAL. */
int percentage_parse(const char *string, double *ret_percent);

#define DURATION_TEXT_MAX 48
/* @usec for people: "213ms", "5.041s", "1min 30s"; into @buffer, which is returned. */
const char *duration_text(uint64_t usec, char buffer[static DURATION_TEXT_MAX]);

/* @a + @b, saturating at USEC_INFINITY: a deadline that never comes stays one. */
static inline uint64_t usec_add(uint64_t a, uint64_t b) {
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

/* @a times @factor, saturating as usec_add() does. */
static inline uint64_t usec_mul(uint64_t a, uint64_t factor) {
        return factor > 0 && a > USEC_INFINITY / factor ? USEC_INFINITY : a * factor;
}

/* @a - @b, 0 where that would be negative. */
static inline uint64_t usec_sub(uint64_t a, uint64_t b) {
        return a > b ? a - b : 0;
}
