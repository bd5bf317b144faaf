/* SPDX-License-Identifier: MIT */

/* Rule 6 (i): an exit of a main process that nobody asked for is a failure, even when every expectation holds. */

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"
#include "judge/deaths-private.h"
#include "judge/expect-kinds.h"

/* The process was there when the action came: it had begun, and its end has no stamp before it. */
static bool action_may_hit(const Entry *action, const MainExit *exit) {
        return exit->start_usec <= action->at_usec &&
               entry_get_usec(action, "asked", action->at_usec) <= exit->upper_usec;
}

static bool is_killed(const MainExit *exit) {
        return exit->code == EXIT_CODE_KILLED || exit->code == EXIT_CODE_DUMPED;
}

static bool job_explains(const Entry *action, const MainExit *exit) {
        return is_stop_action(action) && action_may_hit(action, exit);
}

static bool signal_explains(const Entry *action, const MainExit *exit) {
        bool is_main = !entry_get(action, "who") || entry_has(action, "who", "main");
        int64_t pid = entry_get_number(action, "pid", 0), number = entry_get_number(action, "signal", 0);

        if (entry_get_number(action, "errno", 0) != 0 || entry_has(action, "who", "control") ||
                        !signal_ends((int) number) || !action_may_hit(action, exit))
                return false;
        /* A daemon may exit because of any signal, but be killed only by the one it was sent. */
        if (is_killed(exit) && exit->status != number)
                return false;
        return !is_main || exit->pid == 0 || pid == exit->pid;
}

/* The latest action of @kind that explains the exit and has explained no other one. */
static bool is_explained_by_action(Deaths *deaths, const char *unit, const MainExit *exit, EntryKind kind,
                bool (*explains)(const Entry *action, const MainExit *exit)) {
        const Timeline *timeline = deaths->facts->timeline;

        for (const Entry *action = timeline_last(timeline, SIZE_MAX, kind, unit); action;
                        action = timeline_last(timeline, action->index, kind, unit))
                if (deaths->n_uses[action->index] == 0 && explains(action, exit)) {
                        deaths->n_uses[action->index]++;
                        return true;
                }
        return false;
}

/* Does the unit have PID 1 send this signal to what it stops? */
static bool stop_sends(const Timeline *timeline, const char *unit, int signal_number) {
        static const char *const properties[] = { "KillSignal", "RestartKillSignal", "FinalKillSignal" };
        const char *mode = timeline_property(timeline, unit, SIZE_MAX, "TimeoutStopFailureMode");
        const char *watchdog = timeline_property(timeline, unit, SIZE_MAX, "WatchdogSignal");

        for (size_t i = 0; i < ELEMENTS_OF(properties); i++) {
                const char *number = timeline_property(timeline, unit, SIZE_MAX, properties[i]);

                if (number && atoi(number) == signal_number)
                        return true;
        }
        return mode && strcmp(mode, "abort") == 0 && watchdog && atoi(watchdog) == signal_number;
}

/*
 * A stop asks for an end, not for a crash on the way to it: whom nobody sent SIGSEGV, died of it by itself. Of other
 * signals one cannot say so: ExecStop= may send them.
 */
static bool is_crash(const Timeline *timeline, const char *unit, const MainExit *exit) {
        static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP };

        if (!is_killed(exit) || stop_sends(timeline, unit, exit->status))
                return false;
        for (size_t i = 0; i < ELEMENTS_OF(crashes); i++)
                if (exit->status == crashes[i])
                        return true;
        return false;
}

/* Units whose main process ends by design: a oneshot, and one that stays active after its exit. */
static bool is_explained_by_type(const Deaths *deaths, const char *unit, const MainExit *exit) {
        const Timeline *timeline = deaths->facts->timeline;
        const char *type = timeline_property(timeline, unit, SIZE_MAX, "Type");
        const char *remains = timeline_property(timeline, unit, SIZE_MAX, "RemainAfterExit");

        if (exit->code != EXIT_CODE_EXITED)
                return false;
        return (type && strcmp(type, "oneshot") == 0) ||
               (remains && strcmp(remains, "yes") == 0 && exit->status == 0);
}

/* How many restarts `count` allows: what it equals, or its upper end. */
static unsigned allowed_by_count(const Match *match) {
        switch (match->operator) {
        case MATCH_EQUAL:
        case MATCH_LESS_EQUAL:
                return match->has_number ? (unsigned) match->low : 1;
        case MATCH_LESS:
                return match->has_number && match->low >= 1 ? (unsigned) match->low - 1 : 0;
        case MATCH_RANGE:
                return (unsigned) match->high;
        default:
                return UINT_MAX;
        }
}

/*
 * How many ends of a main process the expectation asks for. Only `exit` and `restart` do: a `state` that happens to
 * hold after a death does not ask for it. An exit is one; restarts are as many as are allowed.
 */
static unsigned ends_wanted(const Expectation *expectation) {
        const Value *count, *limit;

        if (expectation->kind == &exit_expectation.spec)
                return 1;
        if (expectation->kind != &restart_expectation.spec)
                return 0;
        count = expectation_value(expectation, "count");
        limit = expectation_value(expectation, "start-limit");
        if (limit->is_set && limit->is_true)
                return UINT_MAX;
        return count->is_set ? allowed_by_count(&count->matches->match) : 1;
}

/* Expectations of one step speak of the same ends: `exit` and `restart` of one crash are one. */
static unsigned step_ends_wanted(const Step *step, const char *unit) {
        unsigned n_wanted = 0;

        FOREACH_ARRAY (expectation, step->expectations, step->n_expectations)
                if (expectation->unit && strcmp(expectation->unit, unit) == 0 && ends_wanted(expectation) > n_wanted)
                        n_wanted = ends_wanted(expectation);
        return n_wanted;
}

typedef struct StepSearch {
        const char *id;
        const Step *step;
} StepSearch;

static void find_step_of(const Expectation *expectation, void *userdata) {
        StepSearch *search = userdata;

        if (expectation->step && strcmp(expectation->step->id, search->id) == 0)
                search->step = expectation->step;
}

/* An expectation explains the exits of its window, as long as its step ran: behind that nobody expected any more. */
static bool window_covers(const Deaths *deaths, const Step *step, const Entry *begin, const MainExit *exit) {
        const Timeline *timeline = deaths->facts->timeline;
        uint64_t until_usec;
        StepRun step_run;
        Window window;

        window_of_step(deaths->facts, step, begin->index, &window);
        step_run_find(timeline, begin->index, &step_run);
        /* To the end of the step, not to the deadline: an exit between them is late, which the expectation says
         * itself. */
        until_usec = step_run.end_index != SIZE_MAX ? timeline_get(timeline, step_run.end_index)->at_usec
                                                    : window.deadline_usec;
        return exit->upper_usec >= window.from_usec && exit->upper_usec <= until_usec;
}

static bool expects_restart(const Step *step, const char *unit) {
        FOREACH_ARRAY (expectation, step->expectations, step->n_expectations)
                if (expectation->unit && strcmp(expectation->unit, unit) == 0 &&
                                expectation->kind == &restart_expectation.spec)
                        return true;
        return false;
}

/*
 * Is the exit one that a step expects? It is then also used up where an action of ours explains it: the restart
 * behind `crash` is of that crash, and leaves nothing over for a second death. @is_stopped: what a stop ends is not
 * restarted, so it is none that a restart is expected of.
 */
static bool is_explained_by_expectation(Deaths *deaths, const char *unit, const MainExit *exit, bool is_stopped) {
        const Timeline *timeline = deaths->facts->timeline;
        bool is_explained = false;

        for (const Entry *begin = timeline_next(timeline, 0, ENTRY_STEP_BEGIN, NULL); begin;
                        begin = timeline_next(timeline, begin->index + 1, ENTRY_STEP_BEGIN, NULL)) {
                StepSearch search = { .id = entry_get(begin, "step") ?: "" };

                if (!entry_has(begin, "kind", "expect"))
                        continue;
                scenario_visit_expectations(deaths->facts->scenario, find_step_of, &search);
                if (!search.step || (is_stopped && expects_restart(search.step, unit)))
                        continue;
                if (deaths->n_uses[begin->index] < step_ends_wanted(search.step, unit) &&
                                window_covers(deaths, search.step, begin, exit)) {
                        deaths->n_uses[begin->index]++;
                        is_explained = true;
                }
        }
        return is_explained;
}

static int find_explanation(Deaths *deaths, const char *unit, const MainExit *exit, bool *ret_is_explained) {
        bool is_signalled, is_stopped = false;

        *ret_is_explained = is_explained_by_type(deaths, unit, exit);
        if (*ret_is_explained)
                return 0;
        is_signalled = is_explained_by_action(deaths, unit, exit, ENTRY_SIGNAL_ACTION, signal_explains);
        if (!is_signalled && !is_crash(deaths->facts->timeline, unit, exit))
                is_stopped = is_explained_by_action(deaths, unit, exit, ENTRY_JOB_ACTION, job_explains) ||
                             was_stopped(deaths->facts->timeline, unit, exit);
        if (is_explained_by_expectation(deaths, unit, exit, is_stopped) || is_signalled || is_stopped) {
                *ret_is_explained = true;
                return 0;
        }
        return was_stopped_for_a_hog(deaths, unit, exit, ret_is_explained);
}

static int report_exit(Deaths *deaths, const char *unit, const MainExit *exit) {
        const size_t evidence[] = { exit->properties_index, exit->line_index, exit->gone_index, exit->death_index };
        char what[MAIN_EXIT_TEXT_MAX], moment[WINDOW_MOMENT_MAX];
        CLEANUP_FREE char *sentence = NULL;

        if (asprintf(&sentence, "%s: the main process %d %s %s", unit, (int) exit->pid, main_exit_text(exit, what),
                            window_moment(deaths->facts, &deaths->window, exit->upper_usec, moment)) < 0) {
                sentence = NULL;
                return -ENOMEM;
        }
        return deaths_report(deaths, evidence, ELEMENTS_OF(evidence), exit->upper_usec, 0, sentence);
}

int judge_main_deaths(Deaths *deaths) {
        FOREACH_ARRAY (unit, deaths->units, deaths->n_units)
                FOREACH_ARRAY (exit, unit->exits.items, unit->exits.n_items) {
                        bool is_explained;
                        int r = find_explanation(deaths, unit->name, exit, &is_explained);

                        if (r >= 0 && !is_explained)
                                r = report_exit(deaths, unit->name, exit);
                        if (r < 0)
                                return r;
                }
        return 0;
}
