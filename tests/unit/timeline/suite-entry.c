/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/quantity.h"
#include "suites.h"
#include "timeline/entry.h"

static Entry *make(void) {
        Entry *entry = entry_new(SOURCE_BUS, ENTRY_PROPERTIES, 5, 7, "x.service");

        ck_assert_ptr_nonnull(entry);
        return entry;
}

START_TEST(fields_are_set_and_found) {
        CLEANUP(entry_free_p) Entry *entry = make();

        entry_set(entry, "A", "one");
        entry_set_number(entry, "N", -42);
        entry_set_usec(entry, "U", 17);
        entry_set_usec(entry, "I", USEC_INFINITY);
        entry_set_bytes(entry, "B", "a\0b", 3);
        ck_assert_str_eq(entry_get(entry, "A"), "one");
        ck_assert_ptr_null(entry_get(entry, "Z"));
        ck_assert_int_eq(entry_get_number(entry, "N", 1), -42);
        ck_assert_uint_eq(entry_get_usec(entry, "U", 1), 17);
        ck_assert_uint_eq(entry_get_usec(entry, "I", 1), USEC_INFINITY);
        ck_assert_uint_eq(entry_find(entry, "B")->n_bytes, 3);
        ck_assert_mem_eq(entry_find(entry, "B")->bytes, "a\0b", 4);
        ck_assert_uint_eq(entry->n_fields, 5);
}
END_TEST

START_TEST(a_field_set_again_is_replaced) {
        CLEANUP(entry_free_p) Entry *entry = make();

        entry_set(entry, "A", "one");
        entry_set(entry, "B", "two");
        entry_set(entry, "A", "three");
        ck_assert_uint_eq(entry->n_fields, 2);
        ck_assert_str_eq(entry->fields[0].key, "A");
        ck_assert_str_eq(entry_get(entry, "A"), "three");
}
END_TEST

START_TEST(what_is_no_number_is_the_fallback) {
        static const char *const texts[] = { "", "x", "1x", " ", "99999999999999999999999", "0x10" };

        FOREACH_ARRAY (text, texts, ELEMENTS_OF(texts)) {
                CLEANUP(entry_free_p) Entry *entry = make();

                entry_set(entry, "A", *text);
                ck_assert_int_eq(entry_get_number(entry, "A", 77), 77);
                ck_assert_uint_eq(entry_get_usec(entry, "A", 77), 77);
        }
        CLEANUP(entry_free_p) Entry *negative = make();
        entry_set(negative, "A", "-1");
        ck_assert_uint_eq(entry_get_usec(negative, "A", 77), 77);
        ck_assert_int_eq(entry_get_number(negative, "none", 77), 77);
}
END_TEST

START_TEST(a_field_is_compared_whole) {
        CLEANUP(entry_free_p) Entry *entry = make();

        entry_set(entry, "A", "done");
        entry_set_bytes(entry, "B", "done\0x", 6);
        ck_assert(entry_has(entry, "A", "done"));
        ck_assert(!entry_has(entry, "A", "don"));
        ck_assert(!entry_has(entry, "A", "done "));
        ck_assert(!entry_has(entry, "B", "done"));
        ck_assert(!entry_has(entry, "C", ""));
        ck_assert(!entry_has(entry, "A", NULL));
}
END_TEST

START_TEST(names_are_read_back) {
        for (EntryKind kind = 0; kind < N_ENTRY_KINDS; kind++) {
                ck_assert_ptr_nonnull(entry_kind_name(kind));
                ck_assert_int_eq(entry_kind_from_name(entry_kind_name(kind)), (int) kind);
        }
        for (EntrySource source = 0; source < N_SOURCES; source++) {
                ck_assert_ptr_nonnull(entry_source_name(source));
                ck_assert_int_eq(entry_source_from_name(entry_source_name(source)), (int) source);
        }
        ck_assert_int_eq(entry_kind_from_name("rumour"), -EINVAL);
        ck_assert_int_eq(entry_source_from_name(""), -EINVAL);
}
END_TEST

Suite *entry_suite(void) {
        Suite *suite = suite_create("entry");
        TCase *tcase = tcase_create("entry");

        tcase_add_test(tcase, fields_are_set_and_found);
        tcase_add_test(tcase, a_field_set_again_is_replaced);
        tcase_add_test(tcase, what_is_no_number_is_the_fallback);
        tcase_add_test(tcase, a_field_is_compared_whole);
        tcase_add_test(tcase, names_are_read_back);
        suite_add_tcase(suite, tcase);
        return suite;
}
