/* SPDX-License-Identifier: MIT */
#pragma once

/* Foreign bytes for people: nothing in them may move a cursor, break a line or end a string. */

#include "base/text.h"
#include "timeline/entry.h"

/**
 * printable() - text of a daemon as one line
 * @n_columns_max: cut behind so many characters, with "..." in place of the rest; 0: not cut
 *
 * Control characters and bytes that are no UTF-8 become \xHH, a newline \n.
 */
void printable(const char *bytes, size_t n_bytes, size_t n_columns_max, Text *ret_text);

/* As above, but lines stay lines: each is indented by @n_spaces and ends with a newline. */
void printable_lines(const char *text, int n_spaces, Text *ret_text);

/* "bus properties agent.service ActiveState=active SubState=running", cut to @n_columns_max; no newline. */
void entry_line(const Entry *entry, size_t n_columns_max, Text *ret_text);
