/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "suites.h"
#include "timeline/base64.h"

/* Source: RFC 4648, section 10. */
static const struct {
        const char *bytes, *text;
} vectors[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xff\xfe\xfd", "//79" },
};

START_TEST(vectors_of_the_rfc_hold) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_FREE char *bytes = NULL;
        size_t n_bytes = 7;

        base64_encode(vectors[_i].bytes, strlen(vectors[_i].bytes), &text);
        ck_assert_str_eq(text_get(&text), vectors[_i].text);
        ck_assert_int_eq(base64_decode(vectors[_i].text, strlen(vectors[_i].text), &bytes, &n_bytes), 0);
        ck_assert_uint_eq(n_bytes, strlen(vectors[_i].bytes));
        ck_assert_str_eq(bytes, vectors[_i].bytes);
}
END_TEST

START_TEST(what_is_no_base64_is_refused) {
        static const char *const texts[] = { "Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zg=x", "Z g=", "Zg-_" };

        FOREACH_ARRAY (text, texts, ELEMENTS_OF(texts)) {
                CLEANUP_FREE char *bytes = NULL;
                size_t n_bytes;

                ck_assert_msg(base64_decode(*text, strlen(*text), &bytes, &n_bytes) == -EINVAL, "%s", *text);
        }
}
END_TEST

Suite *base64_suite(void) {
        Suite *suite = suite_create("base64");
        TCase *tcase = tcase_create("base64");

        tcase_add_loop_test(tcase, vectors_of_the_rfc_hold, 0, ELEMENTS_OF(vectors));
        tcase_add_test(tcase, what_is_no_base64_is_refused);
        suite_add_tcase(suite, tcase);
        return suite;
}
