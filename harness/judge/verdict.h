/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the daemon did: plain data. `fail` is about the daemon, `error` about the harness or the stage, `inconclusive`
 * means that a channel lost something or came late, so that nobody may say pass. In a scenario
 * fail > error > inconclusive > pass.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "scenario/mark.h"

typedef enum Outcome {
        OUTCOME_PENDING, /* while the window is open; never in a final judgement */
        OUTCOME_PASS,
        OUTCOME_SKIP,
        OUTCOME_INCONCLUSIVE,
        OUTCOME_ERROR,
        OUTCOME_FAIL,
} Outcome;

typedef enum Reason {
        REASON_NONE,
        REASON_HELD,           /* pass */
        REASON_NOT_OBSERVED,   /* fail: nothing in the window matched, and the channels were complete */
        REASON_WRONG_VALUE,    /* fail: observed, but with another value (state, exit code, count, content) */
        REASON_TOO_LATE,       /* fail: it came, provably after the deadline */
        REASON_TOO_EARLY,      /* fail: a restart before RestartSec; a log line not after the one it has to follow */
        REASON_NOT_KEPT,       /* fail: became true, did not stay so `for` long */
        REASON_FORBIDDEN_SEEN, /* fail: `never` happened, `always` did not hold */
        REASON_UNEXPLAINED_DEATH, /* fail: rule 6 */
        REASON_NOT_CLEAN,         /* fail: exit expected clean, was killed or had another status */
        REASON_LEFT_BEHIND,       /* fail: processes, cgroups, files, sockets after the stop */
        REASON_JOB_FAILED,        /* fail: a start, stop or restart job ended otherwise than done */
        REASON_STEP_DEADLINE,     /* fail: an action's own deadline passed (job never ended, main never died) */
        REASON_COMMAND_FAILED,    /* fail: a `run` step's command ended otherwise than with status 0 */
        REASON_NO_MAIN_PROCESS,   /* fail: nothing there to signal */
        REASON_UNIT_REFUSED,      /* error: the manager cannot load or start the unit as written */
        REASON_STEP_BROKEN,       /* error: the harness could not perform a step */
        REASON_STREAM_CUT,        /* error: the performer ended without a verdict */
        REASON_STAGE,             /* error: the stage could not be brought up */
        REASON_INTERRUPTED,       /* error: the run was ended by a signal */
        REASON_TIMEOUT,           /* error: the scenario's own timeout passed */
        REASON_LATE_STAMP,        /* inconclusive: after the deadline by its stamp, possibly in time */
        REASON_CHANNEL_LOST,      /* inconclusive: a channel that had to be complete was not */
        REASON_NO_EXIT_STAMP,     /* inconclusive: exit facts without an exit stamp */
        REASON_UNREADABLE,   /* inconclusive: the evidence could not be taken (copy changed, permission, regex limits)
                              */
        REASON_NOT_RECORDED, /* inconclusive: replay of an edited scenario asks for what was not recorded */
        REASON_LIMIT_NOT_IN_FORCE, /* inconclusive: the kernel does not hold the unit to the limit (rule 7) */
        REASON_LOAD_TOO_LOW,       /* inconclusive: the limit was not reached (rule 7) */
        REASON_REQUIREMENT,        /* skip */
        REASON_NOT_REACHED,        /* skip: an earlier step failed */
        REASON_NOT_RUN,            /* skip: the run was not to go on after a failure */
        N_REASONS,
} Reason;

typedef struct Verdict {
        Outcome outcome;
        Reason reason;
        char *id; /* step or expectation it is about; "scenario" for the whole */
        Mark mark;
        char *sentence;     /* one sentence for people */
        char *expected;     /* "ActiveState equals \"active\"", may be NULL */
        char *seen;         /* "ActiveState was \"failed\"", may be NULL */
        char **near_misses; /* at most 5, best first: what came closest, e.g. log lines */
        size_t n_near_misses;
        size_t *evidence; /* indexes of timeline entries it rests on */
        size_t n_evidence;
        uint64_t at_usec; /* when it was decided, by stamp; 0: no moment. PENDING: since when it holds, `for` is not
                             over */
        uint64_t margin_usec; /* pass within a window: time that was left; USEC_INFINITY: no window */
} Verdict;

typedef struct Judgement {
        Verdict *verdicts; /* in the scenario's order: steps with their expectations, always, never, deaths, channels
                            */
        size_t n_verdicts;
        Outcome outcome; /* of the whole scenario */
} Judgement;

#define JUDGEMENT_INIT ((Judgement){ 0 })

void verdict_done(Verdict *verdict);
void judgement_done(Judgement *judgement);

const char *outcome_name(Outcome outcome);
const char *reason_name(Reason reason);
int outcome_from_name(const char *name);
int reason_from_name(const char *name);

/* What a reason means: fail, error, inconclusive, pass or skip; REASON_NONE is a verdict that is pending. */
Outcome reason_outcome(Reason reason);

/*
 * Does it end the scenario? A failure and an error do, and so does a limit that is not in force or not reached: what
 * comes behind it would be asked of a daemon that was never put to the test.
 */
bool reason_ends(Reason reason);

/* Decides a verdict: outcome by the reason, sentence as given. What was decided before is replaced. -ENOMEM. */
int verdict_decide(Verdict *verdict, Reason reason, const char *format, ...) PRINTF_LIKE(3, 4);
/* The timeline entry @index belongs to the evidence; SIZE_MAX is none. -ENOMEM. */
int verdict_rest_on(Verdict *verdict, size_t index);
/* What came near, for the report; from the sixth on they are dropped. -ENOMEM. */
int verdict_add_near_miss(Verdict *verdict, const char *near_miss);
/* Appends, and counts its outcome: PENDING wins over all while there is one. The verdict is the judgement's, also on
 * error. */
int judgement_take(Judgement *judgement, Verdict *verdict);

/* fail > error > inconclusive > pass; a skip counts only where there is nothing else. */
Outcome outcome_worse(Outcome a, Outcome b);

/* One line of JSON with a newline, always the same bytes for the same verdict. */
void verdict_encode(const Verdict *verdict, Text *ret_text);
int verdict_decode(const char *line, size_t n_bytes, Verdict *ret_verdict, Error *reterr);

/* The first of the worst verdicts; NULL where there is none. Borrowed. */
const Verdict *judgement_worst(const Judgement *judgement);
