/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "stage/deadline.h"
#include "stage/undo-private.h"

#define JOB_LIMIT_USEC (120 * USEC_PER_SEC)

static int read_property(Undo *undo, const char *unit, const char *interface, const char *property, char **ret_text) {
        CLEANUP_FREE char *object = NULL;
        int r = machine_bus_load(undo->bus, unit, &object, undo->reterr);

        return r < 0 ? r : machine_bus_property(undo->bus, object, interface, property, ret_text, undo->reterr);
}

static bool is_service(const char *unit) {
        return string_ends_with(unit, ".service");
}

static int run_job(Undo *undo, const char *method, const char *unit) {
        return machine_bus_job(undo->bus, method, unit, deadline_in(JOB_LIMIT_USEC), undo->reterr);
}

typedef int (*UnitFunction)(Undo *undo, const Json *record);

/* For the units of the scenario: sockets, timers and paths before services. A service that is stopped is not to be
 * started by them again, and a socket cannot be started once its service runs. */
static void for_each_unit(Undo *undo, UnitFunction function) {
        for (int services = 0; services <= 1; services++)
                FOREACH_ARRAY (record, undo->records, undo->n_records)
                        if (undo_record_is(*record, "unit") &&
                                        is_service(undo_record_text(*record, "unit")) == services)
                                undo_note(undo, function(undo, *record));
}

/* --- what was not running --- */

static int stop_own(Undo *undo, const Json *record) {
        const char *unit = undo_record_text(record, "unit");
        int r = 0;

        if (undo_record_is(record, "scope"))
                r = machine_bus_kill(undo->bus, unit, SIGKILL, undo->reterr);
        return r < 0 ? r : run_job(undo, "StopUnit", unit);
}

/* A unit that is stopped by a signal, or frozen, does not do what it is told. */
static int wake(Undo *undo, const Json *record) {
        const char *unit = undo_record_text(record, "unit");
        CLEANUP_FREE char *freezer_state = NULL;
        int r = read_property(undo, unit, "Unit", "FreezerState", &freezer_state);

        if (r >= 0 && strcmp(freezer_state, "frozen") == 0 &&
                        strcmp(undo_record_text(record, "freezer"), "frozen") != 0)
                r = machine_bus_call(undo->bus, "ThawUnit", unit, undo->reterr);
        /* That it has no process any more is said by an error too. */
        if (is_service(unit))
                (void) machine_bus_kill(undo->bus, unit, SIGCONT, NULL);
        return r;
}

static int stop_if_running(Undo *undo, const char *unit) {
        CLEANUP_FREE char *state = NULL;
        bool is_empty = true;
        int r = machine_bus_state(undo->bus, unit, &state, undo->reterr);

        if (r < 0 || !unit_is_running(state))
                return r;
        /* A slice goes with the last unit in it, which may be somebody else's by now. */
        if (string_ends_with(unit, ".slice"))
                r = machine_bus_is_empty(undo->bus, unit, &is_empty, undo->reterr);
        return r < 0 || !is_empty ? r : run_job(undo, "StopUnit", unit);
}

/* KillMode=none and the like: its processes may outlive it. */
static int kill_rest(Undo *undo, const char *unit) {
        bool is_empty = true;
        int r = is_service(unit) ? machine_bus_is_empty(undo->bus, unit, &is_empty, undo->reterr) : 0;

        return r < 0 || is_empty ? r : machine_bus_kill(undo->bus, unit, SIGKILL, undo->reterr);
}

static int stop_one(Undo *undo, const Json *record) {
        const char *unit = undo_record_text(record, "unit");
        CLEANUP_FREE char *invocation = NULL;
        int r;

        if (unit_is_running(undo_record_text(record, "active")))
                return 0;
        r = stop_if_running(undo, unit);
        if (r >= 0)
                r = read_property(undo, unit, "Unit", "InvocationID", &invocation);
        /* What was left of an earlier start of it is not the scenario's. */
        if (r < 0 || strcmp(invocation, undo_record_text(record, "invocation")) == 0)
                return r;
        return kill_rest(undo, unit);
}

static int stop_drifted(Undo *undo, const char *unit) {
        int r = stop_if_running(undo, unit);

        return r < 0 ? r : kill_rest(undo, unit);
}

void undo_stop_units(Undo *undo) {
        for (size_t i = undo->n_records; i-- > 0;)
                if (undo_record_is(undo->records[i], "scope") || undo_record_is(undo->records[i], "pin"))
                        undo_note(undo, stop_own(undo, undo->records[i]));
        for_each_unit(undo, wake);
        for_each_unit(undo, stop_one);
        /* Those that came with them, the latest first: what they need goes after them. */
        for (size_t i = undo->drift.n_started; i-- > 0;)
                undo_note(undo, stop_drifted(undo, undo->drift.started[i]));
}

/* --- what was running --- */

static bool is_up(const char *state) {
        return strcmp(state, "active") == 0 || strcmp(state, "reloading") == 0;
}

static bool is_signalled(const Undo *undo, const char *unit) {
        FOREACH_ARRAY (record, undo->records, undo->n_records)
                if (undo_record_is(*record, "signalled") && strcmp(undo_record_text(*record, "unit"), unit) == 0)
                        return true;
        return false;
}

/* Does it run as before? A daemon may have read the scenario's files at a SIGHUP, or be about to heed a SIGTERM. */
static bool is_as_before(const Undo *undo, const char *unit, bool is_same_invocation) {
        if (is_service(unit) && (undo->has_changed_files || is_signalled(undo, unit)))
                return false;
        return is_same_invocation || !undo->has_changed_settings;
}

static int reset_failed(Undo *undo, const char *unit) {
        CLEANUP_FREE char *state = NULL;
        int r = machine_bus_state(undo->bus, unit, &state, undo->reterr);

        if (r < 0 || strcmp(state, "failed") != 0)
                return r;
        return machine_bus_call(undo->bus, "ResetFailedUnit", unit, undo->reterr);
}

static bool was_running(const Undo *undo, const char *unit) {
        FOREACH_ARRAY (record, undo->records, undo->n_records)
                if (undo_record_is(*record, "states"))
                        return unit_runs_in(undo_record_text(*record, "units"), unit);
        return false;
}

/* A socket is not started while its service runs: first the one, then the other, which may be nobody's here. */
static int start_socket(Undo *undo, const char *method, const char *socket) {
        CLEANUP_FREE char *services = NULL, *accepts = NULL, *state = NULL;
        const char *service;
        int r = read_property(undo, socket, "Unit", "Triggers", &services);

        if (r >= 0)
                r = read_property(undo, socket, "Socket", "Accept", &accepts);
        if (r < 0)
                return r;
        service = services; /* one, but for Accept=, which starts one for each connection */
        if (!service[0] || strchr(service, ' ') || strcmp(accepts, "yes") == 0)
                return run_job(undo, method, socket);
        r = machine_bus_state(undo->bus, service, &state, undo->reterr);
        if (r >= 0 && unit_is_running(state))
                r = run_job(undo, "StopUnit", service);
        if (r >= 0)
                r = run_job(undo, method, socket);
        if (r >= 0 && unit_is_running(state) && was_running(undo, service))
                r = run_job(undo, "StartUnit", service);
        return r;
}

static int start_one(Undo *undo, const Json *record) {
        const char *unit = undo_record_text(record, "unit"), *method;
        CLEANUP_FREE char *state = NULL, *invocation = NULL;
        bool is_same;
        int r;

        if (!unit_is_running(undo_record_text(record, "active")))
                return reset_failed(undo, unit);
        r = machine_bus_state(undo->bus, unit, &state, undo->reterr);
        if (r >= 0)
                r = read_property(undo, unit, "Unit", "InvocationID", &invocation);
        if (r < 0)
                return r;
        is_same = strcmp(invocation, undo_record_text(record, "invocation")) == 0;
        if (is_up(state) && is_as_before(undo, unit, is_same))
                return 0;
        /* What it did in the scenario does not count against its start limit. */
        (void) machine_bus_call(undo->bus, "ResetFailedUnit", unit, NULL);
        /* One that waits for its RestartSec= to pass does not start before, and restarts at once. */
        method = unit_is_running(state) ? "RestartUnit" : "StartUnit";
        r = string_ends_with(unit, ".socket") ? start_socket(undo, method, unit) : run_job(undo, method, unit);
        return r < 0 ? error_prefix(undo->reterr, "%s was active before the scenario and is not now", unit) : 0;
}

static int start_drifted(Undo *undo, const char *unit) {
        CLEANUP_FREE char *state = NULL;
        int r = machine_bus_state(undo->bus, unit, &state, undo->reterr);

        if (r < 0 || unit_is_running(state))
                return r;
        (void) machine_bus_call(undo->bus, "ResetFailedUnit", unit, NULL);
        return string_ends_with(unit, ".socket") ? start_socket(undo, "StartUnit", unit)
                                                 : run_job(undo, "StartUnit", unit);
}

void undo_start_units(Undo *undo) {
        UnitDrift *drift = &undo->drift;

        for_each_unit(undo, start_one);
        FOREACH_ARRAY (unit, drift->stopped, drift->n_stopped)
                undo_note(undo, start_drifted(undo, *unit));
        FOREACH_ARRAY (unit, drift->started, drift->n_started)
                undo_note(undo, reset_failed(undo, *unit));
        FOREACH_ARRAY (unit, drift->failed, drift->n_failed)
                undo_note(undo, reset_failed(undo, *unit));
}
