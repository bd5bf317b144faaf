/* SPDX-License-Identifier: MIT */
#include "reports/xml-text.h"

#include <string.h>

#include "suites.h"

static const struct {
        const char *from, *to;
} rows[] = {
        { "plain\n\ttext \xc3\xa4 \xf0\x9f\x98\x80", "plain\n\ttext \xc3\xa4 \xf0\x9f\x98\x80" },
        { "\033[1;31mred\033[0m, \033[2Kline", "red, line" },
        { "\033]0;title\007x\033]8;;http://y\033\\z", "xz" },
        { "\033]0;no end\nx", "]0;no end\nx" },
        { "\033cx\033", "x" },
        { "\033[1;", "" },
        { "a\001\b\v\f\r\x1f\x7f"
          "b",
                        "ab" },
        { "a\xc2\x85\xc2\x9b"
          "b",
                        "ab" },
        { "a\xef\xbf\xbe\xef\xbf\xbf"
          "b",
                        "ab" },
        { "\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "]]>&<", "]]>&<" },
};

START_TEST(text_is_cleaned) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        xml_text(rows[_i].from, strlen(rows[_i].from), 0, &text);
        ck_assert_str_eq(text_get(&text), rows[_i].to);
}
END_TEST

START_TEST(head_and_tail_are_kept) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        xml_text("0123456789", 10, 4, &text);
        ck_assert_str_eq(text_get(&text), "01\n[... 6 bytes are left out ...]\n89");
}
END_TEST

START_TEST(a_character_is_not_cut) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        xml_text("0\xc3\xa4"
                 "45678\xc3\xa4"
                 "9",
                        11, 4, &text);
        ck_assert_str_eq(text_get(&text), "0\n[... 9 bytes are left out ...]\n9");
}
END_TEST

START_TEST(what_fits_is_whole) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        xml_text("0123", 4, 4, &text);
        ck_assert_str_eq(text_get(&text), "0123");
}
END_TEST

Suite *xml_text_suite(void) {
        Suite *suite = suite_create("xml-text");
        TCase *cases = tcase_create("xml-text");

        tcase_add_loop_test(cases, text_is_cleaned, 0, ELEMENTS_OF(rows));
        tcase_add_test(cases, head_and_tail_are_kept);
        tcase_add_test(cases, a_character_is_not_cut);
        tcase_add_test(cases, what_fits_is_whole);
        suite_add_tcase(suite, cases);
        return suite;
}
