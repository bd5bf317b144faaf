/* SPDX-License-Identifier: MIT */
#include "scenario/diagnostic.h"

#include <stdarg.h>
#include <string.h>

#include "scenario/array.h"
#include "scenario/source.h"

void diagnostic_list_done(DiagnosticList *list) {
        FOREACH_ARRAY (item, list->items, list->n_items)
                free(item->message);
        free(list->items);
        *list = DIAGNOSTIC_LIST_INIT;
}

void diagnostic_add(DiagnosticList *list, Mark mark, unsigned n_columns, const char *format, ...) {
        char *message = NULL;
        Diagnostic *item;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&message, format, arguments);
        va_end(arguments);
        item = n < 0 ? NULL : array_append(&list->items, &list->n_items, sizeof(*item));
        if (!item) {
                if (n >= 0)
                        free(message);
                list->is_broken = true;
                return;
        }
        *item = (Diagnostic){ .mark = mark, .n_columns = n_columns, .message = message };
}

static int compare_diagnostics(const void *a, const void *b) {
        const Diagnostic *x = a, *y = b;

        if (x->mark.line != y->mark.line)
                return x->mark.line < y->mark.line ? -1 : 1;
        if (x->mark.column != y->mark.column)
                return x->mark.column < y->mark.column ? -1 : 1;
        return strcmp(x->message, y->message);
}

void diagnostic_list_sort(DiagnosticList *list) {
        size_t n_kept = 0;

        if (list->n_items == 0)
                return;
        qsort(list->items, list->n_items, sizeof(*list->items), compare_diagnostics);
        for (size_t i = 1; i < list->n_items; i++)
                if (compare_diagnostics(&list->items[n_kept], &list->items[i]) == 0)
                        free(list->items[i].message);
                else
                        list->items[++n_kept] = list->items[i];
        list->n_items = n_kept + 1;
}

/* Columns of a line that are shown; around the caret where the line is longer. */
#define N_SHOWN_BEFORE 70
#define N_SHOWN        110

/* One character of the quoted line. What a terminal would obey or cannot show becomes a question mark. */
static void append_shown(Text *text, const char *character, size_t n_bytes) {
        unsigned char first = (unsigned char) *character;
        bool is_control = n_bytes == 1 && (first < 0x20 || first == 0x7f);
        bool is_c1 = n_bytes == 2 && first == 0xc2 && (unsigned char) character[1] < 0xa0;

        if (n_bytes == 1 && first == '\t')
                text_append(text, "\t");
        else if (is_control || is_c1 || (n_bytes == 1 && first >= 0x80))
                text_append(text, "?");
        else
                text_append_bytes(text, character, n_bytes);
}

/* A file's name and what is quoted from it: on one line, whatever they hold. */
static void append_plain(Text *text, const char *plain) {
        const char *end = plain + strlen(plain);

        for (const char *c = plain; c < end;) {
                size_t n_bytes = source_character_bytes(c, (size_t) (end - c));

                append_shown(text, c, n_bytes);
                c += n_bytes;
        }
}

/* The quoted line and below it the caret, which keeps the line's tabs so that it stands right whatever a tab is. */
static void append_quote(Text *text, const Diagnostic *item, const char *line, size_t n_line_bytes) {
        CLEANUP_TEXT Text caret = TEXT_INIT;
        unsigned caret_column = item->mark.column ? item->mark.column : 1;
        unsigned first = caret_column > N_SHOWN_BEFORE ? caret_column - N_SHOWN_BEFORE : 1, column = 1, n_marked = 0;
        const char *end = line + n_line_bytes;

        text_printf(text, "%5u | %s", item->mark.line, first > 1 ? "..." : "");
        text_printf(&caret, "      | %s", first > 1 ? "   " : "");
        for (const char *c = line; c < end; column++) {
                size_t n_bytes = source_character_bytes(c, (size_t) (end - c));

                if (column >= first + N_SHOWN) {
                        text_append(text, "...");
                        break;
                }
                if (column >= first)
                        append_shown(text, c, n_bytes);
                if (column >= first && column < caret_column)
                        text_append(&caret, *c == '\t' ? "\t" : " ");
                else if (column > caret_column && column < caret_column + item->n_columns)
                        n_marked++;
                c += n_bytes;
        }
        for (; column < caret_column; column++) /* behind the line's end */
                text_append(&caret, " ");
        text_append(&caret, "^");
        for (; n_marked > 0; n_marked--)
                text_append(&caret, "~");
        text_printf(text, "\n%s\n", text_get(&caret));
}

void diagnostic_list_render(const DiagnosticList *list, const char *path, const char *source, size_t n_source_bytes,
                Text *ret_text) {
        SourceCursor cursor = SOURCE_CURSOR_INIT(source, n_source_bytes);

        FOREACH_ARRAY (item, list->items, list->n_items) {
                const char *line;
                size_t n_line_bytes;

                append_plain(ret_text, path);
                if (item->mark.line > 0)
                        text_printf(ret_text, ":%u:%u", item->mark.line, item->mark.column);
                text_append(ret_text, ": ");
                append_plain(ret_text, item->message);
                text_append(ret_text, "\n");
                if (item->mark.line > 0 && source && source_find_line(&cursor, item->mark.line, &line, &n_line_bytes))
                        append_quote(ret_text, item, line, n_line_bytes);
        }
}
