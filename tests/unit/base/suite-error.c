/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "suites.h"

START_TEST(set_returns_the_code_and_keeps_the_innermost_message) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_eq(error_set(&error, -EINVAL, "line %d is bad", 3), -EINVAL);
        ck_assert_int_eq(error.code, -EINVAL);
        ck_assert_str_eq(error_text(&error), "line 3 is bad");

        ck_assert_int_eq(error_set(&error, -EIO, "cannot read"), -EIO);
        ck_assert_int_eq(error_set_errno(&error, -EIO, "cannot read"), -EIO);
        ck_assert_str_eq(error_text(&error), "line 3 is bad");
        ck_assert_int_eq(error.code, -EINVAL);
}
END_TEST

START_TEST(set_errno_says_what_the_errno_means) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_eq(error_set_errno(&error, -ENOENT, "cannot open %s", "/x"), -ENOENT);
        ck_assert_str_eq(error_text(&error), "cannot open /x: No such file or directory");
}
END_TEST

START_TEST(prefix_goes_before_what_is_there) {
        CLEANUP_ERROR Error error = ERROR_INIT, bare = { .code = -EACCES };

        (void) error_set(&error, -EINVAL, "bad");
        ck_assert_int_eq(error_prefix(&error, "file %s", "a.yaml"), -EINVAL);
        ck_assert_str_eq(error_text(&error), "file a.yaml: bad");

        ck_assert_int_eq(error_prefix(&bare, "evidence"), -EACCES);
        ck_assert_str_eq(error_text(&bare), "evidence: Permission denied");
}
END_TEST

START_TEST(nobody_has_to_listen) {
        ck_assert_int_eq(error_set(NULL, -EINVAL, "bad"), -EINVAL);
        ck_assert_int_eq(error_set_errno(NULL, -EIO, "bad"), -EIO);
        ck_assert_int_lt(error_prefix(NULL, "where"), 0);
}
END_TEST

START_TEST(text_is_never_null) {
        Error nothing = ERROR_INIT, bare = { .code = -ENOMEM };

        ck_assert_ptr_nonnull(error_text(&nothing));
        ck_assert_str_eq(error_text(&bare), "Cannot allocate memory");
}
END_TEST

START_TEST(done_empties) {
        Error error = ERROR_INIT;

        (void) error_set(&error, -EINVAL, "bad");
        error_done(&error);
        ck_assert_int_eq(error.code, 0);
        ck_assert_ptr_null(error.message);
        error_done(&error);
        error_done(NULL);
}
END_TEST

Suite *error_suite(void) {
        Suite *suite = suite_create("error");
        TCase *tests = tcase_create("error");

        tcase_add_test(tests, set_returns_the_code_and_keeps_the_innermost_message);
        tcase_add_test(tests, set_errno_says_what_the_errno_means);
        tcase_add_test(tests, prefix_goes_before_what_is_there);
        tcase_add_test(tests, nobody_has_to_listen);
        tcase_add_test(tests, text_is_never_null);
        tcase_add_test(tests, done_empties);
        suite_add_tcase(suite, tests);
        return suite;
}
