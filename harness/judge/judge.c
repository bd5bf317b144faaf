/* SPDX-License-Identifier: MIT */
#include "judge/judge.h"

#include <string.h>

#include "base/quantity.h"
#include "judge/deaths.h"
#include "judge/level.h"
#include "judge/window.h"

/* Id, mark and what was expected: the same for every kind. */
static int describe(const Expectation *expectation, const Case *facts, Verdict *verdict) {
        free(verdict->id);
        verdict->id = strdup(expectation->id);
        verdict->mark = expectation->mark;
        if (!verdict->id)
                return -ENOMEM;
        if (!verdict->expected && expect_kind(expectation)->describe)
                verdict->expected = expect_kind(expectation)->describe(expectation, facts);
        return expect_kind(expectation)->describe && !verdict->expected ? -ENOMEM : 0;
}

static int judge_expectation(const Expectation *expectation, const Case *facts, const Window *window,
                Verdict *verdict, Error *reterr) {
        const ExpectKind *kind = expect_kind(expectation);
        int r = kind->examine ? level_judge(expectation, facts, window, verdict, reterr)
                              : kind->evaluate(expectation, facts, window, verdict, reterr);

        return r < 0 ? r : describe(expectation, facts, verdict);
}

int judge_step(const Case *facts, const Step *step, size_t begin_index, Judgement *ret_judgement, Error *reterr) {
        Window window;

        window_of_step(facts, step, begin_index, &window);
        FOREACH_ARRAY (expectation, step->expectations, step->n_expectations) {
                CLEANUP(verdict_done) Verdict verdict = { 0 };
                int r = judge_expectation(expectation, facts, &window, &verdict, reterr);

                if (r >= 0)
                        r = judgement_take(ret_judgement, &verdict);
                if (r < 0)
                        return r;
        }
        return 0;
}

unsigned judge_step_channels(const Step *step) {
        unsigned channels = 0;

        FOREACH_ARRAY (expectation, step->expectations, step->n_expectations)
                channels |= expect_kind(expectation)->channels;
        return channels;
}

/* An event was asked for, and it must not happen: the other way round, except where nobody knows. */
static int turn_round(const Window *window, Verdict *verdict) {
        CLEANUP_FREE char *sentence = verdict->sentence;

        verdict->sentence = NULL;
        if (verdict->outcome == OUTCOME_PASS) {
                verdict->margin_usec = 0;
                return verdict_decide(verdict, REASON_FORBIDDEN_SEEN, "what must never happen did: %s",
                                sentence ? sentence : "it was seen");
        }
        if (verdict->outcome == OUTCOME_FAIL && window->is_closed) {
                verdict->margin_usec = USEC_INFINITY;
                return verdict_decide(verdict, REASON_HELD, "it did not happen");
        }
        if (verdict->outcome == OUTCOME_FAIL) {
                /* Not so far. */
                verdict_done(verdict);
                return 0;
        }
        verdict->sentence = TAKE_PTR(sentence);
        return 0;
}

static int judge_never(const Expectation *expectation, const Case *facts, const Window *window, Verdict *verdict,
                Error *reterr) {
        const ExpectKind *kind = expect_kind(expectation);
        int r;

        if (kind->examine)
                return level_judge_invariant(expectation, facts, window, TRUTH_TRUE, verdict, reterr);
        r = kind->evaluate(expectation, facts, window, verdict, reterr);
        return r < 0 ? r : turn_round(window, verdict);
}

static int judge_always(const Expectation *expectation, const Case *facts, const Window *window, Verdict *verdict,
                Error *reterr) {
        const ExpectKind *kind = expect_kind(expectation);

        if (kind->examine)
                return level_judge_invariant(expectation, facts, window, TRUTH_FALSE, verdict, reterr);
        return kind->evaluate(expectation, facts, window, verdict, reterr);
}

typedef int (*JudgeInvariant)(const Expectation *, const Case *, const Window *, Verdict *, Error *);

static int judge_invariant_list(const Case *facts, const Expectation *expectations, size_t n_expectations,
                JudgeInvariant judge, Judgement *judgement, Error *reterr) {
        Window window;

        window_of_scenario(facts, &window);
        FOREACH_ARRAY (expectation, expectations, n_expectations) {
                CLEANUP(verdict_done) Verdict verdict = { 0 };
                int r = judge(expectation, facts, &window, &verdict, reterr);

                if (r >= 0)
                        r = describe(expectation, facts, &verdict);
                if (r >= 0)
                        r = judgement_take(judgement, &verdict);
                if (r < 0)
                        return r;
        }
        return 0;
}

int judge_invariants(const Case *facts, Judgement *ret_judgement, Error *reterr) {
        const Scenario *scenario = facts->scenario;
        int r;

        r = judge_invariant_list(facts, scenario->always, scenario->n_always, judge_always, ret_judgement, reterr);
        if (r >= 0)
                r = judge_invariant_list(
                                facts, scenario->never, scenario->n_never, judge_never, ret_judgement, reterr);
        if (r < 0)
                return r;
        /* One that is broken stays broken, whatever becomes of those that are still open. */
        FOREACH_ARRAY (verdict, ret_judgement->verdicts, ret_judgement->n_verdicts)
                if (verdict->outcome == OUTCOME_FAIL)
                        ret_judgement->outcome = OUTCOME_FAIL;
        return 0;
}
