/* SPDX-License-Identifier: MIT */

/* limit: the limits that are in force, read back from where the kernel keeps them. */

#include <string.h>

#include "judge/check-words.h"
#include "judge/counters.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "judge/quota.h"
#include "judge/window.h"

enum { LIMIT_LIMITS, N_LIMIT_KEYS };

typedef struct LimitView {
        const Expectation *expectation;
        const Case *facts;
        const Window *window;
        Verdict *verdict;
        Text differing, unknown, matching;
        uint64_t at_usec;
} LimitView;

static void view_done(LimitView *view) {
        text_done(&view->differing);
        text_done(&view->unknown);
        text_done(&view->matching);
}

static bool is_invariant(const LimitView *view) {
        return !view->expectation->step;
}

static bool is_look(const LimitView *view, const LimitPlace *place, const Entry *entry) {
        return place->counter ? is_reading(entry, view->expectation->unit, place->counter)
                              : entry_has(entry, "role", "main");
}

static bool look_number(const LimitPlace *place, const Entry *look, double *ret_number) {
        return place->counter ? counter_number(look, ret_number) : process_limit(look, place->line, ret_number);
}

typedef struct Reading {
        double number;
        double grain; /* what was set may be more by less than this */
        char text[COUNTER_TEXT_MAX];
        TemplateLookup lookup;
} Reading;

/* MemoryMax=50000000 is in force as 49999872. */
static bool is_rounded_down(const Match *wanted, const Reading *reading) {
        bool has_lower_end =
                        wanted->operator== MATCH_EQUAL || wanted->operator== MATCH_GREATER_EQUAL || wanted->operator==
                        MATCH_RANGE;

        return has_lower_end && wanted->has_number && reading->number < wanted->low &&
               wanted->low - reading->number < reading->grain;
}

static bool reading_matches(const Match *wanted, const Reading *reading) {
        if (wanted->operator== MATCH_NOT)
                return !reading_matches(wanted->children, reading);
        if (wanted->operator== MATCH_ONE_OF) {
                FOREACH_ARRAY (child, wanted->children, wanted->n_children)
                        if (reading_matches(child, reading))
                                return true;
                return false;
        }
        return match_text(wanted, reading->text, strlen(reading->text), &reading->lookup) ||
               is_rounded_down(wanted, reading);
}

static bool look_matches(const LimitView *view, const NamedMatch *wanted, const Entry *look, double number) {
        CaptureScope scope = { .facts = view->facts, .before = SIZE_MAX };
        Reading reading = { .number = number, .lookup = capture_lookup(&scope) };

        reading.grain = look->kind == ENTRY_COUNTER ? counter_grain(look) : 0;
        (void) counter_text(number, reading.text);
        return reading_matches(&wanted->match, &reading);
}

/* The last look at the place in the window, readable or not. */
static const Entry *find_look(const LimitView *view, const LimitPlace *place) {
        const Timeline *timeline = view->facts->timeline;
        const char *unit = view->expectation->unit;
        EntryKind kind = place->counter ? ENTRY_COUNTER : ENTRY_PROCESS;

        for (const Entry *entry = timeline_last(timeline, view->window->end_index, kind, unit);
                        entry && entry->index >= view->window->anchor_index;
                        entry = timeline_last(timeline, entry->index, kind, unit))
                if (is_look(view, place, entry))
                        return entry;
        return NULL;
}

/* There is no cgroup, or no main process: nothing that a limit could be in force for. */
static bool is_of_nothing(const LimitView *view, const Entry *look) {
        int64_t error = entry_get_number(look, "errno", 0);

        return error == ENOENT || error == ENODEV || error == ENODATA || error == ESRCH ||
               is_of_idle_unit(view->facts->timeline, look);
}

/*
 * An invariant has to hold by every look at a unit that was there: the first by which it did not, else the first that
 * could not be read, else the last.
 */
static const Entry *find_worst_look(const LimitView *view, const LimitPlace *place, const NamedMatch *wanted) {
        const Timeline *timeline = view->facts->timeline;
        EntryKind kind = place->counter ? ENTRY_COUNTER : ENTRY_PROCESS;
        const Entry *last = NULL, *unread = NULL;
        double number;

        for (const Entry *entry = timeline_next(timeline, view->window->anchor_index, kind, view->expectation->unit);
                        entry && entry->index < view->window->end_index;
                        entry = timeline_next(timeline, entry->index + 1, kind, view->expectation->unit)) {
                bool is_known;

                if (!is_look(view, place, entry))
                        continue;
                is_known = look_number(place, entry, &number);
                if (is_known && look_matches(view, wanted, entry, number))
                        last = entry;
                else if (is_of_nothing(view, entry))
                        continue;
                else if (is_known)
                        return entry;
                else
                        unread = unread ?: entry;
        }
        return unread ?: last;
}

static Text *next_part(Text *text) {
        if (text->n_bytes > 0)
                text_append(text, ", ");
        return text;
}

static int look_at(LimitView *view, const NamedMatch *wanted) {
        const LimitPlace *place = limit_place(wanted->name);
        const Entry *look = is_invariant(view) ? find_worst_look(view, place, wanted) : find_look(view, place);
        char text[COUNTER_TEXT_MAX];
        bool is_known;
        double number;

        is_known = look && look_number(place, look, &number);
        if (is_known)
                (void) counter_text(number, text);
        if (!is_known) {
                int error = look ? (int) entry_get_number(look, "errno", 0) : 0;

                text_printf(next_part(&view->unknown), "%s could not be read back%s%s", wanted->name,
                                error ? ": " : "", error ? strerror(error) : "");
        } else if (look_matches(view, wanted, look, number))
                text_printf(next_part(&view->matching), "%s was %s", wanted->name, text);
        else
                text_printf(next_part(&view->differing), "%s was %s", wanted->name, text);
        if (look && look->at_usec > view->at_usec)
                view->at_usec = look->at_usec;
        return verdict_rest_on(view->verdict, look ? look->index : SIZE_MAX);
}

static int see(LimitView *view, const Text *text) {
        free(view->verdict->seen);
        view->verdict->seen = strdup(text_get(text));
        view->verdict->at_usec = view->at_usec;
        return view->verdict->seen ? 0 : -ENOMEM;
}

static int decide(LimitView *view) {
        Verdict *verdict = view->verdict;
        int r;

        /* What holds so far may still not hold all the time. */
        if (view->differing.n_bytes + view->unknown.n_bytes == 0 &&
                        (!is_invariant(view) || view->window->is_closed)) {
                r = see(view, &view->matching);
                verdict->margin_usec = window_margin(view->window, view->at_usec);
                return r < 0 ? r : verdict_decide(verdict, REASON_HELD, "the limits are in force");
        }
        if (!view->window->is_closed)
                return 0;
        if (view->differing.n_bytes > 0) {
                r = see(view, &view->differing);
                return r < 0 ? r
                             : verdict_decide(verdict, REASON_LIMIT_NOT_IN_FORCE,
                                               is_invariant(view)
                                                               ? "the limit was not in force all the time: what the "
                                                                 "daemon does under it cannot be told"
                                                               : "the limit is not in force: what the daemon does "
                                                                 "under it cannot be told");
        }
        r = see(view, &view->unknown);
        return r < 0 ? r : verdict_decide(verdict, REASON_UNREADABLE, "whether the limit is in force is not known");
}

/* A limit is set by the manager, not by the daemon: that it is not in force says nothing about the daemon. */
static int evaluate_limit(const Expectation *expectation, const Case *facts, const Window *window,
                Verdict *ret_verdict, Error *reterr) {
        CLEANUP(view_done)
        LimitView view = { .expectation = expectation, .facts = facts, .window = window, .verdict = ret_verdict };
        const Value *limits = expectation_value(expectation, "limits");

        FOREACH_ARRAY (wanted, limits->matches, limits->n_matches) {
                int r = look_at(&view, wanted);

                if (r < 0)
                        return r;
        }
        return decide(&view);
}

static char *describe_limit(const Expectation *expectation, const Case *facts) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_printf(&text, "in force for %s: ", expectation->unit);
        describe_matches(&text, expectation, facts, "");
        return text_take(&text);
}

static const KeySpec limit_keys[] = {
        [LIMIT_LIMITS] = { .name = "limits",
                        .type = VALUE_MATCH_MAP,
                        .is_required = true,
                        .choices = COUNTER_LIMIT_PROPERTIES,
                        .doc = "Limits by systemd's names and what they are: bytes, a number of tasks, percent of "
                               "one "
                               "processor, or `infinity`. Those of the cgroup are read from its files, `Limit...` "
                               "(the "
                               "soft limit) from /proc/PID/limits of the main process." },
};

static void check_limit(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *limits = &values[LIMIT_LIMITS];

        FOREACH_ARRAY (wanted, limits->matches, limits->n_matches)
                check_amount(&wanted->match, wanted->mark, wanted->name,
                                strcmp(wanted->name, "CPUQuota") == 0 ? LITERAL_PERCENT : LITERAL_BYTES, "infinity",
                                diagnostics);
}

static void check_limit_in(const Scenario *scenario, const Expectation *expectation, DiagnosticList *diagnostics) {
        if (expectation >= scenario->never && expectation < scenario->never + scenario->n_never)
                diagnostic_add(diagnostics, expectation->mark, 0,
                                "`limit` is not for `never`: that a limit is not in force is no failure; say what is "
                                "in force all the time with `always`");
}

const ExpectKind limit_expectation = {
        .spec = {
                .name = "limit",
                .doc = "Limits that are in force, read back from the kernel. One that is not makes the scenario "
                       "inconclusive (`limit-not-in-force`), never a failure of the daemon. Not for `never`.",
                .example = "limit: { MemoryMax: 64M, TasksMax: 10, CPUQuota: 50%, LimitNOFILE: 1024 }",
                .keys = limit_keys,
                .n_keys = N_LIMIT_KEYS,
                .shorthand = LIMIT_LIMITS,
                .takes_unit = true,
                .check = check_limit,
                .check_in = check_limit_in,
        },
        .question = QUESTION_COUNTERS,
        .evaluate = evaluate_limit,
        .describe = describe_limit,
};
