/* SPDX-License-Identifier: MIT */
#include "judge/count.h"

#include "suites-b.h"

static const struct {
        const char *match;
        size_t n_low, n_high;
        Certainty certainty;
} samples[] = {
        { "3", 3, 3, CERTAINLY },
        { "3", 2, 2, CERTAINLY_NOT },
        { "3", 2, 4, UNCERTAIN },
        { "3", 3, SIZE_MAX, UNCERTAIN },
        { "3", 4, SIZE_MAX, CERTAINLY_NOT },
        { "0", 1, SIZE_MAX, CERTAINLY_NOT },
        { "0", 0, SIZE_MAX, UNCERTAIN },
        { ">= 3", 3, SIZE_MAX, CERTAINLY },
        { ">= 3", 2, SIZE_MAX, UNCERTAIN },
        { ">= 3", 0, 2, CERTAINLY_NOT },
        { "<= 3", 4, SIZE_MAX, CERTAINLY_NOT },
        { "<= 3", 3, SIZE_MAX, UNCERTAIN },
        { "<= 3", 0, 3, CERTAINLY },
        { "< 3", 2, 3, UNCERTAIN },
        { "> 3", 4, SIZE_MAX, CERTAINLY },
        { "2..4", 2, 4, CERTAINLY },
        { "2..4", 1, 4, UNCERTAIN },
        { "2..4", 3, SIZE_MAX, UNCERTAIN },
        { "2..4", 5, SIZE_MAX, CERTAINLY_NOT },
        { "2..4", 0, SIZE_MAX, UNCERTAIN },
        { "1000000", 1000001, SIZE_MAX, CERTAINLY_NOT },
};

START_TEST(range_is_judged) {
        CLEANUP(match_done) Match match = { 0 };

        ck_assert_int_eq(match_parse(samples[_i].match, &match, NULL, NULL), 0);
        ck_assert_msg(count_matches(&match, samples[_i].n_low, samples[_i].n_high, NULL) == samples[_i].certainty,
                        "%s over %zu..%zu", samples[_i].match, samples[_i].n_low, samples[_i].n_high);
}
END_TEST

START_TEST(what_is_unknown_is_uncertain) {
        CLEANUP(match_done) Match match = { 0 };

        ck_assert_int_eq(match_parse("${n}", &match, NULL, NULL), 0);
        ck_assert_int_eq(count_matches(&match, 1, SIZE_MAX, NULL), UNCERTAIN);
        ck_assert_int_eq(count_matches(&match, 1, 1, NULL), CERTAINLY_NOT);
}
END_TEST

Suite *count_suite(void) {
        Suite *suite = suite_create("count");
        TCase *tests = tcase_create("count");

        tcase_add_loop_test(tests, range_is_judged, 0, sizeof(samples) / sizeof(samples[0]));
        tcase_add_test(tests, what_is_unknown_is_uncertain);
        suite_add_tcase(suite, tests);
        return suite;
}
