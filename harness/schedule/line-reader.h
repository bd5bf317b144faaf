/* SPDX-License-Identifier: MIT */
#pragma once

/* Bytes from a pipe -> lines. A line may come in pieces, and no sender can make us hold more than one line's limit.
 */

#include <stdbool.h>

#include "base/error.h"

/* A file or a command's output is recorded with at most 64 KiB each; base64 and JSON make that a few hundred. */
enum { LINE_MAX_BYTES = 4 * 1024 * 1024 };

/* @line without its newline, borrowed; a negative errno ends the reading. */
typedef int (*LineFunction)(const char *line, size_t n_bytes, void *userdata, Error *reterr);

typedef struct LineReader {
        int fd; /* not blocking; the stream's */
        char *bytes;
        size_t n_bytes, n_allocated;
        size_t n_scanned; /* no newline in what is before */
        bool has_ended;
} LineReader;

#define LINE_READER_INIT(f) ((LineReader){ .fd = (f) })

void line_reader_done(LineReader *reader);

/**
 * line_reader_read() - read what is there now
 *
 * @on_line is called for every complete line. At the end of the stream `has_ended` is set; an incomplete last line is
 * an error then (-EBADMSG), because whoever wrote it was cut off.
 *
 * Errors: -EMSGSIZE for a line above the limit, what @on_line returned, those of read(2).
 */
int line_reader_read(LineReader *reader, LineFunction on_line, void *userdata, Error *reterr);
