/* SPDX-License-Identifier: MIT */
#pragma once

/* All problems of a file at once, each with its place, shown like a compiler shows them. */

#include "base/text.h"
#include "scenario/mark.h"

typedef struct Diagnostic {
        Mark mark;
        unsigned n_columns; /* width of the underlined part; 0: one caret */
        char *message;
} Diagnostic;

typedef struct DiagnosticList {
        Diagnostic *items;
        size_t n_items;
        bool is_broken; /* out of memory: something that is wrong may not be in the list */
} DiagnosticList;

#define DIAGNOSTIC_LIST_INIT ((DiagnosticList){ 0 })

void diagnostic_list_done(DiagnosticList *list);
void diagnostic_add(DiagnosticList *list, Mark mark, unsigned n_columns, const char *format, ...) PRINTF_LIKE(4, 5);

/* Puts them in the order of the file and drops repetitions (one per matrix point). scenario_parse() has done it. */
void diagnostic_list_sort(DiagnosticList *list);

/**
 * diagnostic_list_render() - file:line:column: message, the line quoted, a caret
 * @path:    as the user gave it
 * @source:  the file's text, for the quoted lines; may be NULL
 * @ret_text: in the order of the file
 */
void diagnostic_list_render(const DiagnosticList *list, const char *path, const char *source, size_t n_source_bytes,
                Text *ret_text);
