/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <string.h>

#include "suites.h"

static Json *parse(const char *text) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Json *json = NULL;

        ck_assert_msg(json_parse(text, strlen(text), &json, &error) == 0, "%s: %s", text, error_text(&error));
        return json;
}

START_TEST(member_is_found_by_path) {
        CLEANUP(json_free_p)
        Json *json = parse("{\"a\":{\"b\":[10,{\"c\":\"deep\"}]},\"a.b\":\"dotted\",\"e\":{\"f.g\":7}}");
        int64_t integer;

        ck_assert_int_eq(json_get_integer(json_member(json, "a.b.0"), &integer), 0);
        ck_assert_int_eq(integer, 10);
        ck_assert_str_eq(json_get_string(json_member(json, "a.b.1.c"), NULL), "deep");
        ck_assert_str_eq(json_get_string(json_member(json, "a.b"), NULL), "dotted");
        ck_assert_int_eq(json_get_integer(json_member(json, "e.f.g"), &integer), 0);
        ck_assert_int_eq(integer, 7);

        ck_assert_ptr_null(json_member(json, "a.c"));
        ck_assert_ptr_null(json_member(json, "a.b.2"));
        ck_assert_ptr_null(json_member(json, "a.b.01"));
        ck_assert_ptr_null(json_member(json, "a.b.-1"));
        ck_assert_ptr_null(json_member(json, "a.b.0.x"));
        ck_assert_ptr_null(json_member(json, ""));
        ck_assert_ptr_null(json_member(json, "."));
        ck_assert_ptr_null(json_member(NULL, "a"));
}
END_TEST

static const struct {
        const char *json, *text;
} scalars[] = {
        { "\"x\"", "x" },
        { "\"caf\\u00e9\"", "café" },
        { "\"\"", "" },
        { "42", "42" },
        { "-1", "-1" },
        { "0.1", "0.1" },
        { "3.0", "3.0" },
        { "1e300", "1e+300" },
        { "0.30000000000000004", "0.30000000000000004" },
        { "9223372036854775807", "9223372036854775807" },
        { "18446744073709551615", "1.8446744073709552e+19" },
        { "true", "true" },
        { "false", "false" },
};

START_TEST(scalar_becomes_text) {
        CLEANUP(json_free_p) Json *json = parse(scalars[_i].json);
        CLEANUP_TEXT Text text = TEXT_INIT;

        ck_assert(json_scalar_text(json, &text));
        ck_assert_str_eq(text_get(&text), scalars[_i].text);
}
END_TEST

START_TEST(what_is_no_scalar_has_no_text) {
        CLEANUP(json_free_p) Json *json = parse("{\"n\":null,\"a\":[1],\"o\":{}}");
        CLEANUP_TEXT Text text = TEXT_INIT;

        ck_assert(!json_scalar_text(json, &text));
        ck_assert(!json_scalar_text(json_member(json, "n"), &text));
        ck_assert(!json_scalar_text(json_member(json, "a"), &text));
        ck_assert(!json_scalar_text(json_member(json, "o"), &text));
        ck_assert(!json_scalar_text(NULL, &text));
        ck_assert_str_eq(text_get(&text), "");
}
END_TEST

START_TEST(types_are_told_apart) {
        CLEANUP(json_free_p) Json *json = parse("[\"1\",1,1.5,null]");
        int64_t integer;
        size_t n_bytes;

        ck_assert(json_is_string(json_nth(json, 0, NULL)));
        ck_assert(!json_is_string(json_nth(json, 1, NULL)));
        ck_assert(!json_is_string(NULL));
        ck_assert_ptr_nonnull(json_get_string(json_nth(json, 0, NULL), &n_bytes));
        ck_assert_uint_eq(n_bytes, 1);
        ck_assert_ptr_null(json_get_string(json_nth(json, 1, NULL), &n_bytes));
        ck_assert_int_eq(json_get_integer(json_nth(json, 0, NULL), &integer), -EINVAL);
        ck_assert_int_eq(json_get_integer(json_nth(json, 2, NULL), &integer), -EINVAL);
        ck_assert_int_eq(json_get_integer(json_nth(json, 3, NULL), &integer), -EINVAL);
}
END_TEST

START_TEST(members_come_in_their_order) {
        CLEANUP(json_free_p) Json *json = parse("{\"z\":1,\"a\":2,\"m\":3}");
        CLEANUP_TEXT Text keys = TEXT_INIT;
        const char *key;

        for (size_t i = 0; json_nth(json, i, &key); i++)
                text_append(&keys, key);
        ck_assert_str_eq(text_get(&keys), "zam");
        ck_assert_ptr_null(json_nth(json_nth(json, 0, NULL), 0, NULL));
}
END_TEST

static const char *const broken[] = {
        "",
        " ",
        "{",
        "{\"a\":}",
        "[1,]",
        "nul",
        "{} x",
        "{'a':1}",
        "\"\x01\"",
        "\"\xff\"",
        "\"\\ud800\"",
        "1e999",
        "01",
        "NaN",
};

START_TEST(no_json_says_where) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Json *json = NULL;

        ck_assert_int_eq(json_parse(broken[_i], strlen(broken[_i]), &json, &error), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "line "));
        ck_assert_ptr_null(json);
}
END_TEST

START_TEST(depth_is_limited) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP_TEXT Text text = TEXT_INIT;
        Json *json = NULL;

        for (int i = 0; i < 100000; i++)
                text_append(&text, "[");
        ck_assert_int_eq(json_parse(text_get(&text), text.n_bytes, &json, &error), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "depth"));
}
END_TEST

START_TEST(only_the_given_bytes_are_read) {
        CLEANUP(json_free_p) Json *json = NULL;
        const char text[] = { '{', '}', 'x' };

        ck_assert_int_eq(json_parse(text, 2, &json, NULL), 0);
}
END_TEST

/* Everything valid comes back byte for byte, the NUL and what stands alone in JSON included. */
START_TEST(string_goes_there_and_back) {
        static const char bytes[] = "a\"b\\c/\n\r\t\b\f\x01\x1f\x7f\0z \xc3\xbc \xf0\x9f\x98\x80 \xe2\x80\xa8";
        CLEANUP(json_free_p) Json *json = NULL;
        CLEANUP_TEXT Text text = TEXT_INIT;
        size_t n_bytes;

        json_write_string(&text, bytes, sizeof(bytes));
        ck_assert_ptr_null(strpbrk(text_get(&text), "\n\r\t\b\x7f"));
        ck_assert_int_eq(json_parse(text_get(&text), text.n_bytes, &json, NULL), 0);
        ck_assert_ptr_nonnull(json_get_string(json, &n_bytes));
        ck_assert_uint_eq(n_bytes, sizeof(bytes));
        ck_assert_mem_eq(json_get_string(json, NULL), bytes, sizeof(bytes));
}
END_TEST

START_TEST(what_is_no_utf8_is_replaced) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        json_write_string(&text,
                        "a\xff"
                        "b\xc3",
                        4);
        ck_assert_str_eq(text_get(&text), "\"a\xef\xbf\xbd"
                                          "b\xef\xbf\xbd\"");
}
END_TEST

static const struct {
        const char *bytes;
        bool is_valid;
} utf8[] = {
        { "", true },
        { "abc", true },
        { "\xc2\x80", true },
        { "\xdf\xbf", true },
        { "\xe0\xa0\x80", true },
        { "\xed\x9f\xbf", true },
        { "\xef\xbf\xbf", true },
        { "\xf0\x90\x80\x80", true },
        { "\xf4\x8f\xbf\xbf", true },
        { "\x80", false },             /* continuation alone */
        { "\xc1\xbf", false },         /* overlong */
        { "\xe0\x9f\xbf", false },     /* overlong */
        { "\xed\xa0\x80", false },     /* surrogate */
        { "\xf0\x8f\xbf\xbf", false }, /* overlong */
        { "\xf4\x90\x80\x80", false }, /* above U+10FFFF */
        { "\xf5\x80\x80\x80", false },
        { "\xc3", false },     /* cut */
        { "\xe2\x82", false }, /* cut */
        { "\xe2\x82x", false },
};

START_TEST(utf8_is_known) {
        ck_assert(utf8_is_valid(utf8[_i].bytes, strlen(utf8[_i].bytes)) == utf8[_i].is_valid);
}
END_TEST

Suite *json_suite(void) {
        Suite *suite = suite_create("json");
        TCase *tests = tcase_create("json");

        tcase_add_test(tests, member_is_found_by_path);
        tcase_add_loop_test(tests, scalar_becomes_text, 0, ELEMENTS_OF(scalars));
        tcase_add_test(tests, what_is_no_scalar_has_no_text);
        tcase_add_test(tests, types_are_told_apart);
        tcase_add_test(tests, members_come_in_their_order);
        tcase_add_loop_test(tests, no_json_says_where, 0, ELEMENTS_OF(broken));
        tcase_add_test(tests, depth_is_limited);
        tcase_add_test(tests, only_the_given_bytes_are_read);
        tcase_add_test(tests, string_goes_there_and_back);
        tcase_add_test(tests, what_is_no_utf8_is_replaced);
        tcase_add_loop_test(tests, utf8_is_known, 0, ELEMENTS_OF(utf8));
        suite_add_tcase(suite, tests);
        return suite;
}
