/* SPDX-License-Identifier: MIT */

/* job: how the job ended that the anchor step queued. */

#include <string.h>

#include "judge/check-words.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "judge/window.h"

enum { JOB_RESULT, JOB_TYPE, N_JOB_KEYS };

static bool job_matches(const Expectation *expectation, const Case *facts, const char *key, const char *text) {
        const Value *value = expectation_value(expectation, key);
        CaptureScope scope = { .facts = facts, .before = SIZE_MAX };
        TemplateLookup lookup = capture_lookup(&scope);

        return !value->is_set || match_text(&value->matches->match, text, strlen(text), &lookup);
}

const Entry *job_removed(const Timeline *timeline, const Entry *action, size_t from, size_t end) {
        const char *job = entry_get(action, "job");

        for (const Entry *removed = timeline_next(timeline, from, ENTRY_JOB_REMOVED, NULL);
                        job && removed && removed->index < end;
                        removed = timeline_next(timeline, removed->index + 1, ENTRY_JOB_REMOVED, NULL))
                if (entry_has(removed, "job", job))
                        return removed;
        return NULL;
}

/* The next job of the unit that the harness queued, of the type that is asked for. */
static const Entry *next_action(const Expectation *expectation, const Case *facts, size_t from, size_t end) {
        for (const Entry *action = timeline_next(facts->timeline, from, ENTRY_JOB_ACTION, expectation->unit);
                        action && action->index < end; action = timeline_next(facts->timeline, action->index + 1,
                                                                       ENTRY_JOB_ACTION, expectation->unit))
                if (job_matches(expectation, facts, "type", entry_get(action, "verb") ?: ""))
                        return action;
        return NULL;
}

/* A moment at which the job was still there: a snapshot of the unit names it, or the unit had not got so far. */
static uint64_t job_lower_usec(const Timeline *timeline, const Entry *action, const Entry *removed) {
        static const char *const stamps[] = { "ActiveEnterTimestampMonotonic", "InactiveEnterTimestampMonotonic" };
        uint64_t asked_usec = entry_get_usec(action, "asked", action->at_usec), lower_usec = asked_usec;
        const char *path = entry_get(action, "job") ?: "", *id = strrchr(path, '/');

        for (const Entry *snapshot = timeline_next(timeline, action->index, ENTRY_PROPERTIES, action->unit); snapshot;
                        snapshot = timeline_next(timeline, snapshot->index + 1, ENTRY_PROPERTIES, action->unit)) {
                const char *job = timeline_property(timeline, action->unit, snapshot->index, "Job");

                if (id && job && strcmp(job, id + 1) == 0)
                        lower_usec = entry_get_usec(snapshot, "asked", lower_usec);
                /* The manager takes these stamps itself, before it ends the job. */
                FOREACH_ARRAY (stamp, stamps, ELEMENTS_OF(stamps)) {
                        uint64_t usec = entry_get_usec(snapshot, *stamp, 0);

                        if (usec > lower_usec && usec <= removed->at_usec)
                                lower_usec = usec;
                }
                if (snapshot->index > removed->index)
                        break;
        }
        return lower_usec;
}

static int decide_job(const Expectation *expectation, const Case *facts, const Window *window, const Entry *action,
                const Entry *removed, Verdict *verdict) {
        const char *verb = entry_get(action, "verb") ?: "unknown";
        const char *job_result = removed ? entry_get(removed, "result") : entry_get(action, "error");
        const Entry *end = removed ? removed : action;
        char moment[WINDOW_MOMENT_MAX];
        int r;

        job_result = job_result ? job_result : "unknown";
        (void) window_moment(facts, window, end->at_usec, moment);
        r = verdict_rest_on(verdict, action->index);
        if (r >= 0)
                r = verdict_rest_on(verdict, end->index);
        if (r < 0)
                return r;
        free(verdict->seen);
        if (asprintf(&verdict->seen, "the %s job ended as \"%s\"", verb, job_result) < 0) {
                verdict->seen = NULL;
                return -ENOMEM;
        }
        verdict->at_usec = end->at_usec;
        if (!job_matches(expectation, facts, "result", job_result))
                return verdict_decide(verdict, REASON_WRONG_VALUE, "the %s job ended as \"%s\" %s", verb, job_result,
                                moment);
        /* The bus has no stamps: this is when the news came. */
        switch (window_timing(window, job_lower_usec(facts->timeline, action, end), end->at_usec)) {
        case TIMING_IN_TIME:
                break;
        case TIMING_LATE:
                return verdict_decide(
                                verdict, REASON_TOO_LATE, "the %s job ended %s, after the deadline", verb, moment);
        default:
                return verdict_decide(verdict, REASON_LATE_STAMP,
                                "the news of the %s job's end came %s, after the deadline; it may have ended before",
                                verb, moment);
        }
        verdict->margin_usec = window_margin(window, end->at_usec);
        return verdict_decide(verdict, REASON_HELD, "the %s job ended as \"%s\" %s", verb, job_result, moment);
}

static int decide_absence(const Expectation *expectation, const Case *facts, const Window *window,
                const Entry *action, Verdict *verdict) {
        CLEANUP_TEXT Text why = TEXT_INIT;

        if (!window->is_closed)
                return 0;
        if (!window_is_complete(facts, window, CHANNEL_BUS, expectation->unit, &why))
                return verdict_decide(
                                verdict, REASON_CHANNEL_LOST, "no end of a job was seen, but %s", text_get(&why));
        if (!action)
                return verdict_decide(
                                verdict, REASON_NOT_OBSERVED, "no such job of %s was queued", expectation->unit);
        return verdict_decide(verdict, REASON_NOT_OBSERVED, "the %s job has not ended",
                        entry_get(action, "verb") ?: "unknown");
}

/* For `never`: any job of ours that ended so. */
static int evaluate_any_job(
                const Expectation *expectation, const Case *facts, const Window *window, Verdict *verdict) {
        size_t end = window->end_index;
        const Entry *action = NULL;

        for (action = next_action(expectation, facts, window->anchor_index, end); action;
                        action = next_action(expectation, facts, action->index + 1, end)) {
                const Entry *removed = job_removed(facts->timeline, action, window->anchor_index, end);

                if (removed && job_matches(expectation, facts, "result", entry_get(removed, "result") ?: ""))
                        return decide_job(expectation, facts, window, action, removed, verdict);
        }
        return decide_absence(expectation, facts, window, NULL, verdict);
}

static int evaluate_job(const Expectation *expectation, const Case *facts, const Window *window, Verdict *ret_verdict,
                Error *reterr) {
        const Entry *action, *removed;
        StepRun anchor;

        if (!expectation->step)
                return evaluate_any_job(expectation, facts, window, ret_verdict);

        step_run_find(facts->timeline, window->anchor_index, &anchor);
        action = next_action(expectation, facts, window->anchor_index, anchor.next_index);
        /* The removal's signal may come before the reply that names the job. */
        removed = action ? job_removed(facts->timeline, action, window->anchor_index, window->end_index) : NULL;
        if (!removed && !(action && entry_get(action, "error")))
                return decide_absence(expectation, facts, window, action, ret_verdict);
        return decide_job(expectation, facts, window, action, removed, ret_verdict);
}

static char *describe_job(const Expectation *expectation, const Case *facts) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_append(&text, "job ");
        describe_matches(&text, expectation, facts, "");
        return text_take(&text);
}

static void check_job(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *result = &values[JOB_RESULT], *type = &values[JOB_TYPE];

        if (result->is_set)
                check_spelling(&result->matches->match, result->mark, "result",
                                "done|canceled|timeout|failed|dependency|skipped|invalid|assert|unsupported|"
                                "collected|once",
                                diagnostics);
        if (type->is_set)
                check_spelling(&type->matches->match, type->mark, "type",
                                "start|stop|restart|try-restart|reload|reload-or-restart", diagnostics);
}

static const KeySpec job_keys[] = {
        [JOB_RESULT] = { .name = "result",
                        .type = VALUE_MATCH,
                        .default_text = "done",
                        .doc = "done, failed, timeout, canceled, dependency, skipped, ..." },
        [JOB_TYPE] = { .name = "type",
                        .type = VALUE_MATCH,
                        .doc = "start, stop, restart, ...: which of several jobs." },
};

const ExpectKind job_expectation = {
        .spec = {
                .name = "job",
                .doc = "How the job ended that the step before queued (start, stop, restart, ...).",
                .example = "job: { result: failed }",
                .keys = job_keys,
                .n_keys = N_JOB_KEYS,
                .shorthand = JOB_RESULT,
                .takes_unit = true,
                .check = check_job,
        },
        .question = QUESTION_NONE,
        .channels = CHANNEL_BUS,
        .evaluate = evaluate_job,
        .describe = describe_job,
};
