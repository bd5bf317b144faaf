/* SPDX-License-Identifier: MIT */

/* Verdicts on steps that act, from the raw facts that they left. */

#include <string.h>
#include <sys/wait.h>

#include "base/quantity.h"
#include "judge/counters.h"
#include "judge/exits.h"
#include "judge/expect-kinds.h"
#include "judge/hog.h"
#include "judge/judge.h"
#include "judge/quota.h"
#include "judge/window.h"

typedef struct ActionView {
        const Case *facts;
        const Step *step;
        const Entry *begin;
        size_t end; /* entries from here on belong to the next step */
        bool is_past_deadline;
        Verdict *verdict;
} ActionView;

/* Kinds that cannot be done without leaving a fact. Others (write, remove, repeat) are judged by their end alone. */
static const struct {
        const char *name;
        EntryKind kind;
} facts_needed[] = {
        { "start", ENTRY_JOB_ACTION },
        { "stop", ENTRY_JOB_ACTION },
        { "restart", ENTRY_JOB_ACTION },
        { "signal", ENTRY_SIGNAL_ACTION },
        { "crash", ENTRY_SIGNAL_ACTION },
        { "run", ENTRY_COMMAND },
        { "set-property", ENTRY_COMMAND },
        { "freeze", ENTRY_JOB_ACTION },
        { "thaw", ENTRY_JOB_ACTION },
        { "hog", ENTRY_HOG },
};

static const Value *find_value(const Step *step, const char *name) {
        for (size_t i = 0; i < step->kind->n_keys; i++)
                if (strcmp(step->kind->keys[i].name, name) == 0)
                        return &step->values[i];
        return NULL;
}

static const Step *find_successor(const Step *steps, size_t n_steps, const Step *step) {
        for (size_t i = 0; i < n_steps; i++) {
                if (&steps[i] == step)
                        return i + 1 < n_steps ? &steps[i + 1] : NULL;
                for (size_t key = 0; steps[i].kind && key < steps[i].kind->n_keys; key++) {
                        const Value *value = &steps[i].values[key];
                        const Step *successor = find_successor(value->steps, value->n_steps, step);

                        if (successor)
                                return successor;
                }
        }
        return NULL;
}

/* Does the next step judge how the job ended, or what came of it? */
static bool is_judged_by_next(const ActionView *view) {
        const Step *next = find_successor(view->facts->scenario->steps, view->facts->scenario->n_steps, view->step);
        const KindSpec *const judges[] = {
                &job_expectation.spec,
                &exit_expectation.spec,
                &restart_expectation.spec,
                &state_expectation.spec,
        };

        for (size_t i = 0; next && i < next->n_expectations; i++)
                FOREACH_ARRAY (kind, judges, ELEMENTS_OF(judges))
                        if (next->expectations[i].kind == *kind && next->expectations[i].unit && view->step->unit &&
                                        strcmp(next->expectations[i].unit, view->step->unit) == 0)
                                return true;
        return false;
}

static int decide_deadline(ActionView *view, const char *what) {
        return verdict_decide(view->verdict, REASON_STEP_DEADLINE, "the step's deadline passed: %s", what);
}

static int judge_job(ActionView *view, const Entry *action) {
        const Entry *removed = job_removed(view->facts->timeline, action, view->begin->index, view->end);
        const char *verb = entry_get(action, "verb") ?: "unknown", *job_result,
                   *bus_error = entry_get(action, "error");
        const Value *no_block = find_value(view->step, "no-block");
        int r;

        if (bus_error)
                return verdict_decide(view->verdict, REASON_UNIT_REFUSED,
                                "the manager refused to %s %s: %s (`systemd-analyze verify` tells more)", verb,
                                action->unit ? action->unit : "", entry_get(action, "text") ?: bus_error);
        if (!entry_get(action, "job"))
                return verdict_decide(view->verdict, REASON_HELD, "%s was done", verb);
        if (no_block && no_block->is_true && !view->is_past_deadline)
                return verdict_decide(view->verdict, REASON_HELD, "the %s job was queued", verb);
        if (!removed && view->is_past_deadline)
                return decide_deadline(view, "the job has not ended");
        if (!removed)
                return verdict_decide(
                                view->verdict, REASON_NOT_RECORDED, "the end of the %s job was not recorded", verb);

        r = verdict_rest_on(view->verdict, removed->index);
        if (r < 0)
                return r;
        view->verdict->at_usec = removed->at_usec;
        job_result = entry_get(removed, "result") ?: "unknown";
        if (strcmp(job_result, "done") == 0)
                return verdict_decide(view->verdict, REASON_HELD, "the %s job is done", verb);
        if (is_judged_by_next(view))
                return verdict_decide(view->verdict, REASON_HELD,
                                "the %s job ended as \"%s\", which the next step judges", verb, job_result);
        return verdict_decide(view->verdict, REASON_JOB_FAILED, "the %s job of %s ended as \"%s\"", verb,
                        action->unit ? action->unit : "the unit", job_result);
}

static bool is_main_gone(const ActionView *view, const Entry *action) {
        for (const Entry *gone = timeline_next(
                             view->facts->timeline, view->begin->index, ENTRY_MAIN_GONE, action->unit);
                        gone && gone->index < view->end;
                        gone = timeline_next(view->facts->timeline, gone->index + 1, ENTRY_MAIN_GONE, action->unit))
                if (entry_get_number(gone, "pid", 0) == entry_get_number(action, "pid", -1))
                        return true;
        return false;
}

static int judge_signal(ActionView *view, const Entry *action) {
        int64_t error = entry_get_number(action, "errno", 0), pid = entry_get_number(action, "pid", 0);
        bool is_main = !entry_get(action, "who") || entry_has(action, "who", "main");
        char name[SIGNAL_TEXT_MAX];

        (void) signal_text((int) entry_get_number(action, "signal", 0), name);
        if (error == ESRCH || (is_main && error == 0 && pid == 0))
                return verdict_decide(view->verdict, REASON_NO_MAIN_PROCESS,
                                "%s has no process that %s could be sent to",
                                action->unit ? action->unit : "the unit", name);
        if (error != 0)
                return verdict_decide(view->verdict, REASON_STEP_BROKEN, "%s could not be sent: %s", name,
                                strerror((int) error));
        if (view->is_past_deadline && !is_main_gone(view, action))
                return decide_deadline(view, "the main process was still there");
        return verdict_decide(view->verdict, REASON_HELD, "%s was sent", name);
}

static bool status_matches(const ActionView *view, int status) {
        const Value *wanted = find_value(view->step, "status");
        CaptureScope scope = { .facts = view->facts, .before = SIZE_MAX };
        TemplateLookup lookup = capture_lookup(&scope);
        char text[16];

        if (!wanted || !wanted->is_set)
                return status == 0;
        (void) snprintf(text, sizeof(text), "%d", status);
        return match_text(&wanted->matches->match, text, strlen(text), &lookup);
}

static int judge_command(ActionView *view, const Entry *command) {
        int wait_status = (int) entry_get_number(command, "status", 0);
        /* As a shell has it in $?. */
        int status = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
        int64_t error = entry_get_number(command, "errno", 0);
        const char *said = entry_get(command, "stderr");
        char name[SIGNAL_TEXT_MAX];

        if (error != 0)
                return verdict_decide(view->verdict, REASON_STEP_BROKEN, "the command could not be run: %s",
                                strerror((int) error));
        if (entry_has(command, "timed-out", "yes"))
                return decide_deadline(view, "the command was still running");
        if (status_matches(view, status))
                return verdict_decide(view->verdict, REASON_HELD, "the command exited with status %d", status);
        /* What the manager does not take is no fault of the daemon. */
        if (strcmp(view->step->kind->name, "set-property") == 0)
                return verdict_decide(view->verdict, REASON_STEP_BROKEN, "the manager did not take it: %s",
                                said && *said ? said : "it did not say why");
        if (said && *said) {
                int r = verdict_add_near_miss(view->verdict, said);

                if (r < 0)
                        return r;
        }
        if (WIFSIGNALED(wait_status))
                return verdict_decide(view->verdict, REASON_COMMAND_FAILED, "the command was killed by %s",
                                signal_text(WTERMSIG(wait_status), name));
        return verdict_decide(view->verdict, REASON_COMMAND_FAILED, "the command exited with status %d", status);
}

/* What of the resource's limits is in force, by the latest readings: the counter that would tell. NULL: none is. */
static const CounterKind *hog_limit(const ActionView *view, const char *resource) {
        for (const char *const *counter = hog_counters(resource); *counter; counter++) {
                const CounterKind *kind = counter_kind(*counter);
                bool is_in_force = false;

                if (kind)
                        (void) quota_limit(view->facts->timeline, view->step->unit, kind, view->begin->index,
                                        view->end, false, &is_in_force);
                if (is_in_force)
                        return kind;
        }
        return NULL;
}

/* The kernel makes a process wait the longer, the further the unit is above MemoryHigh=. */
static bool is_slowed_down(const ActionView *view, const CounterKind *kind) {
        bool is_in_force = false;

        if (strcmp(kind->name, "memory.oom-kills") == 0)
                (void) quota_limit(view->facts->timeline, view->step->unit, counter_kind("memory.high-hits"),
                                view->begin->index, view->end, false, &is_in_force);
        return is_in_force && view->is_past_deadline;
}

static int decide_hog_failed(ActionView *view, const char *resource, const char *said) {
        const CounterKind *kind = hog_limit(view, resource);

        if (strcmp(resource, "fds") == 0)
                return verdict_decide(view->verdict, REASON_LOAD_TOO_LOW,
                                "the limit on descriptors was not reached: the main process had fewer, and refused "
                                "none");
        if (kind && is_slowed_down(view, kind))
                return verdict_decide(view->verdict, REASON_LOAD_TOO_LOW,
                                "%s is in force, but the hog did not reach it: MemoryHigh below it slows the hog "
                                "down; a limit closer to the other one, or a longer `within`, lets it get there",
                                kind->property);
        if (kind)
                return verdict_decide(view->verdict, REASON_LOAD_TOO_LOW,
                                "%s is in force, but the hog did not reach it: %s has not moved%s%s", kind->property,
                                kind->name, said ? "; it said: " : "", said ?: "");
        return verdict_decide(view->verdict, REASON_LIMIT_NOT_IN_FORCE,
                        "no limit on %s is in force for %s: the hog was not held up", resource,
                        view->step->unit ?: "the unit");
}

static int decide_hog_reached(ActionView *view, const char *resource, const Entry *proof) {
        const char *counter = proof->kind == ENTRY_KERNEL ? "memory.oom-kills" : entry_get(proof, "counter");
        const CounterKind *kind = counter ? counter_kind(counter) : NULL;
        CLEANUP_TEXT Text why = TEXT_INIT;
        StepRun step_run;
        int r = verdict_rest_on(view->verdict, proof->index);

        if (r < 0)
                return r;
        view->verdict->at_usec = proof->at_usec;
        /* The record of a kill that was counted may be read behind the step. */
        step_run_find(view->facts->timeline, view->begin->index, &step_run);
        if (kind && quota_reached(view->facts->timeline, view->step->unit, kind, proof, view->begin->index,
                                    kind->is_of_kills ? step_run.next_index : view->end, &why) == TRUTH_FALSE)
                return verdict_decide(view->verdict, REASON_LOAD_TOO_LOW,
                                "%s of %s was not reached: what held the hog up was %s", kind->property,
                                view->step->unit, text_get(&why));
        return verdict_decide(view->verdict, REASON_HELD, "the limit on %s was reached (%s)", resource,
                        entry_get(proof, "counter")
                                        ?: proof->kind == ENTRY_KERNEL ? "the kernel's record"
                                                                       : "its main process");
}

static int judge_hog(ActionView *view, const Entry *hog) {
        const char *resource = entry_get(hog, "resource") ?: "", *said = NULL;
        const Timeline *timeline = view->facts->timeline;
        const Entry *proof;

        for (const Entry *entry = hog; entry && entry->index < view->end;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_HOG, hog->unit)) {
                int64_t error = entry_get_number(entry, "errno", 0);

                if (entry_has(entry, "phase", "end") && error != 0)
                        return verdict_decide(view->verdict, REASON_STEP_BROKEN,
                                        "the hog could not be put into the cgroup: %s", strerror((int) error));
                said = entry_get(entry, "text") ?: said;
        }
        if (hog_effect(timeline, view->step->unit, resource, view->begin->index, view->end, &proof) != HOG_REACHED)
                return decide_hog_failed(view, resource, said);
        return decide_hog_reached(view, resource, proof);
}

static bool is_of_step(const ActionView *view, const Entry *entry) {
        if (entry->kind == ENTRY_HOG)
                return strcmp(view->step->kind->name, "hog") == 0; /* `release` ends one */
        return entry->kind != ENTRY_COMMAND || entry_has(entry, "owner", view->step->id);
}

/* The first fact of @kind that the step left. */
static const Entry *find_fact(const ActionView *view, EntryKind kind) {
        for (const Entry *entry = timeline_next(view->facts->timeline, view->begin->index, kind, NULL);
                        entry && entry->index < view->end;
                        entry = timeline_next(view->facts->timeline, entry->index + 1, kind, NULL))
                if (is_of_step(view, entry))
                        return entry;
        return NULL;
}

static int judge_without_facts(ActionView *view) {
        if (view->is_past_deadline)
                return decide_deadline(view, "nothing came of it");
        FOREACH_ARRAY (needed, facts_needed, ELEMENTS_OF(facts_needed))
                if (strcmp(view->step->kind->name, needed->name) == 0)
                        return verdict_decide(
                                        view->verdict, REASON_NOT_RECORDED, "what the step did was not recorded");
        return verdict_decide(view->verdict, REASON_HELD, "done");
}

static int judge_facts(ActionView *view) {
        static const struct {
                EntryKind kind;
                int (*judge)(ActionView *view, const Entry *fact);
        } rules[] = {
                { ENTRY_JOB_ACTION, judge_job },
                { ENTRY_SIGNAL_ACTION, judge_signal },
                { ENTRY_COMMAND, judge_command },
                { ENTRY_HOG, judge_hog },
        };

        FOREACH_ARRAY (rule, rules, ELEMENTS_OF(rules)) {
                const Entry *fact = find_fact(view, rule->kind);
                int r;

                if (!fact)
                        continue;
                view->verdict->at_usec = fact->at_usec;
                r = verdict_rest_on(view->verdict, fact->index);
                return r < 0 ? r : rule->judge(view, fact);
        }
        return judge_without_facts(view);
}

int judge_action(const Case *facts, const Step *step, size_t begin_index, const char *how, Verdict *ret_verdict,
                Error *reterr) {
        ActionView view = {
                .facts = facts,
                .step = step,
                .is_past_deadline = strcmp(how, "deadline") == 0,
                .verdict = ret_verdict,
        };
        StepRun step_run;

        step_run_find(facts->timeline, begin_index, &step_run);
        view.begin = step_run.begin;
        view.end = step_run.end_index != SIZE_MAX ? step_run.end_index : step_run.next_index;
        ret_verdict->id = strdup(step->id);
        if (!ret_verdict->id)
                return -ENOMEM;
        ret_verdict->mark = step->mark;
        ret_verdict->margin_usec = USEC_INFINITY;
        return judge_facts(&view);
}
