/* SPDX-License-Identifier: MIT */
#pragma once

/* The parts of reading YAML that node.c, node-check.c and node-error.c share. Nobody else includes this. */

#include <yaml.h>

#include "scenario/node.h"

typedef struct NodeAnchor {
        char *name;
        uint32_t node;
} NodeAnchor;

/* Says in the words of somebody who writes scenarios what the YAML parser stumbled over. */
void node_explain_error(const yaml_parser_t *parser, const char *text, size_t n_bytes, DiagnosticList *diagnostics);

/* Can the bytes be YAML at all: not too many, UTF-8, no NUL? */
bool node_check_bytes(const char *text, size_t n_bytes, DiagnosticList *diagnostics);

/*
 * Limits that show only in the whole tree, and duplicate keys. Where a walk would be too long or would not end, the
 * tree loses its documents. Errors: -ENOMEM.
 */
int node_check_tree(NodeTree *tree, DiagnosticList *diagnostics);
