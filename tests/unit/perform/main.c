/* SPDX-License-Identifier: MIT */

/* The parts of the performer that need no stage. */

#include <check.h>
#include <stdlib.h>

#include "perform/cursor.h"
#include "suites.h"

static Step steps[3];

static void assert_takes(Cursor *cursor, const Step *expected, uint64_t expected_run) {
        const Step *step = NULL;
        uint64_t n_run = 99;

        ck_assert_int_eq(cursor_take(cursor, &step, &n_run), 0);
        ck_assert_ptr_eq(step, expected);
        if (expected)
                ck_assert_uint_eq(n_run, expected_run);
}

START_TEST(steps_come_in_order_and_end) {
        CLEANUP(cursor_done) Cursor cursor = { 0 };

        ck_assert_int_eq(cursor_push(&cursor, steps, 2, 1), 0);
        assert_takes(&cursor, &steps[0], 0);
        assert_takes(&cursor, &steps[1], 0);
        assert_takes(&cursor, NULL, 0);
        assert_takes(&cursor, NULL, 0);
}
END_TEST

START_TEST(a_repeat_is_played_before_what_follows_it) {
        CLEANUP(cursor_done) Cursor cursor = { 0 };

        ck_assert_int_eq(cursor_push(&cursor, steps, 2, 1), 0);
        assert_takes(&cursor, &steps[0], 0);
        ck_assert_int_eq(cursor_push(&cursor, &steps[2], 1, 3), 0);
        assert_takes(&cursor, &steps[2], 0);
        assert_takes(&cursor, &steps[2], 1);
        assert_takes(&cursor, &steps[2], 2);
        assert_takes(&cursor, &steps[1], 0);
        assert_takes(&cursor, NULL, 0);
}
END_TEST

START_TEST(repeats_nest_and_go_on_counting) {
        CLEANUP(cursor_done) Cursor cursor = { 0 };

        ck_assert_int_eq(cursor_push(&cursor, steps, 1, 2), 0);
        for (uint64_t round = 0; round < 2; round++) {
                assert_takes(&cursor, &steps[0], round);
                ck_assert_int_eq(cursor_push(&cursor, &steps[1], 1, 2), 0);
                assert_takes(&cursor, &steps[1], 2 * round);
                assert_takes(&cursor, &steps[1], 2 * round + 1);
        }
        assert_takes(&cursor, NULL, 0);
}
END_TEST

START_TEST(nothing_to_play_is_nothing) {
        CLEANUP(cursor_done) Cursor cursor = { 0 };

        ck_assert_int_eq(cursor_push(&cursor, steps, 0, 5), 0);
        ck_assert_int_eq(cursor_push(&cursor, steps, 2, 0), 0);
        assert_takes(&cursor, NULL, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("perform");
        TCase *cursor = tcase_create("cursor");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_test(cursor, steps_come_in_order_and_end);
        tcase_add_test(cursor, a_repeat_is_played_before_what_follows_it);
        tcase_add_test(cursor, repeats_nest_and_go_on_counting);
        tcase_add_test(cursor, nothing_to_play_is_nothing);
        suite_add_tcase(suite, cursor);
        suite_add_tcase(suite, stream_cases());
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
