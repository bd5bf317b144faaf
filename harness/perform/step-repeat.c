/* SPDX-License-Identifier: MIT */

/* repeat: the same steps several times. The player does the counting. */

#include "base/quantity.h"
#include "perform/player.h"
#include "perform/step-kinds.h"
#include "scenario/diagnostic.h"

enum { REPEAT_TIMES, REPEAT_STEPS, N_REPEAT_KEYS };

static int begin_repeat(const Step *step, Run *run, StepProgress *ret_progress, Error *reterr) {
        const Value *steps = step_value(step, "steps");

        *ret_progress = STEP_FINISHED;
        return player_push(run->player, steps->steps, steps->n_steps, step_value(step, "times")->integer);
}

static void check_repeat(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *times = &values[REPEAT_TIMES];

        if (times->is_set && times->integer == 0)
                diagnostic_add(diagnostics, times->mark, 0, "`times: 0` plays nothing; leave the step out instead");
}

static const KeySpec repeat_keys[] = {
        [REPEAT_TIMES] = { .name = "times", .type = VALUE_INTEGER, .is_required = true, .doc = "How often." },
        [REPEAT_STEPS] = { .name = "steps", .type = VALUE_STEPS, .is_required = true, .doc = "What to play." },
};

const StepKind repeat_step = {
        .spec = {
                .name = "repeat",
                .doc = "Play steps several times. Each expectation is judged at each of its executions.",
                .example = "repeat: { times: 3, steps: [ { start: agent.service }, { stop: agent.service } ] }",
                .keys = repeat_keys,
                .n_keys = N_REPEAT_KEYS,
                .shorthand = -1,
                .check = check_repeat,
        },
        .is_shareable = true,
        .default_within_usec = USEC_INFINITY,
        .begin = begin_repeat,
};
