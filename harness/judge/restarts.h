/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Automatic restarts of a unit in a window: a main process that ended, and another one of a new invocation that no
 * job of the scenario started. Told by the manager's line (RESTART_SCHEDULED), its snapshots, and its counter
 * (NRestarts).
 */

#include "judge/exits.h"
#include "judge/window.h"

typedef struct Restart {
        const MainExit *exit;   /* what ended before it; NULL: not seen */
        const MainStart *start; /* NULL: scheduled, but no start was seen (yet) */
        const Entry *line;      /* RESTART_SCHEDULED; NULL: not seen */
        uint64_t at_usec;       /* of the start; without one, of the line */
} Restart;

typedef struct Restarts {
        Restart *items; /* by at_usec; the window's, those after its deadline too */
        size_t n_items;
        uint64_t n_counted; /* by NRestarts; 0 where jobs of the scenario make the counter useless */
        MainExits exits;    /* what the items borrow from */
        MainStarts starts;
} Restarts;

int restarts_collect(const Timeline *timeline, const char *unit, const Window *window, Restarts *ret_restarts);
void restarts_done(Restarts *restarts);

/* How many are in time, by all witnesses. */
uint64_t restarts_count(const Restarts *restarts, const Window *window);
