/* SPDX-License-Identifier: MIT */
#include "judge/quota.h"

#include <math.h>
#include <string.h>

#include "judge/oom.h"

bool is_of_idle_unit(const Timeline *timeline, const Entry *look) {
        const char *active_state = timeline_property(timeline, look->unit, look->index, "ActiveState");
        const char *pid = timeline_property(timeline, look->unit, look->index, "MainPID");

        return active_state && strcmp(active_state, "active") != 0 && pid && strcmp(pid, "0") == 0;
}

static bool is_limited(const Entry *reading, double *ret_number) {
        return counter_number(reading, ret_number) && !isinf(*ret_number);
}

const Entry *quota_limit(const Timeline *timeline, const char *unit, const CounterKind *kind, size_t begin,
                size_t end, bool is_throughout, bool *ret_is_in_force) {
        const Entry *latest = counter_latest(timeline, unit, kind->limit, begin, end);
        double number;

        *ret_is_in_force = latest && is_limited(latest, &number);
        if (!is_throughout || !*ret_is_in_force)
                return latest;
        for (const Entry *entry = timeline_next(timeline, begin, ENTRY_COUNTER, unit); entry && entry->index < end;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_COUNTER, unit))
                if (is_reading(entry, unit, kind->limit) && counter_number(entry, &number) && isinf(number) &&
                                !is_of_idle_unit(timeline, entry)) {
                        *ret_is_in_force = false;
                        return entry;
                }
        return latest;
}

/* The lowest that was in force; INFINITY: none was. */
static double lowest_limit(const Timeline *timeline, const char *unit, const char *limit, size_t begin, size_t end) {
        double lowest = INFINITY, number;

        for (const Entry *entry = timeline_next(timeline, begin, ENTRY_COUNTER, unit); entry && entry->index < end;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_COUNTER, unit))
                if (is_reading(entry, unit, limit) && is_limited(entry, &number) && number < lowest)
                        lowest = number;
        return lowest;
}

/* The peak of the same cgroup, read behind @proof: what had moved the counter by then is in it. */
static const Entry *find_peak(
                const Timeline *timeline, const char *unit, const char *peak, const Entry *proof, size_t end) {
        for (const Entry *entry = timeline_next(timeline, proof->index + 1, ENTRY_COUNTER, unit);
                        entry && entry->index < end;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_COUNTER, unit))
                if (is_reading(entry, unit, peak))
                        return entry;
        return NULL;
}

static Truth is_peak_at_limit(const Timeline *timeline, const char *unit, const CounterKind *kind, const Entry *proof,
                size_t begin, size_t end, Text *ret_why) {
        const Entry *peak = find_peak(timeline, unit, kind->peak, proof, end);
        double limit = lowest_limit(timeline, unit, kind->limit, begin, end), number;
        char peak_text[COUNTER_TEXT_MAX], limit_text[COUNTER_TEXT_MAX];

        if (!peak)
                return TRUTH_IRRELEVANT;
        if (isinf(limit) || !counter_number(peak, &number) ||
                        !entry_has(peak, "cgroup", entry_get(proof, "cgroup") ?: ""))
                return TRUTH_UNKNOWN;
        if (number >= limit)
                return TRUTH_TRUE;
        text_printf(ret_why, "another limit, of its slice or of the machine (%s was %s of %s)", kind->peak,
                        counter_text(number, peak_text), counter_text(limit, limit_text));
        return TRUTH_FALSE;
}

Truth quota_reached(const Timeline *timeline, const char *unit, const CounterKind *kind, const Entry *proof,
                size_t begin, size_t end, Text *ret_why) {
        const Entry *record;

        if (kind->peak)
                return is_peak_at_limit(timeline, unit, kind, proof, begin, end, ret_why);
        if (!kind->is_of_kills)
                return TRUTH_UNKNOWN;
        record = oom_other_limit(timeline, unit, begin, end);
        if (!record)
                return TRUTH_UNKNOWN;
        text_append(ret_why, "the limit of ");
        oom_limit_name(timeline, record, ret_why);
        return TRUTH_FALSE;
}
