/* SPDX-License-Identifier: MIT */
#pragma once

/* What run, check and list begin with: paths -> files -> scenarios, or every mistake on standard error. */

#include "cli/options.h"
#include "schedule/load.h"

/**
 * load_scenarios() - find and parse what the command line names
 * @library: to be released in every case
 *
 * Returns STATUS_PASS, or STATUS_USAGE after the mistakes were told.
 */
int load_scenarios(const Options *options, Library *library);

/* The scenarios of @library that --filter and --tag take, in order. */
bool is_selected(const Options *options, const Scenario *scenario);

/* Plays all that is_selected() of @library, and reports; @is_observing: without changing anything. An exit status. */
int play_library(const Options *options, const Library *library, bool is_observing);
