/* SPDX-License-Identifier: MIT */
#pragma once

/* Signals by name and number. */

#include <stddef.h>

#define SIGNAL_TEXT_MAX 16

/* "SIGTERM", "TERM", "15", "SIGRTMIN+3" -> the number. -EINVAL. */
int signal_parse(const char *text);

/* The name with SIG, into @buffer, which is returned; the number where the signal has none. */
const char *signal_text(int number, char buffer[static SIGNAL_TEXT_MAX]);

/* The @i-th (from 0) of the names that there are, SIG included; NULL behind the last. */
const char *signal_nth_name(size_t i);
