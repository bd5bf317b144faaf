/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/quantity.h"
#include "scenario/node-private.h"
#include "scenario/source.h"

bool node_check_bytes(const char *text, size_t n_bytes, DiagnosticList *diagnostics) {
        const char *nul;
        size_t invalid;

        if (n_bytes > NODE_FILE_BYTES_MAX) {
                diagnostic_add(diagnostics, (Mark){ 0 }, 0,
                                "the file has %zu bytes; a scenario file has at most %zu (1M). Is it one?", n_bytes,
                                (size_t) NODE_FILE_BYTES_MAX);
                return false;
        }
        /* YAML allows it, but it would shift the columns of the first line, and nobody sees it. */
        if (n_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
                diagnostic_add(diagnostics, (Mark){ 0 }, 0,
                                "the file begins with a byte order mark: save it as UTF-8 without one");
                return false;
        }
        nul = n_bytes > 0 ? memchr(text, '\0', n_bytes) : NULL;
        if (nul) {
                diagnostic_add(diagnostics, source_mark(text, (size_t) (nul - text)), 0,
                                "NUL byte: this is no text file");
                return false;
        }
        invalid = source_find_invalid_utf8(text, n_bytes);
        if (invalid < n_bytes) {
                diagnostic_add(diagnostics, source_mark(text, invalid), 0,
                                "byte 0x%02x is not UTF-8: save the file in that encoding",
                                (unsigned char) text[invalid]);
                return false;
        }
        return true;
}

/* What a walk below a node meets, with every alias followed. */
typedef struct Extent {
        uint64_t n_nodes; /* saturating; 0: not known yet */
        unsigned depth;
        bool is_open; /* being measured: met again, it is below itself */
} Extent;

/*
 * Recursion is as deep as the tree, which its own limit ends. Each node is measured once. Returns what is wrong with
 * the document, or NULL.
 */
static const char *measure(const NodeTree *tree, Extent *extents, uint32_t index, unsigned depth) {
        const Node *node = &tree->nodes[index];
        Extent *extent = &extents[index];

        if (extent->is_open)
                return "an alias in this document stands for something that holds the alias itself";
        if (depth + extent->depth > NODE_DEPTH_MAX + 1)
                return "with its aliases followed, this document is nested too deeply";
        if (extent->n_nodes > 0)
                return NULL;

        extent->is_open = true;
        extent->n_nodes = 1;
        for (size_t i = 0; i < node->n_items; i++) {
                const Extent *below = &extents[node->items[i]];
                const char *problem = measure(tree, extents, node->items[i], depth + 1);

                if (problem)
                        return problem;
                extent->n_nodes = usec_add(extent->n_nodes, below->n_nodes);
                if (below->depth + 1 > extent->depth)
                        extent->depth = below->depth + 1;
        }
        extent->is_open = false;
        return extent->n_nodes > NODE_WALK_MAX ? "with its aliases followed, this document has more than 200000 nodes"
                                               : NULL;
}

typedef struct KeyPlace {
        const Node *key;
        size_t place;
} KeyPlace;

static int compare_keys(const void *a, const void *b) {
        const KeyPlace *x = a, *y = b;
        int order = strcmp(x->key->text, y->key->text);

        return order ? order : x->place < y->place ? -1 : x->place > y->place;
}

/* @parent: the key whose value the map is; NULL where it has none. */
static void add_duplicate(const Node *first, const Node *second, const char *parent, DiagnosticList *diagnostics) {
        const char *kind = second->text;

        if (parent && (strcmp(parent, "expect") == 0 || strcmp(parent, "always") == 0 ||
                                      strcmp(parent, "never") == 0))
                diagnostic_add(diagnostics, second->mark, second->n_columns,
                                "`%s` stands in this map twice (first in line %u); where a kind comes twice, write a "
                                "list: "
                                "%s: [{%s: ...}, {%s: ...}]",
                                kind, first->mark.line, parent, kind, kind);
        else
                diagnostic_add(diagnostics, second->mark, second->n_columns,
                                "`%s` stands in this map twice (first in line %u)", kind, first->mark.line);
}

/* Takes the pairs out whose key is marked. */
static void drop_pairs(Node *map, const bool *is_dropped) {
        size_t n_kept = 0;

        for (size_t i = 0; i + 1 < map->n_items; i += 2) {
                if (is_dropped[i / 2])
                        continue;
                map->items[n_kept++] = map->items[i];
                map->items[n_kept++] = map->items[i + 1];
        }
        map->n_items = n_kept;
}

/*
 * Duplicate keys, and keys that are no texts: said here, and taken out, so that nobody else meets them. Sorted,
 * because a hostile map may have 100,000 keys.
 */
static int check_map(const NodeTree *tree, Node *map, const char *parent, DiagnosticList *diagnostics) {
        CLEANUP_FREE KeyPlace *keys = calloc(map->n_items / 2 + 1, sizeof(*keys));
        CLEANUP_FREE bool *is_dropped = calloc(map->n_items / 2 + 1, sizeof(*is_dropped));
        size_t n_keys = 0;

        if (!keys || !is_dropped)
                return -ENOMEM;
        for (size_t i = 0; i + 1 < map->n_items; i += 2) {
                const Node *key = node_item(tree, map, i);

                if (key->type == NODE_SCALAR) {
                        keys[n_keys++] = (KeyPlace){ .key = key, .place = i / 2 };
                        continue;
                }
                is_dropped[i / 2] = true;
                diagnostic_add(diagnostics, key->mark, 0,
                                "a key is a text, and this is %s; put a text that holds { } or [ ] in quotes",
                                node_type_text(key));
        }
        qsort(keys, n_keys, sizeof(*keys), compare_keys);
        for (size_t i = 1; i < n_keys; i++)
                if (strcmp(keys[i - 1].key->text, keys[i].key->text) == 0) {
                        add_duplicate(keys[i - 1].key, keys[i].key, parent, diagnostics);
                        is_dropped[keys[i].place] = true;
                }
        drop_pairs(map, is_dropped);
        return 0;
}

/* For every node the key whose value it is, so that maps can be checked without recursion. */
static const char **find_parents(const NodeTree *tree) {
        const char **parents = calloc(tree->n_nodes + 1, sizeof(*parents));

        if (!parents)
                return NULL;
        FOREACH_ARRAY (map, tree->nodes, tree->n_nodes) {
                if (map->type != NODE_MAP)
                        continue;
                for (size_t i = 0; i + 1 < map->n_items; i += 2)
                        parents[map->items[i + 1]] = node_item(tree, map, i)->text;
        }
        return parents;
}

static int check_keys(NodeTree *tree, DiagnosticList *diagnostics) {
        CLEANUP_FREE const char **parents = find_parents(tree);

        if (!parents)
                return -ENOMEM;
        for (size_t i = 0; i < tree->n_nodes; i++) {
                int r = 0;

                if (tree->nodes[i].type == NODE_MAP)
                        r = check_map(tree, &tree->nodes[i], parents[i], diagnostics);
                if (r < 0)
                        return r;
        }
        return 0;
}

int node_check_tree(NodeTree *tree, DiagnosticList *diagnostics) {
        CLEANUP_FREE Extent *extents = calloc(tree->n_nodes + 1, sizeof(*extents));

        if (!extents)
                return -ENOMEM;
        for (size_t i = 0; i < tree->n_documents; i++) {
                const char *problem = measure(tree, extents, tree->documents[i], 1);

                if (!problem) {
                        uint64_t n_nodes = extents[tree->documents[i]].n_nodes;

                        tree->n_walked = n_nodes > tree->n_walked ? n_nodes : tree->n_walked;
                        continue;
                }
                diagnostic_add(diagnostics, tree->nodes[tree->documents[i]].mark, 0, "%s", problem);
                tree->n_documents = 0;
                return 0;
        }
        return check_keys(tree, diagnostics);
}
