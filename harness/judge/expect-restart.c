/* SPDX-License-Identifier: MIT */

/*
 * restart: automatic restarts by Restart=, how soon and how many.
 *
 * The delay is the manager's: from its exit stamp to its stamp of the new main process. Taken by PID 1 itself, the
 * second is the moment of the fork; the first is an upper bound (the process may have been dead before PID 1 reaped
 * it), so the measured delay is the shortest that it can have been. Hence: longer than allowed is proven by the
 * measured delay; shorter than allowed is proven only by the longest it can have been, counted from a moment at which
 * the process still lived.
 */

#include <inttypes.h>
#include <string.h>

#include "base/quantity.h"
#include "judge/check-words.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "judge/lateness-scale.h"
#include "judge/restarts.h"
#include "judge/start-limit.h"
#include "scenario/diagnostic.h"

enum { RESTART_AFTER, RESTART_LATE_BY_AT_MOST, RESTART_COUNT, RESTART_START_LIMIT, N_RESTART_KEYS };

typedef struct RestartView {
        const Expectation *expectation;
        const Case *facts;
        const Window *window;
        Restarts restarts;
        Verdict *verdict;
} RestartView;

static const Value *view_value(const RestartView *view, const char *key) {
        return expectation_value(view->expectation, key);
}

static uint64_t exit_stamp(const MainExit *exit) {
        return exit->stamp_usec > 0 ? exit->stamp_usec : exit->upper_usec;
}

static int cite_restart(Verdict *verdict, const Restart *restart) {
        int r = restart->exit ? main_exit_cite(restart->exit, verdict) : 0;

        if (r >= 0 && restart->start)
                r = verdict_rest_on(verdict, restart->start->index);
        if (r >= 0 && restart->line)
                r = verdict_rest_on(verdict, restart->line->index);
        if (r >= 0)
                verdict->at_usec = restart->at_usec;
        return r;
}

static int judge_not_before(RestartView *view, const Restart *restart, uint64_t measured_usec) {
        uint64_t wanted_usec = view_value(view, "after")->usec;
        const MainExit *exit = restart->exit;
        uint64_t alive_usec = exit->lower_usec > exit->start_usec ? exit->lower_usec : exit->start_usec;
        char measured[DURATION_TEXT_MAX], wanted[DURATION_TEXT_MAX];

        if (measured_usec >= wanted_usec)
                return 0;
        (void) duration_text(measured_usec, measured);
        (void) duration_text(wanted_usec, wanted);
        if (usec_sub(restart->start->start_usec, alive_usec) < wanted_usec)
                return verdict_decide(view->verdict, REASON_TOO_EARLY,
                                "restarted %s after its exit, and not before %s was expected", measured, wanted);
        return verdict_decide(view->verdict, REASON_LATE_STAMP,
                        "restarted %s after its exit by the manager's stamps; whether the exit was so much earlier "
                        "that it was "
                        "not before %s, nobody saw",
                        measured, wanted);
}

static int judge_not_after(RestartView *view, uint64_t measured_usec) {
        const Value *late = view_value(view, "late-by-at-most");
        uint64_t budget_usec = usec_mul(late->usec, lateness_scale(view->facts->timeline));
        uint64_t limit_usec = usec_add(view_value(view, "after")->usec, budget_usec);
        CLEANUP_TEXT Text note = TEXT_INIT;
        char measured[DURATION_TEXT_MAX], limit[DURATION_TEXT_MAX];

        if (!late->is_set)
                return 0;
        if (measured_usec <= limit_usec) {
                uint64_t margin_usec = limit_usec - measured_usec;

                if (margin_usec < view->verdict->margin_usec)
                        view->verdict->margin_usec = margin_usec;
                return 0;
        }
        lateness_scale_note(view->facts->timeline, &note);
        return verdict_decide(view->verdict, REASON_TOO_LATE,
                        "restarted %s after its exit, and at most %s was expected%s",
                        duration_text(measured_usec, measured), duration_text(limit_usec, limit), text_get(&note));
}

/* The delays of all restarts whose start was seen. */
static int judge_delays(RestartView *view) {
        if (!view_value(view, "after")->is_set)
                return 0;
        FOREACH_ARRAY (restart, view->restarts.items, view->restarts.n_items) {
                uint64_t measured_usec;
                int r;

                if (!restart->start || !restart->exit || restart->at_usec > view->window->deadline_usec)
                        continue;
                measured_usec = usec_sub(restart->start->start_usec, exit_stamp(restart->exit));
                r = judge_not_before(view, restart, measured_usec);
                if (r >= 0 && view->verdict->outcome == OUTCOME_PENDING)
                        r = judge_not_after(view, measured_usec);
                if (r < 0 || view->verdict->outcome != OUTCOME_PENDING)
                        return r < 0 ? r : cite_restart(view->verdict, restart);
        }
        return 0;
}

static const Entry *find_start_limit(const RestartView *view) {
        return start_limit_find(view->facts->timeline, view->expectation->unit, view->window);
}

static int decide_lost(RestartView *view, unsigned channels, const char *what, bool *ret_is_lost) {
        CLEANUP_TEXT Text why = TEXT_INIT;

        *ret_is_lost = !window_is_complete(view->facts, view->window, channels, view->expectation->unit, &why);
        return *ret_is_lost ? verdict_decide(view->verdict, REASON_CHANNEL_LOST, "%s, but %s", what, text_get(&why))
                            : 0;
}

/* @ret_is_open: more has to be seen before the verdict can be pass. */
static int judge_start_limit(RestartView *view, bool *ret_is_open) {
        const Value *wanted = view_value(view, "start-limit");
        const Entry *hit, *suspect;
        bool is_lost;
        int r;

        if (!wanted->is_set)
                return 0;
        hit = find_start_limit(view);
        if (hit) {
                r = verdict_rest_on(view->verdict, hit->index);
                if (r < 0)
                        return r;
                view->verdict->at_usec = hit->at_usec;
                if (!wanted->is_true)
                        return verdict_decide(view->verdict, REASON_WRONG_VALUE, "the start limit was hit");
                if (hit->at_usec > view->window->deadline_usec)
                        return verdict_decide(view->verdict, REASON_LATE_STAMP,
                                        "the start limit was hit, by its stamp only after the deadline");
                return 0;
        }
        *ret_is_open = !view->window->is_closed;
        if (*ret_is_open)
                return 0;
        r = decide_lost(view, CHANNEL_BUS | CHANNEL_JOURNAL, "the start limit was not seen to be hit", &is_lost);
        if (r < 0 || is_lost)
                return r;
        suspect = start_limit_suspect(view->facts->timeline, view->expectation->unit, view->window);
        if (suspect) {
                r = verdict_rest_on(view->verdict, suspect->index);
                return r < 0 ? r
                             : verdict_decide(view->verdict, REASON_CHANNEL_LOST,
                                               "a restart was scheduled and came to nothing, and the manager wrote "
                                               "no "
                                               "line that says why (LogLevel= of the manager, LogLevelMax= of the "
                                               "unit)");
        }
        if (!wanted->is_true)
                return 0;
        return verdict_decide(view->verdict, REASON_NOT_OBSERVED, "the start limit was not hit");
}

static bool count_matches(const RestartView *view, uint64_t n_restarts) {
        char text[24];
        CaptureScope scope = { .facts = view->facts, .before = SIZE_MAX };
        TemplateLookup lookup = capture_lookup(&scope);

        (void) snprintf(text, sizeof(text), "%" PRIu64, n_restarts);
        return match_text(&view_value(view, "count")->matches->match, text, strlen(text), &lookup);
}

/* Is there a scheduled restart whose start was not seen (yet)? The start limit may still refuse it. */
static bool has_pending(const RestartView *view, uint64_t n_restarts) {
        uint64_t n_started = 0;

        FOREACH_ARRAY (restart, view->restarts.items, view->restarts.n_items)
                if (restart->start && restart->at_usec <= view->window->deadline_usec)
                        n_started++;
        return n_started < n_restarts;
}

/* Could restarts that are not seen yet, or one that comes to nothing, change what the count says? Tried for the next
 * ones and for very many. */
static bool count_is_final(const RestartView *view, uint64_t n_restarts) {
        bool is_match = count_matches(view, n_restarts);

        if (has_pending(view, n_restarts) && count_matches(view, n_restarts - 1) != is_match)
                return false;
        for (uint64_t n_more = 1; n_more <= 64; n_more++)
                if (count_matches(view, n_restarts + n_more) != is_match)
                        return false;
        return count_matches(view, n_restarts + 1000000) == is_match;
}

#define TIMES_TEXT_MAX 32
static const char *times_text(uint64_t n_restarts, char buffer[static TIMES_TEXT_MAX]) {
        if (n_restarts == 1)
                return "once";
        (void) snprintf(buffer, TIMES_TEXT_MAX, "%" PRIu64 " times", n_restarts);
        return buffer;
}

static int judge_count(RestartView *view, bool *ret_is_open) {
        uint64_t n_restarts = restarts_count(&view->restarts, view->window);
        char times[TIMES_TEXT_MAX];
        bool is_match = count_matches(view, n_restarts), is_lost;
        int r;

        if (!count_is_final(view, n_restarts)) {
                *ret_is_open = !view->window->is_closed;
                if (*ret_is_open)
                        return 0;
                r = decide_lost(view, CHANNEL_BUS | CHANNEL_JOURNAL, "restarts may be missing in the count",
                                &is_lost);
                if (r < 0 || is_lost)
                        return r;
        }
        if (is_match)
                return 0;
        return verdict_decide(view->verdict, n_restarts == 0 ? REASON_NOT_OBSERVED : REASON_WRONG_VALUE,
                        "the unit was restarted %s", times_text(n_restarts, times));
}

/* The first one came after the deadline: too late where the unit was still without it at the deadline or behind it.
 */
static int decide_late(RestartView *view, const Restart *restart) {
        char moment[WINDOW_MOMENT_MAX];
        int r = cite_restart(view->verdict, restart);

        if (r < 0)
                return r;
        (void) window_moment(view->facts, view->window, restart->at_usec, moment);
        for (const Entry *snapshot = timeline_next(view->facts->timeline, view->window->anchor_index,
                             ENTRY_PROPERTIES, view->expectation->unit);
                        snapshot && restart->start && snapshot->index < restart->start->index;
                        snapshot = timeline_next(view->facts->timeline, snapshot->index + 1, ENTRY_PROPERTIES,
                                        view->expectation->unit))
                if (entry_get_usec(snapshot, "asked", 0) >= view->window->deadline_usec)
                        return verdict_decide(view->verdict, REASON_TOO_LATE, "restarted only %s", moment);
        return verdict_decide(
                        view->verdict, REASON_LATE_STAMP, "restarted %s by its stamp, after the deadline", moment);
}

static int judge_presence(RestartView *view, bool *ret_is_open) {
        bool is_lost;
        int r;

        if (restarts_count(&view->restarts, view->window) > 0)
                return 0;
        *ret_is_open = !view->window->is_closed;
        if (*ret_is_open)
                return 0;
        if (view->restarts.n_items > 0)
                return decide_late(view, &view->restarts.items[0]);
        r = decide_lost(view, CHANNEL_BUS | CHANNEL_JOURNAL, "no restart was seen", &is_lost);
        if (r < 0 || is_lost)
                return r;
        return verdict_decide(view->verdict, REASON_NOT_OBSERVED, "the unit was not restarted");
}

/* A delay is asked for, and a restart was scheduled whose start is not there: the last one of a loop may be such. */
static int judge_missing_starts(RestartView *view, bool *ret_is_open) {
        bool is_limited = find_start_limit(view) != NULL;

        if (!view_value(view, "after")->is_set)
                return 0;
        if (view->restarts.n_items == 0 && restarts_count(&view->restarts, view->window) > 0) {
                *ret_is_open = !view->window->is_closed;
                return *ret_is_open ? 0
                                    : verdict_decide(view->verdict, REASON_NOT_RECORDED,
                                                      "restarts were counted, but none was seen with its stamps");
        }
        FOREACH_ARRAY (restart, view->restarts.items, view->restarts.n_items) {
                if ((restart->start && restart->exit) || restart->at_usec > view->window->deadline_usec ||
                                (is_limited && restart + 1 == restart_end))
                        continue;
                *ret_is_open = !view->window->is_closed;
                if (!*ret_is_open)
                        return verdict_decide(view->verdict, REASON_NOT_RECORDED,
                                        "a restart was scheduled, but when its main process started was not seen");
        }
        return 0;
}

static int decide_held(RestartView *view) {
        uint64_t n_restarts = restarts_count(&view->restarts, view->window), margin_usec = view->verdict->margin_usec;
        char times[TIMES_TEXT_MAX];
        CLEANUP_TEXT Text note = TEXT_INIT;
        const Restart *last = NULL;
        int r;

        if (view_value(view, "late-by-at-most")->is_set)
                lateness_scale_note(view->facts->timeline, &note);
        FOREACH_ARRAY (restart, view->restarts.items, view->restarts.n_items) {
                if (restart->at_usec > view->window->deadline_usec)
                        break;
                r = cite_restart(view->verdict, restart);
                if (r < 0)
                        return r;
                last = last ? last : restart;
        }
        if (last && window_margin(view->window, last->at_usec) < margin_usec)
                margin_usec = window_margin(view->window, last->at_usec);
        view->verdict->margin_usec = margin_usec;
        if (n_restarts == 0 && view_value(view, "start-limit")->is_true)
                return verdict_decide(view->verdict, REASON_HELD, "the start limit was hit%s", text_get(&note));
        if (last && last->start && last->exit) {
                char delay[DURATION_TEXT_MAX];

                return verdict_decide(view->verdict, REASON_HELD, "restarted %s, the first time %s after its exit%s",
                                times_text(n_restarts, times),
                                duration_text(usec_sub(last->start->start_usec, exit_stamp(last->exit)), delay),
                                text_get(&note));
        }
        return verdict_decide(
                        view->verdict, REASON_HELD, "restarted %s%s", times_text(n_restarts, times), text_get(&note));
}

static int note_seen(RestartView *view) {
        char times[TIMES_TEXT_MAX];
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_printf(&text, "restarted %s", times_text(restarts_count(&view->restarts, view->window), times));
        FOREACH_ARRAY (restart, view->restarts.items, view->restarts.n_items) {
                char delay[DURATION_TEXT_MAX];

                if (restart->start && restart->exit)
                        text_printf(&text, ", %s after the exit",
                                        duration_text(usec_sub(restart->start->start_usec, exit_stamp(restart->exit)),
                                                        delay));
        }
        free(view->verdict->seen);
        view->verdict->seen = text_take(&text);
        return view->verdict->seen ? 0 : -ENOMEM;
}

typedef int (*RestartRule)(RestartView *view, bool *ret_is_open);

static int judge_restarts(RestartView *view) {
        bool needs_one = !view_value(view, "start-limit")->is_true || view_value(view, "after")->is_set;
        const RestartRule rules[] = {
                view_value(view, "count")->is_set ? judge_count
                : needs_one                       ? judge_presence
                                                  : NULL,
                judge_start_limit,
                judge_missing_starts,
        };
        bool is_open = false;
        int r;

        view->verdict->margin_usec = USEC_INFINITY;
        r = judge_delays(view);
        FOREACH_ARRAY (rule, rules, ELEMENTS_OF(rules)) {
                bool is_rule_open = false;

                if (r < 0 || view->verdict->outcome != OUTCOME_PENDING)
                        return r;
                if (*rule)
                        r = (*rule)(view, &is_rule_open);
                is_open = is_open || is_rule_open;
        }
        if (r < 0 || view->verdict->outcome != OUTCOME_PENDING || is_open)
                return r;
        return decide_held(view);
}

static int evaluate_restart(const Expectation *expectation, const Case *facts, const Window *window,
                Verdict *ret_verdict, Error *reterr) {
        RestartView view = {
                .expectation = expectation,
                .facts = facts,
                .window = window,
                .verdict = ret_verdict,
        };
        int r;

        r = restarts_collect(facts->timeline, expectation->unit, window, &view.restarts);
        if (r >= 0)
                r = judge_restarts(&view);
        if (r >= 0 && ret_verdict->outcome != OUTCOME_PENDING)
                r = note_seen(&view);
        /* Only what passed has time left. */
        if (ret_verdict->outcome != OUTCOME_PASS)
                ret_verdict->margin_usec = 0;
        restarts_done(&view.restarts);
        return r;
}

static char *describe_restart(const Expectation *expectation, const Case *facts) {
        const Value *after = expectation_value(expectation, "after"),
                    *late = expectation_value(expectation, "late-by-at-most");
        const Value *limit = expectation_value(expectation, "start-limit");
        char duration[DURATION_TEXT_MAX];
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_append(&text, "restart");
        if (after->is_set)
                text_printf(&text, " not before %s", duration_text(after->usec, duration));
        if (late->is_set)
                text_printf(&text, " and at most %s later", duration_text(late->usec, duration));
        if (limit->is_set)
                text_append(&text, limit->is_true ? " until the start limit is hit"
                                                  : " without hitting the start limit");
        text_append(&text, " ");
        describe_matches(&text, expectation, facts, "");
        if (text.bytes && text.bytes[text.n_bytes - 1] == ' ')
                text_truncate(&text, text.n_bytes - 1);
        return text_take(&text);
}

static void check_restart(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *late = &values[RESTART_LATE_BY_AT_MOST];

        if (late->is_set && !values[RESTART_AFTER].is_set)
                diagnostic_add(diagnostics, late->mark, 0, "`late-by-at-most` needs `after`: later than what?");
        if (values[RESTART_COUNT].is_set)
                check_count(&values[RESTART_COUNT].matches->match, values[RESTART_COUNT].mark, "count", diagnostics);
}

static const KeySpec restart_keys[] = {
        [RESTART_AFTER] = { .name = "after",
                        .type = VALUE_DURATION,
                        .doc = "Not before this time (RestartSec=) has passed since the exit, for each restart." },
        [RESTART_LATE_BY_AT_MOST] = { .name = "late-by-at-most",
                        .type = VALUE_DURATION,
                        .doc = "At most this much later than `after`. On a machine that is slow by nature "
                               "`--lateness-scale` "
                               "lets it count several times; the verdict says so." },
        [RESTART_COUNT] = { .name = "count",
                        .type = VALUE_MATCH,
                        .doc = "How many restarts there are in the window. Without it, at least one. A number is "
                               "known only when the "
                               "window is over, so the step takes all of `within`; `>= 1` does not." },
        [RESTART_START_LIMIT] = { .name = "start-limit",
                        .type = VALUE_BOOL,
                        .doc = "yes: the start limit ends the restarts. Its witnesses are Result start-limit-hit, or "
                               "a restart that the manager refused before it began." },
};

const ExpectKind restart_expectation = {
        .spec = {
                .name = "restart",
                .doc = "The manager restarts the unit by itself, because of Restart=.",
                .example = "restart: { after: 5s, late-by-at-most: 500ms, count: 1 }",
                .keys = restart_keys,
                .n_keys = N_RESTART_KEYS,
                .shorthand = -1,
                .takes_unit = true,
                .check = check_restart,
        },
        .question = QUESTION_NONE,
        .channels = CHANNEL_BUS | CHANNEL_JOURNAL,
        .evaluate = evaluate_restart,
        .describe = describe_restart,
};
