/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Units that the scenario does not name and that went along with those it does: what they need was started with them,
 * what needs them, or cannot be there with them, was stopped. Others that came or went meanwhile (a timer fired, an
 * admin worked) are left alone.
 */

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "stage/machine-bus.h"

typedef struct UnitDrift {
        char **started; /* not running before, running now */
        size_t n_started;
        char **stopped; /* active before, not now */
        size_t n_stopped;
        char **failed; /* not running before, failed since */
        size_t n_failed;
} UnitDrift;

/* To be asked while the scenario's unit files are still in place: the manager then knows who needs whom. */
int unit_drift_find(MachineBus *bus, Json *const *records, size_t n_records, UnitDrift *ret_drift, Error *reterr);
void unit_drift_done(UnitDrift *drift);

/* Neither inactive, nor failed, nor unknown. */
bool unit_is_running(const char *active_state);
/* Is it running by @list, lines of name and state? */
bool unit_runs_in(const char *list, const char *unit);
