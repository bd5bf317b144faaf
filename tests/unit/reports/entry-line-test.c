/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "reports/entry-line.h"
#include "suites.h"

static const struct {
        const char *bytes;
        size_t n_bytes, n_columns_max;
        const char *shown;
} rows[] = {
        { "", 0, 0, "" },
        { "plain", 5, 0, "plain" },
        { "a\nb", 3, 0, "a\\nb" },
        { "\033[31m\a\x7f", 7, 0, "\\x1b[31m\\x07\\x7f" },
        { "a\0b", 3, 0, "a\\x00b" },
        { "gr\xc3\xbcn \xe2\x82\xac \xf0\x9f\x98\x80", 14, 0, "gr\xc3\xbcn \xe2\x82\xac \xf0\x9f\x98\x80" },
        { "\xff\xc3", 2, 0, "\\xff\\xc3" },
        { "\xc2\x9b"
          "31m",
                        5, 0,
                        "\\xc2\\x9b"
                        "31m" }, /* the one-byte CSI of C1, in UTF-8 */
        { "\xe2\x82", 2, 0, "\\xe2\\x82" },
        { "0123456789", 10, 10, "0123..." },
        { "0123456789", 10, 20, "0123456789" },
        { "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", 16, 8, "\xc3\xbc\xc3\xbc..." },
};

START_TEST(shows_foreign_bytes) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        printable(rows[_i].bytes, rows[_i].n_bytes, rows[_i].n_columns_max, &text);
        ck_assert_str_eq(text_get(&text), rows[_i].shown);
}
END_TEST

START_TEST(tells_what_matters_of_properties) {
        CLEANUP(entry_free_p) Entry *entry = entry_new(SOURCE_BUS, ENTRY_PROPERTIES, 1, 2, "a.service");
        CLEANUP_TEXT Text text = TEXT_INIT;

        entry_set(entry, "ActiveState", "active");
        entry_set(entry, "CPUUsageNSec", "12345");
        entry_line(entry, 0, &text);
        ck_assert_ptr_nonnull(strstr(text_get(&text), "a.service ActiveState=active"));
        ck_assert_ptr_null(strstr(text_get(&text), "CPUUsageNSec"));
}
END_TEST

Suite *entry_line_suite(void) {
        Suite *suite = suite_create("entry-line");
        TCase *cases = tcase_create("entry-line");

        tcase_add_loop_test(cases, shows_foreign_bytes, 0, ELEMENTS_OF(rows));
        tcase_add_test(cases, tells_what_matters_of_properties);
        suite_add_tcase(suite, cases);
        return suite;
}
