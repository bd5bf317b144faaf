/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Kinds of expectations. One row (ExpectKind) a kind, each in its own file judge/expect-*.c; the table is in
 * judge/expect.c. A row says how the kind is written (spec), what has to be observed for it (question, channels), and
 * how it is judged.
 *
 * Two ways to judge:
 *   - a level (state, process, file, socket, ...) is true or false at each observation: `examine` looks at one entry,
 *     and judge/level.c does within, for, always and never for all of them;
 *   - an event (log, exit, restart, job, left-behind) is judged over its window by the kind itself: `evaluate`.
 *
 * Neither knows of `never`: it is asked "did it happen in the window?", and judge.c turns pass into FORBIDDEN_SEEN
 * and NOT_OBSERVED into pass. What is inconclusive stays so.
 */

#include "judge/logbook.h"
#include "judge/verdict.h"
#include "scenario/scenario.h"
#include "timeline/timeline.h"

/* Everything a judgement may rest on. */
typedef struct Case {
        const Scenario *scenario;
        const Timeline *timeline;
        LogBook *logbook;
        int evidence_fd; /* folder with the copies that entries name; -EBADF where there is none */
} Case;

/* The window in which an expectation has to hold. */
typedef struct Window {
        size_t begin_index;     /* timeline index of the step's begin; for invariants 0 */
        size_t anchor_index;    /* index of the begin of the step it is measured from */
        uint64_t from_usec;     /* stamp of the anchor */
        uint64_t deadline_usec; /* USEC_INFINITY: none, the facts as they are now */
        uint64_t for_usec;
        bool is_closed;         /* barriers done: what is not in the timeline by now did not happen in the window */
        uint64_t complete_usec; /* closed: all that happened before this stamp is in */
        size_t end_index;       /* closed: entries from here on are not looked at; open: SIZE_MAX */
} Window;

/* What the performer has to ask for so that the expectation can be judged; the answers are entries. */
typedef enum Question {
        QUESTION_NONE,       /* the standing observers (bus, journal, acct, pidfds) see it */
        QUESTION_PROPERTIES, /* GetAll of the unit at every change, and once at the window's begin and end */
        QUESTION_FILE,
        QUESTION_DATABASE,
        QUESTION_SOCKET,
        QUESTION_COMMAND,
        QUESTION_PROCESS,
        QUESTION_LEFT_BEHIND,
        QUESTION_COUNTERS, /* what expectation_counters() names (judge/counters.h) */
        N_QUESTIONS,
} Question;

/* Channels that must be drained to close a window, and complete for "it did not happen". Bits. */
typedef enum Channel {
        CHANNEL_BUS = 1 << 0,
        CHANNEL_JOURNAL = 1 << 1,
        CHANNEL_ACCT = 1 << 2,
        CHANNEL_KMSG = 1 << 3,
} Channel;

typedef enum Truth {
        TRUTH_IRRELEVANT, /* the entry says nothing about this expectation */
        TRUTH_FALSE,
        TRUTH_TRUE,
        TRUTH_UNKNOWN, /* asked, but not answered: permission, changed while copied, ... */
} Truth;

typedef struct Examination {
        Truth truth;
        uint64_t at_usec; /* upper bound by the source's own stamp (a unit's StateChangeTimestampMonotonic), else
                             entry's */
        Text seen;        /* for people: what it was */
} Examination;

typedef struct ExpectKind {
        KindSpec spec; /* first: an Expectation's kind points here */
        Question question;
        unsigned channels; /* bits of Channel */
        int (*examine)(const Expectation *expectation, const Case *facts, const Entry *entry, Examination *ret,
                        Error *reterr);
        int (*evaluate)(const Expectation *expectation, const Case *facts, const Window *window, Verdict *ret_verdict,
                        Error *reterr);
        /* What is expected, for people: "ActiveState equals active"; NULL: out of memory. */
        char *(*describe)(const Expectation *expectation, const Case *facts);
} ExpectKind;

/* The kinds that exist, for the parser. */
const KindSpec *const *expect_kinds(size_t *ret_n_kinds);
/* Words of the language that have no kind yet; NULL-terminated. */
const char *const *expect_unbuilt(void);

static inline const ExpectKind *expect_kind(const Expectation *expectation) {
        return (const ExpectKind *) expectation->kind;
}

/* Values of captures (`save`, named groups) as recorded before timeline index @before, else of the scenario's
 * variables. */
typedef struct CaptureScope {
        const Case *facts;
        size_t before;
} CaptureScope;
TemplateLookup capture_lookup(CaptureScope *scope);
