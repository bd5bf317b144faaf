/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>

#include "suites.h"

static const struct {
        size_t n_pass, n_fail, n_error, n_inconclusive, n_skip, n_not_played;
        int signal_number;
        const char *broken;
        Outcome inconclusive_as;
        int status, automake_status;
} rows[] = {
        { .n_pass = 3, .status = 0, .automake_status = 0 },
        { .n_pass = 3, .n_skip = 2, .status = 0, .automake_status = 0 },
        { .n_pass = 3, .n_fail = 1, .status = 1, .automake_status = 1 },
        { .n_pass = 3, .n_fail = 1, .n_error = 1, .n_inconclusive = 1, .status = 1, .automake_status = 1 },
        { .n_pass = 3, .n_error = 1, .n_inconclusive = 1, .status = 2, .automake_status = 99 },
        { .n_pass = 3, .n_inconclusive = 1, .status = 4, .automake_status = 99 },
        { .n_pass = 3, .n_inconclusive = 1, .inconclusive_as = OUTCOME_PASS, .status = 0, .automake_status = 0 },
        { .n_inconclusive = 1, .inconclusive_as = OUTCOME_PASS, .status = 0, .automake_status = 0 },
        { .n_pass = 3, .n_inconclusive = 1, .inconclusive_as = OUTCOME_FAIL, .status = 1, .automake_status = 1 },
        { .n_error = 1, .n_inconclusive = 1, .inconclusive_as = OUTCOME_FAIL, .status = 1, .automake_status = 1 },
        { .n_skip = 2, .status = 5, .automake_status = 77 },
        { .status = 5, .automake_status = 77 },
        { .n_pass = 3, .n_not_played = 1, .status = 2, .automake_status = 99 },
        { .n_pass = 1, .broken = "no space left", .status = 2, .automake_status = 99 },
        { .n_fail = 1, .broken = "no space left", .status = 1, .automake_status = 1 },
        { .n_pass = 1, .n_fail = 1, .signal_number = SIGINT, .status = 130, .automake_status = 130 },
        { .signal_number = SIGTERM, .status = 143, .automake_status = 143 },
};

START_TEST(exit_status) {
        RunSummary summary = {
                .n_with = {
                        [OUTCOME_PASS] = rows[_i].n_pass,
                        [OUTCOME_FAIL] = rows[_i].n_fail,
                        [OUTCOME_ERROR] = rows[_i].n_error,
                        [OUTCOME_INCONCLUSIVE] = rows[_i].n_inconclusive,
                        [OUTCOME_SKIP] = rows[_i].n_skip,
                },
                .n_not_played = rows[_i].n_not_played,
                .signal_number = rows[_i].signal_number,
                .broken = (char *) rows[_i].broken,
        };
        ExitPolicy policy = EXIT_POLICY_DEFAULT;

        if (rows[_i].inconclusive_as != OUTCOME_PENDING)
                policy.inconclusive_as = rows[_i].inconclusive_as;
        ck_assert_int_eq(run_summary_exit_status(&summary, &policy), rows[_i].status);
        ck_assert_int_eq(exit_status_by_protocol(rows[_i].status, &policy), rows[_i].status);
        policy.is_automake = true;
        ck_assert_int_eq(exit_status_by_protocol(run_summary_exit_status(&summary, &policy), &policy),
                        rows[_i].automake_status);
}
END_TEST

START_TEST(a_lost_report_is_an_error_where_nothing_is_worse) {
        static const int STATUSES[][3] = { { 0, 2, 99 }, { 1, 1, 1 }, { 2, 2, 99 }, { 3, 3, 99 }, { 4, 2, 99 },
                { 5, 2, 99 }, { 130, 130, 130 } };
        ExitPolicy policy = { .is_automake = true };

        FOREACH_ARRAY (status, STATUSES, ELEMENTS_OF(STATUSES)) {
                ck_assert_int_eq(exit_status_and_error((*status)[0]), (*status)[1]);
                ck_assert_int_eq(exit_status_by_protocol((*status)[1], &policy), (*status)[2]);
        }
}
END_TEST

START_TEST(passed_and_failed_are_always_told) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        RunSummary summary = { .n_with = { [OUTCOME_PASS] = 12, [OUTCOME_SKIP] = 1 } };

        run_summary_line(&summary, &text);
        ck_assert_str_eq(text_get(&text), "12 passed, 0 failed, 1 skipped");
}
END_TEST

Suite *summary_suite(void) {
        Suite *suite = suite_create("summary");
        TCase *cases = tcase_create("summary");

        tcase_add_loop_test(cases, exit_status, 0, ELEMENTS_OF(rows));
        tcase_add_test(cases, a_lost_report_is_an_error_where_nothing_is_worse);
        tcase_add_test(cases, passed_and_failed_are_always_told);
        suite_add_tcase(suite, cases);
        return suite;
}
