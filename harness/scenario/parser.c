/* SPDX-License-Identifier: MIT */
#include "scenario/parser.h"

#include <stdarg.h>
#include <string.h>

#include "scenario/array.h"

void parser_diagnose(Parser *parser, const Node *node, const char *format, ...) {
        CLEANUP_FREE char *message = NULL;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&message, format, arguments);
        va_end(arguments);
        if (n < 0)
                message = NULL;
        diagnostic_add(parser->diagnostics, node->mark, node->n_columns, "%s", message ? message : "out of memory");
}

/* Where byte @offset of the text stands in the file. False where quotes' escapes, folds or variables hide it. */
static bool find_offset(const Node *node, const char *resolved, size_t offset, Mark *ret_mark) {
        unsigned n_quotes = node->is_quoted ? 2 : 0, n_characters = 0, n_before = 0;
        size_t n_bytes = strlen(resolved);

        if (strcmp(node->text, resolved) != 0 || offset > n_bytes)
                return false;
        for (size_t i = 0; i < n_bytes; n_characters++) {
                if (i < offset)
                        n_before++;
                i += source_character_bytes(resolved + i, n_bytes - i);
        }
        if (node->n_columns != n_characters + n_quotes)
                return false;
        *ret_mark = (Mark){ .line = node->mark.line, .column = node->mark.column + n_quotes / 2 + n_before };
        return true;
}

void parser_diagnose_at(
                Parser *parser, const Node *node, const char *resolved, size_t offset, const char *format, ...) {
        CLEANUP_FREE char *message = NULL;
        Mark mark = node->mark;
        bool is_found = offset > 0 && find_offset(node, resolved, offset, &mark);
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&message, format, arguments);
        va_end(arguments);
        if (n < 0)
                message = NULL;
        diagnostic_add(parser->diagnostics, mark, is_found ? 0 : node->n_columns, "%s",
                        message ? message : "out of memory");
}

void parser_diagnose_unknown(
                Parser *parser, const Node *node, const char *what, const char *owner, const Nearest *nearest) {
        const char *space = owner ? " of " : "", *name = owner ? owner : "";

        if (nearest->best)
                parser_diagnose(parser, node, "unknown %s `%s`%s%s; did you mean `%s`?", what, nearest->word, space,
                                name, nearest->best);
        else
                parser_diagnose(parser, node, "unknown %s `%s`%s%s", what, nearest->word, space, name);
}

bool parser_expect(Parser *parser, const Node *node, NodeType type, const char *what) {
        static const char *const types[] = { [NODE_SCALAR] = "a text", [NODE_LIST] = "a list", [NODE_MAP] = "a map" };

        if (node->type == type && !node_is_empty(node))
                return true;
        parser_diagnose(parser, node, "%s takes %s, and this is %s", what, types[type], node_type_text(node));
        return false;
}

const char *parser_find_variable(const char *name, void *userdata) {
        const Parser *parser = userdata;

        FOREACH_ARRAY (variable, parser->variables, parser->n_variables)
                if (strcmp(variable->name, name) == 0)
                        return variable->value;
        return NULL;
}

static bool has_string(char *const *strings, size_t n_strings, const char *wanted) {
        FOREACH_ARRAY (string, strings, n_strings)
                if (strcmp(*string, wanted) == 0)
                        return true;
        return false;
}

static bool is_capture(const Parser *parser, const char *name) {
        return has_string(parser->captures, parser->n_captures, name);
}

/* Where `${name}` stands in the file's text; 0 where it came in with another variable's value. */
static size_t find_reference(const Node *node, const char *name) {
        const char *found, *key;
        size_t n_bytes;

        for (const char *text = node->text;
                        (found = template_find_variable(text, &key, &n_bytes)) && n_bytes != SIZE_MAX;
                        text = key + n_bytes + 1)
                if (strncmp(key, name, n_bytes) == 0 && name[n_bytes] == '\0')
                        return (size_t) (found - node->text);
        return 0;
}

static void diagnose_variable(Parser *parser, const Node *node, const char *name) {
        Nearest nearest = NEAREST_INIT(name);
        size_t offset = find_reference(node, name);

        FOREACH_ARRAY (variable, parser->variables, parser->n_variables)
                nearest_offer(&nearest, variable->name);
        FOREACH_ARRAY (capture, parser->captures, parser->n_captures)
                nearest_offer(&nearest, *capture);
        if (nearest.best)
                parser_diagnose_at(parser, node, node->text, offset,
                                "there is no variable `%s` here; did you mean `%s`?", name, nearest.best);
        else
                parser_diagnose_at(parser, node, node->text, offset,
                                "there is no variable `%s` here: `variables`, `matrix`, --define or an earlier "
                                "`save` make "
                                "one; `$${` writes a literal `${`",
                                name);
}

/* What is left after the known variables have been put in must be captures, and only where these may stand. */
static int check_captures(Parser *parser, const Node *node, const char *text, const char *what, bool allows_captures,
                bool *ret_is_fine) {
        const char *name;
        size_t n_bytes;

        *ret_is_fine = true;
        for (; template_find_variable(text, &name, &n_bytes); text = name + n_bytes + 1) {
                CLEANUP_FREE char *key = strndup(name, n_bytes);

                if (!key)
                        return -ENOMEM;
                if (n_bytes == SIZE_MAX) { /* `$` at a value's end met a `{` */
                        parser_diagnose(parser, node, "with its variables put in, this holds a `${` without its `}`");
                        *ret_is_fine = false;
                        return 0;
                }
                if (allows_captures && is_capture(parser, key))
                        continue;
                *ret_is_fine = false;
                if (has_string(parser->unreadable, parser->n_unreadable, key))
                        continue;
                if (is_capture(parser, key))
                        parser_diagnose(parser, node, "`%s` is known only while the scenario runs, too late for %s",
                                        key, what);
                else
                        diagnose_variable(parser, node, key);
        }
        return 0;
}

static int resolve(Parser *parser, const Node *node, const char *what, bool allows_captures, char **ret_text) {
        TemplateLookup lookup = { .find = parser_find_variable, .userdata = parser };
        CLEANUP_FREE char *partial = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        bool is_fine;
        int r;

        r = template_resolve(node->text, &lookup, true, &partial, &error);
        if (r == -EINVAL) {
                parser_diagnose(parser, node, "%s", error_text(&error));
                return 0;
        }
        if (r < 0)
                return r;
        r = check_captures(parser, node, partial, what, allows_captures, &is_fine);
        if (r < 0 || !is_fine)
                return r;
        if (allows_captures) {
                *ret_text = TAKE_PTR(partial);
                return 0;
        }
        return template_resolve(partial, NULL, false, ret_text, NULL);
}

int parser_text(Parser *parser, const Node *node, const char *what, bool allows_captures, char **ret_text) {
        *ret_text = NULL;
        if (!parser_expect(parser, node, NODE_SCALAR, what))
                return 0;
        return resolve(parser, node, what, allows_captures, ret_text);
}

int parser_strings(Parser *parser, const Node *node, const char *what, bool allows_captures, char ***strings,
                size_t *n_strings) {
        size_t n_items = node->type == NODE_LIST ? node->n_items : 1;

        if (node->type == NODE_MAP) {
                parser_diagnose(parser, node, "%s takes a text or a list of texts, and this is a map", what);
                return 0;
        }
        if (n_items == 0)
                parser_diagnose(parser, node, "%s is an empty list", what);
        for (size_t i = 0; i < n_items; i++) {
                const Node *item = node->type == NODE_LIST ? node_item(parser->tree, node, i) : node;
                CLEANUP_FREE char *text = NULL;
                int r = parser_text(parser, item, what, allows_captures, &text);

                if (r >= 0 && text)
                        r = array_append_string(strings, n_strings, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

int parser_host_path(Parser *parser, const Node *node, const char *what, char **ret_path) {
        CLEANUP_FREE char *text = NULL;
        int r = parser_text(parser, node, what, false, &text);

        *ret_path = NULL;
        if (r < 0 || !text)
                return r;
        if (*text == '\0') {
                parser_diagnose(parser, node, "%s is empty", what);
                return 0;
        }
        if (*text == '/')
                *ret_path = TAKE_PTR(text);
        else
                *ret_path = string_printf("%s/%s", parser->folder, text);
        if (!*ret_path)
                return -ENOMEM;
        if (parser->options->checks_files && access(*ret_path, F_OK) < 0)
                parser_diagnose(parser, node, "%s: %s: %s", what, *ret_path, strerror(errno));
        return 0;
}

int parser_add_capture(Parser *parser, const Node *node, const char *name) {
        if (!name_is_variable(name)) {
                parser_diagnose(parser, node, "`%s` cannot name a variable: letters, digits and _, no digit first",
                                name);
                return 0;
        }
        if (parser_find_variable(name, parser)) {
                parser_diagnose(parser, node,
                                "`%s` is a variable already, and ${%s} means that one; save under another name", name,
                                name);
                return 0;
        }
        return is_capture(parser, name) ? 0 : array_append_string(&parser->captures, &parser->n_captures, name);
}

int parser_add_id(Parser *parser, const Node *node, const char *id) {
        if (has_string(parser->ids, parser->n_ids, id)) {
                parser_diagnose(parser, node, "the name `%s` is taken by an earlier step or expectation", id);
                return 0;
        }
        return array_append_string(&parser->ids, &parser->n_ids, id);
}

char *string_printf(const char *format, ...) {
        char *string = NULL;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&string, format, arguments);
        va_end(arguments);
        return n < 0 ? NULL : string;
}

bool name_is_kebab(const char *name) {
        if (*name < 'a' || *name > 'z')
                return false;
        for (; *name; name++) {
                bool is_hyphen = *name == '-';

                if (!is_hyphen && !(*name >= 'a' && *name <= 'z') && !(*name >= '0' && *name <= '9'))
                        return false;
                if (is_hyphen && (name[1] == '-' || name[1] == '\0'))
                        return false;
        }
        return true;
}

bool name_is_variable(const char *name) {
        static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
        static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

        return *name && strchr(first, *name) && strspn(name, others) == strlen(name);
}
