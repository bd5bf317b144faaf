/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A log expectation, prepared for being asked about many lines: its comparisons as parts, each about one journal
 * field, the cheap ones answered without a call into the match.
 */

#include "base/json.h"
#include "scenario/scenario.h"

typedef enum LogOrigin {
        LOG_FROM_UNIT,    /* what the unit's processes wrote */
        LOG_FROM_MANAGER, /* what PID 1 wrote about it */
        LOG_FROM_ANY,
} LogOrigin;

typedef struct LogPart {
        const Match *match; /* borrowed from the scenario */
        const char *field;  /* journal field; borrowed */
        const char *member; /* path in a MESSAGE that is JSON; NULL: the field itself; borrowed */
        unsigned weight;    /* how much a near miss is worth that satisfies it */
        bool is_late;       /* holds ${captures}: decided by the judge, on the text kept with the hit */
        bool is_priority;
        unsigned priorities; /* is_priority: bit N, level N matches */
        char *literal;       /* what the text has to equal, where that is no number; NULL: ask the match */
        size_t n_literal;
        bool has_plain_needle; /* the literal stands in the JSON text as it is, unless that has escapes */
        bool has_failed;       /* of the line that is being looked at */
} LogPart;

typedef struct LogGroup {
        const char *name;   /* borrowed */
        size_t part;        /* index of the part with the regex */
        const Match *match; /* MATCH_REGEX */
        size_t group;       /* its number in the regex */
} LogGroup;

typedef struct LogFilter {
        const Expectation *expectation;
        LogOrigin origin;
        LogPart *parts;
        size_t n_parts;
        unsigned total_weight;
        size_t n_late; /* parts that are late */
        bool has_json;
        LogGroup *groups; /* only where the expectation saves */
        size_t n_groups;
} LogFilter;

int log_filter_init(LogFilter *filter, const Expectation *expectation);
void log_filter_done(LogFilter *filter);

/* Does the field's (or member's) text satisfy the part? A late part: may it? */
bool log_part_matches(const LogPart *part, const char *text, size_t n_bytes);
/* Without parsing: can a member of this JSON text satisfy the part? */
bool log_part_may_match(const LogPart *part, const char *json, size_t n_bytes);
/* Has a regex of the filter run into PCRE2's limits? */
bool log_filter_overran(const LogFilter *filter);
