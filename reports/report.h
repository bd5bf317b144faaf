/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a report is told, and when. A format is one file with a constructor that returns a Report; the scheduler calls
 * all reports of a run at the same moments and knows nothing of formats. A report writes to the FILE it was given; it
 * reads no clock, so every call that needs the time is given it (microseconds of CLOCK_MONOTONIC).
 */

#include <stdbool.h>
#include <stdio.h>

#include "judge/verdict.h"
#include "scenario/scenario.h"
#include "timeline/timeline.h"

#define N_OUTCOMES (OUTCOME_FAIL + 1)

/* One scenario as it is played in a run; with --repeat the same scenario is played several times. */
typedef struct Play {
        const Scenario *scenario; /* borrowed */
        char *name;               /* the scenario's name, with " #2" behind where it is repeated */
        unsigned index; /* place in the whole suite, 0-based, also where only a part is played; with the run's id the
                           mark of its stage */
        const char *source; /* text of the scenario's file; borrowed, NULL where it is not at hand */
        size_t n_source_bytes;
        const Setting *defines; /* what the file was parsed with; borrowed */
        size_t n_defines;
} Play;

typedef struct PlayResult {
        const Play *play;
        Judgement judgement;
        Outcome outcome;           /* of the judgement */
        const Timeline *timeline;  /* NULL: nothing was performed */
        const char *evidence_path; /* NULL: nothing was kept */
        uint64_t begin_usec, end_usec;
} PlayResult;

/* A whole suite, told from others (cli/suite-mark.h). */
typedef struct SuiteMark {
        unsigned n_scenarios;
        uint64_t names_hash;
} SuiteMark;

/* Which part of a suite is played, of how many; n 0: all of it. */
typedef struct Shard {
        unsigned number; /* 1-based */
        unsigned n;
        SuiteMark suite; /* that it is a part of */
} Shard;

/* Known before the first scenario begins. */
typedef struct RunFacts {
        const char *version; /* of agenttest */
        const char *stage_name;
        size_t n_plays;
        unsigned n_jobs;           /* 0: they are not played now, but told of */
        const char *jobs_note;     /* why there are fewer jobs than asked for; NULL: there are not */
        const char *lateness_note; /* how many times budgets for lateness count, and why; NULL: once, as written */
        uint64_t begin_usec;
        uint64_t begin_wall_usec; /* the same moment by the wall clock, since 1970 */
        const char *host_name;    /* NULL: unknown */
        const Play *plays; /* all n_plays by their index, there until the report is closed; NULL: not known beforehand
                            */
        Shard shard;
} RunFacts;

typedef struct RunSummary {
        size_t n_with[N_OUTCOMES]; /* plays by outcome */
        size_t n_not_played;       /* never begun: the run was ended before */
        int signal_number;         /* the run was ended by this signal; 0: it was not */
        char *broken;              /* the run was ended because the harness could not go on; NULL: it was not */
        const char *evidence_path; /* folder of the run; NULL: nothing was kept */
        uint64_t begin_usec, end_usec;
        uint64_t margin_usec; /* the least time that was left in any window that passed; USEC_INFINITY: no window */
        char *margin_of;      /* the play and expectation it was left in; NULL: none */
} RunSummary;

typedef struct Report Report;
struct Report {
        void (*begin)(Report *report, const RunFacts *facts);
        void (*play_begin)(Report *report, const Play *play, uint64_t now_usec);
        void (*progress)(Report *report, const Play *play, const Entry *entry, uint64_t now_usec);
        void (*play_end)(Report *report, const PlayResult *result);
        void (*tick)(Report *report, uint64_t now_usec); /* once a second while anything is played */
        void (*end)(Report *report, const RunSummary *summary);
        /* Flushes and frees. Errors: what could not be written, since the report began. */
        int (*close)(Report *report, Error *reterr);
};

/* How the outcomes of a run become an exit status. */
typedef struct ExitPolicy {
        Outcome inconclusive_as; /* OUTCOME_PASS, OUTCOME_FAIL; OUTCOME_INCONCLUSIVE: a status of its own */
        bool is_automake;        /* 0, 1, 77 skip, 99 hard error, as automake and meson understand them */
} ExitPolicy;

#define EXIT_POLICY_DEFAULT ((ExitPolicy){ .inconclusive_as = OUTCOME_INCONCLUSIVE })

typedef enum ExitStatus {
        STATUS_PASS = 0,
        STATUS_FAIL = 1,
        STATUS_ERROR = 2,
        STATUS_USAGE = 3, /* also: an invalid scenario file */
        STATUS_INCONCLUSIVE = 4,
        STATUS_NOTHING_RAN = 5,
        STATUS_SIGNAL = 128, /* plus its number */
} ExitStatus;

/* Inline: who only runs plays need not link the formats. */
static inline void run_summary_done(RunSummary *summary) {
        free(summary->broken);
        free(summary->margin_of);
        summary->broken = summary->margin_of = NULL;
}
/* By @policy but for its protocol: a report that is lost may still make it worse. */
int run_summary_exit_status(const RunSummary *summary, const ExitPolicy *policy);
/* The last word: what the program that called understands by that status. */
int exit_status_by_protocol(int status, const ExitPolicy *policy);

/* A report was lost, or something was left behind: an error, where what was played is no worse. */
static inline int exit_status_and_error(int status) {
        bool is_milder = status == STATUS_PASS || status == STATUS_INCONCLUSIVE || status == STATUS_NOTHING_RAN;

        return is_milder ? STATUS_ERROR : status;
}

/* "12 passed, 0 failed, 1 skipped": passed and failed always, the others where there are any. */
void run_summary_line(const RunSummary *summary, Text *ret_text);

typedef struct TerminalOptions {
        FILE *file;   /* not closed */
        bool is_live; /* a terminal that understands cursor movement */
        bool has_color;
        int verbosity;      /* -1 quiet: only what did not pass, and the summary; 0; 1: every verdict */
        unsigned n_columns; /* of the terminal; 0: unknown */
        unsigned n_rows;
        /* Where GitHub reads along: a word nobody can guess. What a daemon wrote is shown between two lines with it,
         * and no command there is obeyed. NULL: nobody reads along. Source: "stop-commands" of workflow commands. */
        const char *fence;
} TerminalOptions;

/* Live progress and failures for people (reports/terminal.c). NULL: out of memory. */
Report *terminal_report_new(const TerminalOptions *options);

typedef struct TapOptions {
        FILE *file;
        const char *path; /* of the file, for people; borrowed until the report is closed; NULL: standard output */
        bool closes_file;
        Outcome inconclusive_as; /* as in ExitPolicy: with OUTCOME_PASS an inconclusive scenario is "ok" */
} TapOptions;

/* TAP version 13, one point a scenario (reports/tap.c). NULL: out of memory. Source: testanything.org, version 13. */
Report *tap_report_new(const TapOptions *options);

typedef enum JunitFlavor {
        JUNIT_COMMON, /* as pytest, Playwright and most others write it */
        JUNIT_XUNIT2, /* only what the schemas of Jenkins allow: no file, line and properties at a testcase */
        JUNIT_GITLAB, /* `file` relative to the project; properties, which GitLab drops, in system-out */
        N_JUNIT_FLAVORS,
} JunitFlavor;

typedef enum JunitAttachments {
        JUNIT_ATTACHMENTS_RELATIVE, /* to the project's folder */
        JUNIT_ATTACHMENTS_ABSOLUTE,
        JUNIT_ATTACHMENTS_NONE,
        N_JUNIT_ATTACHMENTS,
} JunitAttachments;

typedef struct JunitOptions {
        const char *path; /* as all texts here borrowed until the report is closed */
        JunitFlavor flavor;
        JunitAttachments attachments;
        const char *folder; /* of the project, which files are named relative to; NULL: as they are */
        Outcome inconclusive_as;
} JunitOptions;

/**
 * junit_report_new() - a JUnit file: one testsuite a scenario file, one testcase a play (reports/junit.c)
 *
 * The file is written when the run ends, in whatever way, and appears whole: under another name first. What is no
 * file (/dev/stdout, a pipe) is written to as it is.
 *
 * Errors: -EISDIR, -EACCES, -ENOENT, -EROFS, ...: it could not be written, told before anything is played.
 */
int junit_report_new(const JunitOptions *options, Report **ret_report, Error *reterr);

typedef struct GithubOptions {
        FILE *file;               /* for the annotations; not closed */
        const char *summary_path; /* of the step summary, appended to; NULL: none */
        const char *folder;       /* of the repository */
        Outcome inconclusive_as;
} GithubOptions;

/* Annotations and the step summary of GitHub Actions (reports/github.c). NULL: out of memory. */
Report *github_report_new(const GithubOptions *options);

#define RECORD_FILE_NAME "run.ndjson"
enum { RECORD_FORMAT = 2 };

/* What the run @run_id reported, in the folder of its evidence, for `agenttest merge` (reports/record.c). */
int record_report_new(const char *folder, const char *run_id, Report **ret_report, Error *reterr);
