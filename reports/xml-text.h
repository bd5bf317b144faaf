/* SPDX-License-Identifier: MIT */
#pragma once

/* Foreign bytes -> text that an XML document may hold and that a CI system shows as it is meant. */

#include "base/text.h"

/**
 * xml_text() - what XML 1.0 allows of @bytes, appended
 * @n_bytes_max: at most so many bytes: head and tail are kept, and it is said between them how many are left out;
 *               0: no limit
 *
 * Terminal escape sequences and control characters go, newline and tab stay, bytes that are no UTF-8 become U+FFFD.
 * Nothing is escaped: that is the XML writer's work.
 *
 * Source: XML 1.0, production 2 (Char); ECMA-48 for the sequences.
 */
void xml_text(const char *bytes, size_t n_bytes, size_t n_bytes_max, Text *ret_text);
