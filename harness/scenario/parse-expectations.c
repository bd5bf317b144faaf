/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "scenario/array.h"
#include "scenario/language.h"
#include "scenario/parser.h"

/* Words that are right elsewhere. False: it is none of these. */
static bool explain_misplaced(Parser *parser, const Node *key) {
        const Language *language = parser->options->language;
        const char *word = key->text;

        if (language_is_unbuilt(language->unbuilt_expectations, word))
                parser_diagnose(parser, key, "`%s` is a word of the language, but not built yet", word);
        else if (language_find(language->steps, language->n_steps, word))
                parser_diagnose(parser, key, "`%s` is a step, not an expectation", word);
        else if (strcmp(word, "within") == 0 || strcmp(word, "for") == 0 || strcmp(word, "since") == 0)
                parser_diagnose(parser, key, "`%s` belongs to the step: beside `expect`, not below it", word);
        else
                return false;
        return true;
}

static void diagnose_kind(Parser *parser, const Node *key) {
        const Language *language = parser->options->language;
        Nearest nearest = NEAREST_INIT(key->text);

        if (explain_misplaced(parser, key))
                return;
        language_offer(language->expectations, language->n_expectations, language->unbuilt_expectations, &nearest);
        parser_diagnose_unknown(parser, key, "expectation", NULL, &nearest);
}

static int parse_expectation(Parser *parser, const Node *key, const Node *node, const char *prefix,
                const char *default_unit, Expectation *expectation) {
        CLEANUP_FREE char *id = string_printf("%s.%s", prefix, key->text);
        SpecPlace place = { .key = key, .id = id, .default_unit = default_unit };
        Spec spec = { 0 };
        int r;

        if (!id)
                return -ENOMEM;
        expectation->mark = key->mark;
        r = spec_parse(parser, expectation->kind, node, &place, &spec);
        expectation->values = TAKE_PTR(spec.values);
        expectation->unit = TAKE_PTR(spec.unit);
        if (r >= 0 && spec.name)
                r = parser_add_id(parser, spec.name_node, spec.name);
        expectation->id = spec.name ? TAKE_PTR(spec.name) : TAKE_PTR(id);
        spec_done(expectation->kind, &spec);
        return r;
}

static int parse_map(Parser *parser, const Node *node, const char *prefix, const char *default_unit,
                Expectation **expectations, size_t *n_expectations) {
        const Language *language = parser->options->language;

        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                const Node *key = node_item(parser->tree, node, i);
                const KindSpec *kind;
                Expectation *expectation;
                int r;

                kind = language_find(language->expectations, language->n_expectations, key->text);
                if (!kind) {
                        diagnose_kind(parser, key);
                        continue;
                }
                expectation = array_append(expectations, n_expectations, sizeof(*expectation));
                if (!expectation)
                        return -ENOMEM;
                expectation->kind = kind;
                r = parse_expectation(
                                parser, key, node_item(parser->tree, node, i + 1), prefix, default_unit, expectation);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_list(Parser *parser, const Node *node, const char *prefix, const char *default_unit,
                Expectation **expectations, size_t *n_expectations) {
        for (size_t i = 0; i < node->n_items; i++) {
                const Node *item = node_item(parser->tree, node, i);
                CLEANUP_FREE char *place = string_printf("%s[%zu]", prefix, i);
                int r;

                if (!place)
                        return -ENOMEM;
                if (item->type != NODE_MAP || item->n_items != 2) {
                        parser_diagnose(parser, item,
                                        "in a list, each expectation is a map with one key: `- state: {...}`");
                        continue;
                }
                r = parse_map(parser, item, place, default_unit, expectations, n_expectations);
                if (r < 0)
                        return r;
        }
        return 0;
}

int expectations_parse(Parser *parser, const Node *node, const char *prefix, const char *default_unit,
                Expectation **ret_expectations, size_t *ret_n_expectations) {
        if (node->type == NODE_SCALAR || node->n_items == 0) {
                parser_diagnose(parser, node,
                                "nothing is expected here; write a map like {state: {ActiveState: active}}");
                return 0;
        }
        if (node->type == NODE_LIST)
                return parse_list(parser, node, prefix, default_unit, ret_expectations, ret_n_expectations);
        return parse_map(parser, node, prefix, default_unit, ret_expectations, ret_n_expectations);
}

static int add_group_names(Parser *parser, const Node *node, const Match *match) {
        int r = 0;

        if (match->operator== MATCH_REGEX && match->regex)
                for (size_t i = 1; r >= 0 && i <= regex_n_groups(match->regex); i++)
                        if (regex_group_name(match->regex, i))
                                r = parser_add_capture(parser, node, regex_group_name(match->regex, i));
        for (size_t i = 0; r >= 0 && i < match->n_children; i++)
                r = add_group_names(parser, node, &match->children[i]);
        return r;
}

/* Only a kind with a `save` key captures, and only where that says so. */
static bool saves_groups(const Expectation *expectation) {
        for (size_t i = 0; i < expectation->kind->n_keys; i++)
                if (strcmp(expectation->kind->keys[i].name, "save") == 0)
                        return expectation->values[i].is_true;
        return false;
}

int expectation_add_captures(Parser *parser, const Node *node, const Expectation *expectation) {
        if (!expectation->values || !saves_groups(expectation))
                return 0;
        for (size_t i = 0; i < expectation->kind->n_keys; i++)
                FOREACH_ARRAY (match, expectation->values[i].matches, expectation->values[i].n_matches) {
                        int r = add_group_names(parser, node, &match->match);

                        if (r < 0)
                                return r;
                }
        return 0;
}
