/* SPDX-License-Identifier: MIT */
#include "perform/run.h"

#include <stdarg.h>

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

void run_sample_counters(Run *run) {
        static const char *const counters[] = {
                "memory.max",
                "memory.peak",
                "memory.oom-kills",
                "pids.max",
                "pids.peak",
                "pids.denied",
                "cpu.usage",
                "cpu.throttled",
        };

        FOREACH_ARRAY (unit, run->scenario->units, run->scenario->n_units) {
                const char *control_group = bus_watch_control_group(run->bus, unit->name);

                for (size_t i = 0; control_group && i < ELEMENTS_OF(counters); i++)
                        (void) cgroup_reader_sample(run->cgroups, unit->name, control_group, counters[i]);
        }
}
