/* SPDX-License-Identifier: MIT */
#include "scenario/parse.h"

#include <limits.h>
#include <string.h>

#include "scenario/array.h"
#include "scenario/parser.h"

void scenario_list_done(ScenarioList *list) {
        FOREACH_ARRAY (scenario, list->items, list->n_items)
                (void) scenario_free(*scenario);
        free(list->items);
        *list = SCENARIO_LIST_INIT;
}

/* The folder relative paths start at, absolute. A folder that is gone (a replay) stays as it is written. */
static char *folder_of(const char *path) {
        CLEANUP_FREE char *folder = NULL;
        const char *slash = strrchr(path, '/');
        char *absolute;

        folder = slash ? strndup(path, (size_t) (slash - path) + 1) : strdup(".");
        if (!folder)
                return NULL;
        absolute = realpath(folder, NULL);
        return absolute ? absolute : TAKE_PTR(folder);
}

/* Two documents of one name would write into one evidence folder. */
static void check_names(Parser *parser) {
        const NodeTree *tree = parser->tree;

        for (size_t i = 1; i < tree->n_documents; i++) {
                const Node *root = &tree->nodes[tree->documents[i]];
                const Node *name = root->type == NODE_MAP ? node_find(tree, root, "name") : NULL;

                for (size_t j = 0; name && name->type == NODE_SCALAR && j < i; j++) {
                        const Node *other = &tree->nodes[tree->documents[j]];
                        const Node *other_name = other->type == NODE_MAP ? node_find(tree, other, "name") : NULL;

                        if (!other_name || other_name->type != NODE_SCALAR ||
                                        strcmp(other_name->text, name->text) != 0)
                                continue;
                        parser_diagnose(parser, name, "the document of line %u has the name `%s`, too",
                                        other->mark.line, name->text);
                        break;
                }
        }
}

static int parse_documents(Parser *parser, ScenarioList *scenarios) {
        const NodeTree *tree = parser->tree;

        if (tree->n_documents == 0 && parser->diagnostics->n_items == 0)
                diagnostic_add(parser->diagnostics, (Mark){ 0 }, 0, "the file holds no scenario");
        for (size_t i = 0; i < tree->n_documents; i++) {
                int r = document_parse(
                                parser, &tree->nodes[tree->documents[i]], (unsigned) i, tree->n_documents, scenarios);

                if (r < 0)
                        return r;
        }
        check_names(parser);
        return 0;
}

int scenario_parse(const char *path, const char *text, size_t n_bytes, const ParseOptions *options,
                ScenarioList *ret_scenarios, DiagnosticList *ret_diagnostics) {
        CLEANUP(node_tree_done) NodeTree tree = NODE_TREE_INIT;
        CLEANUP_FREE char *folder = folder_of(path);
        Parser parser = {
                .path = path,
                .folder = folder,
                .options = options,
                .tree = &tree,
                .diagnostics = ret_diagnostics,
        };
        int r;

        if (!folder)
                return -ENOMEM;
        parser.source = SOURCE_CURSOR_INIT(text, n_bytes);
        r = node_tree_parse(text, n_bytes, &tree, ret_diagnostics);
        if (r >= 0)
                r = parse_documents(&parser, ret_scenarios);
        if (r < 0 || ret_diagnostics->is_broken)
                return -ENOMEM;
        diagnostic_list_sort(ret_diagnostics);
        return 0;
}
