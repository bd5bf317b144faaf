/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/quantity.h"
#include "scenario/array.h"
#include "scenario/language.h"
#include "scenario/parser.h"

#define TIMEOUT_DEFAULT_USEC (10 * 60 * USEC_PER_SEC)

static int parse_about(Parser *parser, const Node *node) {
        int r = parser_text(parser, node, "`about`", false, &parser->scenario->about);

        if (r >= 0 && parser->scenario->about && !*parser->scenario->about)
                parser_diagnose(parser, node, "`about` is empty");
        return r;
}

static int parse_tags(Parser *parser, const Node *node) {
        Scenario *scenario = parser->scenario;
        int r = parser_strings(parser, node, "`tags`", false, &scenario->tags, &scenario->n_tags);

        if (r < 0)
                return r;
        FOREACH_ARRAY (tag, scenario->tags, scenario->n_tags)
                if (!name_is_kebab(*tag))
                        parser_diagnose(parser, node, "`tags` takes words like `crash-restart`, and one is \"%s\"",
                                        *tag);
        return 0;
}

static int parse_timeout(Parser *parser, const Node *node) {
        uint64_t usec = 1; /* kept where it is no duration at all, which has been said then */
        int r = value_parse_duration(parser, node, "`timeout`", &usec);

        if (r >= 0 && (usec == 0 || usec == USEC_INFINITY))
                parser_diagnose(parser, node, "`timeout` needs an end that is not now");
        parser->scenario->timeout_usec = usec;
        return r;
}

static int parse_exclusive(Parser *parser, const Node *node) {
        static const KeySpec key = { .name = "exclusive", .type = VALUE_BOOL };
        Value value = { 0 };
        int r = value_parse(parser, node, &key, "exclusive", &value);

        parser->scenario->is_exclusive = value.is_true;
        free(value.text);
        return r;
}

static int parse_allow(Parser *parser, const Node *node) {
        char **words = NULL;
        size_t n_words = 0;
        int r = parser_strings(parser, node, "`allow`", false, &words, &n_words);

        FOREACH_ARRAY (word, words, n_words)
                if (value_check_choice(parser, node, "`allow`", "child-signals", *word))
                        parser->scenario->allows_child_signals = true;
        array_free_strings(words, n_words);
        return r;
}

static int parse_steps(Parser *parser, const Node *node) {
        return steps_parse(parser, node, "steps", &parser->scenario->steps, &parser->scenario->n_steps);
}

static int parse_always(Parser *parser, const Node *node) {
        return expectations_parse(
                        parser, node, "always", NULL, &parser->scenario->always, &parser->scenario->n_always);
}

static int parse_never(Parser *parser, const Node *node) {
        return expectations_parse(parser, node, "never", NULL, &parser->scenario->never, &parser->scenario->n_never);
}

typedef struct KeyParser {
        const char *name;
        int (*parse)(Parser *parser, const Node *node);
} KeyParser;

/* In the order in which they need each other, not the file's: steps name units, invariants name what steps save. */
static const KeyParser key_parsers[] = {
        { "about", parse_about },
        { "tags", parse_tags },
        { "units", units_parse },
        { "properties", properties_parse },
        { "environment", environment_parse },
        { "files", files_parse },
        { "directories", directories_parse },
        { "requires", requires_parse },
        { "timeout", parse_timeout },
        { "allow", parse_allow },
        { "exclusive", parse_exclusive },
        { "steps", parse_steps },
        { "always", parse_always },
        { "never", parse_never },
};

/* Keys that are no words of a document, and words that are missing. Once per document, not per matrix point. */
static void check_keys(Parser *parser, const Node *root) {
        bool is_faulty = false;

        for (size_t i = 0; i + 1 < root->n_items; i += 2) {
                const Node *key = node_item(parser->tree, root, i);
                Nearest nearest = NEAREST_INIT(key->text);
                bool is_known = false;

                FOREACH_ARRAY (known, document_keys, n_document_keys) {
                        is_known = is_known || strcmp(known->name, key->text) == 0;
                        nearest_offer(&nearest, known->name);
                }
                if (!is_known) {
                        parser_diagnose_unknown(parser, key, "key", "a scenario", &nearest);
                        is_faulty = true;
                }
        }
        FOREACH_ARRAY (known, document_keys, n_document_keys)
                if (known->is_required && !is_faulty && !node_find(parser->tree, root, known->name))
                        parser_diagnose(parser, root, "a scenario needs `%s`, e.g. `%s`", known->name,
                                        known->example);
}

/* PATH, PATH#name, or PATH#2 in a file of several documents. NULL: out of memory. */
static char *document_name(Parser *parser, const Node *root, unsigned n_document, size_t n_documents) {
        const Node *node = node_find(parser->tree, root, "name");

        if (node && parser_expect(parser, node, NODE_SCALAR, "`name`")) {
                if (!name_is_kebab(node->text))
                        parser_diagnose(parser, node, "`name` takes words like `crash-restarts`, and this is \"%s\"",
                                        node->text);
                return string_printf("%s#%s", parser->path, node->text);
        }
        return n_documents > 1 ? string_printf("%s#%u", parser->path, n_document + 1) : strdup(parser->path);
}

static void parser_forget_point(Parser *parser) {
        settings_free(parser->variables, parser->n_variables);
        array_free_strings(parser->unreadable, parser->n_unreadable);
        array_free_strings(parser->captures, parser->n_captures);
        array_free_strings(parser->ids, parser->n_ids);
        parser->variables = NULL;
        parser->captures = parser->ids = parser->unreadable = NULL;
        parser->n_unreadable = parser->n_variables = parser->n_captures = parser->n_ids = 0;
        parser->scenario = NULL;
}

static int parse_point(Parser *parser, const Node *root, const Matrix *matrix, size_t point) {
        size_t n_before = parser->diagnostics->n_items;
        int r = variables_parse(parser, node_find(parser->tree, root, "variables"), matrix, point);

        FOREACH_ARRAY (key, key_parsers, ELEMENTS_OF(key_parsers)) {
                const Node *node = node_find(parser->tree, root, key->name);

                if (r >= 0 && node)
                        r = key->parse(parser, node);
        }
        if (r >= 0 && parser->diagnostics->n_items == n_before)
                references_check(parser);
        return r;
}

static int add_point(Parser *parser, const Node *root, const Matrix *matrix, size_t point, const char *document,
                unsigned n_document, ScenarioList *scenarios) {
        CLEANUP_FREE char *point_name = matrix_point_name(matrix, point);
        CLEANUP(scenario_free_p) Scenario *scenario = calloc(1, sizeof(*scenario));
        Scenario **item;
        int r;

        if (!scenario || !point_name)
                return -ENOMEM;
        scenario->n_document = n_document;
        scenario->timeout_usec = TIMEOUT_DEFAULT_USEC;
        scenario->path = strdup(parser->path);
        scenario->name = string_printf("%s%s", document, point_name);
        if (!scenario->path || !scenario->name)
                return -ENOMEM;

        parser->scenario = scenario;
        r = parse_point(parser, root, matrix, point);
        parser_forget_point(parser);
        if (r < 0)
                return r;
        item = array_append(&scenarios->items, &scenarios->n_items, sizeof(*item));
        if (!item)
                return -ENOMEM;
        *item = TAKE_PTR(scenario);
        return 0;
}

/* The matrix is read with the defines alone: variables may depend on its point, not the other way round. */
static int parse_matrix(Parser *parser, const Node *root, Matrix *ret_matrix) {
        CLEANUP(scenario_free_p) Scenario *scratch = calloc(1, sizeof(*scratch));
        Matrix none = { .n_points = 1 };
        int r;

        if (!scratch)
                return -ENOMEM;
        parser->scenario = scratch;
        r = variables_parse(parser, NULL, &none, 0);
        if (r >= 0)
                r = matrix_parse(parser, node_find(parser->tree, root, "matrix"), ret_matrix);
        parser_forget_point(parser);
        return r;
}

int document_parse(
                Parser *parser, const Node *root, unsigned n_document, size_t n_documents, ScenarioList *scenarios) {
        CLEANUP(matrix_done) Matrix matrix = { 0 };
        CLEANUP_FREE char *name = NULL;
        int r;

        if (node_is_empty(root)) {
                diagnostic_add(parser->diagnostics, root->mark, 0, "this document is empty");
                return 0;
        }
        if (!parser_expect(parser, root, NODE_MAP, "a scenario"))
                return 0;
        check_keys(parser, root);
        r = parse_matrix(parser, root, &matrix);
        if (r < 0)
                return r;
        name = document_name(parser, root, n_document, n_documents);
        if (!name)
                return -ENOMEM;
        for (size_t i = 0; i < matrix.n_points; i++) {
                r = add_point(parser, root, &matrix, i, name, n_document, scenarios);
                if (r < 0)
                        return r;
        }
        return 0;
}
