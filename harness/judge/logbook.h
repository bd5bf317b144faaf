/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which lines of the journal matched which log expectations. Fed with every line once, in the journal's order: live
 * as they come, in a replay from the recorded files. Holds places, not lines, so memory stays flat however much a
 * daemon logs.
 */

#include <stdbool.h>

#include "scenario/scenario.h"
#include "scenario/template.h"
#include "timeline/log-line.h"

typedef struct LogHit {
        uint64_t seqnum;
        uint64_t at_usec;
        pid_t pid;
        bool lacks_unit; /* the line has no _SYSTEMD_UNIT: it counts where pid was a process of the unit (H-31) */
        char *excerpt;   /* at most 256 bytes of MESSAGE; only of the first hits of each expectation, else NULL */
        char **groups;   /* captures, parallel to the expectation's group names; NULL where it has none */
        char **late; /* texts for the comparisons that hold ${captures}: it is a hit where logbook_holds() says so */
} LogHit;

typedef struct LogBook LogBook;

/* For all log expectations of the scenario (steps, always, never). @user_manager: the process that manages its units,
 * where they are a user's; else 0. -ENOMEM. */
int logbook_new(const Scenario *scenario, pid_t user_manager, LogBook **ret_logbook);
LogBook *logbook_free(LogBook *logbook);

/**
 * logbook_feed() - look at the next line
 * @on_hit: called for every expectation that the line matches; may be NULL
 */
int logbook_feed(LogBook *logbook, const LogLine *line, void (*on_hit)(const Expectation *, const LogHit *, void *),
                void *userdata);

/* The hits of one expectation, in the journal's order; borrowed. */
const LogHit *logbook_hits(const LogBook *logbook, const Expectation *expectation, size_t *ret_n_hits);

/* Does the hit satisfy the comparisons that hold ${captures}, too? */
bool logbook_holds(const LogBook *logbook, const Expectation *expectation, const LogHit *hit,
                const TemplateLookup *lookup);

/* Why "no such line" cannot be believed: a regex hit its limits, too many candidates to keep. NULL: it can. */
const char *logbook_doubt(const LogBook *logbook, const Expectation *expectation);

/*
 * Lines of the unit, of the whole journal, that came nearest to matching; at most 3, best first and then newest
 * first, with excerpts: for the report. Only for expectations with several comparisons.
 */
const LogHit *logbook_near_misses(const LogBook *logbook, const Expectation *expectation, size_t *ret_n_hits);

/* Did sequence numbers jump, or was the first line not the journal's first? Then lines were lost. */
/* The first line to come is the one behind number @seqnum; else it is the first of all. */
void logbook_begin_behind(LogBook *logbook, uint64_t seqnum);
bool logbook_has_gap(const LogBook *logbook);
uint64_t logbook_n_lines(const LogBook *logbook);

/* The judge: this hit decided the last judged window, its captures are the ones; NULL: none did. */
void logbook_choose(LogBook *logbook, const Expectation *expectation, const LogHit *hit);

/**
 * logbook_capture() - what a log expectation with `save` captured
 * @i: number of the capture, from 0: named groups of its patterns, in their order
 *
 * Returns whether there is an @i-th one; name and value (of the first hit in the last judged window) are borrowed.
 */
bool logbook_capture(const LogBook *logbook, const Expectation *expectation, size_t i, const char **ret_name,
                const char **ret_value);

DEFINE_CLEANUP(LogBook, logbook_free)
