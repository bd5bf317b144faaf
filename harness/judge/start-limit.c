/* SPDX-License-Identifier: MIT */
#include "judge/start-limit.h"

#include <string.h>

#include "judge/exits.h"

/*
 * After an automatic restart the unit's Result stays what ended its last run ("signal"): service_enter_dead() of
 * systemd 252 sets start-limit-hit only where it was success. What tells the limit then is that the restart's start
 * job failed without a new invocation: the manager refused before it began (unit_test_start_limit()). The line about
 * that job carries the invocation that had ended, as the one about the scheduled restart does.
 */
static bool is_failed_start(const Entry *line, const char *invocation) {
        return entry_has(line, "MESSAGE_ID", MESSAGE_UNIT_FAILED) && entry_has(line, "JOB_RESULT", "failed") &&
               entry_has(line, "INVOCATION_ID", invocation);
}

static bool is_refused_by_lines(const Timeline *timeline, const Entry *refusal) {
        const char *invocation = entry_get(refusal, "INVOCATION_ID");

        if (!invocation || !is_failed_start(refusal, invocation))
                return false;
        for (const Entry *line = timeline_last(timeline, refusal->index, ENTRY_MANAGER_LINE, refusal->unit); line;
                        line = timeline_last(timeline, line->index, ENTRY_MANAGER_LINE, refusal->unit))
                if (entry_has(line, "MESSAGE_ID", MESSAGE_RESTART_SCHEDULED))
                        return entry_has(line, "INVOCATION_ID", invocation);
        return false;
}

/* ---- where the manager writes no lines at level info ---- */

static const char *invocation_at(const Timeline *timeline, const Entry *snapshot) {
        return timeline_property(timeline, snapshot->unit, snapshot->index, "InvocationID");
}

static bool has_invocation(const Timeline *timeline, const Entry *snapshot, const char *invocation) {
        const char *of = invocation_at(timeline, snapshot);

        return of && strcmp(of, invocation) == 0;
}

/* Has NRestarts risen while the unit had @invocation, up to @snapshot? It does when a restart is scheduled; a start
 * gives the unit another invocation. */
static bool is_rescheduled(const Timeline *timeline, const Entry *snapshot, const char *invocation) {
        int64_t now = entry_get_number(snapshot, "NRestarts", 0);

        for (const Entry *earlier = timeline_last(timeline, snapshot->index, ENTRY_PROPERTIES, snapshot->unit);
                        earlier && has_invocation(timeline, earlier, invocation);
                        earlier = timeline_last(timeline, earlier->index, ENTRY_PROPERTIES, snapshot->unit))
                if (entry_get_number(earlier, "NRestarts", now) < now)
                        return true;
        return false;
}

/* The unit came to rest although another restart of it had been scheduled. */
static bool is_suspect(const Timeline *timeline, const Entry *entry, size_t end) {
        const char *invocation;

        if (entry->kind != ENTRY_PROPERTIES || !entry_has(entry, "ActiveState", "failed"))
                return false;
        invocation = invocation_at(timeline, entry);
        return invocation && is_rescheduled(timeline, entry, invocation);
}

static bool was_active(const Timeline *timeline, const char *unit, const char *invocation, size_t end) {
        for (const Entry *snapshot = timeline_next(timeline, 0, ENTRY_PROPERTIES, unit);
                        snapshot && snapshot->index < end;
                        snapshot = timeline_next(timeline, snapshot->index + 1, ENTRY_PROPERTIES, unit))
                if (entry_has(snapshot, "ActiveState", "active") && has_invocation(timeline, snapshot, invocation))
                        return true;
        return false;
}

static unsigned count_failed_starts(const Timeline *timeline, const char *unit, const char *invocation, size_t end) {
        unsigned n_failed = 0;

        for (const Entry *line = timeline_next(timeline, 0, ENTRY_MANAGER_LINE, unit); line && line->index < end;
                        line = timeline_next(timeline, line->index + 1, ENTRY_MANAGER_LINE, unit))
                if (is_failed_start(line, invocation))
                        n_failed++;
        return n_failed;
}

/* Its start job failed once more than by the failure of that start itself, if that was one. */
static bool is_refused_by_snapshot(const Timeline *timeline, const Entry *entry, size_t end) {
        const char *invocation;

        if (!is_suspect(timeline, entry, end))
                return false;
        invocation = invocation_at(timeline, entry);
        return count_failed_starts(timeline, entry->unit, invocation, end) >=
               (was_active(timeline, entry->unit, invocation, end) ? 1 : 2);
}

/* ---- */

static bool tells_start_limit(const Timeline *timeline, const Entry *entry, size_t end) {
        if (entry->kind == ENTRY_PROPERTIES)
                return entry_has(entry, "Result", "start-limit-hit") || is_refused_by_snapshot(timeline, entry, end);
        if (entry->kind != ENTRY_MANAGER_LINE)
                return false;
        if (entry_has(entry, "MESSAGE_ID", MESSAGE_FAILURE_RESULT))
                return entry_has(entry, "UNIT_RESULT", "start-limit-hit");
        return is_refused_by_lines(timeline, entry);
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

const char *start_limit_invocation(const Timeline *timeline, const Entry *hit) {
        return hit->kind == ENTRY_PROPERTIES ? invocation_at(timeline, hit) : entry_get(hit, "INVOCATION_ID");
}

const Entry *start_limit_suspect(const Timeline *timeline, const char *unit, const Window *window) {
        return find(timeline, unit, window, is_suspect);
}
