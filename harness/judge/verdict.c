/* SPDX-License-Identifier: MIT */
#include "judge/verdict.h"

#include <stdarg.h>
#include <string.h>

#define N_NEAR_MISSES_MAX 5

static const char *const outcome_names[] = {
        [OUTCOME_PENDING] = "pending",
        [OUTCOME_PASS] = "pass",
        [OUTCOME_SKIP] = "skip",
        [OUTCOME_INCONCLUSIVE] = "inconclusive",
        [OUTCOME_ERROR] = "error",
        [OUTCOME_FAIL] = "fail",
};

static const struct {
        const char *name;
        Outcome outcome;
} reasons[N_REASONS] = {
        [REASON_NONE] = { "none", OUTCOME_PENDING },
        [REASON_HELD] = { "held", OUTCOME_PASS },
        [REASON_NOT_OBSERVED] = { "not-observed", OUTCOME_FAIL },
        [REASON_WRONG_VALUE] = { "wrong-value", OUTCOME_FAIL },
        [REASON_TOO_LATE] = { "too-late", OUTCOME_FAIL },
        [REASON_TOO_EARLY] = { "too-early", OUTCOME_FAIL },
        [REASON_NOT_KEPT] = { "not-kept", OUTCOME_FAIL },
        [REASON_FORBIDDEN_SEEN] = { "forbidden-seen", OUTCOME_FAIL },
        [REASON_UNEXPLAINED_DEATH] = { "unexplained-death", OUTCOME_FAIL },
        [REASON_NOT_CLEAN] = { "not-clean", OUTCOME_FAIL },
        [REASON_LEFT_BEHIND] = { "left-behind", OUTCOME_FAIL },
        [REASON_JOB_FAILED] = { "job-failed", OUTCOME_FAIL },
        [REASON_STEP_DEADLINE] = { "step-deadline", OUTCOME_FAIL },
        [REASON_COMMAND_FAILED] = { "command-failed", OUTCOME_FAIL },
        [REASON_NO_MAIN_PROCESS] = { "no-main-process", OUTCOME_FAIL },
        [REASON_UNIT_REFUSED] = { "unit-refused", OUTCOME_ERROR },
        [REASON_STEP_BROKEN] = { "step-broken", OUTCOME_ERROR },
        [REASON_STREAM_CUT] = { "stream-cut", OUTCOME_ERROR },
        [REASON_STAGE] = { "stage", OUTCOME_ERROR },
        [REASON_INTERRUPTED] = { "interrupted", OUTCOME_ERROR },
        [REASON_TIMEOUT] = { "timeout", OUTCOME_ERROR },
        [REASON_LATE_STAMP] = { "late-stamp", OUTCOME_INCONCLUSIVE },
        [REASON_CHANNEL_LOST] = { "channel-lost", OUTCOME_INCONCLUSIVE },
        [REASON_NO_EXIT_STAMP] = { "no-exit-stamp", OUTCOME_INCONCLUSIVE },
        [REASON_UNREADABLE] = { "unreadable", OUTCOME_INCONCLUSIVE },
        [REASON_NOT_RECORDED] = { "not-recorded", OUTCOME_INCONCLUSIVE },
        [REASON_LIMIT_NOT_IN_FORCE] = { "limit-not-in-force", OUTCOME_INCONCLUSIVE },
        [REASON_LOAD_TOO_LOW] = { "load-too-low", OUTCOME_INCONCLUSIVE },
        [REASON_REQUIREMENT] = { "requirement", OUTCOME_SKIP },
        [REASON_NOT_REACHED] = { "not-reached", OUTCOME_SKIP },
        [REASON_NOT_RUN] = { "not-run", OUTCOME_SKIP },
};

void verdict_done(Verdict *verdict) {
        if (!verdict)
                return;
        free(verdict->id);
        free(verdict->sentence);
        free(verdict->expected);
        free(verdict->seen);
        for (size_t i = 0; i < verdict->n_near_misses; i++)
                free(verdict->near_misses[i]);
        free(verdict->near_misses);
        free(verdict->evidence);
        *verdict = (Verdict){ 0 };
}

void judgement_done(Judgement *judgement) {
        if (!judgement)
                return;
        FOREACH_ARRAY (verdict, judgement->verdicts, judgement->n_verdicts)
                verdict_done(verdict);
        free(judgement->verdicts);
        *judgement = JUDGEMENT_INIT;
}

const char *outcome_name(Outcome outcome) {
        assert(outcome < ELEMENTS_OF(outcome_names));
        return outcome_names[outcome];
}

const char *reason_name(Reason reason) {
        assert(reason < N_REASONS);
        return reasons[reason].name;
}

int outcome_from_name(const char *name) {
        for (size_t i = 0; i < ELEMENTS_OF(outcome_names); i++)
                if (strcmp(outcome_names[i], name) == 0)
                        return (int) i;
        return -EINVAL;
}

int reason_from_name(const char *name) {
        for (size_t i = 0; i < N_REASONS; i++)
                if (strcmp(reasons[i].name, name) == 0)
                        return (int) i;
        return -EINVAL;
}

Outcome reason_outcome(Reason reason) {
        assert(reason < N_REASONS);
        return reasons[reason].outcome;
}

bool reason_ends(Reason reason) {
        return reason_outcome(reason) >= OUTCOME_ERROR || reason == REASON_LIMIT_NOT_IN_FORCE ||
               reason == REASON_LOAD_TOO_LOW;
}

static unsigned outcome_weight(Outcome outcome) {
        static const unsigned weights[] = {
                [OUTCOME_SKIP] = 0,
                [OUTCOME_PASS] = 1,
                [OUTCOME_INCONCLUSIVE] = 2,
                [OUTCOME_ERROR] = 3,
                [OUTCOME_FAIL] = 4,
                [OUTCOME_PENDING] = 5, /* what is not decided cannot be outweighed */
        };

        assert(outcome < ELEMENTS_OF(weights));
        return weights[outcome];
}

Outcome outcome_worse(Outcome a, Outcome b) {
        return outcome_weight(a) >= outcome_weight(b) ? a : b;
}

int verdict_decide(Verdict *verdict, Reason reason, const char *format, ...) {
        char *sentence = NULL;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&sentence, format, arguments);
        va_end(arguments);
        if (n < 0)
                return -ENOMEM;

        free(verdict->sentence);
        verdict->sentence = sentence;
        verdict->reason = reason;
        verdict->outcome = reason_outcome(reason);
        return 0;
}

int verdict_rest_on(Verdict *verdict, size_t index) {
        size_t *evidence;

        if (index == SIZE_MAX)
                return 0;
        for (size_t i = 0; i < verdict->n_evidence; i++)
                if (verdict->evidence[i] == index)
                        return 0;

        evidence = reallocarray(verdict->evidence, verdict->n_evidence + 1, sizeof(size_t));
        if (!evidence)
                return -ENOMEM;
        verdict->evidence = evidence;
        evidence[verdict->n_evidence++] = index;
        return 0;
}

int verdict_add_near_miss(Verdict *verdict, const char *near_miss) {
        char **near_misses, *copy;

        if (verdict->n_near_misses == N_NEAR_MISSES_MAX)
                return 0;
        near_misses = reallocarray(verdict->near_misses, verdict->n_near_misses + 1, sizeof(char *));
        if (!near_misses)
                return -ENOMEM;
        verdict->near_misses = near_misses;
        copy = strdup(near_miss);
        if (!copy)
                return -ENOMEM;
        near_misses[verdict->n_near_misses++] = copy;
        return 0;
}

int judgement_take(Judgement *judgement, Verdict *verdict) {
        Verdict *verdicts = reallocarray(judgement->verdicts, judgement->n_verdicts + 1, sizeof(Verdict));

        if (!verdicts) {
                verdict_done(verdict);
                return -ENOMEM;
        }
        judgement->verdicts = verdicts;
        judgement->outcome = judgement->n_verdicts == 0 ? verdict->outcome
                                                        : outcome_worse(judgement->outcome, verdict->outcome);
        verdicts[judgement->n_verdicts++] = *verdict;
        *verdict = (Verdict){ 0 };
        return 0;
}

const Verdict *judgement_worst(const Judgement *judgement) {
        const Verdict *worst = NULL;

        FOREACH_ARRAY (verdict, judgement->verdicts, judgement->n_verdicts)
                if (!worst || outcome_weight(verdict->outcome) > outcome_weight(worst->outcome))
                        worst = verdict;
        return worst;
}
