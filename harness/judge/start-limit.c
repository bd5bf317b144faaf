/* SPDX-License-Identifier: MIT */
#include "judge/start-limit.h"

#include <string.h>

#include "judge/exits.h"

static bool has_line_of_schedule(const Timeline *timeline, const Entry *refusal, const char *invocation) {
        for (const Entry *line = timeline_last(timeline, refusal->index, ENTRY_MANAGER_LINE, refusal->unit); line;
                        line = timeline_last(timeline, line->index, ENTRY_MANAGER_LINE, refusal->unit))
                if (entry_has(line, "MESSAGE_ID", MESSAGE_RESTART_SCHEDULED))
                        return entry_has(line, "INVOCATION_ID", invocation);
        return false;
}

/* Has NRestarts risen while the unit had @invocation, up to @snapshot? It does when a restart is scheduled; a start
 * gives the unit another invocation. */
static bool is_rescheduled(const Timeline *timeline, const Entry *snapshot, const char *invocation) {
        int64_t now = entry_get_number(snapshot, "NRestarts", 0);

        for (const Entry *earlier = timeline_last(timeline, snapshot->index, ENTRY_PROPERTIES, snapshot->unit);
                        earlier;
                        earlier = timeline_last(timeline, earlier->index, ENTRY_PROPERTIES, snapshot->unit)) {
                const char *of = timeline_property(timeline, snapshot->unit, earlier->index, "InvocationID");

                if (!of || strcmp(of, invocation) != 0)
                        return false;
                if (entry_get_number(earlier, "NRestarts", now) < now)
                        return true;
        }
        return false;
}

static bool has_snapshot_of_schedule(const Timeline *timeline, const char *unit, const char *invocation, size_t end) {
        for (const Entry *snapshot = timeline_next(timeline, 0, ENTRY_PROPERTIES, unit);
                        snapshot && snapshot->index < end;
                        snapshot = timeline_next(timeline, snapshot->index + 1, ENTRY_PROPERTIES, unit)) {
                const char *of = timeline_property(timeline, unit, snapshot->index, "InvocationID");

                if (of && strcmp(of, invocation) == 0 && is_rescheduled(timeline, snapshot, invocation))
                        return true;
        }
        return false;
}

/*
 * After an automatic restart the unit's Result stays what ended its last run ("signal"): service_enter_dead() of
 * systemd 252 sets start-limit-hit only where it was success. What tells the limit then is that the restart's start
 * job failed without a new invocation: the manager refused before it began (unit_test_start_limit()). That a restart
 * was scheduled is said by a line at level info; where the manager is quieter, by its counter.
 */
static bool is_refused_restart(const Timeline *timeline, const Entry *entry, size_t end) {
        const char *invocation = entry_get(entry, "INVOCATION_ID");

        return invocation && entry_has(entry, "MESSAGE_ID", MESSAGE_UNIT_FAILED) &&
               entry_has(entry, "JOB_RESULT", "failed") &&
               (has_line_of_schedule(timeline, entry, invocation) ||
                               has_snapshot_of_schedule(timeline, entry->unit, invocation, end));
}

static bool tells_start_limit(const Timeline *timeline, const Entry *entry, size_t end) {
        if (entry->kind == ENTRY_PROPERTIES)
                return entry_has(entry, "Result", "start-limit-hit");
        if (entry->kind != ENTRY_MANAGER_LINE)
                return false;
        if (entry_has(entry, "MESSAGE_ID", MESSAGE_FAILURE_RESULT))
                return entry_has(entry, "UNIT_RESULT", "start-limit-hit");
        return is_refused_restart(timeline, entry, end);
}

static bool is_suspect(const Timeline *timeline, const Entry *entry, size_t end) {
        const char *invocation;

        if (entry->kind != ENTRY_PROPERTIES || !entry_has(entry, "ActiveState", "failed"))
                return false;
        invocation = timeline_property(timeline, entry->unit, entry->index, "InvocationID");
        return invocation && is_rescheduled(timeline, entry, invocation);
}

static const Entry *find(const Timeline *timeline, const char *unit, const Window *window,
                bool (*tells)(const Timeline *, const Entry *, size_t)) {
        for (size_t i = window->anchor_index; i < timeline_length(timeline) && window_holds(window, i); i++) {
                const Entry *entry = timeline_get(timeline, i);

                if (!entry->unit || strcmp(entry->unit, unit) != 0 || entry->at_usec < window->from_usec ||
                                entry_get_usec(entry, "asked", entry->at_usec) < window->from_usec)
                        continue;
                if (tells(timeline, entry, window->end_index))
                        return entry;
        }
        return NULL;
}

const Entry *start_limit_find(const Timeline *timeline, const char *unit, const Window *window) {
        return find(timeline, unit, window, tells_start_limit);
}

const Entry *start_limit_suspect(const Timeline *timeline, const char *unit, const Window *window) {
        return find(timeline, unit, window, is_suspect);
}
