/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the parts of the parser share. Private to this layer: parse-*.c and value*.c include it, nobody else.
 *
 * Every function here that returns int returns 0 or -ENOMEM; what is wrong with the file is a diagnostic, and what
 * could not be read is left empty, so that one run finds everything.
 */

#include "scenario/nearest.h"
#include "scenario/node.h"
#include "scenario/parse.h"
#include "scenario/source.h"

typedef struct Parser {
        const char *path;
        char *folder; /* of the file, absolute */
        const ParseOptions *options;
        const NodeTree *tree;
        DiagnosticList *diagnostics;
        SourceCursor source;

        /* Of the document and matrix point being parsed. */
        Scenario *scenario;
        Setting *variables; /* define, matrix point, `variables`; the values are texts that may hold ${captures} */
        size_t n_variables;
        char **unreadable; /* variables whose values have a diagnostic already: texts with them get none */
        size_t n_unreadable;
        char **captures; /* saved by the steps so far */
        size_t n_captures;
        char **ids; /* of steps so far, and of named expectations */
        size_t n_ids;
} Parser;

/* A diagnostic at @node, its text underlined. */
void parser_diagnose(Parser *parser, const Node *node, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same at byte @offset of the scalar's text, where that can be told (one line, nothing resolved). */
void parser_diagnose_at(Parser *parser, const Node *node, const char *resolved, size_t offset, const char *format,
                ...) PRINTF_LIKE(5, 6);
/* "unknown key `word` of a step", and the nearest known one. @owner may be NULL. */
void parser_diagnose_unknown(
                Parser *parser, const Node *node, const char *what, const char *owner, const Nearest *nearest);

/* Is @node of @type? Else a diagnostic that names @what ("`steps`"). */
bool parser_expect(Parser *parser, const Node *node, NodeType type, const char *what);

/**
 * parser_text() - a scalar's text with its variables put in
 * @allows_captures: may it hold ${x} that an earlier step saves? Then these stay as they are
 * @ret_text:        NULL where the node is no scalar, is empty without quotes, or names an unknown variable
 */
int parser_text(Parser *parser, const Node *node, const char *what, bool allows_captures, char **ret_text);

/* A scalar or a list of scalars, appended to @strings. */
int parser_strings(Parser *parser, const Node *node, const char *what, bool allows_captures, char ***strings,
                size_t *n_strings);

/* Path of a host file the scenario names: relative ones start at the scenario's folder. Checked where options say so.
 */
int parser_host_path(Parser *parser, const Node *node, const char *what, char **ret_path);

/* Value of a variable that is known while parsing, borrowed; NULL where there is none. @userdata: the Parser. */
const char *parser_find_variable(const char *name, void *userdata);

/* Remembers that an earlier step saves variable @name. */
int parser_add_capture(Parser *parser, const Node *node, const char *name);
/* Remembers an id; a diagnostic where it exists. */
int parser_add_id(Parser *parser, const Node *node, const char *id);

/* A new string, the caller's; NULL: out of memory. */
char *string_printf(const char *format, ...) PRINTF_LIKE(1, 2);

/* `agent-starts`: lower-case letters, digits and single hyphens, a letter first. */
bool name_is_kebab(const char *name);
/* Can ${name} and an environment variable be called so? */
bool name_is_variable(const char *name);

/* A Setting at the end of the array; copies. */
int setting_append(Setting **settings, size_t *n_settings, const char *name, const char *value, Mark mark);
void settings_free(Setting *settings, size_t n_settings);

/* parse-variables.c: --define, matrix and `variables`, in falling order of rank. */
typedef struct MatrixAxis {
        const char *name; /* borrowed from the tree */
        Mark mark;
        char **values;
        size_t n_values;
} MatrixAxis;

typedef struct Matrix {
        MatrixAxis *axes;
        size_t n_axes;
        size_t n_points; /* 1 without a matrix, or where it is wrong */
} Matrix;

#define MATRIX_POINTS_MAX 1000
/* Nodes that all points of a matrix are made of: a file within the limits must not grow into gigabytes. */
#define MATRIX_WALK_MAX   UINT64_C(2000000)

void matrix_done(Matrix *matrix);
int matrix_parse(Parser *parser, const Node *node, Matrix *ret_matrix);
/* Fills parser->variables and parser->scenario->variables. @node: the value of `variables`, or NULL. */
int variables_parse(Parser *parser, const Node *node, const Matrix *matrix, size_t point);
/* "[signal=SIGKILL]", "" without a matrix; the caller's. NULL: out of memory. */
char *matrix_point_name(const Matrix *matrix, size_t point);

/* parse-document.c: one document, all points of its matrix. */
int document_parse(
                Parser *parser, const Node *root, unsigned n_document, size_t n_documents, ScenarioList *scenarios);

/* parse-references.c: names of expectations (VALUE_EXPECTATION). Of a scenario without diagnostics so far. */
void references_check(Parser *parser);

/* parse-units.c, parse-stage.c: values of document keys. */
int units_parse(Parser *parser, const Node *node);
int properties_parse(Parser *parser, const Node *node);
int environment_parse(Parser *parser, const Node *node);
int files_parse(Parser *parser, const Node *node);
int directories_parse(Parser *parser, const Node *node);
int requires_parse(Parser *parser, const Node *node);
/* Is @name one of the scenario's units, or an instance of one of its templates? Else a diagnostic. */
bool parser_check_unit(Parser *parser, const Node *node, const char *name);

/* parse-steps.c: a list of steps. @prefix: "steps", or "steps[2].repeat" */
int steps_parse(Parser *parser, const Node *node, const char *prefix, Step **ret_steps, size_t *ret_n_steps);
void steps_free(Step *steps, size_t n_steps);

/**
 * expectations_parse() - what stands behind `expect`, `always` or `never`
 * @prefix:       "steps[4].expect", "never"
 * @default_unit: NULL: the scenario's only one
 */
int expectations_parse(Parser *parser, const Node *node, const char *prefix, const char *default_unit,
                Expectation **ret_expectations, size_t *ret_n_expectations);
void expectations_free(Expectation *expectations, size_t n_expectations);

/* Named groups of its patterns become variables. @node: for diagnostics. */
int expectation_add_captures(Parser *parser, const Node *node, const Expectation *expectation);

/* parse-spec.c: what stands behind the name of a kind. */
typedef struct Spec {
        Value *values; /* parallel to kind->keys */
        char *unit;
        char *name; /* expectations only */
        const Node *name_node;
} Spec;

typedef struct SpecPlace {
        const Node *key; /* the kind's name in the file */
        const char *id;  /* of the step or expectation, a prefix for nested steps */
        const char *default_unit;
        bool is_step;
} SpecPlace;

int spec_parse(Parser *parser, const KindSpec *kind, const Node *node, const SpecPlace *place, Spec *ret_spec);
void spec_done(const KindSpec *kind, Spec *spec);

/* value.c, value-match.c: one value by its type. @what: "`within`", for diagnostics; @id: prefix for nested steps. */
void values_free(Value *values, size_t n_values);
int value_parse(Parser *parser, const Node *node, const KeySpec *key, const char *id, Value *ret_value);
int value_parse_match(Parser *parser, const Node *node, const char *what, bool is_priority, Match *ret_match);
int value_parse_match_map(Parser *parser, const Node *node, const KeySpec *key, Value *value);
/* One entry of a VALUE_MATCH_MAP, appended. @prefix: names of the maps around it, each with its dot. */
int value_parse_match_entry(Parser *parser, const Node *name, const Node *node, const KeySpec *key,
                const char *prefix, Value *value);
int value_parse_duration(Parser *parser, const Node *node, const char *what, uint64_t *ret_usec);
/* Is @word one of @choices ("a|b|c")? Else a diagnostic. */
bool value_check_choice(Parser *parser, const Node *node, const char *what, const char *choices, const char *word);
