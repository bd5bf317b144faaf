/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The timeline as NDJSON, one entry a line:
 *   {"i":12,"source":"bus","kind":"properties","at":1234,"seen":1236,"unit":"agent.service","f":{"ActiveState":"active"}}
 * A field that is no UTF-8 text is written as {"base64":"..."}. Reading gives the same entries back, byte for byte.
 */

#include "base/text.h"
#include "timeline/timeline.h"

/* Appends the entry's line, with its newline. */
void entry_encode(const Entry *entry, Text *ret_text);

/**
 * entry_decode() - one line -> entry
 * Errors: -EBADMSG with what is wrong in @reterr; -ENOMEM.
 */
int entry_decode(const char *line, size_t n_bytes, Entry **ret_entry, Error *reterr);

/* A whole recorded timeline; @name for messages. A last line without newline is a stream that was cut: -EBADMSG. */
int timeline_decode(const char *name, const char *text, size_t n_bytes, Timeline **ret_timeline, Error *reterr);
