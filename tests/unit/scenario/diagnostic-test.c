/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "suites.h"

static void assert_rendered(
                unsigned line, unsigned column, unsigned n_columns, const char *source, const char *wanted) {
        CLEANUP(diagnostic_list_done) DiagnosticList list = DIAGNOSTIC_LIST_INIT;
        CLEANUP_TEXT Text text = TEXT_INIT;

        diagnostic_add(&list, (Mark){ line, column }, n_columns, "message %d", 7);
        diagnostic_list_render(&list, "f", source, source ? strlen(source) : 0, &text);
        ck_assert_str_eq(text_get(&text), wanted);
}

START_TEST(quotes_and_points) {
        assert_rendered(2, 3, 4, "one\n  word x\nthree\n", "f:2:3: message 7\n    2 |   word x\n      |   ^~~~\n");
        assert_rendered(1, 1, 0, "one", "f:1:1: message 7\n    1 | one\n      | ^\n");
        assert_rendered(0, 0, 0, "one", "f: message 7\n");
        assert_rendered(3, 4, 2, NULL, "f:3:4: message 7\n");
        assert_rendered(9, 1, 0, "one\n", "f:9:1: message 7\n");
}
END_TEST

START_TEST(keeps_the_caret_below) {
        /* A tab stays one, so that it is as wide in both lines; characters are counted, not bytes. */
        assert_rendered(1, 3, 2, "\t\tab", "f:1:3: message 7\n    1 | \t\tab\n      | \t\t^~\n");
        assert_rendered(1, 4, 1, "äöüx", "f:1:4: message 7\n    1 | äöüx\n      |    ^\n");
        assert_rendered(1, 5, 0, "ab", "f:1:5: message 7\n    1 | ab\n      |     ^\n");
        assert_rendered(1, 1, 9, "ab", "f:1:1: message 7\n    1 | ab\n      | ^~\n");
}
END_TEST

START_TEST(shows_nothing_a_terminal_obeys) {
        assert_rendered(1, 2, 0, "a\x1b[31m\x7f\xc2\x9b\xff", "f:1:2: message 7\n    1 | a?[31m???\n      |  ^\n");
        assert_rendered(2, 1, 0, "a\r\nb\r\n", "f:2:1: message 7\n    2 | b\n      | ^\n");
}
END_TEST

START_TEST(cuts_long_lines) {
        CLEANUP_FREE char *line = malloc(100001);
        CLEANUP(diagnostic_list_done) DiagnosticList list = DIAGNOSTIC_LIST_INIT;
        CLEANUP_TEXT Text text = TEXT_INIT;
        const char *caret, *quote;

        memset(line, 'a', 100000);
        line[100000] = '\0';
        line[49999] = 'X';
        diagnostic_add(&list, (Mark){ 1, 50000 }, 1, "here");
        diagnostic_list_render(&list, "f", line, 100000, &text);
        ck_assert_uint_lt(text.n_bytes, 400);
        quote = strstr(text_get(&text), "    1 | ");
        caret = strstr(text_get(&text), "      | ");
        ck_assert_uint_eq((size_t) (strchr(quote, 'X') - quote), (size_t) (strchr(caret, '^') - caret));
}
END_TEST

START_TEST(sorts_and_drops_repetitions) {
        CLEANUP(diagnostic_list_done) DiagnosticList list = DIAGNOSTIC_LIST_INIT;

        diagnostic_add(&list, (Mark){ 2, 1 }, 0, "c");
        diagnostic_add(&list, (Mark){ 1, 9 }, 0, "b");
        diagnostic_add(&list, (Mark){ 2, 1 }, 0, "c");
        diagnostic_add(&list, (Mark){ 1, 2 }, 0, "a");
        diagnostic_add(&list, (Mark){ 2, 1 }, 0, "d");
        diagnostic_list_sort(&list);
        ck_assert_uint_eq(list.n_items, 4);
        for (size_t i = 0; i < 4; i++)
                ck_assert_int_eq(list.items[i].message[0], "abcd"[i]);
}
END_TEST

Suite *diagnostic_suite(void) {
        Suite *suite = suite_create("diagnostic");
        TCase *tests = tcase_create("diagnostic");

        tcase_add_test(tests, quotes_and_points);
        tcase_add_test(tests, keeps_the_caret_below);
        tcase_add_test(tests, shows_nothing_a_terminal_obeys);
        tcase_add_test(tests, cuts_long_lines);
        tcase_add_test(tests, sorts_and_drops_repetitions);
        suite_add_tcase(suite, tests);
        return suite;
}
