/* SPDX-License-Identifier: MIT */
#include "judge/log-scan.h"

#include <string.h>

#include "base/quantity.h"
#include "judge/expect-kinds.h"
#include "judge/window.h"

/* Children of children of ... of a process of the unit; a daemon's helpers are not nested deeper. */
#define N_GENERATIONS_MAX 8

static bool names_pid(const Timeline *timeline, const char *unit, EntryKind kind, const char *field, pid_t pid) {
        for (const Entry *entry = timeline_next(timeline, 0, kind, unit); entry;
                        entry = timeline_next(timeline, entry->index + 1, kind, unit))
                if (entry_get_number(entry, field, 0) == pid)
                        return true;
        return false;
}

static pid_t parent_of_dead(const Timeline *timeline, pid_t pid) {
        for (const Entry *death = timeline_next(timeline, 0, ENTRY_DEATH, NULL); death;
                        death = timeline_next(timeline, death->index + 1, ENTRY_DEATH, NULL))
                if (entry_get_number(death, "pid", 0) == pid)
                        return (pid_t) entry_get_number(death, "ppid", 0);
        return 0;
}

bool unit_had_process(const Timeline *timeline, const char *unit, pid_t pid) {
        for (int i = 0; i < N_GENERATIONS_MAX && pid > 1; i++) {
                if (names_pid(timeline, unit, ENTRY_PROPERTIES, "MainPID", pid) ||
                                names_pid(timeline, unit, ENTRY_PROPERTIES, "ExecMainPID", pid) ||
                                names_pid(timeline, unit, ENTRY_PROPERTIES, "ControlPID", pid) ||
                                names_pid(timeline, unit, ENTRY_PROCESS, "pid", pid) ||
                                names_pid(timeline, unit, ENTRY_MAIN_GONE, "pid", pid) ||
                                names_pid(timeline, unit, ENTRY_MAIN_ALIVE, "pid", pid))
                        return true;
                pid = parent_of_dead(timeline, pid);
        }
        return false;
}

/* Is it a line of this expectation at all? */
static bool hit_counts(
                const Expectation *expectation, const Case *facts, const LogHit *hit, const TemplateLookup *lookup) {
        if (hit->lacks_unit && !unit_had_process(facts->timeline, expectation->unit, hit->pid))
                return false;
        return !hit->late || logbook_holds(facts->logbook, expectation, hit, lookup);
}

typedef struct Search {
        const char *id;
        const Expectation *found;
} Search;

static void compare_id(const Expectation *expectation, void *userdata) {
        Search *search = userdata;

        if (expectation->kind == &log_expectation.spec && strcmp(expectation->id, search->id) == 0)
                search->found = expectation;
}

/* The first line of the expectation that `after` names: in the same window, where both are of one step. */
static const LogHit *find_preceding(const Expectation *expectation, const Case *facts, const Window *window,
                const TemplateLookup *lookup) {
        Search search = { .id = expectation_value(expectation, "after")->text };
        uint64_t from_usec;
        const LogHit *hits;
        size_t n_hits;

        scenario_visit_expectations(facts->scenario, compare_id, &search);
        assert(search.found); /* the parser looks at every VALUE_EXPECTATION */
        from_usec = expectation->step && search.found->step == expectation->step ? window->from_usec : 0;
        hits = logbook_hits(facts->logbook, search.found, &n_hits);
        FOREACH_ARRAY (hit, hits, n_hits)
                if (hit->at_usec >= from_usec && hit_counts(search.found, facts, hit, lookup))
                        return hit;
        return NULL;
}

static void scan_hit(const Window *window, const LogHit *hit, bool is_ordered, LogScan *scan) {
        switch (window_timing(window, 0, hit->at_usec)) {
        case TIMING_BEFORE:
                scan->early = hit;
                break;
        case TIMING_IN_TIME:
                if (!is_ordered) {
                        scan->misordered = scan->misordered ?: hit;
                        break;
                }
                scan->first = scan->first ?: hit;
                scan->n_in_time++;
                break;
        case TIMING_LATE:
        case TIMING_UNDECIDED:
                if (is_ordered) {
                        scan->undecided = scan->undecided ?: hit;
                        scan->n_undecided++;
                }
        }
}

void log_scan(const Expectation *expectation, const Case *facts, const Window *window, LogScan *ret_scan) {
        CaptureScope scope = { .facts = facts, .before = window->end_index };
        TemplateLookup lookup = capture_lookup(&scope);
        bool has_after = expectation_value(expectation, "after")->is_set;
        const LogHit *hits;
        size_t n_hits;

        *ret_scan = (LogScan){ .known_until_usec = USEC_INFINITY };
        /* What was read by the time of the barrier: its own entry was made behind that. */
        if (window->end_index < timeline_length(facts->timeline))
                ret_scan->known_until_usec = timeline_get(facts->timeline, window->end_index)->at_usec;
        if (has_after)
                ret_scan->preceding = find_preceding(expectation, facts, window, &lookup);

        hits = logbook_hits(facts->logbook, expectation, &n_hits);
        FOREACH_ARRAY (hit, hits, n_hits) {
                bool is_ordered = !has_after || (ret_scan->preceding && ret_scan->preceding->seqnum < hit->seqnum);

                if (hit->at_usec <= ret_scan->known_until_usec && hit_counts(expectation, facts, hit, &lookup))
                        scan_hit(window, hit, is_ordered, ret_scan);
        }
}
