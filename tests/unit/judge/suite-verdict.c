/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/quantity.h"
#include "judge/verdict.h"
#include "suites.h"

START_TEST(the_worse_outcome_wins) {
        /* fail > error > inconclusive > pass > skip; what is open is not decided. */
        static const Outcome by_weight[] = {
                OUTCOME_SKIP,
                OUTCOME_PASS,
                OUTCOME_INCONCLUSIVE,
                OUTCOME_ERROR,
                OUTCOME_FAIL,
                OUTCOME_PENDING,
        };

        for (size_t a = 0; a < ELEMENTS_OF(by_weight); a++)
                for (size_t b = 0; b < ELEMENTS_OF(by_weight); b++)
                        ck_assert_int_eq(outcome_worse(by_weight[a], by_weight[b]), by_weight[a > b ? a : b]);
}
END_TEST

START_TEST(names_are_read_back) {
        for (Outcome outcome = OUTCOME_PENDING; outcome <= OUTCOME_FAIL; outcome++)
                ck_assert_int_eq(outcome_from_name(outcome_name(outcome)), outcome);
        for (Reason reason = REASON_NONE; reason < N_REASONS; reason++)
                ck_assert_int_eq(reason_from_name(reason_name(reason)), reason);
        ck_assert_int_eq(outcome_from_name("green"), -EINVAL);
        ck_assert_int_eq(reason_from_name(""), -EINVAL);
}
END_TEST

START_TEST(a_reason_decides_the_outcome) {
        static const struct {
                Reason first, last;
                Outcome outcome;
        } ranges[] = {
                { REASON_HELD, REASON_HELD, OUTCOME_PASS },
                { REASON_NOT_OBSERVED, REASON_NO_MAIN_PROCESS, OUTCOME_FAIL },
                { REASON_UNIT_REFUSED, REASON_TIMEOUT, OUTCOME_ERROR },
                { REASON_LATE_STAMP, REASON_LOAD_TOO_LOW, OUTCOME_INCONCLUSIVE },
                { REASON_REQUIREMENT, REASON_NOT_RUN, OUTCOME_SKIP },
        };
        size_t n_reasons = 1;

        ck_assert_int_eq(reason_outcome(REASON_NONE), OUTCOME_PENDING);
        FOREACH_ARRAY (range, ranges, ELEMENTS_OF(ranges))
                for (Reason reason = range->first; reason <= range->last; reason++, n_reasons++)
                        ck_assert_int_eq(reason_outcome(reason), range->outcome);
        ck_assert_uint_eq(n_reasons, N_REASONS);
}
END_TEST

START_TEST(a_judgement_adds_up) {
        static const Reason reasons[] = { REASON_NOT_REACHED, REASON_HELD, REASON_LATE_STAMP, REASON_WRONG_VALUE,
                REASON_STAGE };
        static const Outcome outcomes[] = { OUTCOME_SKIP, OUTCOME_PASS, OUTCOME_INCONCLUSIVE, OUTCOME_FAIL,
                OUTCOME_FAIL };
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;

        ck_assert_ptr_null(judgement_worst(&judgement));
        for (size_t i = 0; i < ELEMENTS_OF(reasons); i++) {
                Verdict verdict = { 0 };

                ck_assert_int_eq(verdict_decide(&verdict, reasons[i], "%zu", i), 0);
                ck_assert_int_eq(judgement_take(&judgement, &verdict), 0);
                ck_assert_int_eq(judgement.outcome, outcomes[i]);
        }
        ck_assert_int_eq(judgement_worst(&judgement)->reason, REASON_WRONG_VALUE);
}
END_TEST

static void fill(Verdict *verdict) {
        ck_assert_int_eq(verdict_decide(verdict, REASON_TOO_LATE, "a \"quote\", a newline\nand ü"), 0);
        verdict->id = strdup("steps[1].expect.log");
        verdict->mark = (Mark){ 7, 9 };
        verdict->expected = strdup("x");
        ck_assert_int_eq(verdict_add_near_miss(verdict, "one\ttwo"), 0);
        ck_assert_int_eq(verdict_add_near_miss(verdict, ""), 0);
        ck_assert_int_eq(verdict_rest_on(verdict, 12), 0);
        ck_assert_int_eq(verdict_rest_on(verdict, 12), 0);
        ck_assert_int_eq(verdict_rest_on(verdict, SIZE_MAX), 0);
        ck_assert_int_eq(verdict_rest_on(verdict, 3), 0);
        verdict->at_usec = 1234567;
        verdict->margin_usec = USEC_INFINITY;
}

START_TEST(a_verdict_is_read_back) {
        CLEANUP(verdict_done) Verdict verdict = { 0 }, again = { 0 };
        CLEANUP_TEXT Text text = TEXT_INIT, second = TEXT_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;

        fill(&verdict);
        verdict_encode(&verdict, &text);
        ck_assert_str_eq(text_get(&text),
                        "{\"verdict\":\"fail\",\"reason\":\"too-late\",\"id\":\"steps[1].expect.log\",\"line\":7,"
                        "\"column\":9,\"sentence\":\"a \\\"quote\\\", a newline\\nand ü\",\"expected\":\"x\","
                        "\"near\":[\"one\\ttwo\",\"\"],\"evidence\":[12,3],\"at\":1234567,"
                        "\"margin\":\"infinity\"}\n");
        ck_assert_msg(verdict_decode(text_get(&text), text.n_bytes, &again, &error) == 0, "%s", error_text(&error));
        ck_assert_ptr_null(again.seen);
        ck_assert_uint_eq(again.margin_usec, USEC_INFINITY);
        verdict_encode(&again, &second);
        ck_assert_str_eq(text_get(&text), text_get(&second));
}
END_TEST

START_TEST(at_most_five_near_misses_are_kept) {
        CLEANUP(verdict_done) Verdict verdict = { 0 };

        for (size_t i = 0; i < 9; i++)
                ck_assert_int_eq(verdict_add_near_miss(&verdict, "x"), 0);
        ck_assert_uint_eq(verdict.n_near_misses, 5);
}
END_TEST

#define NUMBERS "\"line\":1,\"column\":1,\"near\":[],\"evidence\":[],\"at\":0,\"margin\":0"

START_TEST(what_is_no_verdict_is_refused) {
        static const char *const lines[] = {
                "",
                "{",
                "[]",
                "{}",
                "7",
                "{\"verdict\":\"green\",\"reason\":\"held\"," NUMBERS "}",
                "{\"verdict\":\"pass\",\"reason\":\"because\"," NUMBERS "}",
                "{\"verdict\":\"pass\",\"reason\":7," NUMBERS "}",
                "{\"verdict\":\"pass\",\"reason\":\"held\"}",
                "{\"verdict\":\"pass\",\"reason\":\"held\",\"id\":7," NUMBERS "}",
                "{\"verdict\":\"pass\",\"reason\":\"held\",\"line\":-1,\"column\":1,\"near\":[],\"evidence\":[],"
                "\"at\":0,\"margin\":0}",
                "{\"verdict\":\"pass\",\"reason\":\"held\",\"line\":1,\"column\":1,\"near\":[7],\"evidence\":[],"
                "\"at\":0,\"margin\":0}",
                "{\"verdict\":\"pass\",\"reason\":\"held\",\"line\":1,\"column\":1,\"near\":[],\"evidence\":[\"x\"],"
                "\"at\":0,\"margin\":0}",
                "{\"verdict\":\"pass\",\"reason\":\"held\",\"line\":1,\"column\":1,\"near\":[],\"evidence\":[],"
                "\"at\":\"now\",\"margin\":0}",
        };

        FOREACH_ARRAY (line, lines, ELEMENTS_OF(lines)) {
                CLEANUP(verdict_done) Verdict verdict = { 0 };
                CLEANUP_ERROR Error error = ERROR_INIT;

                ck_assert_msg(verdict_decode(*line, strlen(*line), &verdict, &error) == -EBADMSG, "%s", *line);
                ck_assert_ptr_nonnull(error.message);
                ck_assert_ptr_null(verdict.id);
        }
}
END_TEST

Suite *verdict_suite(void) {
        Suite *suite = suite_create("verdict");
        TCase *tcase = tcase_create("verdict");

        tcase_add_test(tcase, the_worse_outcome_wins);
        tcase_add_test(tcase, names_are_read_back);
        tcase_add_test(tcase, a_reason_decides_the_outcome);
        tcase_add_test(tcase, a_judgement_adds_up);
        tcase_add_test(tcase, a_verdict_is_read_back);
        tcase_add_test(tcase, at_most_five_near_misses_are_kept);
        tcase_add_test(tcase, what_is_no_verdict_is_refused);
        suite_add_tcase(suite, tcase);
        return suite;
}
