/* SPDX-License-Identifier: MIT */

/* exit: how, and how soon, the main process ended. */

#include <signal.h>
#include <string.h>

#include "base/quantity.h"
#include "judge/check-words.h"
#include "judge/examine.h"
#include "judge/exits.h"
#include "judge/expect-kinds.h"
#include "judge/window.h"
#include "scenario/diagnostic.h"

enum { EXIT_CODE, EXIT_SIGNAL, EXIT_DUMPED, EXIT_CLEAN, EXIT_AFTER, N_EXIT_KEYS };

/* One exit, looked at for one expectation. */
typedef struct ExitView {
        const Expectation *expectation;
        const Case *facts;
        const Window *window;
        const MainExit *exit;
        TemplateLookup lookup;
        Verdict *verdict;
        char what[MAIN_EXIT_TEXT_MAX]; /* "was killed by SIGTERM" */
        char moment[WINDOW_MOMENT_MAX];
} ExitView;

static bool view_matches(const ExitView *view, const Value *value, const char *text) {
        return match_text(&value->matches->match, text, strlen(text), &view->lookup);
}

/* Exit status 0 means the whole triple: `code: 0` asks for it as much as `clean: yes`. */
static bool wants_clean(const ExitView *view) {
        const Value *code = expectation_value(view->expectation, "code"),
                    *clean = expectation_value(view->expectation, "clean");

        return (clean->is_set && clean->is_true) || (code->is_set && view_matches(view, code, "0"));
}

/* Trap 1 of all: to die of SIGTERM by its default action reads Result=success. Source: systemd.service(5),
 * "Restart=". */
static bool is_called_success(const MainExit *exit) {
        return exit->code == EXIT_CODE_KILLED && exit->unit_result && strcmp(exit->unit_result, "success") == 0;
}

static int decide_not_clean(ExitView *view) {
        char name[SIGNAL_TEXT_MAX];
        const MainExit *exit = view->exit;

        if (is_called_success(exit))
                return verdict_decide(view->verdict, REASON_NOT_CLEAN,
                                "the main process was killed by %s's default action %s: systemd calls that success",
                                signal_text(exit->status, name), view->moment);
        if (exit->code == EXIT_CODE_EXITED && exit->status == 0)
                return verdict_decide(view->verdict, REASON_NOT_CLEAN,
                                "the main process %s %s, but the unit's Result is %s", view->what, view->moment,
                                exit->unit_result);
        return verdict_decide(view->verdict, REASON_NOT_CLEAN, "the main process %s %s instead of ending clean",
                        view->what, view->moment);
}

/* Not what was asked for, whatever that was. */
static int decide_otherwise(ExitView *view) {
        if (wants_clean(view))
                return decide_not_clean(view);
        return verdict_decide(view->verdict, REASON_WRONG_VALUE, "the main process %s %s", view->what, view->moment);
}

static bool code_matches(const ExitView *view) {
        const Value *code = expectation_value(view->expectation, "code");
        char text[16];

        (void) snprintf(text, sizeof(text), "%d", view->exit->status);
        return !code->is_set || (view->exit->code == EXIT_CODE_EXITED && view_matches(view, code, text));
}

static bool signal_matches(const ExitView *view) {
        const Value *wanted = expectation_value(view->expectation, "signal");
        const Value *dumped = expectation_value(view->expectation, "dumped");
        bool is_killed = view->exit->code == EXIT_CODE_KILLED || view->exit->code == EXIT_CODE_DUMPED;
        char name[SIGNAL_TEXT_MAX];

        if (dumped->is_set && dumped->is_true != (view->exit->code == EXIT_CODE_DUMPED))
                return false;
        return !wanted->is_set || (is_killed && view_matches(view, wanted, signal_text(view->exit->status, name)));
}

static bool is_ending_verb(const Entry *action) {
        return entry_has(action, "verb", "stop") || entry_has(action, "verb", "restart") ||
               entry_has(action, "verb", "try-restart");
}

/* The latest signal or stop job of ours before the exit; NULL: none in the window. */
static const Entry *find_cause(const ExitView *view) {
        const char *unit = view->expectation->unit;
        const Entry *cause = NULL;

        for (size_t i = view->window->anchor_index; i < timeline_length(view->facts->timeline); i++) {
                const Entry *entry = timeline_get(view->facts->timeline, i);
                bool is_cause = entry->kind == ENTRY_SIGNAL_ACTION ||
                                (entry->kind == ENTRY_JOB_ACTION && is_ending_verb(entry));

                if (!window_holds(view->window, i))
                        break;
                if (is_cause && entry->unit && strcmp(entry->unit, unit) == 0 &&
                                entry_get_usec(entry, "asked", entry->at_usec) <= view->exit->upper_usec)
                        cause = entry;
        }
        return cause;
}

static bool duration_matches(const ExitView *view, uint64_t usec) {
        char text[24];

        (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) usec);
        return view_matches(view, expectation_value(view->expectation, "after"), text);
}

/*
 * The time it took lies between (it still lived - the signal was out) and (its stamp - the signal was about to go
 * out). Where both ends give the same answer, that is the answer. `at most` needs only the upper one: in time by the
 * stamp is in time.
 */
static int judge_after(ExitView *view, bool *ret_is_decided) {
        const Value *after = expectation_value(view->expectation, "after");
        const MainExit *exit = view->exit;
        const Entry *cause;
        uint64_t shortest_usec, longest_usec;
        char duration[DURATION_TEXT_MAX];
        bool is_match;
        int r;

        *ret_is_decided = true;
        cause = find_cause(view);
        if (!cause)
                return verdict_decide(view->verdict, REASON_NOT_OBSERVED,
                                "no signal or stop of ours came before the main process %s", view->what);
        r = verdict_rest_on(view->verdict, cause->index);
        if (r < 0)
                return r;
        longest_usec = usec_sub(exit->upper_usec, entry_get_usec(cause, "asked", cause->at_usec));
        shortest_usec = usec_sub(exit->lower_usec, cause->at_usec);
        (void) duration_text(longest_usec, duration);
        is_match = duration_matches(view, longest_usec);
        if (is_match && duration_matches(view, shortest_usec)) {
                *ret_is_decided = false;
                return 0;
        }
        if (is_match || duration_matches(view, shortest_usec))
                return verdict_decide(view->verdict, REASON_LATE_STAMP,
                                "it took %s by the stamps, and no second witness tells how much less it may have "
                                "been",
                                duration);
        return verdict_decide(view->verdict, REASON_WRONG_VALUE,
                        "the main process %s %s after the signal or stop, %s", view->what, duration,
                        after->text ? after->text : "which is not as expected");
}

/* What has to be there before anything may be said; decides where it is not. */
static int judge_witnesses(ExitView *view, bool *ret_is_decided) {
        const MainExit *exit = view->exit;

        *ret_is_decided = true;
        if (exit->code == EXIT_CODE_UNKNOWN || !main_exit_has_stamp(exit))
                return view->window->is_closed ? verdict_decide(view->verdict, REASON_NO_EXIT_STAMP,
                                                                 "the main process is gone, but the manager has no "
                                                                 "exit stamp for it")
                                               : 0;
        if (main_exit_is_contradicted(exit, view->facts->timeline))
                return verdict_decide(view->verdict, REASON_UNREADABLE,
                                "two witnesses contradict each other: by the manager the main process %s, by process "
                                "accounting its wait status was %s",
                                view->what,
                                entry_get(timeline_get(view->facts->timeline, exit->death_index), "status"));
        switch (window_timing(view->window, exit->lower_usec, exit->upper_usec)) {
        case TIMING_LATE:
                return view->window->is_closed ? verdict_decide(view->verdict, REASON_TOO_LATE,
                                                                 "the main process %s only %s, after the deadline",
                                                                 view->what, view->moment)
                                               : 0;
        case TIMING_UNDECIDED:
                return view->window->is_closed ? verdict_decide(view->verdict, REASON_LATE_STAMP,
                                                                 "by its stamp the main process %s %s, after the "
                                                                 "deadline, but "
                                                                 "nobody saw it alive at the deadline",
                                                                 view->what, view->moment)
                                               : 0;
        default:
                *ret_is_decided = false;
                return 0;
        }
}

/* Exit status 0: Result has to say success, and to have come to rest. */
static int judge_result(ExitView *view, bool *ret_is_decided) {
        *ret_is_decided = true;
        if (!view->exit->is_settled && !view->window->is_closed)
                return 0;
        if (!view->exit->unit_result)
                return view->window->is_closed ? verdict_decide(view->verdict, REASON_NO_EXIT_STAMP,
                                                                 "the main process %s %s, but the unit's Result of "
                                                                 "that run is "
                                                                 "not known",
                                                                 view->what, view->moment)
                                               : 0;
        if (!main_exit_is_clean(view->exit))
                return decide_not_clean(view);
        *ret_is_decided = false;
        return 0;
}

static int judge_facts(ExitView *view, bool *ret_is_decided) {
        const Value *clean = expectation_value(view->expectation, "clean");
        const MainExit *exit = view->exit;
        bool is_zero = exit->code == EXIT_CODE_EXITED && exit->status == 0;

        *ret_is_decided = true;
        if (!code_matches(view) || !signal_matches(view) || (wants_clean(view) && !is_zero && clean->is_true))
                return decide_otherwise(view);
        if (clean->is_set && !clean->is_true && main_exit_is_clean(exit))
                return verdict_decide(
                                view->verdict, REASON_WRONG_VALUE, "the main process ended clean %s", view->moment);
        if (is_zero && wants_clean(view))
                return judge_result(view, ret_is_decided);
        *ret_is_decided = false;
        return 0;
}

static int judge_exit(ExitView *view) {
        bool is_decided;
        int r;

        r = judge_witnesses(view, &is_decided);
        if (r >= 0 && !is_decided)
                r = judge_facts(view, &is_decided);
        if (r >= 0 && !is_decided && expectation_value(view->expectation, "after")->is_set)
                r = judge_after(view, &is_decided);
        if (r < 0 || is_decided)
                return r;
        view->verdict->margin_usec = window_margin(view->window, view->exit->upper_usec);
        return verdict_decide(view->verdict, REASON_HELD, "the main process %s %s", view->what, view->moment);
}

static int view_exit(const Expectation *expectation, const Case *facts, const Window *window, const MainExit *exit,
                Verdict *verdict) {
        CaptureScope scope = { .facts = facts, .before = SIZE_MAX };
        ExitView view = {
                .expectation = expectation,
                .facts = facts,
                .window = window,
                .exit = exit,
                .lookup = capture_lookup(&scope),
                .verdict = verdict,
        };
        int r;

        (void) main_exit_text(exit, view.what);
        (void) window_moment(facts, window, exit->upper_usec, view.moment);
        r = judge_exit(&view);
        if (r < 0 || verdict->outcome == OUTCOME_PENDING)
                return r;

        verdict->at_usec = exit->upper_usec;
        free(verdict->seen);
        if (asprintf(&verdict->seen, "the main process %s, Result was %s", view.what,
                            exit->unit_result ? exit->unit_result : "not known") < 0) {
                verdict->seen = NULL;
                return -ENOMEM;
        }
        return main_exit_cite(exit, verdict);
}

/* Some moment at or behind the deadline at which the unit's main process lived. */
static const Entry *find_survivor(const Expectation *expectation, const Case *facts, const Window *window) {
        for (const Entry *alive = timeline_next(
                             facts->timeline, window->anchor_index, ENTRY_MAIN_ALIVE, expectation->unit);
                        alive && window_holds(window, alive->index);
                        alive = timeline_next(facts->timeline, alive->index + 1, ENTRY_MAIN_ALIVE, expectation->unit))
                if (alive->at_usec >= window->deadline_usec)
                        return alive;
        return NULL;
}

static int decide_absence(const Expectation *expectation, const Case *facts, const Window *window, Verdict *verdict) {
        const Entry *survivor;
        CLEANUP_TEXT Text why = TEXT_INIT;
        int r;

        if (!window->is_closed)
                return 0;
        survivor = find_survivor(expectation, facts, window);
        if (!survivor && !window_is_complete(facts, window, CHANNEL_BUS | CHANNEL_JOURNAL, expectation->unit, &why))
                return verdict_decide(verdict, REASON_CHANNEL_LOST, "no exit was seen, but %s", text_get(&why));
        if (!survivor)
                return verdict_decide(verdict, REASON_NOT_OBSERVED, "no main process of %s ended", expectation->unit);
        r = verdict_rest_on(verdict, survivor->index);
        if (r < 0)
                return r;
        return verdict_decide(verdict, REASON_NOT_OBSERVED, "the main process was still alive at the deadline");
}

/* For `never`: each exit counts. One that matches decides, else one that might. */
static int evaluate_any_exit(const Expectation *expectation, const Case *facts, const Window *window,
                const MainExits *exits, Verdict *ret_verdict) {
        CLEANUP(verdict_done) Verdict undecided = { 0 };

        FOREACH_ARRAY (exit, exits->items, exits->n_items) {
                CLEANUP(verdict_done) Verdict verdict = { 0 };
                int r = view_exit(expectation, facts, window, exit, &verdict);

                if (r < 0)
                        return r;
                if (verdict.outcome == OUTCOME_PASS) {
                        *ret_verdict = verdict;
                        verdict = (Verdict){ 0 };
                        return 0;
                }
                if (verdict.outcome == OUTCOME_INCONCLUSIVE && undecided.outcome == OUTCOME_PENDING) {
                        undecided = verdict;
                        verdict = (Verdict){ 0 };
                }
        }
        if (undecided.outcome == OUTCOME_PENDING)
                return decide_absence(expectation, facts, window, ret_verdict);
        *ret_verdict = undecided;
        undecided = (Verdict){ 0 };
        return 0;
}

/* The first exit of the window is the one that is meant. */
static int evaluate_exit(const Expectation *expectation, const Case *facts, const Window *window,
                Verdict *ret_verdict, Error *reterr) {
        CLEANUP(main_exits_done) MainExits exits = { 0 };
        int r;

        r = main_exits_collect(facts->timeline, expectation->unit, window->end_index, &exits);
        if (r < 0)
                return r;
        if (!expectation->step)
                return evaluate_any_exit(expectation, facts, window, &exits, ret_verdict);
        FOREACH_ARRAY (exit, exits.items, exits.n_items)
                if (window_timing(window, exit->lower_usec, exit->upper_usec) != TIMING_BEFORE)
                        return view_exit(expectation, facts, window, exit, ret_verdict);
        return decide_absence(expectation, facts, window, ret_verdict);
}

static char *describe_exit(const Expectation *expectation, const Case *facts) {
        const Value *dumped = expectation_value(expectation, "dumped"),
                    *clean = expectation_value(expectation, "clean");
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_append(&text, "exit");
        if (clean->is_set)
                text_append(&text, clean->is_true ? ", clean" : ", not clean");
        if (dumped->is_set)
                text_append(&text, dumped->is_true ? ", with a core dump" : ", without a core dump");
        text_append(&text, text.n_bytes > strlen("exit") ? ", " : " ");
        describe_matches(&text, expectation, facts, "");
        while (text.n_bytes > 0 && strchr(", ", text.bytes[text.n_bytes - 1]))
                text_truncate(&text, text.n_bytes - 1);
        return text_take(&text);
}

static void check_exit(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *code = &values[EXIT_CODE], *clean = &values[EXIT_CLEAN], *after = &values[EXIT_AFTER];
        size_t n_before = diagnostics->n_items;

        for (size_t i = EXIT_SIGNAL; i <= EXIT_DUMPED; i++) {
                if (values[i].is_set && code->is_set)
                        diagnostic_add(diagnostics, values[i].mark, 0,
                                        "`%s` contradicts `code`: a process exits or is killed", kind->keys[i].name);
                if (values[i].is_set && clean->is_set && clean->is_true)
                        diagnostic_add(diagnostics, values[i].mark, 0, "`%s` contradicts `clean: yes`",
                                        kind->keys[i].name);
        }
        if (code->is_set)
                check_numbers(&code->matches->match, code->mark, "code", diagnostics);
        if (code->is_set && diagnostics->n_items == n_before)
                check_status(&code->matches->match, code->mark, "code", false, diagnostics);
        if (code->is_set && clean->is_set)
                check_clean(&code->matches->match, clean->mark, clean->is_true, diagnostics);
        if (values[EXIT_SIGNAL].is_set)
                check_signals(&values[EXIT_SIGNAL].matches->match, values[EXIT_SIGNAL].mark, "signal", diagnostics);
        if (after->is_set)
                check_amount(&after->matches->match, after->mark, "after", LITERAL_USEC, NULL, diagnostics);
}

static const KeySpec exit_keys[] = {
        [EXIT_CODE] = { .name = "code",
                        .type = VALUE_MATCH,
                        .doc = "The exit status. `0` means the triple: Result success, exited, status 0, with an "
                               "exit stamp; a process "
                               "killed by SIGTERM's default action is not that, although systemd says "
                               "Result=success." },
        [EXIT_SIGNAL] = { .name = "signal",
                        .type = VALUE_MATCH,
                        .doc = "It was killed by this signal (SIGKILL, ...), with or without a core dump." },
        [EXIT_DUMPED] = { .name = "dumped", .type = VALUE_BOOL, .doc = "Whether it dumped core." },
        [EXIT_CLEAN] = { .name = "clean",
                        .type = VALUE_BOOL,
                        .doc = "yes is the same as `code: 0`; no is anything else." },
        [EXIT_AFTER] = { .name = "after",
                        .type = VALUE_MATCH,
                        .doc = "Time from the latest signal or stop of the scenario to the exit: `<= 2s`." },
};

const ExpectKind exit_expectation = {
        .spec = {
                .name = "exit",
                .doc = "The first end of the unit's main process in the window.",
                .example = "exit: { code: 0 }",
                .keys = exit_keys,
                .n_keys = N_EXIT_KEYS,
                .shorthand = EXIT_CODE,
                .takes_unit = true,
                .check = check_exit,
        },
        .question = QUESTION_NONE,
        .channels = CHANNEL_BUS | CHANNEL_JOURNAL | CHANNEL_ACCT,
        .evaluate = evaluate_exit,
        .describe = describe_exit,
};
