/* SPDX-License-Identifier: MIT */

/* Steps that ask something of the manager and wait for its end: start, stop, restart; freeze, thaw. */

#include <string.h>

#include "base/quantity.h"
#include "judge/window.h"
#include "perform/player.h"
#include "perform/step-kinds.h"

enum { JOB_NO_BLOCK, N_JOB_KEYS };

/* The kinds are called by the manager's verbs. */
static int begin_job(const Step *step, Run *run, StepProgress *ret_progress, Error *reterr) {
        *ret_progress = STEP_WAITING;
        return bus_watch_job(run->bus, step->unit, step->kind->name, "replace", reterr);
}

static int observe_job(const Step *step, Run *run, const Entry *entry, StepProgress *ret_progress, Error *reterr) {
        const Timeline *timeline = run->observer.timeline;
        const Entry *begin, *action;

        if (entry->kind != ENTRY_JOB_ACTION && entry->kind != ENTRY_JOB_REMOVED)
                return 0;
        begin = timeline_last(timeline, SIZE_MAX, ENTRY_STEP_BEGIN, NULL);
        action = timeline_next(timeline, begin->index, ENTRY_JOB_ACTION, step->unit);
        if (!action)
                return 0;
        /* The signal may come before the reply: the timeline has both orders. */
        if (entry_get(action, "error") || step_value(step, "no-block")->is_true ||
                        job_removed(timeline, action, begin->index, SIZE_MAX))
                *ret_progress = STEP_FINISHED;
        return 0;
}

/* What is no job is done with its answer. */
static int observe_answer(const Step *step, Run *run, const Entry *entry, StepProgress *ret_progress, Error *reterr) {
        if (entry->kind == ENTRY_JOB_ACTION && entry_has(entry, "verb", step->kind->name) && entry->unit &&
                        strcmp(entry->unit, step->unit) == 0)
                *ret_progress = STEP_FINISHED;
        return 0;
}

static const KeySpec job_keys[N_JOB_KEYS] = {
        [JOB_NO_BLOCK] = { .name = "no-block",
                        .type = VALUE_BOOL,
                        .default_text = "no",
                        .doc = "Go on as soon as the job is queued, as `systemctl --no-block` does." },
};

const StepKind start_step = {
        .spec = {
                .name = "start",
                .doc = "Start a unit and wait for the start job's end. A job that ends otherwise than `done` is a "
                       "failure, unless the next step expects something of the job, the exit, a restart or the state.",
                .example = "start: agent.service",
                .keys = job_keys,
                .n_keys = N_JOB_KEYS,
                .shorthand = -1, /* a scalar is the unit */
                .takes_unit = true,
        },
        .is_shareable = true,
        .default_within_usec = 120 * USEC_PER_SEC,
        .begin = begin_job,
        .observe = observe_job,
};

const StepKind stop_step = {
        .spec = {
                .name = "stop",
                .doc = "Stop a unit and wait for the stop job's end.",
                .example = "stop: agent.service",
                .keys = job_keys,
                .n_keys = N_JOB_KEYS,
                .shorthand = -1, /* a scalar is the unit */
                .takes_unit = true,
        },
        .is_shareable = true,
        .default_within_usec = 120 * USEC_PER_SEC,
        .begin = begin_job,
        .observe = observe_job,
};

const StepKind restart_step = {
        .spec = {
                .name = "restart",
                .doc = "Restart a unit and wait for the job's end.",
                .example = "restart: agent.service",
                .keys = job_keys,
                .n_keys = N_JOB_KEYS,
                .shorthand = -1, /* a scalar is the unit */
                .takes_unit = true,
        },
        .is_shareable = true,
        .default_within_usec = 120 * USEC_PER_SEC,
        .begin = begin_job,
        .observe = observe_job,
};

const StepKind freeze_step = {
        .spec = {
                .name = "freeze",
                .doc = "Have the manager freeze all processes of a unit: they are there, and do nothing. On cgroup v1 "
                       "systemd cannot, and says so as an error; `requires: { cgroup: v2 }` makes that a skip.",
                .example = "freeze: agent.service",
                .shorthand = -1, /* a scalar is the unit */
                .takes_unit = true,
        },
        .is_shareable = true,
        .default_within_usec = 30 * USEC_PER_SEC,
        .begin = begin_job,
        .observe = observe_answer,
};

const StepKind thaw_step = {
        .spec = {
                .name = "thaw",
                .doc = "Have the manager let a frozen unit go on.",
                .example = "thaw: agent.service",
                .shorthand = -1, /* a scalar is the unit */
                .takes_unit = true,
        },
        .is_shareable = true,
        .default_within_usec = 30 * USEC_PER_SEC,
        .begin = begin_job,
        .observe = observe_answer,
};
