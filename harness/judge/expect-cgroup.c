/* SPDX-License-Identifier: MIT */

/* cgroup: the counters of a unit's cgroup, by names that are the same on v1 and v2. */

#include <string.h>

#include "base/quantity.h"
#include "judge/check-cgroup.h"
#include "judge/count.h"
#include "judge/counter-range.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "judge/quota.h"
#include "judge/window.h"

enum { CGROUP_COUNTERS, N_CGROUP_KEYS };

/* What was found about one counter: REASON_NONE while the window is open and nothing is decided. */
typedef struct Finding {
        Reason reason;
        uint64_t at_usec;
        const Entry *reading;
        char *sentence; /* why, where it did not simply hold; NULL */
        char *seen;
} Finding;

typedef struct CgroupView {
        const Expectation *expectation;
        const Case *facts;
        const Window *window;
        CaptureScope scope;
        TemplateLookup lookup;
} CgroupView;

static void finding_done(Finding *finding) {
        free(finding->sentence);
        free(finding->seen);
}

static int find(Finding *finding, Reason reason, const char *format, ...) PRINTF_LIKE(3, 4);
static int find(Finding *finding, Reason reason, const char *format, ...) {
        va_list arguments;
        int n;

        free(finding->sentence);
        va_start(arguments, format);
        n = vasprintf(&finding->sentence, format, arguments);
        va_end(arguments);
        if (n < 0)
                finding->sentence = NULL;
        finding->reason = reason;
        return n < 0 ? -ENOMEM : 0;
}

static int see_range(Finding *finding, const char *name, const CounterRange *range) {
        const char *unit = strcmp(name, "cpu.load") == 0 ? "%" : "";
        int n;

        free(finding->seen);
        if (range->n_low == range->n_high)
                n = asprintf(&finding->seen, "%s was %zu%s", name, range->n_low, unit);
        else if (range->n_high == SIZE_MAX)
                n = asprintf(&finding->seen, "%s was at least %zu%s", name, range->n_low, unit);
        else
                n = asprintf(&finding->seen, "%s was %zu%s to %zu%s", name, range->n_low, unit, range->n_high, unit);
        if (n < 0)
                finding->seen = NULL;
        finding->reading = range->last;
        if (range->last)
                finding->at_usec = range->last->at_usec;
        return n < 0 ? -ENOMEM : 0;
}

static bool is_invariant(const CgroupView *view) {
        return !view->expectation->step;
}

static bool is_always(const CgroupView *view) {
        const Scenario *scenario = view->facts->scenario;

        return is_invariant(view) && view->expectation >= scenario->always &&
               view->expectation < scenario->always + scenario->n_always;
}

/* Readings from before the anchor step has done its work tell of the time before it. */
static size_t anchor_end(const CgroupView *view) {
        const Window *window = view->window;
        StepRun anchor;

        if (is_invariant(view) || window->anchor_index == window->begin_index)
                return window->begin_index;
        step_run_find(view->facts->timeline, window->anchor_index, &anchor);
        return anchor.end_index != SIZE_MAX ? anchor.end_index : window->begin_index;
}

/* ---- rule 7: a quota that is not in force, or was not reached, proves nothing ---- */

/*
 * "Not more than" is worth something only where the limit was in force all the time; that the counter moved, also
 * where it is by now.
 */
static int check_limit(const CgroupView *view, const CounterKind *kind, bool is_throughout, Finding *finding) {
        size_t begin = is_throughout ? anchor_end(view) : view->window->anchor_index;
        bool is_in_force;
        const Entry *limit = quota_limit(view->facts->timeline, view->expectation->unit, kind, begin,
                        view->window->end_index, is_throughout, &is_in_force);

        if (is_in_force)
                return 0;
        if (!limit)
                return find(finding, REASON_LIMIT_NOT_IN_FORCE, "whether %s is in force could not be read back (%s)",
                                kind->property, kind->limit);
        finding->reading = limit;
        return find(finding, REASON_LIMIT_NOT_IN_FORCE, "%s is not in force (%s says there is no limit)",
                        kind->property, kind->limit);
}

/* Where the next step begins: the kernel's record of a kill that was counted may be read behind the window. */
static size_t records_end(const CgroupView *view) {
        StepRun step_run;

        step_run_find(view->facts->timeline, view->window->begin_index, &step_run);
        return step_run.next_index;
}

/* @finding holds because the counter moved. Was it the unit's own limit? An invariant asks whether it moved at all.
 */
static int check_reached(const CgroupView *view, const CounterKind *kind, Finding *finding) {
        CLEANUP_TEXT Text why = TEXT_INIT;
        Truth truth;

        if (!kind->is_of_quota || finding->reason != REASON_HELD || is_invariant(view))
                return 0;
        truth = quota_reached(view->facts->timeline, view->expectation->unit, kind, finding->reading,
                        view->window->anchor_index, kind->is_of_kills ? records_end(view) : view->window->end_index,
                        &why);
        if (truth == TRUTH_FALSE)
                return find(finding, REASON_LOAD_TOO_LOW, "%s of %s was not reached: what moved %s was %s",
                                kind->property, view->expectation->unit, kind->name, text_get(&why));
        if (truth == TRUTH_IRRELEVANT && !window_is_over(view->window))
                finding->reason = REASON_NONE;
        return 0;
}

/* The share of the processor is what the quota allows only where the quota has held somebody up. */
static int check_throttled(const CgroupView *view, Finding *finding) {
        CounterRange range;
        int r = counter_range(view->facts, view->window, view->expectation->unit, counter_kind("cpu.throttled"), NULL,
                        NULL, &range);

        if (r < 0 || (range.n_low != SIZE_MAX && range.n_low > 0))
                return r;
        return find(finding, REASON_LOAD_TOO_LOW, "the quota was never reached: cpu.throttled has not moved");
}

static int check_quota(const CgroupView *view, const CounterKind *kind, bool is_throughout, Finding *finding) {
        int r = kind->is_of_quota ? check_limit(view, kind, is_throughout, finding) : 0;

        if (r >= 0 && finding->reason == REASON_HELD && kind->nature == COUNTER_LOAD)
                r = check_throttled(view, finding);
        return r;
}

/* ---- counters that only grow ---- */

static int find_unmet(const CgroupView *view, const CounterKind *kind, const Match *match, const CounterRange *range,
                Finding *finding) {
        bool is_too_low = range->n_high != SIZE_MAX &&
                          count_matches(match, range->n_high, SIZE_MAX, &view->lookup) != CERTAINLY_NOT;
        int r;

        if (!is_too_low || is_invariant(view))
                return find(finding, REASON_WRONG_VALUE, "it did not hold");
        r = find(finding, REASON_LOAD_TOO_LOW, "the load was too low for a verdict");
        return r < 0 ? r : check_quota(view, kind, false, finding);
}

static int find_uncertain(const CgroupView *view, const Match *match, const CounterRange *range, Finding *finding) {
        CLEANUP_TEXT Text why = TEXT_INIT;
        CounterRange late = *range;

        late.n_low_timed = late.n_low;
        if (count_matches(match, late.n_low, late.n_high, &view->lookup) == CERTAINLY)
                return find(finding, REASON_LATE_STAMP,
                                "by its stamp it held only after the deadline, and nothing tells that it did not "
                                "before");
        if (range->n_high == SIZE_MAX &&
                        !window_is_complete(view->facts, view->window, CHANNEL_BUS, view->expectation->unit, &why))
                return find(finding, REASON_CHANNEL_LOST,
                                "whether the unit had another cgroup meanwhile is not known: %s", text_get(&why));
        if (range->n_high == SIZE_MAX)
                return find(finding, REASON_UNREADABLE,
                                "the counter could not be read to the end: the cgroup is gone, or was another one "
                                "meanwhile");
        return find(finding, REASON_UNREADABLE, "the readings do not tell it precisely enough");
}

static int find_closed(const CgroupView *view, const CounterKind *kind, const Match *match, const CounterRange *range,
                Finding *finding) {
        int r;

        switch (count_matches(match, range->n_low_timed, range->n_high, &view->lookup)) {
        case CERTAINLY:
                finding->reason = REASON_HELD;
                r = check_quota(view, kind, true, finding);
                return r < 0 || range->n_low == 0 ? r : check_reached(view, kind, finding);
        case CERTAINLY_NOT:
                return find_unmet(view, kind, match, range, finding);
        case UNCERTAIN:
                break;
        }
        return find_uncertain(view, match, range, finding);
}

static int find_growing(const CgroupView *view, const CounterKind *kind, const NamedMatch *wanted, Finding *finding) {
        const char *unit = view->expectation->unit;
        CounterRange range;
        int r;

        r = counter_range(view->facts, view->window, unit, kind, &wanted->match, &view->lookup, &range);
        if (r < 0)
                return r;
        if (range.n_low == SIZE_MAX)
                return view->window->is_closed
                                       ? find(finding, REASON_UNREADABLE, "%s could not be read", wanted->name)
                                       : 0;
        r = see_range(finding, wanted->name, &range);
        if (r < 0)
                return r;
        if (range.reached) {
                finding->reason = REASON_HELD;
                finding->at_usec = range.reached->at_usec;
                finding->reading = range.reached;
                r = check_quota(view, kind, false, finding);
                return r < 0 ? r : check_reached(view, kind, finding);
        }
        /* It went too far already, and never goes back. */
        if (count_matches(&wanted->match, range.n_low, SIZE_MAX, &view->lookup) == CERTAINLY_NOT)
                return find(finding, REASON_WRONG_VALUE, "it did not hold");
        return view->window->is_closed ? find_closed(view, kind, &wanted->match, &range, finding) : 0;
}

static int find_load(const CgroupView *view, const CounterKind *kind, const NamedMatch *wanted, Finding *finding) {
        CounterRange range;
        uint64_t usec;
        int r;

        if (!view->window->is_closed)
                return 0;
        counter_load(view->facts, view->window, view->expectation->unit, &range, &usec);
        if (usec == 0)
                return find(finding, REASON_UNREADABLE, "cpu.usage could not be read twice");
        r = see_range(finding, wanted->name, &range);
        if (r < 0)
                return r;
        if (usec < LOAD_MIN_USEC)
                return find(finding, REASON_UNREADABLE, "it was measured for less than 1s");
        return find_closed(view, kind, &wanted->match, &range, finding);
}

/* ---- counters that go up and down, and raw files ---- */

static bool read_gauge(const Entry *reading, bool is_raw, Text *ret_text) {
        const char *text = entry_get(reading, "text");
        char buffer[COUNTER_TEXT_MAX];
        double number;

        if (!is_raw && counter_number(reading, &number)) {
                text_append(ret_text, counter_text(number, buffer));
                return true;
        }
        if (entry_get_number(reading, "errno", 0) != 0 || !text || (!is_raw && strcmp(text, "") != 0))
                return false;
        text_append_bytes(ret_text, text, length_without_newlines(text, strlen(text)));
        return true;
}

static int see_gauge(Finding *finding, const char *name, const Text *text, const Entry *reading) {
        CLEANUP_TEXT Text seen = TEXT_INIT;

        text_printf(&seen, "%s was ", name);
        append_quoted(&seen, text_get(text), text->n_bytes, QUOTED_MAX);
        free(finding->seen);
        finding->seen = text_take(&seen);
        finding->reading = reading;
        finding->at_usec = reading->at_usec;
        return finding->seen ? 0 : -ENOMEM;
}

static int find_gauge(const CgroupView *view, const CounterKind *kind, const NamedMatch *wanted, Finding *finding) {
        const Timeline *timeline = view->facts->timeline;
        bool is_raw = strncmp(wanted->name, "file:", 5) == 0;
        /* Without `within` it is asked how it is now. */
        size_t begin = view->window->deadline_usec == USEC_INFINITY ? view->window->begin_index : anchor_end(view);
        int64_t error = 0;
        size_t n_unread = 0;

        for (const Entry *entry = timeline_next(timeline, begin, ENTRY_COUNTER, view->expectation->unit);
                        entry && entry->index < view->window->end_index;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_COUNTER, view->expectation->unit)) {
                CLEANUP_TEXT Text text = TEXT_INIT;
                bool is_match;
                int r;

                if (!is_reading(entry, view->expectation->unit, wanted->name))
                        continue;
                if (!read_gauge(entry, is_raw, &text)) {
                        error = entry_get_number(entry, "errno", 0);
                        /* Before the unit was there for the first time, there was nothing to be read. */
                        n_unread += finding->seen != NULL;
                        continue;
                }
                is_match = match_text(&wanted->match, text_get(&text), text.n_bytes, &view->lookup);
                r = see_gauge(finding, wanted->name, &text, entry);
                if (r < 0)
                        return r;
                if (is_always(view) && !is_match)
                        return find(finding, REASON_FORBIDDEN_SEEN, "it did not hold");
                if (!is_always(view) && is_match && entry->at_usec <= view->window->deadline_usec) {
                        finding->reason = REASON_HELD;
                        return check_quota(view, kind, false, finding);
                }
        }
        if (!view->window->is_closed)
                return 0;
        if (!finding->seen)
                return find(finding, REASON_UNREADABLE, "%s could not be read%s%s", wanted->name, error ? ": " : "",
                                error ? strerror((int) error) : "");
        if (!is_always(view))
                return find(finding, REASON_WRONG_VALUE, "it did not hold");
        if (n_unread > 0)
                return find(finding, REASON_UNREADABLE,
                                "nothing was seen against it, but %s could not be read %zu times: %s", wanted->name,
                                n_unread, strerror((int) error));
        finding->reason = REASON_HELD;
        return 0;
}

/* ---- all of them ---- */

static int find_one(const CgroupView *view, const NamedMatch *wanted, Finding *finding) {
        const CounterKind *kind = counter_kind(wanted->name);

        if (!kind)
                return 0;
        switch (kind->nature) {
        case COUNTER_COUNT:
        case COUNTER_PEAK:
                return find_growing(view, kind, wanted, finding);
        case COUNTER_LOAD:
                return find_load(view, kind, wanted, finding);
        case COUNTER_GAUGE:
                break;
        }
        return find_gauge(view, kind, wanted, finding);
}

/* What decides: a failure, else what nobody knows, else what is open. */
static unsigned weight(const Finding *finding) {
        switch (reason_outcome(finding->reason)) {
        case OUTCOME_FAIL:
                return 3;
        case OUTCOME_INCONCLUSIVE:
                return 2;
        case OUTCOME_PENDING:
                return 1;
        default:
                return 0;
        }
}

static int decide(const CgroupView *view, const Finding *findings, size_t n_findings, Verdict *verdict) {
        const Finding *worst = findings;
        CLEANUP_TEXT Text seen = TEXT_INIT;
        char moment[WINDOW_MOMENT_MAX];
        int r;

        FOREACH_ARRAY (finding, findings, n_findings) {
                if (finding->seen)
                        text_printf(&seen, "%s%s", seen.n_bytes > 0 ? ", " : "", finding->seen);
                r = verdict_rest_on(verdict, finding->reading ? finding->reading->index : SIZE_MAX);
                if (r < 0)
                        return r;
                if (weight(finding) > weight(worst) ||
                                (weight(finding) == weight(worst) && finding->at_usec > worst->at_usec))
                        worst = finding;
        }
        if (worst->reason == REASON_NONE)
                return 0;
        free(verdict->seen);
        verdict->seen = seen.n_bytes > 0 ? text_take(&seen) : NULL;
        verdict->at_usec = worst->at_usec;
        if (worst->reason != REASON_HELD)
                return verdict_decide(verdict, worst->reason, "%s", worst->sentence ?: "it did not hold");
        /* What is read once the window is over was never in danger of coming too late. */
        verdict->margin_usec = worst->at_usec >= view->window->deadline_usec
                                               ? USEC_INFINITY
                                               : window_margin(view->window, worst->at_usec);
        return verdict_decide(verdict, REASON_HELD, "it held %s",
                        window_moment(view->facts, view->window, worst->at_usec, moment));
}

static int evaluate_cgroup(const Expectation *expectation, const Case *facts, const Window *window,
                Verdict *ret_verdict, Error *reterr) {
        const Value *counters = expectation_value(expectation, "counters");
        CgroupView view = {
                .expectation = expectation,
                .facts = facts,
                .window = window,
                .scope = { .facts = facts, .before = SIZE_MAX },
        };
        CLEANUP_FREE Finding *findings = calloc(counters->n_matches, sizeof(Finding));
        int r = 0;

        if (!findings)
                return -ENOMEM;
        view.lookup = capture_lookup(&view.scope);
        for (size_t i = 0; r >= 0 && i < counters->n_matches; i++)
                r = find_one(&view, &counters->matches[i], &findings[i]);
        if (r >= 0)
                r = decide(&view, findings, counters->n_matches, ret_verdict);
        for (size_t i = 0; i < counters->n_matches; i++)
                finding_done(&findings[i]);
        return r;
}

static char *describe_cgroup(const Expectation *expectation, const Case *facts) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_printf(&text, "cgroup of %s: ", expectation->unit);
        describe_matches(&text, expectation, facts, "");
        return text_take(&text);
}

static const KeySpec cgroup_keys[] = {
        [CGROUP_COUNTERS] = { .name = "counters",
                        .type = VALUE_MATCH_MAP,
                        .is_required = true,
                        .doc = "Counters by their portable names, or `\"file:NAME\"` for the text of the raw file "
                               "NAME. "
                               "How often, in the window: `memory.oom-kills`, `memory.high-hits` (v2 only), "
                               "`pids.denied`, `cpu.throttled`, `cpu.periods`, `cpu.usage` (microseconds). The most "
                               "since the cgroup is there: `memory.peak`, `pids.peak`. Percent of one processor, "
                               "over "
                               "more than 1 s of the window: `cpu.load`. As it is: `memory.current`, `memory.max`, "
                               "`memory.high`, `pids.current`, `pids.max`, `cpu.max` (percent), `populated`, "
                               "`procs`." },
};

static void check_cgroup(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        check_counters(&values[CGROUP_COUNTERS], diagnostics);
}

const ExpectKind cgroup_expectation = {
        .spec = {
                .name = "cgroup",
                .doc = "Counters of the unit's cgroup. What only tells of a limit (kills, denials, throttling, load) is "
                       "inconclusive where that limit is not in force or was not reached. Where a restart has taken a "
                       "cgroup away, what was read of it is \"at least\".",
                .example = "cgroup: { pids.denied: \">= 1\", cpu.load: <= 55% }",
                .keys = cgroup_keys,
                .n_keys = N_CGROUP_KEYS,
                .shorthand = CGROUP_COUNTERS,
                .takes_unit = true,
                .check = check_cgroup,
                .check_in = check_counters_in,
        },
        .question = QUESTION_COUNTERS,
        .channels = CHANNEL_BUS,
        .evaluate = evaluate_cgroup,
        .describe = describe_cgroup,
};
