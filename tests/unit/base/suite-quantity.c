/* SPDX-License-Identifier: MIT */
#include "base/quantity.h"

#include "suites.h"

typedef struct Sample {
        const char *text;
        uint64_t value;
} Sample;

static const Sample durations[] = {
        { "0", 0 },
        { "5", 5 * USEC_PER_SEC },
        { "5s", 5 * USEC_PER_SEC },
        { " 5 s ", 5 * USEC_PER_SEC },
        { "500ms", 500 * USEC_PER_MSEC },
        { "0.5s", 500 * USEC_PER_MSEC },
        { "1.000001s", 1000001 },
        { "7us", 7 },
        { "7µs", 7 },
        { "1min 30s", 90 * USEC_PER_SEC },
        { "1min30s", 90 * USEC_PER_SEC },
        { "2h", 7200 * USEC_PER_SEC },
        { "1d 1h 1m 1sec 1ms 1us", 90061001001 },
        { "1week", 604800 * USEC_PER_SEC },
        { "1y", 31557600 * USEC_PER_SEC },
        { "infinity", USEC_INFINITY },
};

START_TEST(duration_is_read) {
        uint64_t usec = 1;

        ck_assert_int_eq(duration_parse(durations[_i].text, &usec), 0);
        ck_assert_uint_eq(usec, durations[_i].value);
}
END_TEST

static const char *const no_durations[] = {
        "",
        " ",
        "s",
        "5x",
        "-5s",
        "+5s",
        "5 parsecs",
        "1e3s",
        "0x10",
        "5s,",
        ".5s",
        "5.s",
        "5..5s",
        "infinit",
        "5S",
        "inf",
        "nan",
};

START_TEST(no_duration_is_refused) {
        uint64_t usec;

        ck_assert_int_eq(duration_parse(no_durations[_i], &usec), -EINVAL);
}
END_TEST

START_TEST(too_long_a_duration_is_out_of_range) {
        uint64_t usec;

        ck_assert_int_eq(duration_parse("9999999999999s", &usec), -ERANGE);
        ck_assert_int_eq(duration_parse("9999999999999999999999999999999999999999999999999999999999999999", &usec),
                        -ERANGE);
}
END_TEST

static const Sample sizes[] = {
        { "0", 0 },
        { "100", 100 },
        { "100B", 100 },
        { "64K", 64 * 1024 },
        { "64M", UINT64_C(64) << 20 },
        { "1.5G", UINT64_C(1536) << 20 },
        { "2T", UINT64_C(2) << 40 },
        { "1P", UINT64_C(1) << 50 },
        { "1E", UINT64_C(1) << 60 },
        { "1G 512M", UINT64_C(1536) << 20 },
        { "infinity", UINT64_MAX },
};

START_TEST(size_is_read) {
        uint64_t bytes = 1;

        ck_assert_int_eq(size_parse(sizes[_i].text, &bytes), 0);
        ck_assert_uint_eq(bytes, sizes[_i].value);
}
END_TEST

START_TEST(no_size_is_refused) {
        uint64_t bytes;

        ck_assert_int_eq(size_parse("64m", &bytes), -EINVAL);
        ck_assert_int_eq(size_parse("64MB", &bytes), -EINVAL);
        ck_assert_int_eq(size_parse("", &bytes), -EINVAL);
        ck_assert_int_eq(size_parse("100E", &bytes), -ERANGE);
}
END_TEST

START_TEST(percentage_is_read) {
        double percent;

        ck_assert_int_eq(percentage_parse("50%", &percent), 0);
        ck_assert_double_eq_tol(percent, 50, 1e-9);
        ck_assert_int_eq(percentage_parse("12.5%", &percent), 0);
        ck_assert_double_eq_tol(percent, 12.5, 1e-9);
        ck_assert_int_eq(percentage_parse("50", &percent), -EINVAL);
        ck_assert_int_eq(percentage_parse("%", &percent), -EINVAL);
        ck_assert_int_eq(percentage_parse("50%%", &percent), -EINVAL);
        ck_assert_int_eq(percentage_parse("", &percent), -EINVAL);
}
END_TEST

static const Sample texts[] = {
        { "0us", 0 },
        { "999us", 999 },
        { "1ms", 1000 },
        { "213ms", 213999 },
        { "5.041s", 5041000 },
        { "59.999s", 59999999 },
        { "1min 30s", 90 * USEC_PER_SEC },
        { "infinity", USEC_INFINITY },
};

START_TEST(duration_is_written) {
        char buffer[DURATION_TEXT_MAX];

        ck_assert_str_eq(duration_text(texts[_i].value, buffer), texts[_i].text);
}
END_TEST

START_TEST(sums_saturate) {
        ck_assert_uint_eq(usec_add(1, 2), 3);
        ck_assert_uint_eq(usec_add(USEC_INFINITY, 1), USEC_INFINITY);
        ck_assert_uint_eq(usec_add(USEC_INFINITY - 1, 5), USEC_INFINITY);
        ck_assert_uint_eq(usec_sub(5, 2), 3);
        ck_assert_uint_eq(usec_sub(2, 5), 0);
}
END_TEST

Suite *quantity_suite(void) {
        Suite *suite = suite_create("quantity");
        TCase *tests = tcase_create("quantity");

        tcase_add_loop_test(tests, duration_is_read, 0, ELEMENTS_OF(durations));
        tcase_add_loop_test(tests, no_duration_is_refused, 0, ELEMENTS_OF(no_durations));
        tcase_add_test(tests, too_long_a_duration_is_out_of_range);
        tcase_add_loop_test(tests, size_is_read, 0, ELEMENTS_OF(sizes));
        tcase_add_test(tests, no_size_is_refused);
        tcase_add_test(tests, percentage_is_read);
        tcase_add_loop_test(tests, duration_is_written, 0, ELEMENTS_OF(texts));
        tcase_add_test(tests, sums_saturate);
        suite_add_tcase(suite, tests);
        return suite;
}
