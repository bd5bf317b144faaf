/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A string that grows. Allocation failure is remembered and makes the text empty for good, so that a chain of appends
 * needs one check at the end (text_take() then returns NULL).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

typedef struct Text {
        char *bytes; /* NUL-terminated; NULL while empty */
        size_t n_bytes;
        size_t n_allocated;
        bool is_broken; /* an allocation failed */
} Text;

#define TEXT_INIT ((Text){ 0 })

void text_done(Text *text);
void text_append(Text *text, const char *string);
void text_append_bytes(Text *text, const void *bytes, size_t n_bytes);
void text_printf(Text *text, const char *format, ...) PRINTF_LIKE(2, 3);
/* Shortens to @n_bytes; does nothing where the text is shorter already. */
void text_truncate(Text *text, size_t n_bytes);
/* The bytes so far, "" while empty; borrowed, valid until the next append. */
const char *text_get(const Text *text);
/* Hands the bytes over ("" while empty); NULL where an allocation failed. The text is empty afterwards. */
char *text_take(Text *text) MUST_CHECK;

bool string_ends_with(const char *string, const char *ending);

/* "\040" becomes a blank, in place: so the kernel writes blanks, tabs, newlines and backslashes in its tables.
 * Source: proc_pid_mountinfo(5). */
void string_unescape_octal(char *string);

#define CLEANUP_TEXT CLEANUP(text_done)
