/* SPDX-License-Identifier: MIT */
#include "base/regex.h"

#include <string.h>

#include "base/text.h"
#include "suites.h"

static Regex *compile(const char *pattern) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Regex *regex = NULL;

        ck_assert_msg(regex_new(pattern, &regex, NULL, &error) == 0, "/%s/: %s", pattern, error_text(&error));
        return regex;
}

static bool matches(Regex *regex, const char *text) {
        return regex_matches(regex, text, strlen(text));
}

START_TEST(finds_a_match_anywhere) {
        CLEANUP(regex_free_p) Regex *regex = compile("^v\\d+\\.\\d+$|ready");

        ck_assert(matches(regex, "v1.20"));
        ck_assert(matches(regex, "is ready now"));
        ck_assert(!matches(regex, "v1.20 "));
        ck_assert(!matches(regex, ""));
        ck_assert(!regex_overran(regex));
}
END_TEST

START_TEST(length_counts_not_nul) {
        CLEANUP(regex_free_p) Regex *regex = compile("b");

        ck_assert(regex_matches(regex, "a\0b", 3));
        ck_assert(!regex_matches(regex, "a\0b", 2));
}
END_TEST

START_TEST(bad_pattern_says_where) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Regex *regex = NULL;
        size_t offset = 0;

        ck_assert_int_eq(regex_new("ab(c", &regex, &offset, &error), -EINVAL);
        ck_assert_uint_eq(offset, 4);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "at offset 4 of /ab(c/"));
        ck_assert_ptr_null(regex);
}
END_TEST

START_TEST(text_that_is_no_utf8_is_matched_all_the_same) {
        CLEANUP(regex_free_p) Regex *regex = compile("err: .");

        ck_assert(matches(regex, "\xff\xfe err: x"));
        ck_assert(!matches(regex, "\xff\xfe\xc3"));
        ck_assert(!regex_overran(regex));
}
END_TEST

START_TEST(characters_are_not_bytes) {
        CLEANUP(regex_free_p) Regex *regex = compile("^.$");

        ck_assert(matches(regex, "ü"));
}
END_TEST

START_TEST(groups_are_named_and_copied) {
        CLEANUP(regex_free_p) Regex *regex = compile("(?<year>\\d{4})-(\\d\\d)(?<zone>Z)?");
        char **groups = NULL;

        ck_assert_uint_eq(regex_n_groups(regex), 3);
        ck_assert_str_eq(regex_group_name(regex, 1), "year");
        ck_assert_ptr_null(regex_group_name(regex, 2));
        ck_assert_str_eq(regex_group_name(regex, 3), "zone");
        ck_assert_ptr_null(regex_group_name(regex, 4));

        ck_assert_int_eq(regex_capture(regex, "on 2024-05.", 11, &groups), 0);
        ck_assert_str_eq(groups[0], "2024-05");
        ck_assert_str_eq(groups[1], "2024");
        ck_assert_str_eq(groups[2], "05");
        ck_assert_ptr_null(groups[3]);
        groups = regex_groups_free(regex, groups);

        ck_assert_int_eq(regex_capture(regex, "no date", 7, &groups), 0);
        ck_assert_ptr_null(groups);
}
END_TEST

START_TEST(knows_patterns_that_match_nothing_at_all) {
        static const struct {
                const char *pattern;
                bool matches_empty;
        } samples[] = {
                { "", true },
                { "a*", true },
                { "^$", true },
                { "a|", true },
                { "a", false },
                { "a+", false },
                { "\\b", false },
        };

        for (size_t i = 0; i < ELEMENTS_OF(samples); i++) {
                CLEANUP(regex_free_p) Regex *regex = compile(samples[i].pattern);

                ck_assert_msg(regex_matches_empty(regex) == samples[i].matches_empty, "/%s/", samples[i].pattern);
        }
}
END_TEST

/* 2^30 ways to fail: PCRE2 gives up, and that must not read as a plain "no". */
START_TEST(running_into_a_limit_is_remembered) {
        CLEANUP(regex_free_p) Regex *regex = compile("^(a+)+$");
        CLEANUP_TEXT Text text = TEXT_INIT;

        for (int i = 0; i < 64; i++)
                text_append(&text, "a");
        text_append(&text, "!");
        ck_assert(!matches(regex, text_get(&text)));
        ck_assert(regex_overran(regex));
        ck_assert(matches(regex, "aaa"));
        ck_assert(regex_overran(regex));
}
END_TEST

START_TEST(a_long_line_does_not_exhaust_the_stack) {
        CLEANUP(regex_free_p) Regex *regex = compile("^(?:(a)|(b))*c$");
        CLEANUP_TEXT Text text = TEXT_INIT;

        for (int i = 0; i < 4000; i++)
                text_append(&text, "ab");
        text_append(&text, "c");
        ck_assert(matches(regex, text_get(&text)));
        ck_assert(!regex_overran(regex));
}
END_TEST

Suite *regex_suite(void) {
        Suite *suite = suite_create("regex");
        TCase *tests = tcase_create("regex");

        tcase_add_test(tests, finds_a_match_anywhere);
        tcase_add_test(tests, length_counts_not_nul);
        tcase_add_test(tests, bad_pattern_says_where);
        tcase_add_test(tests, text_that_is_no_utf8_is_matched_all_the_same);
        tcase_add_test(tests, characters_are_not_bytes);
        tcase_add_test(tests, groups_are_named_and_copied);
        tcase_add_test(tests, knows_patterns_that_match_nothing_at_all);
        tcase_add_test(tests, running_into_a_limit_is_remembered);
        tcase_add_test(tests, a_long_line_does_not_exhaust_the_stack);
        suite_add_tcase(suite, tests);
        return suite;
}
