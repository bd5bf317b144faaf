/* SPDX-License-Identifier: MIT */
/* What stands behind the name of a kind: its shorthand, or a map of its keys. */
#include <string.h>

#include "scenario/parser.h"
#include "scenario/unit-property.h"

void spec_done(const KindSpec *kind, Spec *spec) {
        if (spec->values)
                values_free(spec->values, kind->n_keys);
        free(spec->unit);
        free(spec->name);
        *spec = (Spec){ 0 };
}

static size_t find_key(const KindSpec *kind, const char *name) {
        size_t i = 0;

        while (i < kind->n_keys && strcmp(kind->keys[i].name, name) != 0)
                i++;
        return i;
}

static const KeySpec *shorthand_key(const KindSpec *kind) {
        return kind->shorthand >= 0 ? &kind->keys[kind->shorthand] : NULL;
}

static void diagnose_key(Parser *parser, const KindSpec *kind, const Node *key, bool is_step) {
        CLEANUP_FREE char *what = string_printf("`%s`", kind->name);
        Nearest nearest = NEAREST_INIT(key->text);

        FOREACH_ARRAY (known, kind->keys, kind->n_keys)
                nearest_offer(&nearest, known->name);
        if (kind->takes_unit)
                nearest_offer(&nearest, "unit");
        if (!is_step)
                nearest_offer(&nearest, "name");
        parser_diagnose_unknown(parser, key, "key", what, &nearest);
}

/* A unit named beside the kind's own keys. */
static int set_unit(Parser *parser, const Node *node, Spec *spec) {
        int r = parser_text(parser, node, "`unit`", false, &spec->unit);

        if (r >= 0 && spec->unit)
                (void) parser_check_unit(parser, node, spec->unit);
        return r;
}

static int set_name(Parser *parser, const Node *node, Spec *spec) {
        int r = parser_text(parser, node, "`name`", false, &spec->name);

        spec->name_node = node;
        if (r >= 0 && spec->name && !name_is_kebab(spec->name))
                parser_diagnose(parser, node, "`name` takes words like `agent-starts`, and this is \"%s\"",
                                spec->name);
        return r;
}

static int parse_key(Parser *parser, const KindSpec *kind, const Node *key, const Node *node, const SpecPlace *place,
                Spec *spec) {
        const KeySpec *shorthand = shorthand_key(kind);
        size_t i = find_key(kind, key->text);

        if (i < kind->n_keys)
                return value_parse(parser, node, &kind->keys[i], place->id, &spec->values[i]);
        if (kind->takes_unit && strcmp(key->text, "unit") == 0)
                return set_unit(parser, node, spec);
        if (!place->is_step && strcmp(key->text, "name") == 0)
                return set_name(parser, node, spec);
        if (shorthand && shorthand->type == VALUE_MATCH_MAP) {
                Value *value = &spec->values[kind->shorthand];

                if (!value->is_set)
                        value->mark = key->mark;
                value->is_set = true;
                return value_parse_match_entry(parser, key, node, shorthand, "", value);
        }
        diagnose_key(parser, kind, key, place->is_step);
        return 0;
}

/* `job: {not: done}` is a comparison, no map of keys. */
static bool is_shorthand_map(Parser *parser, const KindSpec *kind, const Node *node) {
        const KeySpec *shorthand = shorthand_key(kind);

        return shorthand && (shorthand->type == VALUE_MATCH || shorthand->type == VALUE_PRIORITY) &&
               node->n_items == 2 && node_find(parser->tree, node, "not") && find_key(kind, "not") == kind->n_keys;
}

static int parse_map(Parser *parser, const KindSpec *kind, const Node *node, const SpecPlace *place, Spec *spec) {
        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                const Node *key = node_item(parser->tree, node, i);
                int r;

                r = parse_key(parser, kind, key, node_item(parser->tree, node, i + 1), place, spec);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_node(Parser *parser, const KindSpec *kind, const Node *node, const SpecPlace *place, Spec *spec) {
        const KeySpec *shorthand = shorthand_key(kind);

        if (node_is_empty(node))
                return 0;
        if (node->type == NODE_MAP && !is_shorthand_map(parser, kind, node))
                return parse_map(parser, kind, node, place, spec);
        if (shorthand)
                return value_parse(parser, node, shorthand, place->id, &spec->values[kind->shorthand]);
        if (place->is_step && kind->takes_unit && node->type == NODE_SCALAR)
                return set_unit(parser, node, spec);
        parser_diagnose(parser, node, "`%s` takes a map of its keys, and this is %s", kind->name,
                        node_type_text(node));
        return 0;
}

/* A default is read like written text, so that a row of the table cannot mean something no file could say. */
static int apply_default(Parser *parser, const KeySpec *key, const SpecPlace *place, Value *value) {
        CLEANUP(node_tree_done) NodeTree tree = NODE_TREE_INIT;
        const NodeTree *file = parser->tree;
        int r = node_tree_parse(key->default_text, strlen(key->default_text), &tree, parser->diagnostics);

        if (r < 0)
                return r;
        assert(tree.n_documents == 1);
        FOREACH_ARRAY (node, tree.nodes, tree.n_nodes) {
                node->mark = place->key->mark;
                node->n_columns = place->key->n_columns;
        }
        parser->tree = &tree;
        r = value_parse(parser, &tree.nodes[tree.documents[0]], key, place->id, value);
        parser->tree = file;
        return r;
}

static int complete(Parser *parser, const KindSpec *kind, const SpecPlace *place, Spec *spec, bool is_faulty) {
        for (size_t i = 0; i < kind->n_keys; i++) {
                int r = 0;

                if (spec->values[i].is_set)
                        continue;
                if (kind->keys[i].default_text)
                        r = apply_default(parser, &kind->keys[i], place, &spec->values[i]);
                else if (kind->keys[i].is_required && !is_faulty)
                        parser_diagnose(parser, place->key, "`%s` needs the key `%s`", kind->name,
                                        kind->keys[i].name);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Where the file names no unit: the one given around it, else the scenario's only one. */
static int find_unit(Parser *parser, const KindSpec *kind, const SpecPlace *place, Spec *spec) {
        const Scenario *scenario = parser->scenario;
        size_t own = find_key(kind, "unit");

        if (!kind->takes_unit || spec->unit)
                return 0;
        if (own < kind->n_keys && spec->values[own].text)
                spec->unit = strdup(spec->values[own].text);
        else if (place->default_unit)
                spec->unit = strdup(place->default_unit);
        else if (scenario->n_units == 1 && !unit_is_template(scenario->units->name))
                spec->unit = strdup(scenario->units->name);
        else if (kind->is_unitless && kind->is_unitless(spec->values))
                return 0;
        else {
                if (scenario->n_units == 0)
                        parser_diagnose(parser, place->key,
                                        "`%s` is about a unit, and the scenario has none in `units`", kind->name);
                else
                        parser_diagnose(parser, place->key, "`%s` of which unit? Say `unit: %s`", kind->name,
                                        scenario->units->name);
                return 0;
        }
        return spec->unit ? 0 : -ENOMEM;
}

int spec_parse(Parser *parser, const KindSpec *kind, const Node *node, const SpecPlace *place, Spec *ret_spec) {
        size_t n_before = parser->diagnostics->n_items;
        int r;

        *ret_spec = (Spec){ .values = calloc(kind->n_keys + 1, sizeof(Value)) };
        if (!ret_spec->values)
                return -ENOMEM;
        r = parse_node(parser, kind, node, place, ret_spec);
        if (r >= 0)
                r = complete(parser, kind, place, ret_spec, parser->diagnostics->n_items > n_before);
        if (r >= 0)
                r = find_unit(parser, kind, place, ret_spec);
        if (r < 0)
                return r;
        /* A check may rely on what the types say. */
        if (kind->check && parser->diagnostics->n_items == n_before)
                kind->check(kind, ret_spec->values, place->key->mark, parser->diagnostics);
        return 0;
}
