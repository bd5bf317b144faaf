/* SPDX-License-Identifier: MIT */
#include "base/quantity.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

typedef struct UnitName {
        const char *name;
        double factor;
} UnitName;

/* systemd.time(7); a month is 30.44 days, a year 365.25. */
static const UnitName duration_units[] = {
        { "us", 1 },
        { "usec", 1 },
        { "µs", 1 },
        { "μs", 1 }, /* micro sign, Greek letter */
        { "ms", 1e3 },
        { "msec", 1e3 },
        { "s", 1e6 },
        { "sec", 1e6 },
        { "second", 1e6 },
        { "seconds", 1e6 },
        { "m", 60e6 },
        { "min", 60e6 },
        { "minute", 60e6 },
        { "minutes", 60e6 },
        { "h", 3600e6 },
        { "hr", 3600e6 },
        { "hour", 3600e6 },
        { "hours", 3600e6 },
        { "d", 86400e6 },
        { "day", 86400e6 },
        { "days", 86400e6 },
        { "w", 604800e6 },
        { "week", 604800e6 },
        { "weeks", 604800e6 },
        { "M", 2629800e6 },
        { "month", 2629800e6 },
        { "months", 2629800e6 },
        { "y", 31557600e6 },
        { "year", 31557600e6 },
        { "years", 31557600e6 },
};

static const UnitName size_units[] = {
        { "B", 1 },
        { "K", 1024.0 },
        { "M", 1048576.0 },
        { "G", 1073741824.0 },
        { "T", 1099511627776.0 },
        { "P", 1125899906842624.0 },
        { "E", 1152921504606846976.0 },
};

static const char *skip_spaces(const char *string) {
        while (isspace((unsigned char) *string))
                string++;
        return string;
}

/* Reads "12.5" without locale, sign, exponent or hexadecimal: strtod() takes all of these. */
static const char *parse_decimal(const char *string, double *ret_number) {
        double number = 0, place = 0.1;
        const char *start = string;

        for (; isdigit((unsigned char) *string); string++)
                number = number * 10 + (*string - '0');
        if (string == start)
                return NULL;
        if (*string == '.') {
                string++;
                if (!isdigit((unsigned char) *string))
                        return NULL;
                for (; isdigit((unsigned char) *string); string++, place /= 10)
                        number += (*string - '0') * place;
        }
        *ret_number = number;
        return string;
}

static const UnitName *find_unit(const UnitName *units, size_t n_units, const char **string) {
        size_t length = 0;

        while ((*string)[length] && !isspace((unsigned char) (*string)[length]) &&
                        !isdigit((unsigned char) (*string)[length]))
                length++;
        for (size_t i = 0; i < n_units; i++)
                if (strlen(units[i].name) == length && memcmp(units[i].name, *string, length) == 0) {
                        *string += length;
                        return &units[i];
                }
        return NULL;
}

static int quantity_parse(
                const char *string, const UnitName *units, size_t n_units, double bare_factor, uint64_t *ret_value) {
        double total = 0;

        string = skip_spaces(string);
        if (strcmp(string, "infinity") == 0) {
                *ret_value = UINT64_MAX;
                return 0;
        }
        if (!*string)
                return -EINVAL;

        while (*string) {
                const UnitName *unit;
                double number;

                string = parse_decimal(string, &number);
                if (!string)
                        return -EINVAL;
                string = skip_spaces(string);
                if (!*string || isdigit((unsigned char) *string))
                        total += number * bare_factor;
                else {
                        unit = find_unit(units, n_units, &string);
                        if (!unit)
                                return -EINVAL;
                        total += number * unit->factor;
                }
                string = skip_spaces(string);
        }
        if (total >= 9.2e18) /* stays inside int64_t, in which systemd and sd_event calculate */
                return -ERANGE;
        *ret_value = (uint64_t) (total + 0.5);
        return 0;
}

int duration_parse(const char *string, uint64_t *ret_usec) {
        return quantity_parse(string, duration_units, ELEMENTS_OF(duration_units), 1e6, ret_usec);
}

int size_parse(const char *string, uint64_t *ret_bytes) {
        return quantity_parse(string, size_units, ELEMENTS_OF(size_units), 1, ret_bytes);
}

int percentage_parse(const char *string, double *ret_percent) {
        const char *rest = parse_decimal(skip_spaces(string), ret_percent);

        if (!rest || strcmp(rest, "%") != 0)
                return -EINVAL;
        return 0;
}

const char *duration_text(uint64_t usec, char buffer[static DURATION_TEXT_MAX]) {
        if (usec == USEC_INFINITY)
                (void) snprintf(buffer, DURATION_TEXT_MAX, "infinity");
        else if (usec < USEC_PER_MSEC)
                (void) snprintf(buffer, DURATION_TEXT_MAX, "%" PRIu64 "us", usec);
        else if (usec < USEC_PER_SEC)
                (void) snprintf(buffer, DURATION_TEXT_MAX, "%" PRIu64 "ms", usec / USEC_PER_MSEC);
        else if (usec < 60 * USEC_PER_SEC)
                (void) snprintf(buffer, DURATION_TEXT_MAX, "%" PRIu64 ".%03" PRIu64 "s", usec / USEC_PER_SEC,
                                usec % USEC_PER_SEC / USEC_PER_MSEC);
        else
                (void) snprintf(buffer, DURATION_TEXT_MAX, "%" PRIu64 "min %" PRIu64 "s", usec / (60 * USEC_PER_SEC),
                                usec / USEC_PER_SEC % 60);
        return buffer;
}
