/* SPDX-License-Identifier: MIT */
#include "scenario/literal.h"

#include <ctype.h>
#include <string.h>

#include "base/quantity.h"

static double power_of_ten(int exponent) {
        double power = 1;

        for (; exponent > 0; exponent--)
                power *= 10;
        return power;
}

static const char *read_exponent(const char *c, const char *end, int *ret_exponent) {
        bool is_negative = c < end && *c == '-';
        int exponent = 0;

        if (c < end && (*c == '-' || *c == '+'))
                c++;
        if (c == end)
                return NULL;
        for (; c < end; c++) {
                if (!isdigit((unsigned char) *c))
                        return NULL;
                if (exponent < 400) /* beyond what a double holds in either direction */
                        exponent = exponent * 10 + (*c - '0');
        }
        *ret_exponent = is_negative ? -exponent : exponent;
        return c;
}

/* Without strtod(): that takes hexadecimal, "nan", spaces and the locale's comma. */
int number_parse(const char *text, size_t n_bytes, double *ret_number) {
        const char *c = text, *end = text + n_bytes;
        bool is_negative = c < end && *c == '-', has_digits = false, has_point = false;
        double mantissa = 0;
        int exponent = 0, n_decimals = 0;

        if (is_negative)
                c++;
        for (; c < end && (isdigit((unsigned char) *c) || (*c == '.' && !has_point && has_digits)); c++) {
                if (*c == '.') {
                        has_point = true;
                        continue;
                }
                has_digits = true;
                mantissa = mantissa * 10 + (*c - '0');
                if (has_point && n_decimals < 400)
                        n_decimals++;
        }
        if (!has_digits || c[-1] == '.')
                return -EINVAL;
        if (c < end && (*c == 'e' || *c == 'E'))
                c = read_exponent(c + 1, end, &exponent);
        if (c != end)
                return -EINVAL;

        /* One division is rounded once, so that 0.3 here is 0.3 there. */
        exponent -= n_decimals;
        mantissa = exponent < 0 ? mantissa / power_of_ten(-exponent) : mantissa * power_of_ten(exponent);
        *ret_number = is_negative ? -mantissa : mantissa;
        return 0;
}

int literal_parse(const char *text, double *ret_number, LiteralDimension *ret_dimension) {
        uint64_t value;

        *ret_dimension = LITERAL_PLAIN;
        if (number_parse(text, strlen(text), ret_number) >= 0)
                return 0;
        if (!isdigit((unsigned char) *text)) /* "infinity" is a word to systemd, not a number */
                return -EINVAL;
        if (size_parse(text, &value) >= 0) {
                *ret_dimension = LITERAL_BYTES;
                *ret_number = (double) value;
                return 0;
        }
        if (duration_parse(text, &value) >= 0) {
                *ret_dimension = LITERAL_USEC;
                *ret_number = (double) value;
                return 0;
        }
        *ret_dimension = LITERAL_PERCENT;
        return percentage_parse(text, ret_number);
}

int priority_parse(const char *text, double *ret_number) {
        /* In the order of their numbers, 0 to 7. Source: syslog(3). */
        static const char *const names[] = {
                "emerg",
                "alert",
                "crit",
                "err",
                "warning",
                "notice",
                "info",
                "debug",
        };

        for (size_t i = 0; i < ELEMENTS_OF(names); i++)
                if (strcmp(text, names[i]) == 0 || (text[0] == (char) ('0' + i) && text[1] == '\0')) {
                        *ret_number = (double) i;
                        return 0;
                }
        return -EINVAL;
}
