/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * YAML text as a tree of nodes that know their place. The only user of the YAML library.
 *
 * Nodes refer to each other by index, so that an alias is one more reference and costs nothing. What a hostile file
 * could make expensive is limited here, each with one diagnostic: the file's size, the depth, and the number of nodes
 * a walk would meet with every alias followed. A tree without diagnostics can be walked recursively.
 */

#include <stdbool.h>
#include <stdint.h>

#include "scenario/diagnostic.h"

#define NODE_FILE_BYTES_MAX (UINT64_C(1) << 20)
#define NODE_DEPTH_MAX      48
#define NODE_WALK_MAX       UINT64_C(200000)

typedef enum NodeType {
        NODE_SCALAR,
        NODE_LIST,
        NODE_MAP,
} NodeType;

typedef struct Node {
        NodeType type;
        Mark mark;
        unsigned n_columns; /* width of a scalar that stands on one line, with its quotes; else 0 */
        bool is_quoted;     /* in quotes, or a block text: what YAML would otherwise read into it is not meant */
        char *text;         /* scalar; UTF-8 without NUL */
        uint32_t *items;    /* list: its nodes; map: key, value, key, value, ...; a key is a scalar and comes once */
        size_t n_items;
} Node;

typedef struct NodeTree {
        Node *nodes;
        size_t n_nodes;
        uint32_t *documents; /* their root nodes */
        size_t n_documents;
        uint64_t n_walked; /* nodes that a walk of the largest document meets, aliases followed */
} NodeTree;

#define NODE_TREE_INIT ((NodeTree){ 0 })
void node_tree_done(NodeTree *tree);

/**
 * node_tree_parse() - read YAML
 * @text:            any bytes
 * @ret_tree:        the documents that were read before something went wrong, or all of them
 * @ret_diagnostics: what is wrong with it as YAML, duplicate keys among it; appended
 *
 * Errors: -ENOMEM.
 */
int node_tree_parse(const char *text, size_t n_bytes, NodeTree *ret_tree, DiagnosticList *ret_diagnostics);

static inline const Node *node_item(const NodeTree *tree, const Node *node, size_t i) {
        return &tree->nodes[node->items[i]];
}

/* The value of key @key of a map; NULL where there is none. */
const Node *node_find(const NodeTree *tree, const Node *map, const char *key);

/* A scalar that says nothing: `key:` with nothing behind it. */
bool node_is_empty(const Node *node);

/* "a text", "a list", "a map": for diagnostics. */
const char *node_type_text(const Node *node);
