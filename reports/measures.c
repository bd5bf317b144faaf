/* SPDX-License-Identifier: MIT */
#include "reports/measures.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/quantity.h"
#include "judge/card.h"
#include "judge/restarts.h"
#include "scenario/array.h"

enum { INVOCATIONS_MAX = 32 };

/* Name in a report, field of ENTRY_VERSIONS. */
static const char *const VERSIONS[][2] = { { "agenttest_version", "agenttest" }, { "systemd_version", "systemd" },
        { "kernel", "kernel" }, { "machine", "machine" }, { "cgroup", "cgroup" }, { "stage", "stage" },
        { "lateness_scale", "lateness-scale" } };

typedef struct Units {
        const char **items; /* borrowed from the timeline */
        size_t n_items;
} Units;

static void units_done(Units *units) {
        free(units->items);
}

void measures_done(Measures *measures) {
        FOREACH_ARRAY (measure, measures->items, measures->n_items) {
                free(measure->name);
                free(measure->value);
        }
        free(measures->items);
        *measures = (Measures){ 0 };
}

bool measure_is_version(const Measure *measure) {
        for (size_t i = 0; i < ELEMENTS_OF(VERSIONS); i++)
                if (strcmp(measure->name, VERSIONS[i][0]) == 0)
                        return true;
        return false;
}

static int add(Measures *measures, const char *name, const char *value) {
        Measure *measure = array_append(&measures->items, &measures->n_items, sizeof(*measure));
        if (!measure)
                return -ENOMEM;

        measure->name = strdup(name);
        measure->value = strdup(value);
        return measure->name && measure->value ? 0 : -ENOMEM;
}

static int add_number(Measures *measures, const char *name, uint64_t number) {
        char text[24];

        (void) snprintf(text, sizeof(text), "%" PRIu64, number);
        return add(measures, name, text);
}

static int add_msec(Measures *measures, const char *name, uint64_t usec) {
        char text[32];

        (void) snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, usec / USEC_PER_MSEC, usec % USEC_PER_MSEC);
        return add(measures, name, text);
}

/* --- latencies --- */

static int add_margin(Measures *measures, const Judgement *judgement) {
        const Verdict *narrowest = NULL;
        int r;

        FOREACH_ARRAY (verdict, judgement->verdicts, judgement->n_verdicts)
                if (verdict->outcome == OUTCOME_PASS && verdict->margin_usec != USEC_INFINITY &&
                                (!narrowest || verdict->margin_usec < narrowest->margin_usec))
                        narrowest = verdict;
        if (!narrowest)
                return 0;
        r = add_msec(measures, "narrowest_margin_ms", narrowest->margin_usec);
        return r < 0 ? r : add(measures, "narrowest_margin_of", narrowest->id ?: "scenario");
}

static bool is_action(const Entry *entry, const char *unit) {
        return (entry->kind == ENTRY_JOB_ACTION || entry->kind == ENTRY_SIGNAL_ACTION) && entry->unit &&
               strcmp(entry->unit, unit) == 0;
}

static bool is_stop(const Entry *entry) {
        if (entry->kind == ENTRY_JOB_ACTION)
                return entry_has(entry, "verb", "stop") && !entry_find(entry, "error");
        return entry_get_number(entry, "signal", 0) == SIGTERM && entry_has(entry, "errno", "0");
}

/* Up to the unit's next action: what ends behind that ends because of that. */
static uint64_t next_action_usec(const Timeline *timeline, const Entry *action) {
        for (size_t i = action->index + 1; i < timeline_length(timeline); i++) {
                const Entry *entry = timeline_get(timeline, i);

                if (is_action(entry, action->unit))
                        return entry_get_usec(entry, "asked", entry->at_usec);
        }
        return USEC_INFINITY;
}

static uint64_t latency_of(const Timeline *timeline, const Entry *action, const MainExits *exits) {
        uint64_t from_usec = entry_get_usec(action, "asked", action->at_usec);
        uint64_t until_usec = next_action_usec(timeline, action);

        FOREACH_ARRAY (exit, exits->items, exits->n_items)
                if (exit->stamp_usec >= from_usec && exit->stamp_usec < until_usec)
                        return exit->stamp_usec - from_usec;
        return 0;
}

static int find_stop_latency(const Timeline *timeline, const char *unit, uint64_t *longest_usec) {
        CLEANUP(main_exits_done) MainExits exits = { 0 };
        int r = main_exits_collect(timeline, unit, SIZE_MAX, &exits);

        for (size_t i = 0; r >= 0 && i < timeline_length(timeline); i++) {
                const Entry *entry = timeline_get(timeline, i);
                uint64_t usec = is_action(entry, unit) && is_stop(entry) ? latency_of(timeline, entry, &exits) : 0;

                if (usec > *longest_usec)
                        *longest_usec = usec;
        }
        return r;
}

static int find_restart_delays(const Case *facts, const char *unit, uint64_t *shortest_usec, uint64_t *longest_usec) {
        CLEANUP(restarts_done) Restarts restarts = { 0 };
        Window window;
        int r;

        window_of_scenario(facts, &window);
        r = restarts_collect(facts->timeline, unit, &window, &restarts);
        if (r < 0)
                return r;
        FOREACH_ARRAY (restart, restarts.items, restarts.n_items) {
                uint64_t usec;

                if (!restart->exit || !restart->start || restart->exit->stamp_usec == 0)
                        continue;
                usec = usec_sub(restart->start->start_usec, restart->exit->stamp_usec);
                if (usec < *shortest_usec)
                        *shortest_usec = usec;
                if (usec > *longest_usec)
                        *longest_usec = usec;
        }
        return 0;
}

static int add_latencies(Measures *measures, const PlayResult *result, const Units *units) {
        Case facts = { .scenario = result->play->scenario, .timeline = result->timeline, .evidence_fd = -EBADF };
        uint64_t stop_usec = 0, shortest_usec = USEC_INFINITY, longest_usec = 0;
        int r = 0;

        FOREACH_ARRAY (unit, units->items, units->n_items) {
                if (r >= 0)
                        r = find_stop_latency(result->timeline, *unit, &stop_usec);
                if (r >= 0)
                        r = find_restart_delays(&facts, *unit, &shortest_usec, &longest_usec);
        }
        if (r >= 0 && stop_usec > 0)
                r = add_msec(measures, "stop_latency_ms", stop_usec);
        if (r >= 0 && shortest_usec != USEC_INFINITY)
                r = add_msec(measures, "restart_delay_min_ms", shortest_usec);
        if (r >= 0 && shortest_usec != USEC_INFINITY)
                r = add_msec(measures, "restart_delay_max_ms", longest_usec);
        return r;
}

/* --- peaks --- */

static int add_peak(Measures *measures, const Timeline *timeline, const char *counter, const char *name) {
        uint64_t highest = 0;
        bool is_known = false;

        for (const Entry *entry = timeline_next(timeline, 0, ENTRY_COUNTER, NULL); entry;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_COUNTER, NULL)) {
                uint64_t number;

                if (!entry_has(entry, "counter", counter) || !entry_has(entry, "errno", "0"))
                        continue;
                number = strtoull(entry_get(entry, "text") ?: "", NULL, 10);
                if (!is_known || number > highest)
                        highest = number;
                is_known = true;
        }
        return is_known ? add_number(measures, name, highest) : 0;
}

/* --- cards --- */

static int add_card(Measures *measures, const Card *card) {
        int r = 0;

        FOREACH_ARRAY (item, card->items, card->n_items) {
                CLEANUP_TEXT Text name = TEXT_INIT;

                text_printf(&name, "card.%s.%s", card->unit, item->name);
                if (r >= 0)
                        r = name.is_broken ? -ENOMEM : add(measures, text_get(&name), item->value);
        }
        return r;
}

static int add_cards(Measures *measures, const Timeline *timeline) {
        CLEANUP(cards_done) Cards cards = { 0 };
        uint64_t late_usec = lateness_usec(timeline);
        int r = cards_make(timeline, &cards);

        FOREACH_ARRAY (card, cards.items, cards.n_items)
                if (r >= 0)
                        r = add_card(measures, card);
        return r < 0 || late_usec == 0 ? r : add_msec(measures, "harness_lateness_ms", late_usec);
}

/* --- versions, invocations --- */

static int add_versions(Measures *measures, const Timeline *timeline) {
        const Entry *entry = timeline_next(timeline, 0, ENTRY_VERSIONS, NULL);
        int r = 0;

        for (size_t i = 0; entry && r >= 0 && i < ELEMENTS_OF(VERSIONS); i++) {
                const char *value = entry_get(entry, VERSIONS[i][1]);

                if (value)
                        r = add(measures, VERSIONS[i][0], value);
        }
        return r;
}

static int add_invocations(Measures *measures, const Timeline *timeline, const char *unit) {
        CLEANUP_TEXT Text ids = TEXT_INIT, name = TEXT_INIT;
        const char *last = "";
        size_t n_ids = 0;

        for (const Entry *entry = timeline_next(timeline, 0, ENTRY_PROPERTIES, unit);
                        entry && n_ids < INVOCATIONS_MAX;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_PROPERTIES, unit)) {
                const char *id = entry_get(entry, "InvocationID");

                if (!id || id[0] == '\0' || strcmp(id, last) == 0)
                        continue;
                text_printf(&ids, "%s%s", n_ids++ > 0 ? " " : "", id);
                last = id;
        }
        if (n_ids == 0)
                return 0;
        text_printf(&name, "invocation_id:%s", unit);
        return ids.is_broken || name.is_broken ? -ENOMEM : add(measures, text_get(&name), text_get(&ids));
}

/* --- the whole --- */

static bool units_have(const Units *units, const char *name) {
        FOREACH_ARRAY (unit, units->items, units->n_items)
                if (strcmp(*unit, name) == 0)
                        return true;
        return false;
}

static int find_units(const Timeline *timeline, Units *units) {
        for (const Entry *entry = timeline_next(timeline, 0, ENTRY_PROPERTIES, NULL); entry;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_PROPERTIES, NULL)) {
                const char **unit;

                if (!entry->unit || units_have(units, entry->unit))
                        continue;
                unit = array_append(&units->items, &units->n_items, sizeof(*unit));
                if (!unit)
                        return -ENOMEM;
                *unit = entry->unit;
        }
        return 0;
}

int measures_collect(const PlayResult *result, Measures *ret_measures) {
        CLEANUP(units_done) Units units = { 0 };
        int r = find_units(result->timeline, &units);

        *ret_measures = (Measures){ 0 };
        if (r >= 0)
                r = add_margin(ret_measures, &result->judgement);
        if (r >= 0)
                r = add_latencies(ret_measures, result, &units);
        if (r >= 0)
                r = add_peak(ret_measures, result->timeline, "memory.peak", "memory_peak_bytes");
        if (r >= 0)
                r = add_peak(ret_measures, result->timeline, "pids.peak", "pids_peak");
        if (r >= 0)
                r = add_cards(ret_measures, result->timeline);
        if (r >= 0)
                r = add_versions(ret_measures, result->timeline);
        FOREACH_ARRAY (unit, units.items, units.n_items)
                if (r >= 0)
                        r = add_invocations(ret_measures, result->timeline, *unit);
        return r;
}
