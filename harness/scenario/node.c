/* SPDX-License-Identifier: MIT */
#include "scenario/node.h"

#include <string.h>
#include <yaml.h>

#include "scenario/array.h"
#include "scenario/node-private.h"
#include "scenario/source.h"

/* What is open while events come in: one level of lists and maps each. */
typedef struct Builder {
        const char *text;
        size_t n_bytes;
        NodeTree *tree;
        DiagnosticList *diagnostics;
        uint32_t open[NODE_DEPTH_MAX];
        size_t n_open;
        NodeAnchor *anchors;
        size_t n_anchors;
} Builder;

void node_tree_done(NodeTree *tree) {
        FOREACH_ARRAY (node, tree->nodes, tree->n_nodes) {
                free(node->text);
                free(node->items);
        }
        free(tree->nodes);
        free(tree->documents);
        *tree = NODE_TREE_INIT;
}

static void builder_forget_anchors(Builder *builder) {
        FOREACH_ARRAY (anchor, builder->anchors, builder->n_anchors)
                free(anchor->name);
        free(builder->anchors);
        builder->anchors = NULL;
        builder->n_anchors = 0;
}

static Mark mark_of(yaml_mark_t mark) {
        return (Mark){ .line = (unsigned) mark.line + 1, .column = (unsigned) mark.column + 1 };
}

/* -EBADMSG: a diagnostic has been added, and reading ends. */
static int builder_refuse(Builder *builder, yaml_mark_t mark, const char *what) {
        diagnostic_add(builder->diagnostics, mark_of(mark), 0, "%s", what);
        return -EBADMSG;
}

/* Hangs node @index below the list or map that is open, or makes it a document's root. */
static int builder_attach(Builder *builder, uint32_t index) {
        NodeTree *tree = builder->tree;
        uint32_t *item;
        Node *parent;

        if (builder->n_open == 0) {
                item = array_append(&tree->documents, &tree->n_documents, sizeof(*item));
        } else {
                parent = &tree->nodes[builder->open[builder->n_open - 1]];
                item = array_append(&parent->items, &parent->n_items, sizeof(*item));
        }
        if (!item)
                return -ENOMEM;
        *item = index;
        return 0;
}

static int builder_anchor(Builder *builder, const char *name, uint32_t index) {
        NodeAnchor *anchor;

        if (!name)
                return 0;
        anchor = array_append(&builder->anchors, &builder->n_anchors, sizeof(*anchor));
        if (!anchor)
                return -ENOMEM;
        anchor->node = index;
        anchor->name = strdup(name);
        return anchor->name ? 0 : -ENOMEM;
}

static int builder_add(Builder *builder, NodeType type, const yaml_event_t *event, const char *anchor,
                const char *tag, Node **ret_node) {
        NodeTree *tree = builder->tree;
        uint32_t index = (uint32_t) tree->n_nodes;
        Node *node;
        int r;

        if (tag)
                return builder_refuse(builder, event->start_mark,
                                "a YAML tag means nothing here; put a text that begins with `!` in quotes");
        node = array_append(&tree->nodes, &tree->n_nodes, sizeof(*node));
        if (!node)
                return -ENOMEM;
        node->type = type;
        node->mark = mark_of(event->start_mark);
        r = builder_attach(builder, index);
        if (r < 0)
                return r;
        *ret_node = &tree->nodes[index];
        return builder_anchor(builder, anchor, index);
}

static int builder_open(
                Builder *builder, NodeType type, const yaml_event_t *event, const char *anchor, const char *tag) {
        Node *node;
        int r;

        if (builder->n_open == NODE_DEPTH_MAX)
                return builder_refuse(builder, event->start_mark, "lists and maps are nested too deeply here");
        r = builder_add(builder, type, event, anchor, tag, &node);
        if (r < 0)
                return r;
        builder->open[builder->n_open++] = (uint32_t) (node - builder->tree->nodes);
        return 0;
}

static int builder_scalar(Builder *builder, const yaml_event_t *event) {
        const char *text = (const char *) event->data.scalar.value;
        yaml_scalar_style_t style = event->data.scalar.style;
        Node *node;
        int r;

        if (memchr(text, '\0', event->data.scalar.length))
                return builder_refuse(builder, event->start_mark, "a text cannot hold a NUL character");
        r = builder_add(builder, NODE_SCALAR, event, (const char *) event->data.scalar.anchor,
                        (const char *) event->data.scalar.tag, &node);
        if (r < 0)
                return r;
        node->is_quoted = style != YAML_PLAIN_SCALAR_STYLE;
        if (event->start_mark.line == event->end_mark.line)
                node->n_columns = (unsigned) (event->end_mark.column - event->start_mark.column);
        node->text = strdup(text);
        return node->text ? 0 : -ENOMEM;
}

static int builder_alias(Builder *builder, const yaml_event_t *event) {
        const char *name = (const char *) event->data.alias.anchor;

        /* The latest of a name counts. Source: YAML 1.1, 3.2.2.2. */
        for (size_t i = builder->n_anchors; i > 0; i--)
                if (strcmp(builder->anchors[i - 1].name, name) == 0)
                        return builder_attach(builder, builder->anchors[i - 1].node);
        diagnostic_add(builder->diagnostics, mark_of(event->start_mark), 0,
                        "there is no anchor `&%s` before this alias", name);
        return -EBADMSG;
}

static int builder_take(Builder *builder, const yaml_event_t *event) {
        switch (event->type) {
        case YAML_SCALAR_EVENT:
                return builder_scalar(builder, event);
        case YAML_ALIAS_EVENT:
                return builder_alias(builder, event);
        case YAML_SEQUENCE_START_EVENT:
                return builder_open(builder, NODE_LIST, event, (const char *) event->data.sequence_start.anchor,
                                (const char *) event->data.sequence_start.tag);
        case YAML_MAPPING_START_EVENT:
                return builder_open(builder, NODE_MAP, event, (const char *) event->data.mapping_start.anchor,
                                (const char *) event->data.mapping_start.tag);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                builder->n_open--;
                return 0;
        case YAML_DOCUMENT_END_EVENT:
                builder_forget_anchors(builder);
                return 0;
        default:
                return 0;
        }
}

static int builder_read(Builder *builder, yaml_parser_t *parser) {
        bool is_end = false;
        int r = 0;

        while (!is_end && r >= 0) {
                yaml_event_t event;

                if (!yaml_parser_parse(parser, &event)) {
                        if (parser->error == YAML_MEMORY_ERROR)
                                return -ENOMEM;
                        node_explain_error(parser, builder->text, builder->n_bytes, builder->diagnostics);
                        return -EBADMSG;
                }
                is_end = event.type == YAML_STREAM_END_EVENT;
                r = builder_take(builder, &event);
                yaml_event_delete(&event);
        }
        return r;
}

/* The root of the document that could not be read to its end has lists and maps without all of their items. */
static void builder_drop_unfinished(Builder *builder) {
        if (builder->n_open > 0 && builder->tree->n_documents > 0)
                builder->tree->n_documents--;
}

int node_tree_parse(const char *text, size_t n_bytes, NodeTree *ret_tree, DiagnosticList *ret_diagnostics) {
        Builder builder = { .text = text, .n_bytes = n_bytes, .tree = ret_tree, .diagnostics = ret_diagnostics };
        yaml_parser_t parser;
        int r;

        *ret_tree = NODE_TREE_INIT;
        if (!node_check_bytes(text, n_bytes, ret_diagnostics))
                return 0;

        if (!yaml_parser_initialize(&parser))
                return -ENOMEM;
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser, (const unsigned char *) (n_bytes > 0 ? text : ""), n_bytes);
        r = builder_read(&builder, &parser);
        yaml_parser_delete(&parser);
        builder_forget_anchors(&builder);
        builder_drop_unfinished(&builder);
        if (r < 0 && r != -EBADMSG)
                return r;
        return node_check_tree(ret_tree, ret_diagnostics);
}

const Node *node_find(const NodeTree *tree, const Node *map, const char *key) {
        for (size_t i = 0; i + 1 < map->n_items; i += 2) {
                const Node *node = node_item(tree, map, i);

                if (strcmp(node->text, key) == 0)
                        return node_item(tree, map, i + 1);
        }
        return NULL;
}

bool node_is_empty(const Node *node) {
        return node->type == NODE_SCALAR && !node->is_quoted && node->text[0] == '\0';
}

const char *node_type_text(const Node *node) {
        if (node_is_empty(node))
                return "nothing";
        return node->type == NODE_MAP ? "a map" : node->type == NODE_LIST ? "a list" : "a text";
}
