/* SPDX-License-Identifier: MIT */
#include "judge/counter-range.h"

#include <math.h>
#include <string.h>

#include "base/quantity.h"
#include "judge/count.h"
#include "judge/window.h"

/* One cgroup of the unit: between two automatic restarts. */
typedef struct Life {
        const char *cgroup; /* borrowed */
        size_t n_base, n_last, n_last_timed;
        const Entry *last;
} Life;

typedef struct Scan {
        const Case *facts;
        const Window *window;
        const char *unit;
        const CounterKind *kind;
        Life *lives;
        size_t n_lives;
        const Match *match; /* NULL: none */
        const TemplateLookup *lookup;
        const Entry *reached;
        bool was_absent;  /* a reading said that there is no cgroup */
        bool is_gapless;  /* the lives are all there were, and known from their beginning in the window */
        bool is_complete; /* the last reading is from the window's end, and of a cgroup that is there */
} Scan;

static void scan_done(Scan *scan) {
        free(scan->lives);
}

static size_t window_end(const Case *facts, const Window *window) {
        size_t length = timeline_length(facts->timeline);

        return window->end_index < length ? window->end_index : length;
}

static size_t to_count(double number) {
        return number >= (double) (SIZE_MAX / 4) ? SIZE_MAX / 4 : (size_t) number;
}

/* Where the counter of a cgroup stood when the window began. */
static size_t find_base(Scan *scan, const Entry *reading, size_t n) {
        if (scan->n_lives > 0 || scan->was_absent)
                return 0; /* it is younger than the window */
        if (!entry_has(reading, "moment", "begin"))
                scan->is_gapless = false; /* what happened before this reading is not known: count from it */
        return n;
}

static int take_number(Scan *scan, const Entry *reading, size_t n) {
        const char *cgroup = entry_get(reading, "cgroup") ?: "";
        Life *life = scan->n_lives > 0 ? &scan->lives[scan->n_lives - 1] : NULL;

        if (!life || strcmp(life->cgroup, cgroup) != 0) {
                size_t n_base = find_base(scan, reading, n);
                Life *lives = reallocarray(scan->lives, scan->n_lives + 1, sizeof(Life));

                if (!lives)
                        return -ENOMEM;
                if (life)
                        scan->is_gapless = false; /* how far the one before got at last is not known */
                scan->lives = lives;
                life = &lives[scan->n_lives++];
                *life = (Life){ .cgroup = cgroup, .n_base = n_base, .n_last = n_base, .n_last_timed = n_base };
        }
        life->n_last = n;
        life->last = reading;
        if (reading->at_usec <= scan->window->deadline_usec)
                life->n_last_timed = n;
        return 0;
}

/* The unit's cgroup was not known yet: was it running all the same? */
static bool has_main_process(const Scan *scan, const Entry *reading) {
        const char *pid = timeline_property(scan->facts->timeline, scan->unit, reading->index, "MainPID");

        return pid && strcmp(pid, "0") != 0;
}

static int take_reading(Scan *scan, const Entry *reading) {
        int64_t error = entry_get_number(reading, "errno", 0);
        double number;

        scan->is_complete = false;
        if (counter_number(reading, &number)) {
                uint64_t until_usec = scan->window->deadline_usec;

                scan->is_complete = until_usec == USEC_INFINITY || entry_get_usec(reading, "asked", 0) >= until_usec;
                return take_number(scan, reading, to_count(number));
        }
        if (scan->n_lives > 0)
                scan->is_gapless = false;
        if (error == ENOENT || error == ENODEV || (error == ENODATA && !has_main_process(scan, reading)))
                scan->was_absent = true;
        return 0;
}

/* More invocations than cgroups were seen: one came and went between two readings. */
static bool has_several_invocations(const Scan *scan) {
        const Timeline *timeline = scan->facts->timeline;
        const char *invocation = NULL;

        for (const Entry *entry = timeline_next(timeline, scan->window->anchor_index, ENTRY_PROPERTIES, scan->unit);
                        entry && entry->index < window_end(scan->facts, scan->window);
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_PROPERTIES, scan->unit)) {
                const char *next = entry_get(entry, "InvocationID");

                if (!next || !*next || strspn(next, "0") == strlen(next))
                        continue;
                if (invocation && strcmp(invocation, next) != 0)
                        return true;
                invocation = next;
        }
        return false;
}

/* What the lives come to: peaks do not add up, counts do. */
static size_t sum_up(const Scan *scan, bool is_timed) {
        size_t n = 0;

        FOREACH_ARRAY (life, scan->lives, scan->n_lives) {
                size_t n_last = is_timed ? life->n_last_timed : life->n_last;

                if (scan->kind->nature == COUNTER_PEAK)
                        n = n_last > n ? n_last : n;
                else if (n_last > life->n_base)
                        n += n_last - life->n_base;
        }
        return n;
}

static void note_reached(Scan *scan, const Entry *reading) {
        if (scan->match && !scan->reached && scan->n_lives > 0 && reading->at_usec <= scan->window->deadline_usec &&
                        count_matches(scan->match, sum_up(scan, true), SIZE_MAX, scan->lookup) == CERTAINLY)
                scan->reached = reading;
}

static int scan_run(Scan *scan) {
        const Timeline *timeline = scan->facts->timeline;
        size_t end = window_end(scan->facts, scan->window);

        scan->is_gapless = true;
        /* The log of readings is gone through once: this is asked again with every new one. */
        for (const Entry *entry = timeline_next(timeline, scan->window->anchor_index, ENTRY_COUNTER, scan->unit);
                        entry && entry->index < end;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_COUNTER, scan->unit)) {
                int r;

                if (!is_reading(entry, scan->unit, scan->kind->name))
                        continue;
                r = take_reading(scan, entry);
                if (r < 0)
                        return r;
                note_reached(scan, entry);
        }
        return 0;
}

/* Of a cgroup that came and went between two readings only the manager tells. */
static bool are_invocations_known(const Scan *scan) {
        return window_is_complete(scan->facts, scan->window, CHANNEL_BUS, scan->unit, NULL) &&
               !has_several_invocations(scan);
}

/* A slice's peak is at least that of each unit in it, also of one that is gone. */
static size_t slice_peak(const Scan *scan) {
        const Timeline *timeline = scan->facts->timeline;
        double number;

        for (const Entry *entry = timeline_last(
                             timeline, window_end(scan->facts, scan->window), ENTRY_COUNTER, scan->unit);
                        entry && entry->index >= scan->window->anchor_index;
                        entry = timeline_last(timeline, entry->index, ENTRY_COUNTER, scan->unit))
                if (entry_has(entry, "scope", "slice") && entry_has(entry, "counter", scan->kind->name) &&
                                entry_get_usec(entry, "asked", 0) >= scan->window->deadline_usec)
                        return counter_number(entry, &number) ? to_count(number) : SIZE_MAX;
        return SIZE_MAX;
}

int counter_range(const Case *facts, const Window *window, const char *unit, const CounterKind *kind,
                const Match *match, const TemplateLookup *lookup, CounterRange *ret_range) {
        CLEANUP(scan_done)
        Scan scan = {
                .facts = facts,
                .window = window,
                .unit = unit,
                .kind = kind,
                .match = match,
                .lookup = lookup,
        };
        int r = scan_run(&scan);

        if (r < 0)
                return r;
        *ret_range = (CounterRange){ .n_low = SIZE_MAX, .n_high = SIZE_MAX };
        if (scan.n_lives == 0)
                return 0;
        ret_range->n_low = sum_up(&scan, false);
        ret_range->n_low_timed = sum_up(&scan, true);
        ret_range->last = scan.lives[scan.n_lives - 1].last;
        ret_range->reached = scan.reached;
        if (!window->is_closed)
                return 0;
        if (scan.is_gapless && scan.is_complete && are_invocations_known(&scan))
                ret_range->n_high = ret_range->n_low;
        else if (kind->nature == COUNTER_PEAK)
                ret_range->n_high = slice_peak(&scan);
        return 0;
}

void counter_load(const Case *facts, const Window *window, const char *unit, CounterRange *ret_range,
                uint64_t *ret_usec) {
        const Timeline *timeline = facts->timeline;
        const Entry *last =
                        counter_latest(timeline, unit, "cpu.usage", window->anchor_index, window_end(facts, window));
        const Entry *first = last;
        uint64_t shortest_usec, longest_usec;
        double from = 0, to = 0;

        *ret_range = (CounterRange){ .n_low = SIZE_MAX, .n_high = SIZE_MAX, .last = last };
        *ret_usec = 0;
        for (const Entry *entry = last; entry && entry->index >= window->anchor_index;
                        entry = timeline_last(timeline, entry->index, ENTRY_COUNTER, unit))
                if (is_reading(entry, unit, "cpu.usage") && counter_number(entry, &from) &&
                                entry_has(entry, "cgroup", entry_get(last, "cgroup") ?: ""))
                        first = entry;
        if (!last || first == last || !counter_number(first, &from) || !counter_number(last, &to) || to < from)
                return;
        shortest_usec = usec_sub(entry_get_usec(last, "asked", 0), first->at_usec);
        longest_usec = usec_sub(last->at_usec, entry_get_usec(first, "asked", 0));
        if (shortest_usec == 0)
                return;
        *ret_usec = shortest_usec;
        ret_range->n_low = ret_range->n_low_timed = to_count(floor((to - from) * 100 / (double) longest_usec));
        ret_range->n_high = to_count(ceil((to - from) * 100 / (double) shortest_usec));
}
