/* SPDX-License-Identifier: MIT */
#pragma once

/* Performers that are played by a few lines, and a report that writes down what it is told. */

#include "schedule/schedule.h"

/* Does what the scenario's name says: "passes", "fails", "is cut", ... see players.c. */
int play_by_name(const PerformRequest *request);

typedef struct Notes {
        Report report;  /* first */
        Text text;      /* "name: outcome reason\n", in the order of their ends */
        char *sentence; /* of the worst verdict of the last play */
        char *evidence_path;
        size_t n_running, n_running_max, n_entries;
        size_t n_exclusive; /* of those that run */
        size_t n_disturbed; /* begun beside an exclusive one, or the other way round */
} Notes;

/* Of every scenario in run_plays(); far away unless a test says otherwise. */
extern uint64_t scenario_timeout_usec;

/**
 * run_plays() - schedule plays with these names
 * @options: stage, perform, reports, run_id are filled in; evidence goes to "out" unless a store is given
 */
RunSummary run_plays(const char *const *names, size_t n_names, ScheduleOptions options, Notes *notes);
void notes_done(Notes *notes);

#define NAMES(...) (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)
