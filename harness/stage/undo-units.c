/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "stage/deadline.h"
#include "stage/undo-private.h"

#define JOB_LIMIT_USEC (120 * USEC_PER_SEC)

static int read_state(Undo *undo, const char *unit, const char *property, char **ret_text) {
        CLEANUP_FREE char *object = NULL;
        int r = machine_bus_load(undo->bus, unit, &object, undo->reterr);

        return r < 0 ? r : machine_bus_property(undo->bus, object, "Unit", property, ret_text, undo->reterr);
}

static bool is_slice(const char *unit) {
        const char *dot = strrchr(unit, '.');

        return dot && strcmp(dot, ".slice") == 0;
}

static int stop_own(Undo *undo, const Json *record) {
        const char *unit = undo_record_text(record, "unit");
        int r = 0;

        if (undo_record_is(record, "scope"))
                r = machine_bus_kill(undo->bus, unit, undo->reterr);
        return r < 0 ? r : machine_bus_job(undo->bus, "StopUnit", unit, deadline_in(JOB_LIMIT_USEC), undo->reterr);
}

static int stop_one(Undo *undo, const char *unit, const char *active_before, const char *freezer_before) {
        CLEANUP_FREE char *active_state = NULL, *freezer_state = NULL;
        bool is_empty = true;
        int r;

        r = read_state(undo, unit, "FreezerState", &freezer_state);
        /* A frozen unit does not stop. */
        if (r >= 0 && strcmp(freezer_state, "frozen") == 0 && strcmp(freezer_before, "frozen") != 0)
                r = machine_bus_call(undo->bus, "ThawUnit", unit, undo->reterr);
        if (r >= 0)
                r = read_state(undo, unit, "ActiveState", &active_state);
        if (r < 0 || unit_is_running(active_before) || !unit_is_running(active_state))
                return r;
        /* A slice goes with the last unit in it, which may be somebody else's by now. */
        if (is_slice(unit))
                r = machine_bus_is_empty(undo->bus, unit, &is_empty, undo->reterr);
        if (r < 0 || !is_empty)
                return r;
        return machine_bus_job(undo->bus, "StopUnit", unit, deadline_in(JOB_LIMIT_USEC), undo->reterr);
}

/* Those that came with them, the latest first: what they need goes after them. */
static void stop_drift(Undo *undo) {
        for (size_t i = undo->drift.n_started; i-- > 0;)
                undo_note(undo, stop_one(undo, undo->drift.started[i], "", ""));
}

void undo_stop_units(Undo *undo) {
        for (size_t i = undo->n_records; i-- > 0;)
                if (undo_record_is(undo->records[i], "scope") || undo_record_is(undo->records[i], "pin"))
                        undo_note(undo, stop_own(undo, undo->records[i]));
        for (size_t i = undo->n_records; i-- > 0;)
                if (undo_record_is(undo->records[i], "unit"))
                        undo_note(undo, stop_one(undo, undo_record_text(undo->records[i], "unit"),
                                                        undo_record_text(undo->records[i], "active"),
                                                        undo_record_text(undo->records[i], "freezer")));
        stop_drift(undo);
}

static int start_one(Undo *undo, const Json *record) {
        CLEANUP_FREE char *active_state = NULL, *invocation = NULL;
        const char *unit = undo_record_text(record, "unit");
        int r;

        r = read_state(undo, unit, "ActiveState", &active_state);
        if (r >= 0)
                r = read_state(undo, unit, "InvocationID", &invocation);
        if (r < 0)
                return r;
        if (!unit_is_running(undo_record_text(record, "active")))
                return strcmp(active_state, "failed") == 0
                                       ? machine_bus_call(undo->bus, "ResetFailedUnit", unit, undo->reterr)
                                       : 0;
        if (unit_is_running(active_state) &&
                        (!undo->has_changed_settings ||
                                        strcmp(invocation, undo_record_text(record, "invocation")) == 0))
                return 0;
        /* What it did in the scenario does not count against its start limit. */
        (void) machine_bus_call(undo->bus, "ResetFailedUnit", unit, NULL);
        /* One that was started in the scenario runs with the scenario's files and environment. */
        r = machine_bus_job(undo->bus, unit_is_running(active_state) ? "RestartUnit" : "StartUnit", unit,
                        deadline_in(JOB_LIMIT_USEC), undo->reterr);
        return r < 0 ? error_prefix(undo->reterr, "%s was active before the scenario and is not now", unit) : 0;
}

static void start_drift(Undo *undo) {
        FOREACH_ARRAY (unit, undo->drift.stopped, undo->drift.n_stopped)
                undo_note(undo, machine_bus_job(undo->bus, "StartUnit", *unit, deadline_in(JOB_LIMIT_USEC),
                                                undo->reterr));
}

void undo_start_units(Undo *undo) {
        FOREACH_ARRAY (record, undo->records, undo->n_records)
                if (undo_record_is(*record, "unit"))
                        undo_note(undo, start_one(undo, *record));
        start_drift(undo);
}
