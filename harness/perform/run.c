/* SPDX-License-Identifier: MIT */
#include "perform/run.h"

#include <stdarg.h>
#include <string.h>

#include "judge/counters.h"
#include "observe/process-probe.h"
#include "perform/step-kinds.h"

Case run_case(const Run *run) {
        return (Case){
                .scenario = run->scenario,
                .timeline = run->observer.timeline,
                .logbook = run->logbook,
                .evidence_fd = run->observer.evidence_fd,
        };
}

Entry *run_note(Run *run, EntryKind kind, const char *unit) {
        return observer_entry(&run->observer, SOURCE_HARNESS, kind, 0, unit);
}

void run_append(Run *run, Entry *entry) {
        int r = observer_append(&run->observer, entry);

        if (r < 0)
                (void) run_break(run, r, "cannot extend the timeline");
}

int run_break(Run *run, int code, const char *format, ...) {
        CLEANUP_FREE char *message = NULL;
        va_list arguments;

        if (run->broken < 0)
                return 0;
        va_start(arguments, format);
        if (vasprintf(&message, format, arguments) < 0)
                message = NULL;
        va_end(arguments);

        run->broken = error_set(&run->error, code, "%s", message ? message : "out of memory");
        (void) sd_event_exit(run->observer.event, code);
        return 0;
}

int run_resolve(const Run *run, const char *text, char **ret_text, Error *reterr) {
        Case facts = run_case(run);
        CaptureScope scope = { .facts = &facts, .before = SIZE_MAX };
        TemplateLookup lookup = capture_lookup(&scope);

        return template_resolve(text, &lookup, false, ret_text, reterr);
}

static bool has_quota_step(const Step *steps, size_t n_steps) {
        FOREACH_ARRAY (step, steps, n_steps) {
                if (step->kind == &hog_step.spec)
                        return true;
                for (size_t key = 0; step->kind && key < step->kind->n_keys; key++)
                        if (has_quota_step(step->values[key].steps, step->values[key].n_steps))
                                return true;
        }
        return false;
}

static void find_quota_expectation(const Expectation *expectation, void *userdata) {
        bool *is_found = userdata;

        *is_found = *is_found || expect_kind(expectation)->question == QUESTION_COUNTERS;
}

bool run_is_about_quotas(const Run *run) {
        bool is_found = has_quota_step(run->scenario->steps, run->scenario->n_steps);

        scenario_visit_expectations(run->scenario, find_quota_expectation, &is_found);
        return is_found;
}

void run_sample_counter(Run *run, const char *unit, const char *counter, const char *moment) {
        const CounterKind *kind = counter_kind(counter);
        const char *control_group;
        const Entry *reading;

        if (strcmp(counter, "limits") == 0) {
                (void) process_probe(&run->observer, unit, bus_watch_main_pid(run->bus, unit));
                return;
        }
        bus_watch_fetch_control_group(run->bus, unit);
        control_group = bus_watch_control_group(run->bus, unit);
        (void) cgroup_reader_sample(run->cgroups, unit, control_group, counter, moment);
        reading = timeline_last(run->observer.timeline, SIZE_MAX, ENTRY_COUNTER, unit);
        if (control_group && kind && kind->nature == COUNTER_PEAK && reading &&
                        entry_get_number(reading, "errno", 0) == ENOENT)
                (void) cgroup_reader_sample_slice(run->cgroups, unit, control_group, counter);
}

void run_sample_counters(Run *run, const char *moment) {
        static const char *const counters[] = {
                "memory.max",
                "memory.high",
                "memory.peak",
                "memory.oom-kills",
                "memory.high-hits",
                "pids.max",
                "pids.peak",
                "pids.denied",
                "cpu.max",
                "cpu.usage",
                "cpu.periods",
                "cpu.throttled",
        };

        FOREACH_ARRAY (unit, run->scenario->units, run->scenario->n_units)
                for (size_t i = 0; i < ELEMENTS_OF(counters) &&
                                   (moment || bus_watch_control_group(run->bus, unit->name));
                                i++)
                        run_sample_counter(run, unit->name, counters[i], moment);
}
