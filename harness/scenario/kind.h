/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The table-driven language. A kind of step or expectation is one row: its name and its keys with their types and
 * their documentation. The parser, the diagnostics (unknown key, nearest known one, wrong type), the JSON Schema and
 * the manual's key tables all come from that row.
 *
 * Rows live with the code that gives them meaning (perform/step-*.c, judge/expect-*.c), which embed a KindSpec as
 * their first member. The parser is handed the tables, so this layer knows none of them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scenario/mark.h"
#include "scenario/match.h"

typedef enum ValueType {
        VALUE_STRING, /* text; may hold ${captures} */
        VALUE_BOOL,
        VALUE_INTEGER,     /* .integer, >= 0 */
        VALUE_DURATION,    /* .usec */
        VALUE_SIZE,        /* .bytes */
        VALUE_SIGNAL,      /* "SIGTERM" or "TERM" or 15; .integer is the number, .text the name with SIG */
        VALUE_UNIT,        /* name of a unit of the scenario; checked */
        VALUE_EXPECTATION, /* name of another expectation of the same kind, before or behind; checked; .text */
        VALUE_CHOICE,      /* one of .choices; .text */
        VALUE_MATCH,       /* one comparison; .matches[0] with name NULL */
        VALUE_PRIORITY,  /* one comparison of log levels, by name or number; ask .matches[0] with the number ("3") */
        VALUE_MATCH_MAP, /* name -> comparison; nested maps become names with dots (json: {a: {b: 1}} is "a.b") */
        VALUE_STRING_LIST, /* a scalar is a list of one; may hold ${captures} */
        VALUE_STEPS,       /* nested steps (repeat); .steps */
} ValueType;

typedef struct NamedMatch {
        char *name; /* NULL for VALUE_MATCH */
        Mark mark;
        Match match;
} NamedMatch;

typedef struct Value {
        bool is_set;
        Mark mark;
        char *text; /* as written; the whole of STRING, UNIT, CHOICE; signal's name */
        bool is_true;
        uint64_t integer, usec, bytes;
        NamedMatch *matches;
        size_t n_matches;
        char **strings;
        size_t n_strings;
        struct Step *steps;
        size_t n_steps;
} Value;

typedef struct KeySpec {
        const char *name;
        ValueType type;
        bool is_required;
        const char *choices;      /* VALUE_CHOICE: "main|control|all"; VALUE_MATCH_MAP: the allowed names, NULL any */
        const char *default_text; /* parsed like written text where the key is absent; NULL: stays unset */
        const char *doc;          /* one or two sentences, for the manual and the schema */
} KeySpec;

struct DiagnosticList;
struct Expectation;
struct Scenario;

typedef struct KindSpec {
        const char *name; /* the YAML key: "start", "log" */
        const char *doc;
        const char *example; /* one YAML line or block, valid as an element of `steps` or of `expect` */
        const KeySpec *keys;
        size_t n_keys;
        int shorthand; /* index of the key that a bare scalar, list or (VALUE_MATCH_MAP) map sets; -1: none */
        /* Expectation only: `unit` is added to its keys. Step only: it names a unit, default the scenario's only one.
         */
        bool takes_unit;
        /* With these values it is about no unit, and none has to be named. NULL: it always is about one. */
        bool (*is_unitless)(const Value *values);
        /* More than types can say: what contradicts, what can never fail. Appends to @diagnostics. May be NULL. */
        void (*check)(const struct KindSpec *kind, const Value *values, Mark mark,
                        struct DiagnosticList *diagnostics);
        /* Expectation only: what the rest of the scenario says against it. Of one without mistakes so far. May be
         * NULL. */
        void (*check_in)(const struct Scenario *scenario, const struct Expectation *expectation,
                        struct DiagnosticList *diagnostics);
} KindSpec;

/* The tables the parser works from, and words of the language that are not built yet (their use is an error). */
typedef struct Language {
        const KindSpec *const *steps; /* without `expect`, which the parser itself knows */
        size_t n_steps;
        const KindSpec *const *expectations;
        size_t n_expectations;
        const char *const *unbuilt_steps; /* NULL-terminated */
        const char *const *unbuilt_expectations;
} Language;
