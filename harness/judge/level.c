/* SPDX-License-Identifier: MIT */
#include "judge/level.h"

#include <stdarg.h>
#include <string.h>

#include "base/quantity.h"
#include "judge/window.h"

/* What one entry says about the expectation. */
typedef struct Sighting {
        Truth truth;
        uint64_t lower_usec; /* it was not so for certain before this: the question's moment, or the source's own
                                stamp */
        uint64_t at_usec;    /* upper bound */
        uint64_t asked_usec;
        size_t index;
        char *seen;
} Sighting;

typedef struct Sightings {
        Sighting *items;
        size_t n_items;
} Sightings;

static void sightings_done(Sightings *sightings) {
        FOREACH_ARRAY (sighting, sightings->items, sightings->n_items)
                free(sighting->seen);
        free(sightings->items);
}

static int sightings_take(Sightings *sightings, Sighting sighting) {
        Sighting *items = reallocarray(sightings->items, sightings->n_items + 1, sizeof(Sighting));

        if (!items) {
                free(sighting.seen);
                return -ENOMEM;
        }
        sightings->items = items;
        items[sightings->n_items++] = sighting;
        return 0;
}

static void sightings_forget(Sightings *sightings) {
        FOREACH_ARRAY (sighting, sightings->items, sightings->n_items)
                free(sighting->seen);
        sightings->n_items = 0;
}

static int examine(const Expectation *expectation, const Case *facts, const Entry *entry, Sighting *ret_sighting,
                Error *reterr) {
        CLEANUP(text_done) Text seen = TEXT_INIT;
        Examination examination = { .at_usec = entry->at_usec };
        uint64_t asked_usec = entry_get_usec(entry, "asked", entry->at_usec);
        int r;

        r = expect_kind(expectation)->examine(expectation, facts, entry, &examination, reterr);
        seen = examination.seen;
        if (r < 0)
                return r;

        *ret_sighting = (Sighting){
                .truth = examination.truth,
                .at_usec = examination.at_usec,
                /* A stamp of the source's own is exact as far as PID 1 is prompt; an answer tells of any moment
                   since. */
                .lower_usec = examination.at_usec < entry->at_usec ? examination.at_usec : asked_usec,
                .asked_usec = asked_usec,
                .index = entry->index,
                .seen = text_take(&seen),
        };
        return ret_sighting->seen ? 0 : -ENOMEM;
}

/* When the process that a signal of the anchor step hit was gone; without one, when the signal was out. */
static uint64_t signal_floor(const Timeline *timeline, const Entry *action, size_t before) {
        for (const Entry *gone = timeline_next(timeline, action->index, ENTRY_MAIN_GONE, action->unit);
                        gone && gone->index < before;
                        gone = timeline_next(timeline, gone->index + 1, ENTRY_MAIN_GONE, action->unit))
                if (entry_get_number(gone, "pid", -1) == entry_get_number(action, "pid", 0))
                        return gone->at_usec > action->at_usec ? gone->at_usec : action->at_usec;
        return action->at_usec;
}

/*
 * Answers to questions from before this moment tell of the time before the anchor step did its work: behind `crash`
 * an "active" that was asked for before the kill must not count.
 */
static uint64_t anchor_floor(const Case *facts, const Window *window, size_t anchor_end) {
        uint64_t floor_usec = window->from_usec;

        for (const Entry *action = timeline_next(facts->timeline, window->anchor_index, ENTRY_SIGNAL_ACTION, NULL);
                        action && action->index < anchor_end;
                        action = timeline_next(facts->timeline, action->index + 1, ENTRY_SIGNAL_ACTION, NULL)) {
                uint64_t moment_usec = signal_floor(facts->timeline, action, anchor_end);

                if (moment_usec > floor_usec)
                        floor_usec = moment_usec;
        }
        return floor_usec;
}

/* Where the anchor step ended. A window that is measured from its own step has none. */
static size_t anchor_end_index(const Case *facts, const Window *window) {
        StepRun anchor;

        if (window->anchor_index == window->begin_index)
                return window->anchor_index;
        step_run_find(facts->timeline, window->anchor_index, &anchor);
        return anchor.end_index != SIZE_MAX ? anchor.end_index : anchor.next_index;
}

static size_t window_end(const Case *facts, const Window *window) {
        size_t length = timeline_length(facts->timeline);

        return window->end_index < length ? window->end_index : length;
}

static int sightings_collect(const Expectation *expectation, const Case *facts, const Window *window,
                Sightings *ret_sightings, Error *reterr) {
        size_t anchor_end = anchor_end_index(facts, window);
        uint64_t floor_usec = anchor_floor(facts, window, anchor_end);
        int r;

        for (size_t i = window->anchor_index; i < window_end(facts, window); i++) {
                const Entry *entry = timeline_get(facts->timeline, i);
                Sighting sighting;
                bool is_stamped, is_of_window;

                r = examine(expectation, facts, entry, &sighting, reterr);
                if (r < 0)
                        return r;
                is_stamped = sighting.at_usec < entry->at_usec;
                is_of_window = sighting.asked_usec >= floor_usec || (is_stamped && sighting.at_usec >= floor_usec);
                if (sighting.truth == TRUTH_IRRELEVANT || !is_of_window) {
                        free(sighting.seen);
                        continue;
                }
                /* It was so since before the window, and still is: then it was so at the window's beginning. */
                if (sighting.at_usec < floor_usec)
                        sighting.at_usec = sighting.lower_usec = floor_usec;
                if (i < anchor_end)
                        sightings_forget(ret_sightings);
                r = sightings_take(ret_sightings, sighting);
                if (r < 0)
                        return r;
        }
        return 0;
}

typedef enum Keeping {
        KEEPING_OPEN,
        KEEPING_KEPT,
        KEEPING_BROKEN,
        KEEPING_UNDECIDED,
} Keeping;

/* Did what became true at @truth stay so for the window's `for`? @ret_break: the sighting that says no, or may say
 * so. */
static Keeping sightings_kept(
                const Sightings *sightings, const Sighting *truth, const Window *window, const Sighting **ret_break) {
        uint64_t until_usec = usec_add(truth->at_usec, window->for_usec);
        const Sighting *end = sightings->items + sightings->n_items;

        *ret_break = NULL;
        if (window->for_usec == 0)
                return KEEPING_KEPT;
        for (const Sighting *sighting = truth + 1; sighting < end; sighting++) {
                if (sighting->truth == TRUTH_FALSE && sighting->lower_usec < until_usec) {
                        *ret_break = sighting;
                        return sighting->at_usec <= usec_add(truth->lower_usec, window->for_usec) ? KEEPING_BROKEN
                                                                                                  : KEEPING_UNDECIDED;
                }
                if (sighting->truth != TRUTH_UNKNOWN && sighting->lower_usec >= until_usec)
                        return KEEPING_KEPT;
                if (sighting->truth == TRUTH_TRUE && sighting->asked_usec >= until_usec)
                        return KEEPING_KEPT;
        }
        return KEEPING_OPEN;
}

static const Sighting *find_truth(const Sightings *sightings, uint64_t until_usec) {
        FOREACH_ARRAY (sighting, sightings->items, sightings->n_items)
                if (sighting->truth == TRUTH_TRUE && sighting->at_usec <= until_usec)
                        return sighting;
        return NULL;
}

static const Sighting *find_last(const Sightings *sightings, Truth truth) {
        for (size_t i = sightings->n_items; i > 0; i--)
                if (sightings->items[i - 1].truth == truth)
                        return &sightings->items[i - 1];
        return NULL;
}

static int decide(Verdict *verdict, Reason reason, const Sighting *sighting, const char *format, ...)
                PRINTF_LIKE(4, 5);

static int decide(Verdict *verdict, Reason reason, const Sighting *sighting, const char *format, ...) {
        CLEANUP_FREE char *sentence = NULL;
        va_list arguments;
        int n, r;

        va_start(arguments, format);
        n = vasprintf(&sentence, format, arguments);
        va_end(arguments);
        if (n < 0)
                return -ENOMEM;

        r = verdict_decide(verdict, reason, "%s", sentence);
        if (r < 0 || !sighting)
                return r;
        verdict->at_usec = sighting->at_usec;
        free(verdict->seen);
        verdict->seen = strdup(sighting->seen);
        if (!verdict->seen)
                return -ENOMEM;
        return verdict_rest_on(verdict, sighting->index);
}

static int decide_held(const Case *facts, const Window *window, const Sighting *truth, Verdict *verdict) {
        char moment[WINDOW_MOMENT_MAX], kept[DURATION_TEXT_MAX];

        verdict->margin_usec = window_margin(window, truth->at_usec);
        if (window->for_usec > 0)
                return decide(verdict, REASON_HELD, truth, "it held %s, and for %s from then on",
                                window_moment(facts, window, truth->at_usec, moment),
                                duration_text(window->for_usec, kept));
        return decide(verdict, REASON_HELD, truth, "it held %s",
                        window_moment(facts, window, truth->at_usec, moment));
}

/* `for` has run out without a word against it. Is that enough? */
static int judge_silence(const Expectation *expectation, const Case *facts, const Window *window,
                const Sighting *truth, Verdict *verdict) {
        const ExpectKind *kind = expect_kind(expectation);
        bool is_told_of_changes = kind->question == QUESTION_PROPERTIES || kind->question == QUESTION_NONE;
        uint64_t until_usec = usec_add(truth->at_usec, window->for_usec);
        CLEANUP_TEXT Text why = TEXT_INIT;

        if (!window->is_closed) {
                verdict->at_usec = truth->at_usec;
                return 0;
        }
        if (!is_told_of_changes || window->complete_usec < until_usec)
                return decide(verdict, REASON_NOT_RECORDED, truth,
                                "it held, but it was not looked at again once `for` was over");
        if (!window_is_complete(facts, window, kind->channels, expectation->unit, &why))
                return decide(verdict, REASON_CHANNEL_LOST, truth, "it held, but whether it stayed so is unknown: %s",
                                text_get(&why));
        return decide_held(facts, window, truth, verdict);
}

static int judge_truth(const Expectation *expectation, const Case *facts, const Window *window,
                const Sightings *sightings, const Sighting *truth, Verdict *verdict) {
        CLEANUP_TEXT Text why = TEXT_INIT;
        char moment[WINDOW_MOMENT_MAX], wanted[DURATION_TEXT_MAX];
        const Sighting *broken_by;

        (void) duration_text(window->for_usec, wanted);
        switch (sightings_kept(sightings, truth, window, &broken_by)) {
        case KEEPING_KEPT:
                if (window->for_usec > 0 && window_has_loss(facts, window, expect_kind(expectation)->channels,
                                                            expectation->unit, &why))
                        return decide(verdict, REASON_CHANNEL_LOST, truth,
                                        "it held, but whether it stayed so for %s is unknown: %s", wanted,
                                        text_get(&why));
                return decide_held(facts, window, truth, verdict);
        case KEEPING_BROKEN:
                return decide(verdict, REASON_NOT_KEPT, broken_by, "it held, but no longer %s; it had to for %s",
                                window_moment(facts, window, broken_by->at_usec, moment), wanted);
        case KEEPING_UNDECIDED:
                return decide(verdict, REASON_LATE_STAMP, broken_by,
                                "it held, and no longer %s; whether that was before `for` (%s) was over cannot be "
                                "told",
                                window_moment(facts, window, broken_by->at_usec, moment), wanted);
        case KEEPING_OPEN:
                break;
        }
        return judge_silence(expectation, facts, window, truth, verdict);
}

/* True, but by its stamp only after the deadline: too late where somebody saw it false at the deadline or behind it.
 */
static int judge_late(const Case *facts, const Window *window, const Sightings *sightings, const Sighting *truth,
                Verdict *verdict) {
        char moment[WINDOW_MOMENT_MAX];

        (void) window_moment(facts, window, truth->at_usec, moment);
        for (const Sighting *sighting = sightings->items; sighting < truth; sighting++)
                if (sighting->truth == TRUTH_FALSE && sighting->asked_usec >= window->deadline_usec) {
                        int r = verdict_rest_on(verdict, sighting->index);

                        return r < 0 ? r : decide(verdict, REASON_TOO_LATE, truth, "it held only %s", moment);
                }
        return decide(verdict, REASON_LATE_STAMP, truth,
                        "by its stamp it held only %s, after the deadline, and nothing tells that it did not before",
                        moment);
}

static int judge_absence(const Expectation *expectation, const Case *facts, const Window *window,
                const Sightings *sightings, Verdict *verdict) {
        const Sighting *untrue = find_last(sightings, TRUTH_FALSE), *unknown = find_last(sightings, TRUTH_UNKNOWN);
        CLEANUP_TEXT Text why = TEXT_INIT;

        if (untrue && window->deadline_usec != USEC_INFINITY &&
                        !window_is_complete(
                                        facts, window, expect_kind(expectation)->channels, expectation->unit, &why))
                return decide(verdict, REASON_CHANNEL_LOST, untrue, "it was not seen to hold, but %s",
                                text_get(&why));
        if (untrue)
                return decide(verdict, REASON_WRONG_VALUE, untrue, "it did not hold");
        if (unknown)
                return decide(verdict, REASON_UNREADABLE, unknown, "the question had no answer");
        return decide(verdict, REASON_NOT_RECORDED, NULL, "nothing was recorded that tells whether it held");
}

/* Without a deadline the newest answer to a question of this very step decides, once the step is over. */
static int judge_now(const Expectation *expectation, const Case *facts, const Window *window,
                const Sightings *sightings, Verdict *verdict) {
        uint64_t begin_usec = timeline_get(facts->timeline, window->begin_index)->at_usec;
        const Sighting *newest = sightings->n_items > 0 ? &sightings->items[sightings->n_items - 1] : NULL;

        if (!window->is_closed)
                return 0;
        if (!newest || newest->asked_usec < begin_usec)
                return decide(verdict, REASON_NOT_RECORDED, newest, "nothing was asked in this step");
        if (newest->truth == TRUTH_TRUE)
                return judge_truth(expectation, facts, window, sightings, newest, verdict);
        if (newest->truth == TRUTH_UNKNOWN)
                return decide(verdict, REASON_UNREADABLE, newest, "the question had no answer");
        return decide(verdict, REASON_WRONG_VALUE, newest, "it does not hold");
}

int level_judge(const Expectation *expectation, const Case *facts, const Window *window, Verdict *ret_verdict,
                Error *reterr) {
        CLEANUP(sightings_done) Sightings sightings = { 0 };
        const Sighting *truth;
        int r;

        r = sightings_collect(expectation, facts, window, &sightings, reterr);
        if (r < 0)
                return r;
        if (window->deadline_usec == USEC_INFINITY)
                return judge_now(expectation, facts, window, &sightings, ret_verdict);

        truth = find_truth(&sightings, window->deadline_usec);
        if (truth)
                return judge_truth(expectation, facts, window, &sightings, truth, ret_verdict);
        if (!window->is_closed)
                return 0;
        truth = find_truth(&sightings, USEC_INFINITY);
        return truth ? judge_late(facts, window, &sightings, truth, ret_verdict)
                     : judge_absence(expectation, facts, window, &sightings, ret_verdict);
}

static size_t count_unknown(const Sightings *sightings) {
        size_t n_unknown = 0;

        FOREACH_ARRAY (sighting, sightings->items, sightings->n_items)
                if (sighting->truth == TRUTH_UNKNOWN)
                        n_unknown++;
        return n_unknown;
}

/* Nothing was seen against an invariant. That is enough where every question about it had an answer. */
static int judge_unseen(const Sightings *sightings, Verdict *verdict) {
        size_t n_unknown = count_unknown(sightings);

        if (sightings->n_items == 0)
                return decide(verdict, REASON_NOT_RECORDED, NULL, "nothing was recorded that tells whether it held");
        if (n_unknown > 0)
                return decide(verdict, REASON_UNREADABLE, find_last(sightings, TRUTH_UNKNOWN),
                                "nothing was seen against it, but %zu of %zu questions about it had no answer",
                                n_unknown, sightings->n_items);
        verdict->margin_usec = USEC_INFINITY;
        return decide(verdict, REASON_HELD, NULL, "nothing was seen against it in %zu observations",
                        sightings->n_items);
}

int level_judge_invariant(const Expectation *expectation, const Case *facts, const Window *window, Truth unwanted,
                Verdict *ret_verdict, Error *reterr) {
        CLEANUP(sightings_done) Sightings sightings = { 0 };
        CLEANUP_TEXT Text why = TEXT_INIT;
        char moment[WINDOW_MOMENT_MAX];
        int r;

        r = sightings_collect(expectation, facts, window, &sightings, reterr);
        if (r < 0)
                return r;
        FOREACH_ARRAY (sighting, sightings.items, sightings.n_items)
                if (sighting->truth == unwanted)
                        return decide(ret_verdict, REASON_FORBIDDEN_SEEN, sighting,
                                        unwanted == TRUTH_FALSE ? "it did not hold %s"
                                                                : "what must never be was there %s",
                                        window_moment(facts, window, sighting->at_usec, moment));
        if (!window->is_closed)
                return 0;
        if (!window_is_complete(facts, window, expect_kind(expectation)->channels, expectation->unit, &why))
                return decide(ret_verdict, REASON_CHANNEL_LOST, NULL, "nothing was seen against it, but %s",
                                text_get(&why));
        return judge_unseen(&sightings, ret_verdict);
}
