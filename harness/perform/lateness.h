/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How starved the harness itself was: a timer that is to run every 50 ms, and how late it ran at most. It decides
 * nothing; who looks at a late stamp wants to know.
 */

#include "perform/run.h"

int lateness_new(Run *run, Lateness **ret_lateness);
Lateness *lateness_free(Lateness *lateness);

/* ENTRY_LATENESS as it stands: the last word at the scenario's end. */
void lateness_note(Lateness *lateness);

DEFINE_CLEANUP(Lateness, lateness_free)
