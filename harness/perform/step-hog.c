/* SPDX-License-Identifier: MIT */

/* hog: a helper in the unit's cgroup uses up one resource until its counter moves; release: it gives it back. */

#include <string.h>

#include "base/clock.h"
#include "base/quantity.h"
#include "judge/hog.h"
#include "perform/hogs.h"
#include "perform/player.h"
#include "perform/step-kinds.h"
#include "scenario/check-address.h"
#include "scenario/diagnostic.h"

enum { HOG_MEMORY, HOG_CPU, HOG_TASKS, HOG_FDS, HOG_ADDRESS, HOG_HOLD, N_HOG_KEYS };

#define N_RESOURCES HOG_ADDRESS

/* The one resource that is named. */
static const KeySpec *resource_key(const Step *step, uint64_t *ret_amount) {
        for (size_t i = 0; i < N_RESOURCES; i++)
                if (step->values[i].is_set) {
                        *ret_amount = i == HOG_MEMORY ? step->values[i].bytes : step->values[i].integer;
                        return &step->kind->keys[i];
                }
        return NULL;
}

static int start_hog(const Step *step, Run *run, Error *reterr) {
        uint64_t amount = 0;
        const KeySpec *key = resource_key(step, &amount);
        CLEANUP_FREE char *address = NULL;
        int r = run->hogs ? 0 : hogs_new(run, &run->hogs);

        if (r >= 0 && step->values[HOG_ADDRESS].is_set)
                r = run_resolve(run, step->values[HOG_ADDRESS].text, &address, reterr);
        return r < 0 ? r : hogs_start(run->hogs, step->unit, key->name, amount, address, reterr);
}

/*
 * The unit's cgroup is known by now, also of one that was started a moment ago. Where its counters stand is noted
 * before anything is done.
 */
static void on_snapshot(int error, void *userdata) {
        CLEANUP_ERROR Error failure = ERROR_INIT;
        Run *run = userdata;
        const Step *step = player_step(run->player);
        int r = error;

        /* An answer that comes when its step was given up does nothing any more. */
        if (!player_is_acting(run->player) || step->kind != &hog_step.spec)
                return;
        run_sample_counters(run, "begin");
        if (r >= 0)
                r = start_hog(step, run, &failure);
        if (r < 0)
                player_break(run->player, r, failure.message ? failure.message : strerror(-r));
}

static int begin_hog(const Step *step, Run *run, StepProgress *ret_progress, Error *reterr) {
        *ret_progress = STEP_WAITING;
        return bus_watch_barrier(run->bus, on_snapshot, run);
}

/* The hog has spoken, or ended: what came of it is to be read behind that. */
static bool is_word(const Entry *entry) {
        return entry->kind == ENTRY_HOG && !entry_has(entry, "phase", "begin") && !entry_get(entry, "released");
}

static int observe_hog(const Step *step, Run *run, const Entry *entry, StepProgress *ret_progress, Error *reterr) {
        const Timeline *timeline = run->observer.timeline;
        const Entry *begin = timeline_last(timeline, SIZE_MAX, ENTRY_STEP_BEGIN, NULL);
        uint64_t amount = 0;
        const KeySpec *key = resource_key(step, &amount);

        if (!run->hogs)
                return 0;
        if (is_word(entry))
                hogs_sample(run->hogs);
        if (hog_effect(timeline, step->unit, key->name, begin->index, timeline_length(timeline), NULL) == HOG_TRYING)
                return 0;
        hogs_settle(run->hogs);
        if (!step_value(step, "hold")->is_true)
                hogs_release(run->hogs, step->unit);
        *ret_progress = STEP_FINISHED;
        return 0;
}

static int begin_release(const Step *step, Run *run, StepProgress *ret_progress, Error *reterr) {
        *ret_progress = STEP_FINISHED;
        if (run->hogs)
                hogs_release(run->hogs, step->unit);
        return 0;
}

static void check_hog(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        size_t n_named = 0;

        for (size_t i = 0; i < N_RESOURCES; i++) {
                n_named += values[i].is_set;
                if (values[i].is_set && values[i].bytes == 0 && values[i].integer == 0)
                        diagnostic_add(diagnostics, values[i].mark, 0, "`%s: 0` takes nothing", kind->keys[i].name);
        }
        if (n_named != 1)
                diagnostic_add(diagnostics, mark, 0,
                                "`hog` takes one of memory, cpu, tasks and fds, and these are %zu", n_named);
        if (values[HOG_FDS].is_set != values[HOG_ADDRESS].is_set)
                diagnostic_add(diagnostics, mark, 0, "`fds` and `address` belong together: whom it connects to");
        check_address(&values[HOG_ADDRESS], diagnostics);
}

static const KeySpec hog_keys[] = {
        [HOG_MEMORY] = { .name = "memory",
                        .type = VALUE_SIZE,
                        .doc = "Take so much memory. Where it runs out, the kernel ends the hog and not the "
                               "daemon." },
        [HOG_CPU] = { .name = "cpu", .type = VALUE_INTEGER, .doc = "Keep so many processors busy." },
        [HOG_TASKS] = { .name = "tasks",
                        .type = VALUE_INTEGER,
                        .doc = "Start so many tasks. One that is refused is tried again, so that the limit stays "
                               "reached." },
        [HOG_FDS] = { .name = "fds",
                        .type = VALUE_INTEGER,
                        .doc = "Open so many connections to `address`, which cost the daemon a descriptor each. "
                               "Reached "
                               "is the limit when its main process has as many as LimitNOFILE= allows, or when it "
                               "ends a connection and has half of them at least: servers keep a reserve." },
        [HOG_ADDRESS] = { .name = "address",
                        .type = VALUE_STRING,
                        .doc = "Of the daemon's socket: \"/run/agent/agent.sock\" or \"127.0.0.1:6379\"." },
        [HOG_HOLD] = { .name = "hold",
                        .type = VALUE_BOOL,
                        .default_text = "no",
                        .doc = "Keep what it took until `release`. Without it, it is given back as soon as the "
                               "counter "
                               "has moved." },
};

const StepKind hog_step = {
        .spec = {
                .name = "hog",
                .doc = "Put a helper into the unit's cgroup that uses up one resource until the counter moves "
                       "(memory.oom-kills, or memory.high-hits where there is no MemoryMax=; cpu.throttled, pids.denied; for fds the process itself). It needs no help of the "
                       "daemon. Where the counter does not move, the limit was not in force or the load too low: "
                       "inconclusive, and the scenario ends there. Where the kernel kills it on cgroup v2, the unit's "
                       "OOMPolicy= holds: `stop`, the default, stops the unit.",
                .example = "hog: { memory: 200M }",
                .keys = hog_keys,
                .n_keys = N_HOG_KEYS,
                .shorthand = -1,
                .takes_unit = true,
                .check = check_hog,
        },
        .is_shareable = true,
        .default_within_usec = 30 * USEC_PER_SEC,
        .begin = begin_hog,
        .observe = observe_hog,
};

const StepKind release_step = {
        .spec = {
                .name = "release",
                .doc = "End the hogs in a unit's cgroup: what they held is free again.",
                .example = "release: agent.service",
                .shorthand = -1, /* a scalar is the unit */
                .takes_unit = true,
        },
        .is_shareable = true,
        .default_within_usec = USEC_INFINITY,
        .begin = begin_release,
};
