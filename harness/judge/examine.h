/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the kinds that examine one observation have in common: putting captures into the scenario's texts, comparing
 * one observed value with one key, and saying what was seen.
 *
 *     Examiner examiner;
 *     examiner_init(&examiner, expectation, facts, entry, ret);
 *     examine_field(&examiner, "mode", "mode");
 *     examiner_finish(&examiner);
 *
 * An observation is true until a key does not match, and unknown where one could not be compared and no other one was
 * false.
 */

#include "judge/expect.h"

typedef struct Examiner {
        const Expectation *expectation;
        const Entry *entry;
        CaptureScope scope;
        TemplateLookup lookup;
        Examination *examination;
        Text matching, differing, unknown; /* what was seen, for people */
} Examiner;

/* The examination's truth is TRUE, its stamp the entry's, until something else turns up. */
void examiner_init(Examiner *examiner, const Expectation *expectation, const Case *facts, const Entry *entry,
                Examination *ret_examination);
/* Sets the truth and what was seen. */
void examiner_finish(Examiner *examiner);

/* Compares with VALUE_MATCH key @key, where the scenario gives it. @label names the value for people. */
void examine_text(Examiner *examiner, const char *key, const char *label, const char *text, size_t n_bytes);
/* As examine_text() with the entry's field @field; no such field is "not known". */
void examine_field(Examiner *examiner, const char *key, const char *field);
/* Compares the members of a JSON text with VALUE_MATCH_MAP key @key, where the scenario gives it. */
void examine_json(Examiner *examiner, const char *key, const char *text, size_t n_bytes);
/* One outcome without a comparison: @truth, and what was seen. */
void examine_note(Examiner *examiner, Truth truth, const char *format, ...) PRINTF_LIKE(3, 4);
/* Did a regex of the match ever hit PCRE2's limits? Then that it found nothing means nothing. */
bool match_overran(const Match *match);
/* Does the scenario give @key? */
bool examiner_has(const Examiner *examiner, const char *key);

/**
 * expectation_text() - the text of a VALUE_STRING key with its captures put in
 * @before: captures recorded before this timeline index count
 *
 * Errors: -ENOENT where a capture is not there (yet).
 */
int expectation_text(const Expectation *expectation, const Case *facts, size_t before, const char *key,
                char **ret_text, Error *reterr);

/* Is the entry's field @field the text of key @key? False, too, where that text needs a capture which is not there.
 */
bool entry_answers(const Entry *entry, const char *field, const Expectation *expectation, const Case *facts,
                const char *key);

/* Appends the comparisons of all keys: `mode equals "0600", json.tasks at least 3`. Keys in @skip ("a|b") are left
 * out. */
void describe_matches(Text *text, const Expectation *expectation, const Case *facts, const char *skip);

/* Appends at most @n_max of the bytes, in quotes and on one line, with an ellipsis where that is not all. */
void append_quoted(Text *text, const char *bytes, size_t n_bytes, size_t n_max);
#define QUOTED_MAX 160

/* Length without the newlines at the end, as the shell's $(). */
size_t length_without_newlines(const char *bytes, size_t n_bytes);
