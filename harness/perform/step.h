/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Kinds of steps. One row (StepKind) a kind, each in its own file perform/step-*.c; the table is in perform/step.c.
 *
 * A step is a small state machine driven by the loop: `begin` acts and says whether it has to wait; `observe` is
 * called for every new entry while it waits. It never waits by itself; its deadline is the loop's.
 */

#include "base/error.h"
#include "scenario/scenario.h"
#include "timeline/entry.h"

typedef struct Run Run; /* perform/run.h */

typedef enum StepProgress {
        STEP_FINISHED,
        STEP_WAITING,
} StepProgress;

typedef struct StepKind {
        KindSpec spec;                /* first: a Step's kind points here */
        uint64_t default_within_usec; /* deadline where the step gives none */
        bool is_shareable;            /* what it does can be undone where the stage is the machine itself */
        bool is_undone_by_reload;     /* undoing it has the manager read all its files again */
        bool is_signal;               /* the unit's processes may be doing something of it when it is over */
        int (*begin)(const Step *step, Run *run, StepProgress *ret_progress, Error *reterr);
        int (*observe)(const Step *step, Run *run, const Entry *entry, StepProgress *ret_progress, Error *reterr);
} StepKind;

/* The kinds that exist, for the parser. */
const KindSpec *const *step_kinds(size_t *ret_n_kinds);
/* Words of the language that have no kind yet; NULL-terminated. */
const char *const *step_unbuilt(void);

/* -EPERM, with the step's place, where @scenario has a step that is not for a stage on the machine itself. */
int steps_check_shared(const Scenario *scenario, const char *stage_name, Error *reterr);

/* Has @scenario a step that is undone by a reload? */
bool steps_need_reload(const Scenario *scenario);
/* Does a step of @scenario send a signal to @unit? */
bool steps_signal(const Scenario *scenario, const char *unit);

static inline const StepKind *step_kind(const Step *step) {
        return (const StepKind *) step->kind;
}
