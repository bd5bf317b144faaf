/* SPDX-License-Identifier: MIT */
#pragma once

/* Compiled PCRE2 patterns (UTF, JIT where the machine has it). The only user of the PCRE2 library. */

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct Regex Regex;

/**
 * regex_new() - compile a pattern
 * @pattern:    PCRE2 pattern, UTF-8, NUL-terminated
 * @ret_regex:  the compiled pattern; the caller's
 * @ret_offset: on -EINVAL, the byte in @pattern where it went wrong; may be NULL
 *
 * Errors: -EINVAL with PCRE2's own sentence in @reterr; -ENOMEM.
 * Source: pcre2api(3). Text that is not UTF-8 is matched all the same (PCRE2_MATCH_INVALID_UTF).
 */
int regex_new(const char *pattern, Regex **ret_regex, size_t *ret_offset, Error *reterr);
Regex *regex_free(Regex *regex);

/* Does @text of @n_bytes contain a match? A match that ran into PCRE2's limits counts as none; see regex_overran().
 */
bool regex_matches(Regex *regex, const char *text, size_t n_bytes);

/* Has any match so far hit PCRE2's match or depth limit? Then "no match" is not to be believed. */
bool regex_overran(const Regex *regex);

/* Can the pattern match the empty string? Such a pattern never fails, so an expectation with it proves nothing. */
bool regex_matches_empty(Regex *regex);

/* Number of capture groups, and the name of group @i (1-based; NULL for an unnamed one; borrowed). */
size_t regex_n_groups(const Regex *regex);
const char *regex_group_name(const Regex *regex, size_t i);

/**
 * regex_capture() - match and copy the groups out
 * @ret_groups: array of regex_n_groups() + 1 strings ([0] is the whole match, an unset group is NULL), the caller's;
 *              NULL where nothing matched
 *
 * Errors: -ENOMEM.
 */
int regex_capture(Regex *regex, const char *text, size_t n_bytes, char ***ret_groups);
char **regex_groups_free(const Regex *regex, char **groups);

DEFINE_CLEANUP(Regex, regex_free)
