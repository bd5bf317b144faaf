/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "scenario/array.h"
#include "scenario/literal.h"
#include "scenario/parser.h"

/*
 * A plain `/foo # bar/` has become `/foo` before anybody sees it, and `{m: /a, b/}` a key `b/`: a weaker pattern, and
 * a green that lies. So a text that begins with a slash says by its closing slash that it is whole, or by quotes that
 * it is no regex.
 */
static bool check_slashes(Parser *parser, const Node *node) {
        const char *text = node->text, *last = strrchr(text, '/');

        if (node->is_quoted || text[0] != '/' || (text[1] && text[strlen(text) - 1] == '/'))
                return true;
        if (last > text && strspn(last + 1, "imsxu") == strlen(last + 1))
                parser_diagnose(parser, node, "a regex ends with its slash; options go inside: /(?%s)%.*s/", last + 1,
                                (int) (last - text - 1), text + 1);
        else
                parser_diagnose(parser, node,
                                "a regex needs both slashes, and ` #` or a comma ends a text without quotes: write "
                                "'%s/' "
                                "for a regex, \"%s\" for the text itself",
                                text, text);
        return false;
}

/* Has the text been put in quotes to be a text? Of `"${n}"` nobody can tell: YAML wants the quotes. */
static bool is_meant_as_text(const Node *node) {
        return node->is_quoted && !template_has_variables(node->text);
}

static int parse_scalar(Parser *parser, const Node *node, const char *what, bool is_priority, Match *ret_match) {
        CLEANUP_FREE char *text = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        size_t offset = 0;
        double number;
        int r = parser_text(parser, node, what, true, &text);

        if (r < 0 || !text || !check_slashes(parser, node))
                return r;
        r = match_parse(text, ret_match, &offset, &error);
        if (r == -EINVAL && is_priority && *text != '/') {
                parser_diagnose(parser, node,
                                "%s takes a log level (emerg to debug, 0 to 7) like \"<= err\", and this is \"%s\"",
                                what, text);
                return 0;
        }
        if (r == -EINVAL || r == -ENOENT) {
                parser_diagnose_at(parser, node, text, offset, "%s: %s", what, error_text(&error));
                return 0;
        }
        if (r < 0)
                return r;
        if (ret_match->operator== MATCH_EQUAL && is_meant_as_text(node))
                ret_match->has_number = false; /* version "1.10" is not 1.1 */
        if (is_priority && ret_match->operator== MATCH_EQUAL && priority_parse(text, &number) >= 0) {
                ret_match->has_number = true;
                ret_match->low = number;
        } else if (is_priority && ret_match->operator== MATCH_EQUAL)
                parser_diagnose(parser, node,
                                "%s takes a log level (emerg to debug, 0 to 7) like \"<= err\", and this is \"%s\"",
                                what, text);
        return 0;
}

static int parse_one_of(Parser *parser, const Node *node, const char *what, bool is_priority, Match *match) {
        CLEANUP_TEXT Text source = TEXT_INIT;

        match->operator= MATCH_ONE_OF;
        if (node->n_items == 0)
                parser_diagnose(parser, node, "%s is an empty list, which nothing can equal", what);
        for (size_t i = 0; i < node->n_items; i++) {
                Match *child = array_append(&match->children, &match->n_children, sizeof(*child));
                int r = child ? value_parse_match(parser, node_item(parser->tree, node, i), what, is_priority, child)
                              : -ENOMEM;

                if (r < 0)
                        return r;
                text_printf(&source, "%s%s", i > 0 ? ", " : "[", child->source ? child->source : "");
        }
        text_append(&source, "]");
        match->source = text_take(&source);
        return match->source ? 0 : -ENOMEM;
}

static int parse_not(Parser *parser, const Node *node, const char *what, bool is_priority, Match *match) {
        Match *child;
        int r;

        match->operator= MATCH_NOT;
        child = array_append(&match->children, &match->n_children, sizeof(*child));
        if (!child)
                return -ENOMEM;
        r = value_parse_match(parser, node_item(parser->tree, node, 1), what, is_priority, child);
        if (r < 0)
                return r;
        match->source = string_printf("not: %s", child->source ? child->source : "");
        if (!match->source)
                return -ENOMEM;
        return 0;
}

static bool is_not(Parser *parser, const Node *node) {
        return node->type == NODE_MAP && node->n_items == 2 &&
               strcmp(node_item(parser->tree, node, 0)->text, "not") == 0;
}

/* Says it once, at the leaf that is to blame. */
static void check_vacuous(Parser *parser, const Node *node, const char *what, const Match *match) {
        if (!match->source || !match_is_vacuous(match))
                return;
        if (match->operator== MATCH_REGEX)
                parser_diagnose(parser, node,
                                "%s can never fail: %s matches every text, the empty one too; /./ asks for anything "
                                "at all",
                                what, match->source);
        else
                parser_diagnose(parser, node, "%s can never fail: nothing is less than that", what);
}

int value_parse_match(Parser *parser, const Node *node, const char *what, bool is_priority, Match *ret_match) {
        int r;

        if (node->type == NODE_LIST)
                return parse_one_of(parser, node, what, is_priority, ret_match);
        if (is_not(parser, node))
                return parse_not(parser, node, what, is_priority, ret_match);
        if (node->type == NODE_MAP) {
                parser_diagnose(parser, node,
                                "%s takes a comparison (a value, /regex/, \">= 3\", 1..5, a list, {not: ...}), and "
                                "this is a map",
                                what);
                return 0;
        }
        r = parse_scalar(parser, node, what, is_priority, ret_match);
        if (r >= 0)
                check_vacuous(parser, node, what, ret_match);
        return r;
}

/* @prefix: the names of the maps around, each with its dot. */
static int parse_entries(Parser *parser, const Node *node, const KeySpec *key, const char *prefix, Value *value) {
        if (node->n_items == 0)
                parser_diagnose(parser, node, "`%s` compares with nothing: this map is empty",
                                *prefix ? prefix : key->name);
        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                int r = value_parse_match_entry(parser, node_item(parser->tree, node, i),
                                node_item(parser->tree, node, i + 1), key, prefix, value);

                if (r < 0)
                        return r;
        }
        return 0;
}

int value_parse_match_entry(Parser *parser, const Node *name, const Node *node, const KeySpec *key,
                const char *prefix, Value *value) {
        CLEANUP_FREE char *full_name = NULL, *what = NULL;
        NamedMatch *match;

        full_name = string_printf("%s%s", prefix, name->text);
        if (!full_name)
                return -ENOMEM;
        if (*prefix == '\0' && key->choices) {
                what = string_printf("`%s`", key->name);
                if (!what)
                        return -ENOMEM;
                if (!value_check_choice(parser, name, what, key->choices, full_name))
                        return 0;
        }
        if (node->type == NODE_MAP && !is_not(parser, node)) {
                free(what);
                what = string_printf("%s.", full_name);
                if (!what)
                        return -ENOMEM;
                return parse_entries(parser, node, key, what, value);
        }
        match = array_append(&value->matches, &value->n_matches, sizeof(*match));
        if (!match)
                return -ENOMEM;
        match->name = TAKE_PTR(full_name);
        match->mark = name->mark;
        free(what);
        what = string_printf("`%s`", match->name);
        if (!what)
                return -ENOMEM;
        return value_parse_match(parser, node, what, false, &match->match);
}

int value_parse_match_map(Parser *parser, const Node *node, const KeySpec *key, Value *value) {
        CLEANUP_FREE char *what = NULL;

        what = string_printf("`%s`", key->name);
        if (!what)
                return -ENOMEM;
        if (!parser_expect(parser, node, NODE_MAP, what))
                return 0;
        return parse_entries(parser, node, key, "", value);
}
