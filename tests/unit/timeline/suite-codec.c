/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "suites.h"
#include "timeline/codec.h"

#define HEAD "\"source\":\"bus\",\"kind\":\"properties\",\"at\":5,\"seen\":7"

START_TEST(an_entry_is_one_line) {
        CLEANUP(entry_free_p) Entry *entry = entry_new(SOURCE_BUS, ENTRY_PROPERTIES, 1234, 1236, "agent.service");
        CLEANUP_TEXT Text text = TEXT_INIT;

        entry_set(entry, "ActiveState", "active");
        entry_set(entry, "text", "a \"quote\"\n");
        entry_encode(entry, &text);
        ck_assert_str_eq(text_get(&text),
                        "{\"i\":0,\"source\":\"bus\",\"kind\":\"properties\",\"at\":1234,\"seen\":1236,"
                        "\"unit\":\"agent.service\",\"f\":{\"ActiveState\":\"active\","
                        "\"text\":\"a \\\"quote\\\"\\n\"}}\n");
}
END_TEST

static void assert_same(const Entry *a, const Entry *b) {
        ck_assert_int_eq(a->source, b->source);
        ck_assert_int_eq(a->kind, b->kind);
        ck_assert_uint_eq(a->at_usec, b->at_usec);
        ck_assert_uint_eq(a->seen_usec, b->seen_usec);
        ck_assert_pstr_eq(a->unit, b->unit);
        ck_assert_uint_eq(a->n_fields, b->n_fields);
        for (size_t i = 0; i < a->n_fields; i++) {
                ck_assert_str_eq(a->fields[i].key, b->fields[i].key);
                ck_assert_uint_eq(a->fields[i].n_bytes, b->fields[i].n_bytes);
                /* With the NUL behind the last byte. */
                ck_assert_mem_eq(a->fields[i].bytes, b->fields[i].bytes, a->fields[i].n_bytes + 1);
        }
}

/* All bytes, one at a time, in pairs and in runs; invalid UTF-8, overlong forms, surrogates, NUL. */
START_TEST(bytes_come_back_as_they_were) {
        static const struct {
                const char *bytes;
                size_t n_bytes;
        } samples[] = {
                { "", 0 },
                { "\0", 1 },
                { "a\0b", 3 },
                { "\xc3\x28", 2 },
                { "\xc0\x80", 2 },
                { "\xed\xa0\x80", 3 },
                { "\xf4\x90\x80\x80", 4 },
                { "\xef\xbf\xbf", 3 },
                { "ü\xff", 3 },
                { "\xe2\x82", 2 },
                { "\x1b[31m\t\r\n", 8 },
                { "{\"base64\":\"x\"}", 14 },
        };
        CLEANUP(entry_free_p)
        Entry *entry = entry_new(SOURCE_COMMAND, ENTRY_COMMAND, 1, 2, "\xff.service"), *again = NULL;
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;
        char all[256], key[16];

        for (size_t i = 0; i < sizeof(all); i++)
                all[i] = (char) i;
        entry_set_bytes(entry, "all", all, sizeof(all));
        for (size_t i = 0; i < ELEMENTS_OF(samples); i++) {
                (void) snprintf(key, sizeof(key), "s%zu", i);
                entry_set_bytes(entry, key, samples[i].bytes, samples[i].n_bytes);
        }
        for (size_t i = 0; i < sizeof(all); i++) {
                (void) snprintf(key, sizeof(key), "b%zu", i);
                entry_set_bytes(entry, key, all + i, 1);
        }
        entry_encode(entry, &text);
        ck_assert_msg(entry_decode(text_get(&text), text.n_bytes - 1, &again, &error) == 0, "%s", error_text(&error));
        assert_same(entry, again);
}
END_TEST

static void record(Text *ret_text) {
        CLEANUP(timeline_free_p) Timeline *timeline = timeline_new();

        for (size_t i = 0; i < 5; i++) {
                Entry *entry = entry_new(SOURCE_JOURNAL, ENTRY_LOG, i, 10 + i, i % 2 ? "x.service" : NULL);

                entry_set_usec(entry, "n", i);
                ck_assert_int_eq(timeline_append(timeline, entry), 0);
                entry_encode(timeline_get(timeline, i), ret_text);
        }
}

START_TEST(a_timeline_is_read_back) {
        CLEANUP(timeline_free_p) Timeline *timeline = NULL;
        CLEANUP_TEXT Text text = TEXT_INIT, again = TEXT_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;

        record(&text);
        ck_assert_msg(timeline_decode("t", text_get(&text), text.n_bytes, &timeline, &error) == 0, "%s",
                        error_text(&error));
        for (size_t i = 0; i < timeline_length(timeline); i++)
                entry_encode(timeline_get(timeline, i), &again);
        ck_assert_str_eq(text_get(&text), text_get(&again));

        timeline = timeline_free(timeline);
        ck_assert_int_eq(timeline_decode("t", "", 0, &timeline, &error), 0);
        ck_assert_uint_eq(timeline_length(timeline), 0);
}
END_TEST

/* Wherever a recording is cut, it is whole lines or it is refused. */
START_TEST(a_recording_that_was_cut_is_refused) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        size_t n_lines = 0;

        record(&text);
        for (size_t n = 0; n <= text.n_bytes; n++) {
                CLEANUP(timeline_free_p) Timeline *timeline = NULL;
                CLEANUP_ERROR Error error = ERROR_INIT;
                int r = timeline_decode("t", text.bytes, n, &timeline, &error);

                if (n == 0 || text.bytes[n - 1] == '\n') {
                        ck_assert_int_eq(r, 0);
                        ck_assert_uint_eq(timeline_length(timeline), n_lines++);
                        continue;
                }
                ck_assert_int_eq(r, -EBADMSG);
                ck_assert_ptr_null(timeline);
                ck_assert_ptr_nonnull(strstr(error_text(&error), "cut in the middle"));
        }
        ck_assert_uint_eq(n_lines, 6);
}
END_TEST

START_TEST(garbage_is_refused) {
        static const struct {
                const char *line, *part;
        } samples[] = {
                { "\n", "t:1: " },
                { "hello\n", "t:1: " },
                { "\xff\xfe\n", "t:1: " },
                { "[]\n", "\"i\"" },
                { "{}\n", "\"i\"" },
                { "{\"i\":0}\n", "\"source\"" },
                { "{\"i\":1," HEAD ",\"f\":{}}\n", "entry 1 stands where entry 0 belongs" },
                { "{\"i\":0," HEAD "}\n", "\"f\"" },
                { "{\"i\":0," HEAD ",\"f\":[\"x\"]}\n", "must be an object" },
                { "{\"i\":0," HEAD ",\"f\":{\"A\":7}}\n", "\"A\" is neither" },
                { "{\"i\":0," HEAD ",\"f\":{\"A\":{\"base64\":\"?\"}}}\n", "base64 of \"A\" is broken" },
                { "{\"i\":0," HEAD ",\"f\":{\"A\":{\"base64\":7}}}\n", "\"A\" is neither" },
                { "{\"i\":0," HEAD ",\"unit\":7,\"f\":{}}\n", "\"unit\" is neither" },
                { "{\"i\":0,\"source\":\"hearsay\",\"kind\":\"log\",\"at\":1,\"seen\":1,\"f\":{}}\n", "hearsay" },
                { "{\"i\":0,\"source\":\"bus\",\"kind\":\"rumour\",\"at\":1,\"seen\":1,\"f\":{}}\n", "rumour" },
                { "{\"i\":0,\"source\":\"bus\",\"kind\":\"log\",\"at\":-1,\"seen\":1,\"f\":{}}\n", "\"at\"" },
                { "{\"i\":0,\"source\":\"bus\",\"kind\":\"log\",\"at\":1,\"seen\":\"x\",\"f\":{}}\n", "\"seen\"" },
                { "{\"i\":0," HEAD
                  ",\"f\":{}}\n{\"i\":1,\"source\":\"bus\",\"kind\":\"log\",\"at\":1,\"seen\":6,\"f\":{}}\n",
                                "t:2: entry 1 was seen before" },
        };

        FOREACH_ARRAY (sample, samples, ELEMENTS_OF(samples)) {
                CLEANUP(timeline_free_p) Timeline *timeline = NULL;
                CLEANUP_ERROR Error error = ERROR_INIT;

                ck_assert_msg(timeline_decode("t", sample->line, strlen(sample->line), &timeline, &error) == -EBADMSG,
                                "%s", sample->line);
                ck_assert_msg(strstr(error_text(&error), sample->part) != NULL, "%s: %s", sample->line,
                                error_text(&error));
        }
}
END_TEST

Suite *codec_suite(void) {
        Suite *suite = suite_create("codec");
        TCase *tcase = tcase_create("codec");

        tcase_add_test(tcase, an_entry_is_one_line);
        tcase_add_test(tcase, bytes_come_back_as_they_were);
        tcase_add_test(tcase, a_timeline_is_read_back);
        tcase_add_test(tcase, a_recording_that_was_cut_is_refused);
        tcase_add_test(tcase, garbage_is_refused);
        suite_add_tcase(suite, tcase);
        return suite;
}
