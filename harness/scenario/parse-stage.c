/* SPDX-License-Identifier: MIT */
/* What a scenario wants on its stage besides units: environment, files, directories; and of the machine: requires. */
#include <string.h>

#include "scenario/array.h"
#include "scenario/parser.h"

int environment_parse(Parser *parser, const Node *node) {
        Scenario *scenario = parser->scenario;

        if (!parser_expect(parser, node, NODE_MAP, "`environment`"))
                return 0;
        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                const Node *key = node_item(parser->tree, node, i);
                CLEANUP_FREE char *what = NULL, *value = NULL;
                int r;

                if (!name_is_variable(key->text))
                        parser_diagnose(parser, key,
                                        "`%s` cannot name an environment variable: letters, digits and _, no digit "
                                        "first",
                                        key->text);
                what = string_printf("`%s`", key->text);
                if (!what)
                        return -ENOMEM;
                r = parser_text(parser, node_item(parser->tree, node, i + 1), what, false, &value);
                if (r >= 0 && value)
                        r = setting_append(&scenario->environment, &scenario->n_environment, key->text, value,
                                        key->mark);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A place on the stage: absolute, and written in one way only. */
static void check_stage_path(Parser *parser, const Node *node, const char *path) {
        if (*path != '/')
                parser_diagnose(parser, node, "`%s` is a place on the stage and begins with /", path);
        else if (path[1] == '\0' || strstr(path, "//") || strstr(path, "/./") || strstr(path, "/../") ||
                        path[strlen(path) - 1] == '/' ||
                        (strlen(path) >= 3 && strcmp(path + strlen(path) - 3, "/..") == 0))
                parser_diagnose(parser, node, "write `%s` without //, /./, /../ and a slash at its end", path);
}

static int parse_mode(Parser *parser, const Node *node, mode_t *ret_mode) {
        CLEANUP_FREE char *text = NULL;
        int r = parser_text(parser, node, "`mode`", false, &text);
        size_t n = text ? strlen(text) : 0;

        if (r < 0 || !text)
                return r;
        if (n < 3 || n > 4 || strspn(text, "01234567") != n || strtoul(text, NULL, 8) == 0) {
                parser_diagnose(parser, node, "`mode` takes an octal mode like 0644, and this is \"%s\"", text);
                return 0;
        }
        *ret_mode = (mode_t) strtoul(text, NULL, 8);
        return 0;
}

typedef struct FileKey {
        const char *name;
        bool is_for_directories;
} FileKey;

static const FileKey file_keys[] = {
        { "from", false },
        { "content", false },
        { "mode", true },
        { "owner", true },
        { "group", true },
};

static bool check_file_key(Parser *parser, const Node *key, bool is_directory) {
        Nearest nearest = NEAREST_INIT(key->text);

        FOREACH_ARRAY (known, file_keys, ELEMENTS_OF(file_keys)) {
                if (is_directory && !known->is_for_directories)
                        continue;
                if (strcmp(known->name, key->text) == 0)
                        return true;
                nearest_offer(&nearest, known->name);
        }
        parser_diagnose_unknown(parser, key, "key", is_directory ? "a directory" : "a file", &nearest);
        return false;
}

static int parse_file_value(Parser *parser, const char *key, const Node *node, ScenarioFile *file) {
        if (strcmp(key, "from") == 0)
                return parser_host_path(parser, node, "`from`", &file->source_path);
        if (strcmp(key, "content") == 0)
                return parser_text(parser, node, "`content`", false, &file->content);
        if (strcmp(key, "mode") == 0)
                return parse_mode(parser, node, &file->mode);
        if (strcmp(key, "owner") == 0)
                return parser_text(parser, node, "`owner`", false, &file->owner);
        return parser_text(parser, node, "`group`", false, &file->group);
}

static int parse_file_map(Parser *parser, const Node *node, ScenarioFile *file) {
        bool has_from = node_find(parser->tree, node, "from"), has_content = node_find(parser->tree, node, "content");

        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                const Node *key = node_item(parser->tree, node, i);
                int r;

                if (!check_file_key(parser, key, file->is_directory))
                        continue;
                r = parse_file_value(parser, key->text, node_item(parser->tree, node, i + 1), file);
                if (r < 0)
                        return r;
        }
        if (!file->is_directory && has_from == has_content)
                parser_diagnose(parser, node, "a file has either `from` (a path) or `content` (a text)");
        return 0;
}

static int add_file(Parser *parser, const Node *key, const Node *node, bool is_directory) {
        Scenario *scenario = parser->scenario;
        ScenarioFile *file;
        int r;

        file = array_append(&scenario->files, &scenario->n_files, sizeof(*file));
        if (!file)
                return -ENOMEM;
        file->mark = key->mark;
        file->is_directory = is_directory;
        r = parser_text(parser, key, is_directory ? "a directory" : "a file", false, &file->path);
        if (r < 0 || !file->path)
                return r;
        check_stage_path(parser, key, file->path);
        if (!node)
                return 0;
        if (node->type == NODE_MAP)
                return parse_file_map(parser, node, file);
        if (is_directory && node_is_empty(node))
                return 0;
        if (!is_directory)
                return parser_host_path(parser, node, "the source", &file->source_path);
        (void) parser_expect(parser, node, NODE_MAP, "a directory");
        return 0;
}

int files_parse(Parser *parser, const Node *node) {
        if (!parser_expect(parser, node, NODE_MAP, "`files`"))
                return 0;
        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                int r = add_file(parser, node_item(parser->tree, node, i), node_item(parser->tree, node, i + 1),
                                false);

                if (r < 0)
                        return r;
        }
        return 0;
}

int directories_parse(Parser *parser, const Node *node) {
        size_t step = node->type == NODE_MAP ? 2 : 1;

        if (node->type == NODE_SCALAR) {
                (void) parser_expect(parser, node, NODE_LIST, "`directories`");
                return 0;
        }
        for (size_t i = 0; i + step <= node->n_items; i += step) {
                const Node *key = node_item(parser->tree, node, i);
                int r;

                if (step == 1 && !parser_expect(parser, key, NODE_SCALAR, "`directories`"))
                        continue;
                r = add_file(parser, key, step == 2 ? node_item(parser->tree, node, i + 1) : NULL, true);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_controllers(Parser *parser, const Node *node) {
        ScenarioRequires *requires = &parser->scenario->requires;
        int r = parser_strings(
                        parser, node, "`controllers`", false, &requires->controllers, &requires->n_controllers);

        if (r < 0)
                return r;
        FOREACH_ARRAY (controller, requires->controllers, requires->n_controllers)
                (void) value_check_choice(parser, node, "`controllers`", "cpu|cpuset|io|memory|pids", *controller);
        return 0;
}

static int parse_systemd_version(Parser *parser, const Node *node) {
        CLEANUP_FREE char *text = NULL;
        int r = parser_text(parser, node, "`systemd`", false, &text);

        if (r < 0 || !text)
                return r;
        if (strlen(text) < 2 || strlen(text) > 5 || strspn(text, "0123456789") != strlen(text))
                parser_diagnose(parser, node, "`systemd` takes a version number like 253, and this is \"%s\"", text);
        else
        parser->scenario->requires.systemd_version = (unsigned) strtoul(text, NULL, 10);
        return 0;
}

static int parse_cgroup_version(Parser *parser, const Node *node) {
        char **version = &parser->scenario->requires.cgroup;
        int r = parser_text(parser, node, "`cgroup`", false, version);

        if (r >= 0 && *version)
                (void) value_check_choice(parser, node, "`cgroup`", "v1|v2", *version);
        return r;
}

int requires_parse(Parser *parser, const Node *node) {
        ScenarioRequires *requires = &parser->scenario->requires;

        requires->mark = node->mark;
        if (!parser_expect(parser, node, NODE_MAP, "`requires`"))
                return 0;
        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                const Node *key = node_item(parser->tree, node, i), *value = node_item(parser->tree, node, i + 1);
                int r = 0;

                if (strcmp(key->text, "controllers") == 0)
                        r = parse_controllers(parser, value);
                else if (strcmp(key->text, "commands") == 0)
                        r = parser_strings(parser, value, "`commands`", false, &requires->commands,
                                        &requires->n_commands);
                else if (strcmp(key->text, "paths") == 0)
                        r = parser_strings(parser, value, "`paths`", false, &requires->paths, &requires->n_paths);
                else if (strcmp(key->text, "systemd") == 0)
                        r = parse_systemd_version(parser, value);
                else if (strcmp(key->text, "cgroup") == 0)
                        r = parse_cgroup_version(parser, value);
                else {
                        Nearest nearest = NEAREST_INIT(key->text);
                        CLEANUP_TEXT Text storage = TEXT_INIT;

                        nearest_offer_choices(&nearest, "controllers|commands|paths|systemd|cgroup", &storage);
                        parser_diagnose_unknown(parser, key, "key", "`requires`", &nearest);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}
