/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/quantity.h"
#include "scenario/array.h"
#include "scenario/language.h"
#include "scenario/parser.h"

/* The nodes of one step, sorted by what they say. */
typedef struct StepNodes {
        const Node *kind_key, *kind_value; /* the first key that is a kind, or `expect` */
        const KindSpec *kind;              /* NULL: `expect` */
        const Node *keys[N_STEP_KEYS], *values[N_STEP_KEYS];
        bool is_faulty; /* a diagnostic says why there may be no kind */
} StepNodes;

static StepKey find_step_key(const char *name) {
        size_t i = 0;

        while (i < N_STEP_KEYS && strcmp(step_keys[i].name, name) != 0)
                i++;
        return (StepKey) i;
}

static void diagnose_word(Parser *parser, const Node *key) {
        const Language *language = parser->options->language;
        Nearest nearest = NEAREST_INIT(key->text);

        if (language_is_unbuilt(language->unbuilt_steps, key->text)) {
                parser_diagnose(parser, key, "`%s` is a word of the language, but not built yet", key->text);
                return;
        }
        if (language_find(language->expectations, language->n_expectations, key->text)) {
                parser_diagnose(parser, key, "`%s` is an expectation; write `expect: {%s: ...}`", key->text,
                                key->text);
                return;
        }
        nearest_offer(&nearest, "expect");
        FOREACH_ARRAY (known, step_keys, N_STEP_KEYS)
                nearest_offer(&nearest, known->name);
        language_offer(language->steps, language->n_steps, language->unbuilt_steps, &nearest);
        parser_diagnose_unknown(parser, key, "key", "a step", &nearest);
}

static void sort_key(Parser *parser, const Node *key, const Node *value, StepNodes *nodes) {
        const Language *language = parser->options->language;
        const KindSpec *kind = language_find(language->steps, language->n_steps, key->text);
        StepKey step_key = find_step_key(key->text);

        if (step_key < N_STEP_KEYS) {
                nodes->keys[step_key] = key;
                nodes->values[step_key] = value;
        } else if (!kind && strcmp(key->text, "expect") != 0) {
                diagnose_word(parser, key);
                nodes->is_faulty = true;
        } else if (!nodes->kind_key) {
                nodes->kind_key = key;
                nodes->kind_value = value;
                nodes->kind = kind;
        } else
                parser_diagnose(parser, key, "a step does one thing: `%s` begins a step of its own, with its own `-`",
                                key->text);
}

/* False where there is no kind to go on with. */
static bool sort_keys(Parser *parser, const Node *node, StepNodes *ret_nodes) {
        *ret_nodes = (StepNodes){ 0 };
        if (node->type != NODE_MAP) {
                parser_diagnose(parser, node, "a step is a map like `start: agent.service`, and this is %s",
                                node_type_text(node));
                return false;
        }
        for (size_t i = 0; i + 1 < node->n_items; i += 2)
                sort_key(parser, node_item(parser->tree, node, i), node_item(parser->tree, node, i + 1), ret_nodes);
        if (!ret_nodes->kind_key && !ret_nodes->is_faulty)
                parser_diagnose(parser, node,
                                "this step does nothing: a step is one of start, stop, run, expect, ...");
        return ret_nodes->kind_key;
}

/* Does @key go with the step's kind? */
static bool is_fitting(const StepNodes *nodes, StepKey key) {
        if (key == STEP_KEY_FOR || key == STEP_KEY_SINCE)
                return !nodes->kind;
        if (key == STEP_KEY_SAVE)
                return nodes->kind && step_kind_saves_output(nodes->kind);
        if (key == STEP_KEY_UNIT)
                return !nodes->kind || nodes->kind->takes_unit;
        return true;
}

static void check_fitting(Parser *parser, StepNodes *nodes) {
        for (StepKey key = 0; key < N_STEP_KEYS; key++) {
                if (!nodes->keys[key] || is_fitting(nodes, key))
                        continue;
                parser_diagnose(parser, nodes->keys[key], "`%s` does not go with `%s`", step_keys[key].name,
                                nodes->kind_key->text);
                nodes->keys[key] = NULL;
        }
}

static int parse_window(Parser *parser, const StepNodes *nodes, StepKey key, uint64_t *usec) {
        const char *name = step_keys[key].name;
        CLEANUP_FREE char *what = NULL;
        size_t n_before = parser->diagnostics->n_items;
        int r;

        if (!nodes->keys[key])
                return 0;
        what = string_printf("`%s`", name);
        if (!what)
                return -ENOMEM;
        r = value_parse_duration(parser, nodes->values[key], what, usec);
        if (r < 0 || parser->diagnostics->n_items > n_before)
                return r;
        if (*usec == 0)
                parser_diagnose(parser, nodes->values[key], "`%s: 0` is a window in which nothing can happen", name);
        else if (*usec == USEC_INFINITY)
                parser_diagnose(parser, nodes->values[key], "`%s` needs an end: every wait has a deadline", name);
        return 0;
}

static bool is_known_id(const Parser *parser, const char *id) {
        FOREACH_ARRAY (known, parser->ids, parser->n_ids)
                if (strcmp(*known, id) == 0)
                        return true;
        return false;
}

static int parse_since(Parser *parser, const StepNodes *nodes, Step *step) {
        const Node *node = nodes->values[STEP_KEY_SINCE];
        Nearest nearest;
        int r;

        if (!nodes->keys[STEP_KEY_SINCE])
                return 0;
        r = parser_text(parser, node, "`since`", false, &step->since);
        if (r < 0 || !step->since || is_known_id(parser, step->since))
                return r;
        nearest = NEAREST_INIT(step->since);
        FOREACH_ARRAY (known, parser->ids, parser->n_ids)
                nearest_offer(&nearest, *known);
        parser_diagnose(parser, node, "`since` names an earlier step, and none before this one is called `%s`%s%s%s",
                        step->since, nearest.best ? "; did you mean `" : "", nearest.best ? nearest.best : "",
                        nearest.best ? "`?" : "");
        return 0;
}

/* The step's id: its name, or its place. */
static int parse_name(Parser *parser, const StepNodes *nodes, const char *place, Step *step) {
        const Node *node = nodes->values[STEP_KEY_NAME];
        int r = 0;

        if (nodes->keys[STEP_KEY_NAME])
                r = parser_text(parser, node, "`name`", false, &step->id);
        if (r >= 0 && step->id && !name_is_kebab(step->id))
                parser_diagnose(parser, node, "`name` takes words like `first-start`, and this is \"%s\"", step->id);
        if (r >= 0 && step->id)
                return parser_add_id(parser, node, step->id);
        if (r < 0)
                return r;
        step->id = strdup(place);
        return step->id ? array_append_string(&parser->ids, &parser->n_ids, step->id) : -ENOMEM;
}

static int parse_common(Parser *parser, StepNodes *nodes, Step *step) {
        const Node *unit = nodes->values[STEP_KEY_UNIT];
        int r = 0;

        if (nodes->keys[STEP_KEY_UNIT])
                r = parser_text(parser, unit, "`unit`", false, &step->unit);
        if (r >= 0 && step->unit)
                (void) parser_check_unit(parser, unit, step->unit);
        if (r >= 0)
                r = parse_window(parser, nodes, STEP_KEY_WITHIN, &step->within_usec);
        if (r >= 0)
                r = parse_window(parser, nodes, STEP_KEY_FOR, &step->for_usec);
        if (nodes->keys[STEP_KEY_FOR] && !nodes->keys[STEP_KEY_WITHIN])
                parser_diagnose(parser, nodes->keys[STEP_KEY_FOR],
                                "`for` needs `within`: without it the facts of one moment decide");
        if (r >= 0)
                r = parse_since(parser, nodes, step);
        if (r >= 0 && nodes->keys[STEP_KEY_SAVE])
                r = parser_text(parser, nodes->values[STEP_KEY_SAVE], "`save`", false, &step->save);
        return r;
}

static int parse_action(Parser *parser, const StepNodes *nodes, Step *step) {
        SpecPlace place = { .key = nodes->kind_key, .id = step->id, .default_unit = step->unit, .is_step = true };
        CLEANUP_FREE char *prefix = string_printf("%s.%s", step->id, nodes->kind_key->text);
        Spec spec = { 0 };
        int r;

        if (!prefix)
                return -ENOMEM;
        if (!step->kind) {
                r = expectations_parse(parser, nodes->kind_value, prefix, step->unit, &step->expectations,
                                &step->n_expectations);
                return r;
        }
        place.id = prefix;
        r = spec_parse(parser, step->kind, nodes->kind_value, &place, &spec);
        step->values = TAKE_PTR(spec.values);
        if (spec.unit && step->unit && strcmp(spec.unit, step->unit) != 0)
                parser_diagnose(parser, nodes->kind_value, "two units are named, %s and %s", spec.unit, step->unit);
        if (spec.unit) {
                free(step->unit);
                step->unit = TAKE_PTR(spec.unit);
        }
        spec_done(step->kind, &spec);
        return r;
}

/* The step's first line, for reports. */
static int set_quote(Parser *parser, Step *step) {
        const char *line = "";
        size_t n_bytes = 0;

        (void) source_find_line(&parser->source, step->mark.line, &line, &n_bytes);
        while (n_bytes > 0 && (*line == ' ' || *line == '\t')) {
                line++;
                n_bytes--;
        }
        while (n_bytes > 0 && (line[n_bytes - 1] == ' ' || line[n_bytes - 1] == '\t'))
                n_bytes--;
        step->quote = strndup(line, n_bytes);
        return step->quote ? 0 : -ENOMEM;
}

/* Variables the step makes, known to the steps behind it: `save`, and named groups of what it expects. */
static int add_captures(Parser *parser, const StepNodes *nodes, const Step *step) {
        int r = 0;

        if (step->save)
                r = parser_add_capture(parser, nodes->values[STEP_KEY_SAVE], step->save);
        for (size_t i = 0; r >= 0 && i < step->n_expectations; i++)
                r = expectation_add_captures(parser, nodes->kind_key, &step->expectations[i]);
        return r;
}

static int parse_step(Parser *parser, const Node *node, const char *place, Step *step) {
        StepNodes nodes;
        int r;

        step->mark = node->mark;
        step->within_usec = USEC_INFINITY;
        if (!sort_keys(parser, node, &nodes))
                return 0;
        step->kind = nodes.kind;
        check_fitting(parser, &nodes);
        r = set_quote(parser, step);
        if (r >= 0)
                r = parse_common(parser, &nodes, step);
        if (r >= 0)
                r = parse_name(parser, &nodes, place, step);
        if (r >= 0)
                r = parse_action(parser, &nodes, step);
        return r < 0 ? r : add_captures(parser, &nodes, step);
}

/* Expectations point back at their step, which stays where it is from now on. */
static void link_expectations(Step *steps, size_t n_steps) {
        FOREACH_ARRAY (step, steps, n_steps)
                FOREACH_ARRAY (expectation, step->expectations, step->n_expectations)
                        expectation->step = step;
}

int steps_parse(Parser *parser, const Node *node, const char *prefix, Step **ret_steps, size_t *ret_n_steps) {
        if (!parser_expect(parser, node, NODE_LIST, "`steps`"))
                return 0;
        if (node->n_items == 0)
                parser_diagnose(parser, node, "`steps` is empty: nothing would happen");
        for (size_t i = 0; i < node->n_items; i++) {
                CLEANUP_FREE char *place = string_printf("%s[%zu]", prefix, i);
                Step *step = array_append(ret_steps, ret_n_steps, sizeof(*step));
                int r = step && place ? parse_step(parser, node_item(parser->tree, node, i), place, step) : -ENOMEM;

                if (r < 0)
                        return r;
        }
        link_expectations(*ret_steps, *ret_n_steps);
        return 0;
}
