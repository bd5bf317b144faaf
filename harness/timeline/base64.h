/* SPDX-License-Identifier: MIT */
#pragma once

/* Bytes that are no text, in a form that JSON can carry. Source: RFC 4648, section 4 (with padding). */

#include "base/text.h"

void base64_encode(const void *bytes, size_t n_bytes, Text *ret_text);

/* -EINVAL for what is no base64; -ENOMEM. The bytes, with a NUL behind them, are the caller's. */
int base64_decode(const char *text, size_t n_text, char **ret_bytes, size_t *ret_n_bytes);
