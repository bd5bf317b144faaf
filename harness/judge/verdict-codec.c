/* SPDX-License-Identifier: MIT */

/* A verdict as one line of JSON. Members always come in the same order, so that two judgements compare as bytes. */

#include "judge/verdict.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/quantity.h"

static void encode_text(Text *text, const char *name, const char *value) {
        if (!value)
                return;
        text_printf(text, ",\"%s\":", name);
        json_write_string(text, value, strlen(value));
}

static void encode_usec(Text *text, const char *name, uint64_t usec) {
        if (usec == USEC_INFINITY)
                text_printf(text, ",\"%s\":\"infinity\"", name);
        else
                text_printf(text, ",\"%s\":%" PRIu64, name, usec);
}

static void encode_near_misses(Text *text, const Verdict *verdict) {
        text_append(text, ",\"near\":[");
        for (size_t i = 0; i < verdict->n_near_misses; i++) {
                text_append(text, i > 0 ? "," : "");
                json_write_string(text, verdict->near_misses[i], strlen(verdict->near_misses[i]));
        }
        text_append(text, "]");
}

static void encode_evidence(Text *text, const Verdict *verdict) {
        text_append(text, ",\"evidence\":[");
        for (size_t i = 0; i < verdict->n_evidence; i++)
                text_printf(text, "%s%zu", i > 0 ? "," : "", verdict->evidence[i]);
        text_append(text, "]");
}

void verdict_encode(const Verdict *verdict, Text *ret_text) {
        text_printf(ret_text, "{\"verdict\":\"%s\",\"reason\":\"%s\"", outcome_name(verdict->outcome),
                        reason_name(verdict->reason));
        encode_text(ret_text, "id", verdict->id);
        text_printf(ret_text, ",\"line\":%u,\"column\":%u", verdict->mark.line, verdict->mark.column);
        encode_text(ret_text, "sentence", verdict->sentence);
        encode_text(ret_text, "expected", verdict->expected);
        encode_text(ret_text, "seen", verdict->seen);
        encode_near_misses(ret_text, verdict);
        encode_evidence(ret_text, verdict);
        encode_usec(ret_text, "at", verdict->at_usec);
        encode_usec(ret_text, "margin", verdict->margin_usec);
        text_append(ret_text, "}\n");
}

static int decode_text(const Json *json, const char *name, char **ret_text, Error *reterr) {
        const Json *member = json_member(json, name);
        size_t n_bytes = 0;
        const char *bytes;

        if (!member)
                return 0;
        bytes = json_get_string(member, &n_bytes);
        if (!bytes)
                return error_set(reterr, -EBADMSG, "\"%s\" of a verdict must be a string", name);
        *ret_text = strndup(bytes, n_bytes);
        return *ret_text ? 0 : -ENOMEM;
}

static int decode_name(
                const Json *json, const char *name, int (*from_name)(const char *), int *ret_value, Error *reterr) {
        CLEANUP_FREE char *text = NULL;
        int r = decode_text(json, name, &text, reterr);

        if (r < 0)
                return r;
        *ret_value = text ? from_name(text) : -EINVAL;
        if (*ret_value < 0)
                return error_set(reterr, -EBADMSG, "a verdict needs a known \"%s\", this one has \"%s\"", name,
                                text ? text : "");
        return 0;
}

static int decode_number(const Json *json, const char *name, uint64_t max, uint64_t *ret_number, Error *reterr) {
        const Json *member = json_member(json, name);
        size_t n_bytes = 0;
        const char *text = member ? json_get_string(member, &n_bytes) : NULL;
        int64_t number = -1;

        if (text && strcmp(text, "infinity") == 0) {
                *ret_number = USEC_INFINITY;
                return 0;
        }
        if (!member || json_get_integer(member, &number) < 0 || number < 0 || (uint64_t) number > max)
                return error_set(reterr, -EBADMSG, "\"%s\" of a verdict must be a whole number", name);
        *ret_number = (uint64_t) number;
        return 0;
}

static int decode_mark(const Json *json, Mark *ret_mark, Error *reterr) {
        uint64_t line, column;
        int r = decode_number(json, "line", UINT32_MAX, &line, reterr);

        if (r >= 0)
                r = decode_number(json, "column", UINT32_MAX, &column, reterr);
        if (r >= 0)
                *ret_mark = (Mark){ .line = (unsigned) line, .column = (unsigned) column };
        return r;
}

static int decode_lists(const Json *json, Verdict *verdict, Error *reterr) {
        const Json *near = json_member(json, "near"), *evidence = json_member(json, "evidence"), *item;
        int r = 0;

        if (!near || !evidence)
                return error_set(reterr, -EBADMSG, "a verdict needs \"near\" and \"evidence\"");
        for (size_t i = 0; r >= 0 && (item = json_nth(near, i, NULL)); i++) {
                size_t n_bytes = 0;
                const char *text = json_get_string(item, &n_bytes);

                r = text ? verdict_add_near_miss(verdict, text)
                         : error_set(reterr, -EBADMSG, "\"near\" of a verdict holds strings");
        }
        for (size_t i = 0; r >= 0 && (item = json_nth(evidence, i, NULL)); i++) {
                int64_t index = -1;

                r = json_get_integer(item, &index) >= 0 && index >= 0
                                    ? verdict_rest_on(verdict, (size_t) index)
                                    : error_set(reterr, -EBADMSG,
                                                      "\"evidence\" of a verdict holds numbers of entries");
        }
        return r;
}

static int decode_names(const Json *json, Verdict *verdict, Error *reterr) {
        int outcome, reason;
        int r = decode_name(json, "verdict", outcome_from_name, &outcome, reterr);

        if (r >= 0)
                r = decode_name(json, "reason", reason_from_name, &reason, reterr);
        if (r < 0)
                return r;
        verdict->outcome = (Outcome) outcome;
        verdict->reason = (Reason) reason;
        return 0;
}

int verdict_decode(const char *line, size_t n_bytes, Verdict *ret_verdict, Error *reterr) {
        CLEANUP(json_free_p) Json *json = NULL;
        CLEANUP(verdict_done) Verdict verdict = { 0 };
        int r = json_parse(line, n_bytes, &json, reterr);

        if (r >= 0)
                r = decode_names(json, &verdict, reterr);
        if (r >= 0)
                r = decode_text(json, "id", &verdict.id, reterr);
        if (r >= 0)
                r = decode_mark(json, &verdict.mark, reterr);
        if (r >= 0)
                r = decode_text(json, "sentence", &verdict.sentence, reterr);
        if (r >= 0)
                r = decode_text(json, "expected", &verdict.expected, reterr);
        if (r >= 0)
                r = decode_text(json, "seen", &verdict.seen, reterr);
        if (r >= 0)
                r = decode_lists(json, &verdict, reterr);
        if (r >= 0)
                r = decode_number(json, "at", USEC_INFINITY, &verdict.at_usec, reterr);
        if (r >= 0)
                r = decode_number(json, "margin", USEC_INFINITY, &verdict.margin_usec, reterr);
        if (r < 0)
                return r;
        *ret_verdict = verdict;
        verdict = (Verdict){ 0 };
        return 0;
}
