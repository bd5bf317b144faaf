/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Comparisons, as scenario files write them: `active`, `100`, `>= 3`, `<= 64M`, `100ms..2s`, `/regex/`, `[a, b]` (one
 * of), `not: x`. A match is compiled once by the parser and asked by the judge.
 *
 * A literal with a unit (64M, 5s, 50%) is compared by value with a number (bytes, microseconds, percent), everything
 * else as text; text that is a number is compared by value with a number.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/regex.h"
#include "scenario/template.h"

typedef enum MatchOperator {
        MATCH_EQUAL, /* text or number */
        MATCH_REGEX,
        MATCH_LESS,
        MATCH_LESS_EQUAL,
        MATCH_GREATER,
        MATCH_GREATER_EQUAL,
        MATCH_RANGE,  /* low..high, both included */
        MATCH_ONE_OF, /* any child */
        MATCH_NOT,    /* not its only child */
} MatchOperator;

typedef struct Match {
        MatchOperator operator;
        char *source;     /* as written, for reports; may hold ${captures} known only at run time */
        bool has_number;  /* low (and high) are valid */
        double low, high; /* bytes, microseconds, percent or plain */
        Regex *regex;     /* MATCH_REGEX */
        struct Match *children;
        size_t n_children;
} Match;

void match_done(Match *match);

/**
 * match_parse() - compile one comparison from its text
 * @text: as in the scenario file, unquoted; a leading and a closing slash make it a regex
 *
 * Errors: -EINVAL; @ret_offset (may be NULL) is the byte in @text where it went wrong.
 */
int match_parse(const char *text, Match *ret_match, size_t *ret_offset, Error *reterr);

/**
 * match_text() - does an observed text satisfy the match?
 * @lookup: resolves ${name} in the match's literals at the time of judging; may be NULL
 *
 * A numeric comparison with text that is no number is false.
 */
bool match_text(const Match *match, const char *text, size_t n_bytes, const TemplateLookup *lookup);

/* Can the match never be false (empty pattern, `>= 0`)? Then an expectation with it proves nothing. */
bool match_is_vacuous(const Match *match);

/* The match for people: `equals "active"`, `matches /x/`, `at most 64M`; the caller's. NULL: out of memory. */
char *match_describe(const Match *match, const TemplateLookup *lookup);
