/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Plays scenarios side by side: one forked performer each, up to n_jobs of them, in one sd_event loop. Stores what
 * they send, tells the reports, ends performers that overstay, and ends all of them in order on SIGINT, SIGTERM and
 * SIGHUP.
 */

#include "perform/perform.h"
#include "reports/report.h"
#include "schedule/evidence.h"

typedef struct ScheduleOptions {
        const StageKind *stage;
        bool is_observing;
        int (*perform)(const PerformRequest *request); /* perform_scenario() */
        const char *version;                           /* of agenttest, for the reports */
        const char *run_id;
        const char *build_path;
        const char *stage_problem; /* why the stage cannot be brought up here: every play is an error; NULL: it can */
        unsigned n_jobs;
        const char *jobs_note;
        Shard shard;             /* for the reports */
        bool is_fail_fast;       /* begin nothing more once a play did not pass */
        Outcome inconclusive_as; /* as in ExitPolicy: does one that is inconclusive count as that? */
        EvidenceStore *store;    /* may be NULL where stage_problem is set */
        LatenessScale lateness;
        const char *lateness_note; /* for the reports; NULL: budgets count once */
        Report *const *reports;
        size_t n_reports;
        void (*in_child)(void *userdata); /* called in each performer; see performer.h */
        void *userdata;
        /* How long a performer may take over the scenario's own timeout, and to end once asked to. 0: the defaults.
         */
        uint64_t overstay_usec;
        uint64_t stop_usec;
} ScheduleOptions;

/**
 * schedule_run() - play all of @plays
 * @ret_summary: to be released with run_summary_done(), on errors too
 *
 * What goes wrong with a single play is an error verdict of that play; evidence that cannot be written ends the run
 * in order and is `broken` in the summary. SIGINT, SIGTERM, SIGHUP are blocked from here on, and stay so.
 *
 * Errors: the loop itself could not be made.
 */
int schedule_run(const ScheduleOptions *options, const Play *plays, size_t n_plays, RunSummary *ret_summary,
                Error *reterr);
