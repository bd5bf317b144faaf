/* SPDX-License-Identifier: MIT */
#include "judge/counters.h"

#include <math.h>
#include <string.h>

#include "judge/expect-kinds.h"

/* v1 has no word for "no limit": a number of pages so large that it means none. Source: PAGE_COUNTER_MAX of the
 * kernel.
 */
#define UNLIMITED_BYTES 4611686018427387904.0

/* Where pages are larger, a limit that is no multiple of theirs is not recognised, which is inconclusive. */
#define PAGE_BYTES 4096

static const CounterKind kinds[] = {
        { "memory.peak", COUNTER_PEAK, "memory.max", "MemoryMax", .is_bounded = true },
        { "memory.current", COUNTER_GAUGE, "memory.max", "MemoryMax", .is_bounded = true },
        { "memory.oom-kills", COUNTER_COUNT, "memory.max", "MemoryMax", .is_of_quota = true, .is_of_kills = true },
        { "memory.high-hits", COUNTER_COUNT, "memory.high", "MemoryHigh", .is_of_quota = true },
        { "pids.peak", COUNTER_PEAK, "pids.max", "TasksMax", .is_bounded = true },
        { "pids.current", COUNTER_GAUGE, "pids.max", "TasksMax", .is_bounded = true },
        { "pids.denied", COUNTER_COUNT, "pids.max", "TasksMax", .is_of_quota = true, .peak = "pids.peak" },
        { "cpu.throttled", COUNTER_COUNT, "cpu.max", "CPUQuota", .is_of_quota = true },
        { "cpu.periods", COUNTER_COUNT, "cpu.max", "CPUQuota", .is_of_quota = true },
        { "cpu.load", COUNTER_LOAD, "cpu.max", "CPUQuota", .is_of_quota = true },
        { "cpu.usage", COUNTER_COUNT },
        { "memory.max", COUNTER_GAUGE },
        { "memory.high", COUNTER_GAUGE },
        { "pids.max", COUNTER_GAUGE },
        { "cpu.max", COUNTER_GAUGE },
        { "populated", COUNTER_GAUGE },
        { "procs", COUNTER_GAUGE },
};

static const CounterKind raw_file = { "file:", COUNTER_GAUGE };

static const LimitPlace places[] = {
        { "MemoryMax", "memory.max", NULL },
        { "MemoryHigh", "memory.high", NULL },
        { "TasksMax", "pids.max", NULL },
        { "CPUQuota", "cpu.max", NULL },
        { "LimitNOFILE", NULL, "Max open files" },
        { "LimitNPROC", NULL, "Max processes" },
        { "LimitFSIZE", NULL, "Max file size" },
        { "LimitAS", NULL, "Max address space" },
        { "LimitCORE", NULL, "Max core file size" },
};

const CounterKind *counter_kind(const char *name) {
        FOREACH_ARRAY (kind, kinds, ELEMENTS_OF(kinds))
                if (strcmp(kind->name, name) == 0)
                        return kind;
        if (strncmp(name, "file:", 5) != 0 || !name[5] || strchr(name, '/'))
                return NULL;
        return strcmp(name + 5, ".") == 0 || strcmp(name + 5, "..") == 0 ? NULL : &raw_file;
}

const LimitPlace *limit_place(const char *property) {
        FOREACH_ARRAY (place, places, ELEMENTS_OF(places))
                if (strcmp(place->property, property) == 0)
                        return place;
        return NULL;
}

static void visit_counter(const char *name, void (*visit)(const char *counter, void *userdata), void *userdata) {
        const CounterKind *kind = counter_kind(name);

        if (!kind)
                return;
        /* The limit first: it is in force before what it limits is looked at. */
        if (kind->limit)
                visit(kind->limit, userdata);
        if (kind->nature == COUNTER_LOAD) {
                visit("cpu.throttled", userdata);
                visit("cpu.usage", userdata);
        } else
                visit(name, userdata);
        /* And the peak last: what has moved the counter is in it. */
        if (kind->peak)
                visit(kind->peak, userdata);
}

void expectation_counters(
                const Expectation *expectation, void (*visit)(const char *counter, void *userdata), void *userdata) {
        if (expectation->kind == &oom_kill_expectation.spec)
                visit_counter("memory.oom-kills", visit, userdata);
        for (size_t i = 0; i < expectation->kind->n_keys; i++) {
                const Value *value = &expectation->values[i];

                for (size_t j = 0; j < value->n_matches; j++) {
                        const char *name = value->matches[j].name;
                        const LimitPlace *place = name ? limit_place(name) : NULL;

                        if (place)
                                visit(place->counter ?: "limits", userdata);
                        else if (name)
                                visit_counter(name, visit, userdata);
                }
        }
}

static bool parse_number(const char *text, double *ret_number) {
        char *end;

        if (strncmp(text, "max", 3) == 0 || strncmp(text, "unlimited", 9) == 0) {
                *ret_number = INFINITY;
                return true;
        }
        *ret_number = strtod(text, &end);
        return end != text && (*end == '\0' || *end == '\n' || *end == ' ');
}

/* "50000 100000" and "max 100000" of v2; "50000" or "-1", with the period in a field of its own, of v1. */
static bool find_period(const Entry *entry, const char *text, double *ret_period) {
        const char *blank = strchr(text, ' '), *period_text = blank ? blank + 1 : entry_get(entry, "period");

        return period_text && parse_number(period_text, ret_period) && *ret_period > 0;
}

static bool parse_quota(const Entry *entry, const char *text, double *ret_number) {
        double quota, period;

        if (!parse_number(text, &quota))
                return false;
        if (isinf(quota) || quota < 0) {
                *ret_number = INFINITY;
                return true;
        }
        if (!find_period(entry, text, &period))
                return false;
        /* In this order: 58000 of 100000 are 58 then, and not a bit less. */
        *ret_number = quota * 100 / period;
        return true;
}

double counter_grain(const Entry *entry) {
        double period;

        if (entry_has(entry, "counter", "cpu.max"))
                return find_period(entry, entry_get(entry, "text") ?: "", &period) ? 100 / period : 0;
        return strncmp(entry_get(entry, "counter") ?: "", "memory.", 7) == 0 ? PAGE_BYTES : 0;
}

/* The number behind the word @key, which begins a line. */
static const char *find_key(const char *text, const char *key) {
        size_t n = strlen(key);

        for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (strncmp(line, key, n) == 0 && line[n] == ' ')
                        return line + n + 1;
        return NULL;
}

bool counter_number(const Entry *entry, double *ret_number) {
        const char *text = entry_get(entry, "text"), *key = entry_get(entry, "key");

        if (entry_get_number(entry, "errno", 0) != 0 || !text)
                return false;
        if (entry_has(entry, "counter", "cpu.max"))
                return parse_quota(entry, text, ret_number);
        if (key)
                text = find_key(text, key);
        if (!text || !parse_number(text, ret_number))
                return false;
        if (*ret_number >= UNLIMITED_BYTES)
                *ret_number = INFINITY;
        return true;
}

/* A quota is known to a thousandth of a percent: microseconds of a period of 100 ms. */
const char *counter_text(double number, char buffer[static COUNTER_TEXT_MAX]) {
        size_t n;

        if (isinf(number)) {
                (void) snprintf(buffer, COUNTER_TEXT_MAX, "infinity");
                return buffer;
        }
        (void) snprintf(buffer, COUNTER_TEXT_MAX, "%.3f", number);
        n = strlen(buffer);
        while (n > 0 && buffer[n - 1] == '0')
                buffer[--n] = '\0';
        if (n > 0 && buffer[n - 1] == '.')
                buffer[n - 1] = '\0';
        return buffer;
}

bool process_limit(const Entry *entry, const char *line, double *ret_number) {
        const char *limits = entry_get(entry, "limits"), *at = limits ? strstr(limits, line) : NULL;

        if (entry_get_number(entry, "errno", 0) != 0 || !at)
                return false;
        at += strlen(line);
        at += strspn(at, " ");
        return parse_number(at, ret_number);
}

bool is_reading(const Entry *entry, const char *unit, const char *counter) {
        return entry->kind == ENTRY_COUNTER && entry->unit && strcmp(entry->unit, unit) == 0 &&
               entry_has(entry, "counter", counter) && !entry_get(entry, "scope");
}

const Entry *counter_latest(
                const Timeline *timeline, const char *unit, const char *counter, size_t from, size_t end) {
        double number;

        for (const Entry *entry = timeline_last(timeline, end, ENTRY_COUNTER, unit); entry && entry->index >= from;
                        entry = timeline_last(timeline, entry->index, ENTRY_COUNTER, unit))
                if (is_reading(entry, unit, counter) && counter_number(entry, &number))
                        return entry;
        return NULL;
}
