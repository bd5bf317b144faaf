/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <string.h>

#include "suites.h"

START_TEST(appends_grow_it) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        ck_assert_str_eq(text_get(&text), "");
        text_append(&text, "a");
        text_printf(&text, "%d-%s", 42, "b");
        text_append_bytes(&text, "c\0d", 3);
        ck_assert_uint_eq(text.n_bytes, 8);
        ck_assert_mem_eq(text_get(&text), "a42-bc\0d", 9);
}
END_TEST

START_TEST(many_appends_stay_in_order) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        for (int i = 0; i < 10000; i++)
                text_printf(&text, "%04d", i);
        ck_assert_uint_eq(text.n_bytes, 40000);
        ck_assert_mem_eq(text_get(&text) + 4 * 9876, "9876", 4);
        ck_assert_uint_eq(strlen(text_get(&text)), 40000);
}
END_TEST

START_TEST(nothing_can_be_appended) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_append_bytes(&text, NULL, 0);
        text_append(&text, "");
        ck_assert_str_eq(text_get(&text), "");
        ck_assert_uint_eq(text.n_bytes, 0);
}
END_TEST

START_TEST(truncate_only_shortens) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_truncate(&text, 0);
        text_append(&text, "abcdef");
        text_truncate(&text, 10);
        ck_assert_str_eq(text_get(&text), "abcdef");
        text_truncate(&text, 2);
        ck_assert_str_eq(text_get(&text), "ab");
        text_append(&text, "X");
        ck_assert_str_eq(text_get(&text), "abX");
}
END_TEST

START_TEST(take_hands_over_and_empties) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_FREE char *first = NULL, *second = NULL;

        text_append(&text, "x");
        first = text_take(&text);
        second = text_take(&text);
        ck_assert_str_eq(first, "x");
        ck_assert_str_eq(second, "");
        ck_assert_uint_eq(text.n_bytes, 0);
}
END_TEST

START_TEST(a_failed_allocation_is_remembered) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_append(&text, "before");
        text_append_bytes(&text, "x", SIZE_MAX / 4); /* no machine has that much; fails before a byte is copied */
        text_append(&text, "after");
        ck_assert(text.is_broken);
        ck_assert_str_eq(text_get(&text), "");
        ck_assert_ptr_null(text_take(&text));
}
END_TEST

START_TEST(octal_escapes_become_their_bytes) {
        char string[] = "/a\\040b\\134c\\011d\\04e\\999\\";

        string_unescape_octal(string);
        ck_assert_str_eq(string, "/a b\\c\td\\04e\\999\\");
}
END_TEST

START_TEST(an_ending_is_a_whole_one) {
        ck_assert(string_ends_with("a.b.service", ".service"));
        ck_assert(string_ends_with(".service", ".service"));
        ck_assert(string_ends_with("a", ""));
        ck_assert(!string_ends_with("service", ".service"));
        ck_assert(!string_ends_with("a.service.d", ".service"));
        ck_assert(!string_ends_with("", ".service"));
}
END_TEST

Suite *text_suite(void) {
        Suite *suite = suite_create("text");
        TCase *tests = tcase_create("text");

        tcase_add_test(tests, appends_grow_it);
        tcase_add_test(tests, many_appends_stay_in_order);
        tcase_add_test(tests, nothing_can_be_appended);
        tcase_add_test(tests, truncate_only_shortens);
        tcase_add_test(tests, take_hands_over_and_empties);
        tcase_add_test(tests, a_failed_allocation_is_remembered);
        tcase_add_test(tests, octal_escapes_become_their_bytes);
        tcase_add_test(tests, an_ending_is_a_whole_one);
        suite_add_tcase(suite, tests);
        return suite;
}
