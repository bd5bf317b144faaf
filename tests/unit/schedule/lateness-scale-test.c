/* SPDX-License-Identifier: MIT */
#include "schedule/lateness-scale.h"

#include "suites.h"

static const struct {
        uint64_t probe_usec;
        unsigned scale;
} rows[] = {
        { 0, 1 },
        { 20, 1 },
        { LATENESS_REFERENCE_USEC, 1 },
        { LATENESS_REFERENCE_USEC * 3 / 2 - 1, 1 },
        { LATENESS_REFERENCE_USEC * 3 / 2, 2 },
        { LATENESS_REFERENCE_USEC * 20, 20 },
        { LATENESS_REFERENCE_USEC * UINT64_C(5000), LATENESS_SCALE_MAX },
        { UINT64_MAX, LATENESS_SCALE_MAX },
};

START_TEST(a_probe_gives_a_factor) {
        ck_assert_uint_eq(lateness_scale_of(rows[_i].probe_usec), rows[_i].scale);
}
END_TEST

START_TEST(the_machine_is_measured) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        uint64_t probe_usec = 0;

        ck_assert_int_eq(lateness_probe(&probe_usec, &error), 0);
        ck_assert_uint_gt(probe_usec, 0);
        ck_assert_uint_lt(probe_usec, 10000000);
}
END_TEST

Suite *lateness_suite(void) {
        Suite *suite = suite_create("lateness");
        TCase *tcase = tcase_create("lateness");

        tcase_add_loop_test(tcase, a_probe_gives_a_factor, 0, ELEMENTS_OF(rows));
        tcase_add_test(tcase, the_machine_is_measured);
        suite_add_tcase(suite, tcase);
        return suite;
}
