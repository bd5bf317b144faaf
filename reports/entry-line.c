/* SPDX-License-Identifier: MIT */
#include "reports/entry-line.h"

#include <string.h>

/* Fields that tell a reader nothing, or far too much; the evidence has them all. */
static const char *const UNTOLD[] = { "stat", "cmdline", "limits", "fds", "bytes", "cursor", "asked", "sha256",
        "flags", "uid", "etime", "begin", "seqnum", "MESSAGE_ID", "INVOCATION_ID" };

/* Of an entry with dozens of properties, the ones that say what happened; in this order. */
static const char *const TOLD_PROPERTIES[] = { "ActiveState", "SubState", "Result", "ExecMainCode", "ExecMainStatus",
        "MainPID", "NRestarts" };

/* Bytes of the UTF-8 character at @bytes, 0 where there is none. Overlong forms need no care: nothing is decoded. */
static size_t character_bytes(const unsigned char *bytes, size_t n_bytes) {
        size_t n = 0;

        if (bytes[0] < 0x80)
                n = 1;
        else if (bytes[0] >= 0xc2 && bytes[0] < 0xf5)
                n = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
        if (n == 0 || n > n_bytes)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((bytes[i] & 0xc0) != 0x80)
                        return 0;
        return n;
}

/* C1 controls (U+0080 to U+009F) move cursors too. */
static bool is_control(const unsigned char *character, size_t n) {
        if (n == 1)
                return character[0] < 0x20 || character[0] == 0x7f;
        return n == 2 && character[0] == 0xc2 && character[1] < 0xa0;
}

/* Writes one character; returns how many bytes were taken. */
static size_t put_character(const unsigned char *c, size_t n_bytes, Text *text) {
        size_t n = character_bytes(c, n_bytes);

        if (*c == '\n')
                text_append(text, "\\n");
        else if (n == 0 || is_control(c, n)) {
                text_printf(text, "\\x%02x", *c);
                return 1;
        } else
                text_append_bytes(text, c, n);
        return n;
}

void printable(const char *bytes, size_t n_bytes, size_t n_columns_max, Text *ret_text) {
        const unsigned char *c = (const unsigned char *) bytes, *end = c + n_bytes;
        size_t n_columns = 0;

        while (c < end) {
                size_t n_before = ret_text->n_bytes, n;

                /* Room for an escape and the dots. */
                if (n_columns_max > 0 && n_columns + 7 > n_columns_max && (size_t) (end - c) > 3) {
                        text_append(ret_text, "...");
                        return;
                }
                n = put_character(c, (size_t) (end - c), ret_text);
                n_columns += n > 1 ? 1 : ret_text->n_bytes - n_before;
                c += n;
        }
}

void printable_lines(const char *text, int n_spaces, Text *ret_text) {
        while (*text) {
                size_t n = strcspn(text, "\n");

                text_printf(ret_text, "%*s", n_spaces, "");
                printable(text, n, 0, ret_text);
                text_append(ret_text, "\n");
                text += n + (text[n] == '\n');
        }
}

static bool is_one_of(const char *key, const char *const *keys, size_t n_keys) {
        FOREACH_ARRAY (item, keys, n_keys)
                if (strcmp(*item, key) == 0)
                        return true;
        return false;
}

static bool is_told(const Field *field) {
        if (strcmp(field->key, "errno") == 0 && strcmp(field->bytes, "0") == 0)
                return false;
        return field->n_bytes > 0 && !is_one_of(field->key, UNTOLD, ELEMENTS_OF(UNTOLD));
}

static void write_field(const Field *field, Text *text) {
        text_printf(text, " %s=", field->key);
        /* One long field must not crowd out the others. */
        printable(field->bytes, field->n_bytes, 100, text);
}

static void write_properties(const Entry *entry, Text *text) {
        FOREACH_ARRAY (name, TOLD_PROPERTIES, ELEMENTS_OF(TOLD_PROPERTIES)) {
                const Field *field = entry_find(entry, *name);
                if (field)
                        write_field(field, text);
        }
}

void entry_line(const Entry *entry, size_t n_columns_max, Text *ret_text) {
        CLEANUP_TEXT Text line = TEXT_INIT;

        text_printf(&line, "%-8s %s", entry_source_name(entry->source), entry_kind_name(entry->kind));
        if (entry->unit)
                text_printf(&line, " %s", entry->unit);
        if (entry->kind == ENTRY_PROPERTIES)
                write_properties(entry, &line);
        else
                FOREACH_ARRAY (field, entry->fields, entry->n_fields)
                        if (is_told(field))
                                write_field(field, &line);
        printable(text_get(&line), line.n_bytes, n_columns_max, ret_text);
}
