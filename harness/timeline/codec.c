/* SPDX-License-Identifier: MIT */
#include "timeline/codec.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/quantity.h"
#include "timeline/base64.h"

/* A text goes as a string; what is no UTF-8, or holds a NUL that many readers of JSON refuse, as base64. */
static void encode_bytes(const char *bytes, size_t n_bytes, Text *ret_text) {
        if (utf8_is_valid(bytes, n_bytes) && !memchr(bytes, '\0', n_bytes)) {
                json_write_string(ret_text, bytes, n_bytes);
                return;
        }
        text_append(ret_text, "{\"base64\":\"");
        base64_encode(bytes, n_bytes, ret_text);
        text_append(ret_text, "\"}");
}

void entry_encode(const Entry *entry, Text *ret_text) {
        text_printf(ret_text, "{\"i\":%zu,\"source\":\"%s\",\"kind\":\"%s\",\"at\":%" PRIu64 ",\"seen\":%" PRIu64,
                        entry->index, entry_source_name(entry->source), entry_kind_name(entry->kind), entry->at_usec,
                        entry->seen_usec);
        if (entry->unit) {
                text_append(ret_text, ",\"unit\":");
                encode_bytes(entry->unit, strlen(entry->unit), ret_text);
        }
        text_append(ret_text, ",\"f\":{");
        FOREACH_ARRAY (field, entry->fields, entry->n_fields) {
                if (field != entry->fields)
                        text_append(ret_text, ",");
                json_write_string(ret_text, field->key, strlen(field->key));
                text_append(ret_text, ":");
                encode_bytes(field->bytes, field->n_bytes, ret_text);
        }
        text_append(ret_text, "}}\n");
}

/* A string, or {"base64": "..."}. The bytes are the caller's. */
static int decode_bytes(const Json *json, const char *name, char **ret_bytes, size_t *ret_n_bytes, Error *reterr) {
        const Json *wrapped = json ? json_member(json, "base64") : NULL;
        size_t n_bytes = 0;
        const char *bytes = json_get_string(wrapped ? wrapped : json, &n_bytes);
        int r;

        if (!bytes)
                return error_set(reterr, -EBADMSG, "\"%s\" is neither a string nor base64", name);
        if (wrapped) {
                r = base64_decode(bytes, n_bytes, ret_bytes, ret_n_bytes);
                return r == -EINVAL ? error_set(reterr, -EBADMSG, "the base64 of \"%s\" is broken", name) : r;
        }
        *ret_bytes = malloc(n_bytes + 1);
        if (!*ret_bytes)
                return -ENOMEM;
        memcpy(*ret_bytes, bytes, n_bytes);
        (*ret_bytes)[n_bytes] = '\0';
        *ret_n_bytes = n_bytes;
        return 0;
}

static int decode_number(const Json *json, const char *name, uint64_t *ret_number, Error *reterr) {
        const Json *member = json_member(json, name);
        int64_t number;

        if (!member || json_get_integer(member, &number) < 0 || number < 0)
                return error_set(reterr, -EBADMSG, "an entry needs \"%s\", a whole number", name);
        *ret_number = (uint64_t) number;
        return 0;
}

static int decode_name(
                const Json *json, const char *name, int (*from_name)(const char *), int *ret_value, Error *reterr) {
        const Json *member = json_member(json, name);
        const char *text = member ? json_get_string(member, NULL) : NULL;

        *ret_value = text ? from_name(text) : -EINVAL;
        if (*ret_value < 0)
                return error_set(reterr, -EBADMSG, "an entry needs a known \"%s\", this one has \"%s\"", name,
                                text ? text : "");
        return 0;
}

static int decode_unit(const Json *json, char **ret_unit, Error *reterr) {
        const Json *member = json_member(json, "unit");
        size_t n_bytes;

        return member ? decode_bytes(member, "unit", ret_unit, &n_bytes, reterr) : 0;
}

static int decode_fields(const Json *json, Entry *entry, Error *reterr) {
        const Json *fields = json_member(json, "f"), *value;
        const char *key;
        int r;

        if (!fields)
                return error_set(reterr, -EBADMSG, "an entry needs \"f\", its fields");
        for (size_t i = 0; (value = json_nth(fields, i, &key)); i++) {
                CLEANUP_FREE char *bytes = NULL;
                size_t n_bytes = 0;

                if (!key)
                        return error_set(reterr, -EBADMSG, "\"f\" must be an object");
                r = decode_bytes(value, key, &bytes, &n_bytes, reterr);
                if (r < 0)
                        return r;
                entry_set_bytes(entry, key, bytes, n_bytes);
        }
        return 0;
}

static int decode_json(const Json *json, Entry **ret_entry, Error *reterr) {
        CLEANUP(entry_free_p) Entry *entry = NULL;
        CLEANUP_FREE char *unit = NULL;
        uint64_t at_usec = 0, seen_usec = 0;
        int source = 0, kind = 0, r;

        r = decode_name(json, "source", entry_source_from_name, &source, reterr);
        if (r >= 0)
                r = decode_name(json, "kind", entry_kind_from_name, &kind, reterr);
        if (r >= 0)
                r = decode_number(json, "at", &at_usec, reterr);
        if (r >= 0)
                r = decode_number(json, "seen", &seen_usec, reterr);
        if (r >= 0)
                r = decode_unit(json, &unit, reterr);
        if (r < 0)
                return r;

        entry = entry_new((EntrySource) source, (EntryKind) kind, at_usec, seen_usec, unit);
        if (!entry)
                return -ENOMEM;
        r = decode_fields(json, entry, reterr);
        if (r < 0)
                return r;
        *ret_entry = TAKE_PTR(entry);
        return 0;
}

int entry_decode(const char *line, size_t n_bytes, Entry **ret_entry, Error *reterr) {
        CLEANUP(json_free_p) Json *json = NULL;
        int r = json_parse(line, n_bytes, &json, reterr);

        return r < 0 ? r : decode_json(json, ret_entry, reterr);
}

static int decode_line(Timeline *timeline, const char *line, size_t n_bytes, Error *reterr) {
        CLEANUP(json_free_p) Json *json = NULL;
        Entry *entry = NULL;
        uint64_t index = 0;
        int r;

        r = json_parse(line, n_bytes, &json, reterr);
        if (r >= 0)
                r = decode_number(json, "i", &index, reterr);
        if (r < 0)
                return r;
        /* Numbered without a gap, so that a line that was taken out is noticed. */
        if (index != timeline_length(timeline))
                return error_set(reterr, -EBADMSG, "entry %" PRIu64 " stands where entry %zu belongs", index,
                                timeline_length(timeline));
        r = decode_json(json, &entry, reterr);
        if (r < 0)
                return r;
        r = timeline_append(timeline, entry);
        return r == -ERANGE ? error_set(reterr, -EBADMSG, "entry %" PRIu64 " was seen before the one above it", index)
                            : r;
}

int timeline_decode(const char *name, const char *text, size_t n_bytes, Timeline **ret_timeline, Error *reterr) {
        CLEANUP(timeline_free_p) Timeline *timeline = timeline_new();
        const char *end = text + n_bytes, *newline;
        size_t n_lines = 0;
        int r;

        if (!timeline)
                return -ENOMEM;
        for (const char *line = text; line < end; line = newline + 1) {
                n_lines++;
                newline = memchr(line, '\n', (size_t) (end - line));
                if (!newline)
                        return error_set(reterr, -EBADMSG, "%s:%zu: the recording was cut in the middle of a line",
                                        name, n_lines);
                r = decode_line(timeline, line, (size_t) (newline - line), reterr);
                if (r < 0) {
                        (void) error_prefix(reterr, "%s:%zu", name, n_lines);
                        return r;
                }
        }
        *ret_timeline = TAKE_PTR(timeline);
        return 0;
}
