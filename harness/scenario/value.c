/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/quantity.h"
#include "scenario/array.h"
#include "scenario/parser.h"
#include "scenario/signal-name.h"

static int parse_bool(Parser *parser, const Node *node, const char *what, Value *value) {
        if (strcmp(value->text, "true") == 0 || strcmp(value->text, "yes") == 0)
                value->is_true = true;
        else if (strcmp(value->text, "false") != 0 && strcmp(value->text, "no") != 0)
                parser_diagnose(parser, node, "%s takes true or false, and this is \"%s\"", what, value->text);
        return 0;
}

static int parse_integer(Parser *parser, const Node *node, const char *what, Value *value) {
        const char *text = value->text;

        errno = 0;
        if (*text && strspn(text, "0123456789") == strlen(text))
                value->integer = strtoull(text, NULL, 10);
        else
                errno = EINVAL;
        if (errno != 0)
                parser_diagnose(parser, node, "%s takes a whole number, and this is \"%s\"", what, text);
        return 0;
}

static int parse_size(Parser *parser, const Node *node, const char *what, Value *value) {
        if (size_parse(value->text, &value->bytes) < 0)
                parser_diagnose(parser, node, "%s takes a size like 512K, 64M or 1.5G, and this is \"%s\"", what,
                                value->text);
        return 0;
}

static int parse_duration(Parser *parser, const Node *node, const char *what, Value *value) {
        if (duration_parse(value->text, &value->usec) < 0)
                parser_diagnose(parser, node, "%s takes a duration like 500ms, 5s or 1min 30s, and this is \"%s\"",
                                what, value->text);
        return 0;
}

int value_parse_duration(Parser *parser, const Node *node, const char *what, uint64_t *ret_usec) {
        CLEANUP_FREE char *text = NULL;
        Value value = { .usec = *ret_usec };
        int r = parser_text(parser, node, what, false, &text);

        if (r < 0 || !text)
                return r;
        value.text = text;
        r = parse_duration(parser, node, what, &value);
        *ret_usec = value.usec;
        return r;
}

static int parse_signal(Parser *parser, const Node *node, const char *what, Value *value) {
        Nearest nearest = NEAREST_INIT(value->text);
        char buffer[SIGNAL_TEXT_MAX];
        const char *name;
        int number = signal_parse(value->text);

        if (number < 0) {
                for (size_t i = 0; (name = signal_nth_name(i)); i++)
                        nearest_offer(&nearest, name);
                parser_diagnose(parser, node, "%s takes a signal like SIGTERM, and there is no `%s`%s%s%s", what,
                                value->text, nearest.best ? "; did you mean `" : "", nearest.best ? nearest.best : "",
                                nearest.best ? "`?" : "");
                return 0;
        }
        value->integer = (uint64_t) number;
        free(value->text);
        value->text = strdup(signal_text(number, buffer));
        return value->text ? 0 : -ENOMEM;
}

/* Is @word one of "a|b|c"? */
static bool is_choice(const char *choices, const char *word) {
        size_t n = strlen(word);

        for (const char *c = choices; c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL)
                if (strncmp(c, word, n) == 0 && (c[n] == '|' || c[n] == '\0'))
                        return true;
        return false;
}

bool value_check_choice(Parser *parser, const Node *node, const char *what, const char *choices, const char *word) {
        CLEANUP_TEXT Text storage = TEXT_INIT;
        Nearest nearest = NEAREST_INIT(word);

        if (is_choice(choices, word))
                return true;
        nearest_offer_choices(&nearest, choices, &storage);
        if (nearest.best)
                parser_diagnose(parser, node, "%s does not know `%s`; did you mean `%s`?", what, word, nearest.best);
        else
                parser_diagnose(parser, node, "%s does not know `%s`, only %s", what, word, choices);
        return false;
}

/* The types that are one scalar. */
static int parse_scalar(Parser *parser, const Node *node, const KeySpec *key, const char *what, Value *value) {
        bool allows_captures = key->type == VALUE_STRING;
        int r = parser_text(parser, node, what, allows_captures, &value->text);

        if (r < 0 || !value->text)
                return r;
        value->is_set = true;
        switch (key->type) {
        case VALUE_BOOL:
                return parse_bool(parser, node, what, value);
        case VALUE_INTEGER:
                return parse_integer(parser, node, what, value);
        case VALUE_DURATION:
                return parse_duration(parser, node, what, value);
        case VALUE_SIZE:
                return parse_size(parser, node, what, value);
        case VALUE_SIGNAL:
                return parse_signal(parser, node, what, value);
        case VALUE_UNIT:
                (void) parser_check_unit(parser, node, value->text);
                return 0;
        case VALUE_CHOICE:
                (void) value_check_choice(parser, node, what, key->choices, value->text);
                return 0;
        default:
                return 0;
        }
}

static int parse_one_match(Parser *parser, const Node *node, const char *what, bool is_priority, Value *value) {
        NamedMatch *match = array_append(&value->matches, &value->n_matches, sizeof(*match));

        if (!match)
                return -ENOMEM;
        match->mark = node->mark;
        return value_parse_match(parser, node, what, is_priority, &match->match);
}

int value_parse(Parser *parser, const Node *node, const KeySpec *key, const char *id, Value *ret_value) {
        CLEANUP_FREE char *what = NULL;

        what = string_printf("`%s`", key->name);
        if (!what)
                return -ENOMEM;
        ret_value->mark = node->mark;
        switch (key->type) {
        case VALUE_MATCH:
        case VALUE_PRIORITY:
                ret_value->is_set = true;
                return parse_one_match(parser, node, what, key->type == VALUE_PRIORITY, ret_value);
        case VALUE_MATCH_MAP:
                ret_value->is_set = true;
                return value_parse_match_map(parser, node, key, ret_value);
        case VALUE_STRING_LIST:
                ret_value->is_set = true;
                return parser_strings(parser, node, what, true, &ret_value->strings, &ret_value->n_strings);
        case VALUE_STEPS:
                ret_value->is_set = true;
                return steps_parse(parser, node, id, &ret_value->steps, &ret_value->n_steps);
        default:
                return parse_scalar(parser, node, key, what, ret_value);
        }
}
