/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The running manager, asked and told one thing after the other, for the stages on the machine itself: before the
 * scenario begins and after it has ended, when nothing else is to happen meanwhile. Each call waits for its answer,
 * and no longer than its limit.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

typedef struct MachineBus MachineBus;

/* Connects to the manager behind @address, on its own socket: no bus daemon has to run. */
int machine_bus_new(const char *address, MachineBus **ret_bus, Error *reterr);
MachineBus *machine_bus_free(MachineBus *bus);

/**
 * machine_bus_manager() - which manager this is
 * @ret_id: boot and moment of its start; another id means that what was running then is gone
 */
int machine_bus_manager(MachineBus *bus, char **ret_id, Error *reterr);
/* The cgroup of all that it manages, as the ControlGroup of its units. */
int machine_bus_control_group(MachineBus *bus, char **ret_path, Error *reterr);
/* Process ID of the manager. */
int machine_bus_pid(MachineBus *bus, pid_t *ret_pid, Error *reterr);
/* "running", "degraded", "starting", ... */
int machine_bus_system_state(MachineBus *bus, char **ret_text, Error *reterr);

/* Object of a unit, which is loaded for that. -ENOENT is not returned: a unit without a file has LoadState=not-found.
 */
int machine_bus_load(MachineBus *bus, const char *unit, char **ret_object, Error *reterr);

/* A property of the unit's, by @interface "Unit", "Service", ...; the items of a list and the fields of a
 * structure are separated by blanks, bytes are written in hex. "" where the unit has no such property. */
int machine_bus_property(MachineBus *bus, const char *object, const char *interface, const char *property,
                char **ret_text, Error *reterr);

/* All of them, each as its name, a NUL, its value and a NUL. One that is not loaded is loaded for each question. */
int machine_bus_properties(
                MachineBus *bus, const char *object, const char *interface, Text *ret_pairs, Error *reterr);

/* Unit names with their state, "NAME STATE\n" each: all that are loaded. The state is the ActiveState, or where a job
 * that waits is about to lead it: "activating", "deactivating". */
int machine_bus_list(MachineBus *bus, Text *ret_units, Error *reterr);
/* The same of one unit; "" where nothing is known of it. */
int machine_bus_state(MachineBus *bus, const char *unit, char **ret_state, Error *reterr);

/* The unit that process @pid is of; "" where it is of none that this manager knows. */
int machine_bus_unit_of(MachineBus *bus, pid_t pid, char **ret_unit, Error *reterr);

/**
 * machine_bus_job() - start, stop or restart a unit and wait for the job's end
 * @method: "StartUnit", "StopUnit", "RestartUnit"
 *
 * Stopping a unit that is not there is success.
 * Errors: -EIO with the job's result where it ended otherwise than "done"; -ETIMEDOUT.
 */
int machine_bus_job(MachineBus *bus, const char *method, const char *unit, uint64_t deadline_usec, Error *reterr);

/* A scope around process @pid, so that whatever it forks can be ended with it; waits until it is there. */
int machine_bus_scope(MachineBus *bus, const char *scope, pid_t pid, uint64_t deadline_usec, Error *reterr);

/* A signal to all processes of the unit. One that is not there is no error. */
int machine_bus_kill(MachineBus *bus, const char *unit, int signal_number, Error *reterr);
/* "ThawUnit", "ResetFailedUnit": one argument, no answer. */
int machine_bus_call(MachineBus *bus, const char *method, const char *unit, Error *reterr);
/* Has the unit, a slice too, no process? */
int machine_bus_is_empty(MachineBus *bus, const char *unit, bool *ret_is_empty, Error *reterr);
int machine_bus_reload(MachineBus *bus, Error *reterr);

DEFINE_CLEANUP(MachineBus, machine_bus_free)
