/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One line of the journal, as its reader lends it: fields are fetched when asked for, because most lines are decided
 * by one of them. Valid only during the call that hands it over.
 */

#include <stddef.h>
#include <stdint.h>

typedef struct LogLine {
        uint64_t seqnum;  /* journald's sequence number: rises by one a line, a gap is a loss */
        uint64_t at_usec; /* CLOCK_MONOTONIC, journald's receive time: an upper bound */
        /* The value of journal field @name, not NUL-terminated, borrowed; NULL where the line has none. */
        const char *(*get_field)(const struct LogLine *line, const char *name, size_t *ret_n_bytes);
        /* The line's cursor, NUL-terminated, borrowed until the next line. NULL: out of memory. */
        const char *(*get_cursor)(const struct LogLine *line);
        void *reader;
} LogLine;
