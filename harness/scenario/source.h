/* SPDX-License-Identifier: MIT */
#pragma once

/* A file's text by lines and characters, counted as libyaml counts them: its marks are what points into the text. */

#include <stdbool.h>

#include "base/macros.h"
#include "scenario/mark.h"

/* Bytes of the UTF-8 character at @text; 1 for a byte that belongs to none. @n_bytes: at least 1, what is left. */
size_t source_character_bytes(const char *text, size_t n_bytes);

/* Bytes of the line break at @text (LF, CR, CR LF, NEL, LS, PS), 0 where there is none. Source: yaml_private.h
 * IS_BREAK. */
size_t source_break_bytes(const char *text, size_t n_bytes);

/* The first byte that is no UTF-8, as an offset; @n_bytes where all are. */
size_t source_find_invalid_utf8(const char *text, size_t n_bytes);

/* Where byte @offset stands. */
Mark source_mark(const char *text, size_t offset);

/* Finds lines; cheap where they are asked for in rising order. */
typedef struct SourceCursor {
        const char *text;
        size_t n_bytes;
        size_t offset;
        unsigned line; /* the one that begins at offset */
} SourceCursor;

#define SOURCE_CURSOR_INIT(t, n) ((SourceCursor){ .text = (t), .n_bytes = (n), .line = 1 })

/* Line @line (1-based) without its break, borrowed. False where the text has fewer lines. */
bool source_find_line(SourceCursor *cursor, unsigned line, const char **ret_line, size_t *ret_n_bytes);
