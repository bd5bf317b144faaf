/* SPDX-License-Identifier: MIT */
#include "judge/examine.h"

#include <stdarg.h>
#include <string.h>

#include "base/json.h"

void examiner_init(Examiner *examiner, const Expectation *expectation, const Case *facts, const Entry *entry,
                Examination *ret_examination) {
        *examiner = (Examiner){
                .expectation = expectation,
                .entry = entry,
                .scope = { .facts = facts, .before = entry->index },
                .examination = ret_examination,
        };
        examiner->lookup = capture_lookup(&examiner->scope);
        ret_examination->truth = TRUTH_TRUE;
        ret_examination->at_usec = entry->at_usec;
}

/* Told is what decides: what differs, else what is not known, else what is as expected. */
void examiner_finish(Examiner *examiner) {
        Examination *examination = examiner->examination;
        Text *told = &examiner->matching;

        if (examiner->differing.n_bytes > 0) {
                examination->truth = TRUTH_FALSE;
                told = &examiner->differing;
        } else if (examiner->unknown.n_bytes > 0) {
                examination->truth = TRUTH_UNKNOWN;
                told = &examiner->unknown;
        }
        text_append(&examination->seen, text_get(told));
        text_done(&examiner->matching);
        text_done(&examiner->differing);
        text_done(&examiner->unknown);
}

static Text *text_of_truth(Examiner *examiner, Truth truth) {
        Text *text = truth == TRUTH_TRUE    ? &examiner->matching
                     : truth == TRUTH_FALSE ? &examiner->differing
                                            : &examiner->unknown;

        if (text->n_bytes > 0)
                text_append(text, ", ");
        return text;
}

void examine_note(Examiner *examiner, Truth truth, const char *format, ...) {
        CLEANUP_FREE char *note = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&note, format, arguments) < 0)
                note = NULL;
        va_end(arguments);
        text_append(text_of_truth(examiner, truth), note ? note : "out of memory");
}

bool examiner_has(const Examiner *examiner, const char *key) {
        return expectation_value(examiner->expectation, key)->is_set;
}

bool match_overran(const Match *match) {
        if (match->regex && regex_overran(match->regex))
                return true;
        FOREACH_ARRAY (child, match->children, match->n_children)
                if (match_overran(child))
                        return true;
        return false;
}

static void examine_match(
                Examiner *examiner, const Match *match, const char *label, const char *text, size_t n_bytes) {
        bool is_match = match_text(match, text, n_bytes, &examiner->lookup);
        Text *told;

        /* PCRE2 gave up: that it found nothing means nothing. */
        if (!is_match && match_overran(match)) {
                examine_note(examiner, TRUTH_UNKNOWN, "%s needs more steps than the regex limits allow", label);
                return;
        }
        told = text_of_truth(examiner, is_match ? TRUTH_TRUE : TRUTH_FALSE);
        text_printf(told, "%s was ", label);
        append_quoted(told, text, n_bytes, QUOTED_MAX);
}

void examine_text(Examiner *examiner, const char *key, const char *label, const char *text, size_t n_bytes) {
        const Value *value = expectation_value(examiner->expectation, key);

        if (!value->is_set)
                return;
        if (text)
                examine_match(examiner, &value->matches->match, label, text, n_bytes);
        else
                examine_note(examiner, TRUTH_UNKNOWN, "%s is not known", label);
}

void examine_field(Examiner *examiner, const char *key, const char *field) {
        const Field *found = entry_find(examiner->entry, field);

        examine_text(examiner, key, key, found ? found->bytes : NULL, found ? found->n_bytes : 0);
}

static void examine_member(Examiner *examiner, const Json *json, const NamedMatch *expected) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_FREE char *label = NULL;

        if (!json_scalar_text(json_member(json, expected->name), &text)) {
                examine_note(examiner, TRUTH_FALSE, "json.%s was not there", expected->name);
                return;
        }
        if (asprintf(&label, "json.%s", expected->name) < 0)
                label = NULL;
        examine_match(examiner, &expected->match, label ? label : "json", text_get(&text), text.n_bytes);
}

void examine_json(Examiner *examiner, const char *key, const char *text, size_t n_bytes) {
        const Value *value = expectation_value(examiner->expectation, key);
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP(json_free_p) Json *json = NULL;

        if (!value->is_set)
                return;
        if (json_parse(text, n_bytes, &json, &error) < 0) {
                examine_note(examiner, TRUTH_FALSE, "%s", error_text(&error));
                return;
        }
        FOREACH_ARRAY (expected, value->matches, value->n_matches)
                examine_member(examiner, json, expected);
}

int expectation_text(const Expectation *expectation, const Case *facts, size_t before, const char *key,
                char **ret_text, Error *reterr) {
        CaptureScope scope = { .facts = facts, .before = before };
        TemplateLookup lookup = capture_lookup(&scope);

        return template_resolve(expectation_value(expectation, key)->text, &lookup, false, ret_text, reterr);
}

bool entry_answers(const Entry *entry, const char *field, const Expectation *expectation, const Case *facts,
                const char *key) {
        CLEANUP_FREE char *text = NULL;

        if (expectation_text(expectation, facts, entry->index, key, &text, NULL) < 0)
                return false;
        return entry_has(entry, field, text);
}

static bool list_has(const char *list, const char *word) {
        size_t n = strlen(word);

        for (const char *at = list; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
                if (strncmp(at, word, n) == 0 && (at[n] == '|' || at[n] == '\0'))
                        return true;
        return false;
}

void describe_matches(Text *text, const Expectation *expectation, const Case *facts, const char *skip) {
        CaptureScope scope = { .facts = facts, .before = SIZE_MAX };
        TemplateLookup lookup = capture_lookup(&scope);
        const char *separator = "";

        for (size_t i = 0; i < expectation->kind->n_keys; i++) {
                const KeySpec *key = &expectation->kind->keys[i];

                if (list_has(skip, key->name))
                        continue;
                FOREACH_ARRAY (named, expectation->values[i].matches, expectation->values[i].n_matches) {
                        CLEANUP_FREE char *words = match_describe(&named->match, &lookup);

                        text_printf(text, "%s%s%s%s %s", separator, key->name, named->name ? "." : "",
                                        named->name ? named->name : "", words ? words : "");
                        separator = ", ";
                }
        }
}

void append_quoted(Text *text, const char *bytes, size_t n_bytes, size_t n_max) {
        size_t n = n_bytes <= n_max ? n_bytes : n_max;

        /* Not in the middle of a character. */
        while (n > 0 && n < n_bytes && ((unsigned char) bytes[n] & 0xc0) == 0x80)
                n--;
        json_write_string(text, bytes, n);
        if (n < n_bytes)
                text_printf(text, "... (%zu bytes)", n_bytes);
}

size_t length_without_newlines(const char *bytes, size_t n_bytes) {
        while (n_bytes > 0 && bytes[n_bytes - 1] == '\n')
                n_bytes--;
        return n_bytes;
}
