/* SPDX-License-Identifier: MIT */
#pragma once

/* What brackets a run: what dead runs left is removed, the run is made known, its guard started; and back again. */

#include "base/text.h"
#include "stage/guard.h"
#include "stage/ownership.h"

typedef struct RunScope {
        Ownership *ownership;
        Guard *guard;
} RunScope;

#define RUN_SCOPE_INIT ((RunScope){ 0 })

/**
 * run_scope_begin() - to be called before any scenario, by a single-threaded process
 * @ret_note: what an earlier run left and could not be removed; it does not stop this one
 *
 * SIGINT, SIGTERM and SIGHUP are blocked from here on: from now on there is something to be put in order.
 */
int run_scope_begin(RunScope *scope, Text *ret_note, Error *reterr);

/* All performers are reaped by now. Errors: something of the run is still there; the next run tries again. */
int run_scope_end(RunScope *scope, Error *reterr);

/* In a forked performer; @userdata is the RunScope. */
void run_scope_in_child(void *userdata);
