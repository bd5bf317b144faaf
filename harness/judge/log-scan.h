/* SPDX-License-Identifier: MIT */
#pragma once

/* Which hits of a log expectation count: of the unit, in its window, behind what they have to follow. */

#include "judge/expect.h"

typedef struct LogScan {
        size_t n_in_time;          /* by their stamps in the window */
        size_t n_undecided;        /* stamped after the deadline, possibly written in time */
        const LogHit *first;       /* in time */
        const LogHit *undecided;   /* the first */
        const LogHit *early;       /* the last one before the window */
        const LogHit *misordered;  /* the first in the window that came before what it has to follow */
        const LogHit *preceding;   /* hit of `after` that the others have to follow; NULL: there is none */
        uint64_t known_until_usec; /* later lines were not known when the window was closed, and are not looked at */
} LogScan;

void log_scan(const Expectation *expectation, const Case *facts, const Window *window, LogScan *ret_scan);

/* Was the process one of the unit's, as far as anything recorded tells? For lines that journald could not attribute
 * (H-31). */
bool unit_had_process(const Timeline *timeline, const char *unit, pid_t pid);
