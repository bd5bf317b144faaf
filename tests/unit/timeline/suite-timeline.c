/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "suites.h"
#include "timeline/timeline.h"

static const Entry *add(Timeline *timeline, EntryKind kind, uint64_t seen_usec, const char *unit, const char *key,
                const char *value) {
        Entry *entry = entry_new(SOURCE_HARNESS, kind, seen_usec, seen_usec, unit);

        ck_assert_ptr_nonnull(entry);
        if (key)
                entry_set(entry, key, value);
        ck_assert_int_eq(timeline_append(timeline, entry), 0);
        return timeline_get(timeline, timeline_length(timeline) - 1);
}

START_TEST(entries_stay_in_arrival_order) {
        CLEANUP(timeline_free_p) Timeline *timeline = timeline_new();
        Entry *late;

        for (size_t i = 0; i < 1000; i++)
                ck_assert_uint_eq(add(timeline, i % 2 ? ENTRY_LOG : ENTRY_FILE, i / 3, NULL, NULL, NULL)->index, i);
        late = entry_new(SOURCE_HARNESS, ENTRY_LOG, 0, 1, NULL);
        ck_assert_int_eq(timeline_append(timeline, late), -ERANGE);
        ck_assert_int_eq(timeline_append(timeline, NULL), -ENOMEM);
        ck_assert_uint_eq(timeline_length(timeline), 1000);
}
END_TEST

START_TEST(entries_are_found_by_kind_and_unit) {
        CLEANUP(timeline_free_p) Timeline *timeline = timeline_new();

        ck_assert_ptr_null(timeline_next(timeline, 0, ENTRY_LOG, NULL));
        ck_assert_ptr_null(timeline_last(timeline, SIZE_MAX, ENTRY_LOG, NULL));
        add(timeline, ENTRY_LOG, 0, "a", NULL, NULL);
        add(timeline, ENTRY_FILE, 1, NULL, NULL, NULL);
        add(timeline, ENTRY_LOG, 2, "b", NULL, NULL);
        add(timeline, ENTRY_LOG, 3, NULL, NULL, NULL);

        ck_assert_uint_eq(timeline_next(timeline, 0, ENTRY_LOG, NULL)->index, 0);
        ck_assert_uint_eq(timeline_next(timeline, 1, ENTRY_LOG, NULL)->index, 2);
        ck_assert_uint_eq(timeline_next(timeline, 0, ENTRY_LOG, "b")->index, 2);
        ck_assert_ptr_null(timeline_next(timeline, 3, ENTRY_LOG, "b"));
        ck_assert_ptr_null(timeline_next(timeline, SIZE_MAX, ENTRY_LOG, NULL));
        ck_assert_uint_eq(timeline_last(timeline, SIZE_MAX, ENTRY_LOG, NULL)->index, 3);
        ck_assert_uint_eq(timeline_last(timeline, 3, ENTRY_LOG, NULL)->index, 2);
        ck_assert_uint_eq(timeline_last(timeline, 3, ENTRY_LOG, "a")->index, 0);
        ck_assert_ptr_null(timeline_last(timeline, 0, ENTRY_LOG, NULL));
}
END_TEST

START_TEST(properties_last_until_they_change) {
        CLEANUP(timeline_free_p) Timeline *timeline = timeline_new();

        add(timeline, ENTRY_PROPERTIES, 0, "a", "Type", "notify");
        add(timeline, ENTRY_PROPERTIES, 1, "b", "Type", "simple");
        add(timeline, ENTRY_PROPERTIES, 2, "a", "SubState", "running");
        add(timeline, ENTRY_PROPERTIES, 3, "a", "SubState", "dead");
        add(timeline, ENTRY_PROPERTIES, 4, "a", "errno", "5");
        ck_assert_str_eq(timeline_property(timeline, "a", 3, "Type"), "notify");
        ck_assert_str_eq(timeline_property(timeline, "a", 2, "SubState"), "running");
        ck_assert_str_eq(timeline_property(timeline, "a", SIZE_MAX, "SubState"), "dead");
        ck_assert_ptr_null(timeline_property(timeline, "a", 1, "SubState"));
        ck_assert_ptr_null(timeline_property(timeline, "b", 0, "Type"));
        ck_assert_ptr_null(timeline_property(timeline, "a", 4, "errno"));
}
END_TEST

static void on_entry(const Entry *entry, void *userdata) {
        size_t *sum = userdata;

        *sum += entry->index + 1;
}

START_TEST(the_listener_is_told) {
        CLEANUP(timeline_free_p) Timeline *timeline = timeline_new();
        size_t sum = 0;

        timeline_set_listener(timeline, on_entry, &sum);
        add(timeline, ENTRY_LOG, 0, NULL, NULL, NULL);
        add(timeline, ENTRY_LOG, 0, NULL, NULL, NULL);
        ck_assert_uint_eq(sum, 3);
}
END_TEST

Suite *timeline_suite(void) {
        Suite *suite = suite_create("timeline");
        TCase *tcase = tcase_create("timeline");

        tcase_add_test(tcase, entries_stay_in_arrival_order);
        tcase_add_test(tcase, entries_are_found_by_kind_and_unit);
        tcase_add_test(tcase, properties_last_until_they_change);
        tcase_add_test(tcase, the_listener_is_told);
        suite_add_tcase(suite, tcase);
        return suite;
}
