/* SPDX-License-Identifier: MIT */

/* The final judgement: every step as it was executed, invariants, deaths, and how the scenario ended. */

#include <string.h>

#include "base/quantity.h"
#include "judge/deaths.h"
#include "judge/judge.h"
#include "judge/window.h"

typedef struct Review {
        const Case *facts;
        const Entry *end; /* ENTRY_SCENARIO_END; NULL: the recording was cut */
        const Step **begun;
        size_t n_begun;
        Judgement *judgement;
} Review;

static void review_done(Review *review) {
        free(review->begun);
}

static const Step *find_step(const Step *steps, size_t n_steps, const char *id) {
        FOREACH_ARRAY (step, steps, n_steps) {
                if (strcmp(step->id, id) == 0)
                        return step;
                for (size_t key = 0; step->kind && key < step->kind->n_keys; key++) {
                        const Step *found = find_step(step->values[key].steps, step->values[key].n_steps, id);

                        if (found)
                                return found;
                }
        }
        return NULL;
}

static bool review_has_begun(const Review *review, const Step *step) {
        for (size_t i = 0; i < review->n_begun; i++)
                if (review->begun[i] == step)
                        return true;
        return false;
}

static int review_note_begun(Review *review, const Step *step) {
        const Step **begun;

        if (review_has_begun(review, step))
                return 0;
        begun = reallocarray(review->begun, review->n_begun + 1, sizeof(*begun));
        if (!begun)
                return -ENOMEM;
        review->begun = begun;
        begun[review->n_begun++] = step;
        return 0;
}

static int take_plain(
                Judgement *judgement, const char *id, Mark mark, size_t index, Reason reason, const char *sentence) {
        CLEANUP(verdict_done) Verdict verdict = { .id = strdup(id), .mark = mark };
        int r;

        if (!verdict.id)
                return -ENOMEM;
        r = verdict_decide(&verdict, reason, "%s", sentence);
        if (r >= 0)
                r = verdict_rest_on(&verdict, index);
        return r < 0 ? r : judgement_take(judgement, &verdict);
}

/* The same for all that the step would have been judged by. */
static int take_for_step(Judgement *judgement, const Step *step, size_t index, Reason reason, const char *sentence) {
        if (step->kind)
                return take_plain(judgement, step->id, step->mark, index, reason, sentence);
        FOREACH_ARRAY (expectation, step->expectations, step->n_expectations) {
                int r = take_plain(judgement, expectation->id, expectation->mark, index, reason, sentence);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Is what was recorded the step that the (perhaps edited) scenario has under this id? */
static bool is_recorded_step(const Step *step, const Entry *begin) {
        if (!entry_has(begin, "kind", step->kind ? step->kind->name : "expect"))
                return false;
        /* Expectations may be edited and judged anew. What was done may not. */
        return !step->kind || entry_has(begin, "quote", step->quote ? step->quote : "");
}

/* Nothing more will come for a window that is still open: why, depends on how the step ended. */
static int settle(Verdict *verdict, const StepRun *step_run) {
        if (verdict->outcome != OUTCOME_PENDING)
                return 0;
        if (step_run->end_index == SIZE_MAX)
                return verdict_decide(verdict, REASON_NOT_REACHED, "the scenario ended while this was awaited");
        return verdict_decide(verdict, REASON_NOT_RECORDED, "the recording does not reach the end of this window");
}

static int review_expectations(Review *review, const Step *step, const StepRun *step_run, Error *reterr) {
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;
        int r;

        r = judge_step(review->facts, step, step_run->begin->index, &judgement, reterr);
        if (r < 0)
                return r;
        FOREACH_ARRAY (verdict, judgement.verdicts, judgement.n_verdicts) {
                r = settle(verdict, step_run);
                if (r >= 0)
                        r = judgement_take(review->judgement, verdict);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* How often the steps of a `repeat` were played, until it came round again itself. */
static uint64_t count_rounds(const Timeline *timeline, const Entry *begin, const Step *first) {
        uint64_t n_rounds = 0;

        for (const Entry *next = timeline_next(timeline, begin->index + 1, ENTRY_STEP_BEGIN, NULL);
                        next && !entry_has(next, "step", entry_get(begin, "step"));
                        next = timeline_next(timeline, next->index + 1, ENTRY_STEP_BEGIN, NULL))
                if (entry_has(next, "step", first->id))
                        n_rounds++;
        return n_rounds;
}

/* Does an edited scenario ask for more rounds than were played? A recording that was stopped says so itself. */
static bool lacks_rounds(const Review *review, const Step *step, const Entry *begin) {
        const Value *times = NULL, *steps = NULL;

        for (size_t key = 0; key < step->kind->n_keys; key++) {
                if (strcmp(step->kind->keys[key].name, "times") == 0)
                        times = &step->values[key];
                if (step->kind->keys[key].type == VALUE_STEPS)
                        steps = &step->values[key];
        }
        return times && steps && steps->n_steps > 0 && review->end && entry_has(review->end, "how", "done") &&
               count_rounds(review->facts->timeline, begin, steps->steps) < times->integer;
}

static int review_action(Review *review, const Step *step, const StepRun *step_run, Error *reterr) {
        CLEANUP(verdict_done) Verdict verdict = { 0 };
        int r;

        if (step_run->end_index == SIZE_MAX)
                return take_for_step(review->judgement, step, step_run->begin->index, REASON_NOT_REACHED,
                                "the scenario ended while this step was under way");
        if (lacks_rounds(review, step, step_run->begin))
                return take_for_step(review->judgement, step, step_run->begin->index, REASON_NOT_RECORDED,
                                "fewer rounds were recorded than are asked for");
        r = judge_action(review->facts, step, step_run->begin->index,
                        step_run->deadline_index != SIZE_MAX ? "deadline" : "done", &verdict, reterr);
        return r < 0 ? r : judgement_take(review->judgement, &verdict);
}

static int review_step(Review *review, const Step *step, const Entry *begin, Error *reterr) {
        const Entry *end;
        StepRun step_run;

        if (!is_recorded_step(step, begin))
                return take_for_step(review->judgement, step, begin->index, REASON_NOT_RECORDED,
                                "another step was recorded in this place");
        step_run_find(review->facts->timeline, begin->index, &step_run);
        end = step_run.end_index != SIZE_MAX ? timeline_get(review->facts->timeline, step_run.end_index) : NULL;
        if (end && entry_has(end, "how", "broken"))
                return take_plain(review->judgement, step->id, step->mark, end->index, REASON_STEP_BROKEN,
                                entry_get(end, "text") ?: "the harness could not perform the step");
        return step->kind ? review_action(review, step, &step_run, reterr)
                          : review_expectations(review, step, &step_run, reterr);
}

static int review_begun(Review *review, Error *reterr) {
        const Scenario *scenario = review->facts->scenario;
        const Timeline *timeline = review->facts->timeline;

        for (const Entry *begin = timeline_next(timeline, 0, ENTRY_STEP_BEGIN, NULL); begin;
                        begin = timeline_next(timeline, begin->index + 1, ENTRY_STEP_BEGIN, NULL)) {
                const Step *step = find_step(scenario->steps, scenario->n_steps, entry_get(begin, "step") ?: "");
                int r;

                if (!step)
                        continue;
                r = review_note_begun(review, step);
                if (r >= 0)
                        r = review_step(review, step, begin, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Steps that were never begun: behind a failure they are skipped, in a scenario that was played to its end they are
 * new. */
static int review_missing(Review *review, const Step *steps, size_t n_steps) {
        bool is_played = review->end && entry_has(review->end, "how", "done");

        FOREACH_ARRAY (step, steps, n_steps) {
                int r = 0;

                if (!review_has_begun(review, step))
                        r = take_for_step(review->judgement, step, SIZE_MAX,
                                        is_played ? REASON_NOT_RECORDED : REASON_NOT_REACHED,
                                        is_played ? "this step is not in the recording"
                                                  : "the scenario ended before this step");
                for (size_t key = 0; r >= 0 && step->kind && key < step->kind->n_keys; key++)
                        r = review_missing(review, step->values[key].steps, step->values[key].n_steps);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int review_invariants(Review *review, Error *reterr) {
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;
        int r = judge_invariants(review->facts, &judgement, reterr);

        if (r < 0)
                return r;
        FOREACH_ARRAY (verdict, judgement.verdicts, judgement.n_verdicts) {
                if (verdict->outcome == OUTCOME_PENDING)
                        r = verdict_decide(verdict, REASON_NOT_RECORDED,
                                        "nothing was seen against it, but the recording was not closed");
                if (r >= 0)
                        r = judgement_take(review->judgement, verdict);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Is there a verdict that would have stopped the scenario? */
static bool has_end(const Judgement *judgement) {
        FOREACH_ARRAY (verdict, judgement->verdicts, judgement->n_verdicts)
                if (reason_ends(verdict->reason))
                        return true;
        return false;
}

/* How the scenario ended, where that is worth a verdict of its own. */
static int review_end(Review *review) {
        static const struct {
                const char *how;
                Reason reason;
                const char *sentence;
        } ends[] = {
                { "interrupted", REASON_INTERRUPTED, "the scenario was interrupted" },
                { "timeout", REASON_TIMEOUT, "the scenario took longer than its timeout" },
                { "broken", REASON_STEP_BROKEN, "the harness could not go on" },
        };
        Mark nowhere = { 0 };

        if (!review->end)
                return take_plain(review->judgement, "scenario", nowhere, SIZE_MAX, REASON_STREAM_CUT,
                                "the recording ends in the middle: the performer died");
        FOREACH_ARRAY (end, ends, ELEMENTS_OF(ends))
                if (entry_has(review->end, "how", end->how))
                        return take_plain(review->judgement, "scenario", nowhere, review->end->index, end->reason,
                                        entry_get(review->end, "text") ?: end->sentence);
        /* It was stopped by a failure that is none any more: an edited scenario, whose other steps were not played.
         */
        if (entry_has(review->end, "how", "stopped") && !has_end(review->judgement))
                return take_plain(review->judgement, "scenario", nowhere, review->end->index, REASON_NOT_RECORDED,
                                "the scenario was stopped for a failure that this judgement does not find");
        return 0;
}

int judge_scenario(const Case *facts, Judgement *ret_judgement, Error *reterr) {
        CLEANUP(review_done)
        Review review = {
                .facts = facts,
                .end = timeline_next(facts->timeline, 0, ENTRY_SCENARIO_END, NULL),
                .judgement = ret_judgement,
        };
        int r;

        r = review_begun(&review, reterr);
        if (r >= 0)
                r = review_missing(&review, facts->scenario->steps, facts->scenario->n_steps);
        if (r >= 0)
                r = review_invariants(&review, reterr);
        if (r >= 0)
                r = judge_deaths(facts, ret_judgement, reterr);
        if (r >= 0)
                r = review_end(&review);
        return r;
}
