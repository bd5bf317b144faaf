/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "scenario/array.h"
#include "scenario/parser.h"
#include "scenario/unit-property.h"

static int add_property(Parser *parser, const Node *key, const Node *node, ScenarioUnit *unit) {
        CLEANUP_FREE char *what = string_printf("`%s`", key->text);
        char **values = NULL;
        size_t n_values = 0;
        int r;

        if (!what)
                return -ENOMEM;
        /* An empty value is systemd's way to reset a list: ExecStart: ["", /usr/bin/other]. */
        r = parser_strings(parser, node, what, false, &values, &n_values);
        for (size_t i = 0; r >= 0 && i < n_values; i++)
                r = setting_append(&unit->properties, &unit->n_properties, key->text, values[i], key->mark);
        for (size_t i = 0; r >= 0 && i < n_values; i++)
                if (strchr(values[i], '\n'))
                        parser_diagnose(parser, node, "%s cannot hold a line break", what);
        array_free_strings(values, n_values);
        return r;
}

static int add_properties(Parser *parser, const Node *node, ScenarioUnit *unit) {
        if (!parser_expect(parser, node, NODE_MAP, "`properties`"))
                return 0;
        if (node->n_items == 0)
                parser_diagnose(parser, node, "`properties` is empty");
        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                const Node *key = node_item(parser->tree, node, i);
                int r;

                if (!unit_property_section(unit->name, key->text)) {
                        Nearest nearest = NEAREST_INIT(key->text);

                        unit_property_offer(unit->name, &nearest);
                        parser_diagnose_unknown(parser, key, "property", unit->name, &nearest);
                        continue;
                }
                r = add_property(parser, key, node_item(parser->tree, node, i + 1), unit);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* `installed`: the machine has it; anything else is a file. */
static int set_source(Parser *parser, const Node *node, ScenarioUnit *unit) {
        if (node->type == NODE_SCALAR && strcmp(node->text, "installed") == 0) {
                unit->is_installed = true;
                return 0;
        }
        return parser_host_path(parser, node, "the unit file", &unit->source_path);
}

static int parse_unit_map(Parser *parser, const Node *node, ScenarioUnit *unit) {
        const Node *file = NULL, *properties = NULL;
        int r = 0;

        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                const Node *key = node_item(parser->tree, node, i);
                Nearest nearest = NEAREST_INIT(key->text);

                if (strcmp(key->text, "file") == 0)
                        file = node_item(parser->tree, node, i + 1);
                else if (strcmp(key->text, "properties") == 0)
                        properties = node_item(parser->tree, node, i + 1);
                else {
                        nearest_offer(&nearest, "file");
                        nearest_offer(&nearest, "properties");
                        parser_diagnose_unknown(parser, key, "key", "a unit", &nearest);
                }
        }
        if (node->n_items == 0 && !unit_is_bare(unit->name))
                parser_diagnose(parser, node,
                                "what is %s? A path, `installed` for a unit the machine has, or `properties` it is "
                                "made of",
                                unit->name);
        if (file)
                r = set_source(parser, file, unit);
        if (r >= 0 && properties)
                r = add_properties(parser, properties, unit);
        return r;
}

static int parse_unit(Parser *parser, const Node *key, const Node *node) {
        ScenarioUnit *unit = array_append(&parser->scenario->units, &parser->scenario->n_units, sizeof(*unit));

        if (!unit)
                return -ENOMEM;
        unit->mark = key->mark;
        unit->name = strdup(key->text);
        if (!unit->name)
                return -ENOMEM;
        if (!unit_name_is_valid(key->text))
                parser_diagnose(parser, key,
                                "`%s` is no unit name: it ends with .service, .socket, .timer, .target, ...",
                                key->text);
        if (node->type == NODE_MAP)
                return parse_unit_map(parser, node, unit);
        return set_source(parser, node, unit);
}

int units_parse(Parser *parser, const Node *node) {
        if (!parser_expect(parser, node, NODE_MAP, "`units`"))
                return 0;
        if (node->n_items == 0)
                parser_diagnose(parser, node, "`units` is empty");
        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                const Node *key = node_item(parser->tree, node, i);
                int r = parse_unit(parser, key, node_item(parser->tree, node, i + 1));

                if (r < 0)
                        return r;
        }
        return 0;
}

int properties_parse(Parser *parser, const Node *node) {
        Scenario *scenario = parser->scenario;

        if (scenario->n_units == 1)
                return add_properties(parser, node, scenario->units);
        if (scenario->n_units == 0)
                parser_diagnose(parser, node,
                                "`properties` are a drop-in for the scenario's unit, and there is none in `units`");
        else
                parser_diagnose(parser, node,
                                "`properties` of which unit? There are %zu; write them below one: %s: {file: ..., "
                                "properties: ...}",
                                scenario->n_units, scenario->units->name);
        return 0;
}

bool parser_check_unit(Parser *parser, const Node *node, const char *name) {
        Nearest nearest = NEAREST_INIT(name);
        CLEANUP_FREE char *template = unit_template_name(name);

        if (scenario_find_unit(parser->scenario, name) ||
                        (template && scenario_find_unit(parser->scenario, template)))
                return true;
        FOREACH_ARRAY (unit, parser->scenario->units, parser->scenario->n_units)
                nearest_offer(&nearest, unit->name);
        if (nearest.best)
                parser_diagnose(parser, node, "`units` has no `%s`; did you mean `%s`?", name, nearest.best);
        else
                parser_diagnose(parser, node,
                                "`units` has no `%s`; a unit the machine has is put there as `%s: installed`", name,
                                name);
        return false;
}
