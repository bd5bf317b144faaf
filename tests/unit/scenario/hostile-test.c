/* SPDX-License-Identifier: MIT */
/* What a file may do to us: each ends in one clear diagnostic, and soon (Check ends a test after some seconds). */
#include <string.h>

#include "scenario/node.h"
#include "suites.h"

/* @n times @part between @head and @tail. */
static char *repeated(const char *head, const char *part, size_t n, const char *tail) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_append(&text, head);
        for (size_t i = 0; i < n; i++)
                text_append(&text, part);
        text_append(&text, tail);
        return text_take(&text);
}

static void assert_one(const char *text, unsigned line, const char *part) {
        CLEANUP_PARSED Parsed parsed = parse_text(text);

        ck_assert_uint_eq(parsed.diagnostics.n_items, 1);
        ck_assert_msg(strstr(parsed.diagnostics.items[0].message, part), "%s", parsed.diagnostics.items[0].message);
        ck_assert_uint_eq(parsed.diagnostics.items[0].mark.line, line);
}

START_TEST(ten_megabytes) {
        CLEANUP_FREE char *text = repeated("about: x\n", "# a comment\n", 1000000, "");

        assert_one(text, 0, "at most 1048576");
}
END_TEST

START_TEST(deep_flow) {
        CLEANUP_FREE char *text = repeated("about: ", "[", 1000000, "");

        assert_one(text, 1, "too deeply");
}
END_TEST

START_TEST(deep_blocks) {
        CLEANUP_FREE char *text = repeated("about:\n", "- ", 500000, "x\n");

        assert_one(text, 2, "too deeply");
}
END_TEST

START_TEST(as_deep_as_it_goes) {
        CLEANUP_FREE char *open = repeated("", "[", NODE_DEPTH_MAX, "x"),
                          *text = repeated(open, "]", NODE_DEPTH_MAX, "\n");

        assert_one(text, 1, "takes a map");
}
END_TEST

START_TEST(alias_bomb) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_append(&text, "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 40; i++) {
                text_printf(&text, "b%d: &a%d [", i, i);
                for (int j = 0; j < 10; j++)
                        text_printf(&text, "%s*a%d", j > 0 ? ", " : "", i - 1);
                text_append(&text, "]\n");
        }
        assert_one(text_get(&text), 1, "aliases followed");
}
END_TEST

START_TEST(deep_by_aliases) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_append(&text, "a: &a0 [x]\n");
        for (int i = 1; i < 100; i++)
                text_printf(&text, "b%d: &a%d [*a%d]\n", i, i, i - 1);
        assert_one(text_get(&text), 1, "too deeply");
}
END_TEST

START_TEST(bytes_that_are_no_text) {
        CLEANUP_PARSED Parsed nul = parse_bytes("a: \0b\n", 6);
        CLEANUP_PARSED Parsed latin = parse_bytes("a: b\nb: \xe4\n", 10);
        CLEANUP_PARSED Parsed utf16 = parse_bytes("\xff\xfe"
                                                  "a\0",
                        4);
        CLEANUP_PARSED Parsed nothing = parse_bytes(NULL, 0);

        assert_only_diagnostic(&nul, 1, 4, "NUL");
        assert_only_diagnostic(&latin, 2, 4, "0xe4");
        assert_only_diagnostic(&utf16, 1, 4, "NUL");
        assert_only_diagnostic(&nothing, 0, 0, "no scenario");
}
END_TEST

START_TEST(many_keys_and_steps) {
        CLEANUP_FREE char *keys = repeated("about: x\n", "k: 1\n", 90000, "");
        CLEANUP_FREE char *steps = repeated("about: x\nsteps:\n", "- strat: x\n", 60000, "");
        CLEANUP_FREE char *runs = repeated("about: x\nsteps:\n", "- run: x\n", 60000, "");
        CLEANUP_PARSED Parsed parsed_keys = parse_text(keys), parsed_steps = parse_text(steps),
                              parsed_runs = parse_text(runs);
        CLEANUP_TEXT Text text = TEXT_INIT;

        ck_assert_uint_eq(parsed_keys.diagnostics.n_items, 90000);
        ck_assert_uint_eq(parsed_steps.diagnostics.n_items, 60000);
        diagnostic_list_render(&parsed_steps.diagnostics, "x.yaml", steps, strlen(steps), &text);
        ck_assert_uint_gt(text.n_bytes, 60000);
        ck_assert_uint_eq(only_scenario(&parsed_runs)->n_steps, 60000);
}
END_TEST

START_TEST(a_matrix_of_a_long_document) {
        CLEANUP_FREE char *text =
                        repeated("about: x\nmatrix: { a: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13] }\nsteps:\n",
                                        "- run: x\n", 60000, "");
        CLEANUP_PARSED Parsed parsed = parse_text(text);

        assert_only_diagnostic(&parsed, 2, 11, "for so long a document");
}
END_TEST

START_TEST(variables_that_make_braces) {
        CLEANUP_PARSED Parsed parsed = parse_text("about: x\nvariables: { a: $ }\nsteps: [{ run: \"${a}{b\" }]\n");
        CLEANUP_PARSED Parsed closed = parse_text("about: x\nvariables: { a: $ }\nsteps: [{ run: \"${a}{b}\" }]\n");

        assert_only_diagnostic(&parsed, 3, 16, "without its `}`");
        assert_only_diagnostic(&closed, 3, 16, "no variable `b`");
}
END_TEST

Suite *hostile_suite(void) {
        Suite *suite = suite_create("hostile");
        TCase *tests = tcase_create("hostile");

        tcase_set_timeout(tests, 20);
        tcase_add_test(tests, ten_megabytes);
        tcase_add_test(tests, deep_flow);
        tcase_add_test(tests, deep_blocks);
        tcase_add_test(tests, as_deep_as_it_goes);
        tcase_add_test(tests, alias_bomb);
        tcase_add_test(tests, deep_by_aliases);
        tcase_add_test(tests, bytes_that_are_no_text);
        tcase_add_test(tests, many_keys_and_steps);
        tcase_add_test(tests, a_matrix_of_a_long_document);
        tcase_add_test(tests, variables_that_make_braces);
        suite_add_tcase(suite, tests);
        return suite;
}
