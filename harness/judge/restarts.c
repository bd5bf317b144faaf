/* SPDX-License-Identifier: MIT */
#include "judge/restarts.h"

#include <string.h>

#include "base/quantity.h"
#include "judge/start-limit.h"

void restarts_done(Restarts *restarts) {
        main_exits_done(&restarts->exits);
        main_starts_done(&restarts->starts);
        free(restarts->items);
        *restarts = (Restarts){ 0 };
}

static Restart *restarts_add(Restarts *restarts, Restart restart) {
        Restart *items = reallocarray(restarts->items, restarts->n_items + 1, sizeof(Restart));

        if (!items)
                return NULL;
        restarts->items = items;
        items[restarts->n_items] = restart;
        return &items[restarts->n_items++];
}

/* The main process that ended last before @usec, by the manager's stamp. */
static const MainExit *last_exit_before(const MainExits *exits, uint64_t usec) {
        const MainExit *last = NULL;

        FOREACH_ARRAY (exit, exits->items, exits->n_items) {
                uint64_t stamp_usec = exit->stamp_usec > 0 ? exit->stamp_usec : exit->upper_usec;

                if (stamp_usec <= usec && (exit->start_usec == 0 || exit->start_usec < usec))
                        last = exit;
        }
        return last;
}

static bool starts_a_unit(const Entry *action) {
        static const char *const verbs[] = { "start", "restart", "try-restart", "reload-or-restart" };

        FOREACH_ARRAY (verb, verbs, ELEMENTS_OF(verbs))
                if (entry_has(action, "verb", *verb))
                        return !entry_get(action, "error");
        return false;
}

/* Did a job of ours bring about what happened in (after, until]? */
static bool is_ours(const Timeline *timeline, const char *unit, uint64_t after_usec, uint64_t until_usec) {
        for (const Entry *action = timeline_next(timeline, 0, ENTRY_JOB_ACTION, unit); action;
                        action = timeline_next(timeline, action->index + 1, ENTRY_JOB_ACTION, unit)) {
                uint64_t asked_usec = entry_get_usec(action, "asked", action->at_usec);

                if (starts_a_unit(action) && asked_usec > after_usec && asked_usec <= until_usec)
                        return true;
        }
        return false;
}

static bool is_same_invocation(const MainStart *a, const MainStart *b) {
        return a->invocation && b->invocation && strcmp(a->invocation, b->invocation) == 0;
}

static int add_starts(Restarts *restarts, const Timeline *timeline, const char *unit, const Window *window) {
        for (size_t i = 0; i < restarts->starts.n_items; i++) {
                const MainStart *start = &restarts->starts.items[i], *previous = i > 0 ? start - 1 : NULL;
                const MainExit *exit = last_exit_before(&restarts->exits, start->start_usec);

                /* Several main processes of one invocation are the commands of a oneshot, or a daemon that hands
                 * over. */
                if (start->start_usec < window->from_usec || !exit ||
                                (previous && is_same_invocation(previous, start)) ||
                                is_ours(timeline, unit, previous ? previous->start_usec : 0, start->start_usec))
                        continue;
                if (!restarts_add(restarts, (Restart){ .exit = exit, .start = start, .at_usec = start->start_usec }))
                        return -ENOMEM;
        }
        return 0;
}

/*
 * The line is written when the restart job is queued, and carries the invocation that ended: it belongs to the start
 * that followed that one's exit. Without an invocation, to the first start behind it that has no line yet: there the
 * line's stamp, a receive time, may even be later than the start.
 */
static Restart *find_start_of(Restarts *restarts, const Entry *line) {
        const char *invocation = entry_get(line, "INVOCATION_ID");

        FOREACH_ARRAY (restart, restarts->items, restarts->n_items)
                if (!restart->line && restart->start &&
                                (!invocation || !restart->exit->invocation ||
                                                strcmp(invocation, restart->exit->invocation) == 0))
                        return restart;
        return NULL;
}

static const MainExit *find_exit_of(const Restarts *restarts, const Entry *line) {
        const char *invocation = entry_get(line, "INVOCATION_ID");

        FOREACH_ARRAY (exit, restarts->exits.items, restarts->exits.n_items)
                if (invocation && exit->invocation && strcmp(invocation, exit->invocation) == 0)
                        return exit;
        return last_exit_before(&restarts->exits, line->at_usec);
}

static int add_lines(Restarts *restarts, const Timeline *timeline, const char *unit, const Window *window) {
        for (const Entry *line = timeline_next(timeline, 0, ENTRY_MANAGER_LINE, unit);
                        line && line->index < window->end_index;
                        line = timeline_next(timeline, line->index + 1, ENTRY_MANAGER_LINE, unit)) {
                Restart *restart;

                if (!entry_has(line, "MESSAGE_ID", MESSAGE_RESTART_SCHEDULED) || line->at_usec < window->from_usec)
                        continue;
                restart = find_start_of(restarts, line);
                if (!restart)
                        restart = restarts_add(restarts,
                                        (Restart){ .exit = find_exit_of(restarts, line), .at_usec = line->at_usec });
                if (!restart)
                        return -ENOMEM;
                restart->line = line;
        }
        return 0;
}

/* By how much NRestarts has risen since the window began. A start of ours sets it to 0 (H-10). */
static uint64_t count_by_property(const Timeline *timeline, const char *unit, const Window *window) {
        uint64_t before = 0, last = 0;

        if (is_ours(timeline, unit, window->from_usec, USEC_INFINITY))
                return 0;
        for (const Entry *snapshot = timeline_next(timeline, 0, ENTRY_PROPERTIES, unit);
                        snapshot && snapshot->index < window->end_index;
                        snapshot = timeline_next(timeline, snapshot->index + 1, ENTRY_PROPERTIES, unit)) {
                uint64_t n_restarts = (uint64_t) entry_get_number(snapshot, "NRestarts", (int64_t) last);

                if (snapshot->at_usec > window->deadline_usec)
                        break;
                if (snapshot->at_usec <= window->from_usec)
                        before = n_restarts;
                last = n_restarts;
        }
        return last > before ? last - before : 0;
}

/* A restart that the start limit refused was scheduled and counted, and is none. */
static void leave_out_refused(Restarts *restarts, const Timeline *timeline, const char *unit, const Window *window) {
        const Entry *hit = start_limit_find(timeline, unit, window);
        const char *invocation = hit ? start_limit_invocation(timeline, hit) : NULL;
        size_t n_kept = 0;

        if (!invocation)
                return;
        FOREACH_ARRAY (restart, restarts->items, restarts->n_items)
                if (restart->start || !restart->line || !entry_has(restart->line, "INVOCATION_ID", invocation))
                        restarts->items[n_kept++] = *restart;
        restarts->n_items = n_kept;
        if (restarts->n_counted > 0)
                restarts->n_counted--;
}

static int compare_restarts(const void *a, const void *b) {
        const Restart *x = a, *y = b;

        return (x->at_usec > y->at_usec) - (x->at_usec < y->at_usec);
}

int restarts_collect(const Timeline *timeline, const char *unit, const Window *window, Restarts *ret_restarts) {
        CLEANUP(restarts_done) Restarts restarts = { 0 };
        int r;

        r = main_exits_collect(timeline, unit, window->end_index, &restarts.exits);
        if (r >= 0)
                r = main_starts_collect(timeline, unit, window->end_index, &restarts.starts);
        if (r >= 0)
                r = add_starts(&restarts, timeline, unit, window);
        if (r >= 0)
                r = add_lines(&restarts, timeline, unit, window);
        if (r < 0)
                return r;
        if (restarts.n_items > 1)
                qsort(restarts.items, restarts.n_items, sizeof(Restart), compare_restarts);
        restarts.n_counted = count_by_property(timeline, unit, window);
        leave_out_refused(&restarts, timeline, unit, window);
        *ret_restarts = restarts;
        restarts = (Restarts){ 0 };
        return 0;
}

uint64_t restarts_count(const Restarts *restarts, const Window *window) {
        uint64_t n_restarts = 0;

        FOREACH_ARRAY (restart, restarts->items, restarts->n_items)
                if (restart->at_usec <= window->deadline_usec)
                        n_restarts++;
        return n_restarts > restarts->n_counted ? n_restarts : restarts->n_counted;
}
