/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "scenario/node-private.h"
#include "scenario/source.h"

/*
 * libyaml's sentences are about tokens. What people meet in scenario files is nearly always a text that needed
 * quotes:
 * `>= 1`, `${x}` or /x{2,4}/ inside a flow map. Source: libyaml 0.2.5, scanner.c and parser.c,
 * yaml_parser_set_*_error.
 */

typedef struct Place {
        const char *line;
        size_t n_bytes;
        size_t offset; /* of the problem, in the line */
} Place;

static Place find_place(yaml_mark_t mark, const char *text, size_t n_bytes) {
        SourceCursor cursor = SOURCE_CURSOR_INIT(text, n_bytes);
        Place place = { .line = "" };

        if (!source_find_line(&cursor, (unsigned) mark.line + 1, &place.line, &place.n_bytes))
                return place;
        for (size_t i = 0; i < mark.column && place.offset < place.n_bytes; i++)
                place.offset += source_character_bytes(place.line + place.offset, place.n_bytes - place.offset);
        return place;
}

static char place_character(const Place *place) {
        return place->offset < place->n_bytes ? place->line[place->offset] : '\0';
}

/* The text around the problem that somebody meant as one: back to a space, on to the closing slash or brace. */
static void append_meant(const Place *place, Text *text) {
        size_t begin = place->offset, end = place->offset;
        char closing;

        while (begin > 0 && !strchr(" \t,", place->line[begin - 1]))
                begin--;
        closing = place->line[begin] == '/' ? '/' : place->line[begin] == '$' ? '}' : ' ';
        while (end < place->n_bytes && place->line[end] != closing)
                end++;
        if (closing != ' ' && end < place->n_bytes)
                end++;
        text_append_bytes(text, place->line + begin, end - begin);
}

/* A `{`, `[` glued to a text inside { } or [ ]: YAML takes it for a new map or list. */
static bool explain_flow(const Place *place, Text *message) {
        CLEANUP_TEXT Text meant = TEXT_INIT;
        char c = place_character(place);

        if ((c != '{' && c != '[') || place->offset == 0 || strchr(" \t", place->line[place->offset - 1]))
                return false;
        append_meant(place, &meant);
        text_printf(message,
                        "inside { } and [ ], a text that itself holds one of { } [ ] or a comma needs quotes: '%s'",
                        text_get(&meant));
        return true;
}

static bool explain_start(const Place *place, Text *message) {
        char c = place_character(place);

        if (c == '\0' || !strchr("@`%>|", c))
                return false;
        text_printf(message, "a value that begins with `%c` needs quotes", c);
        if (c == '>')
                text_append(message, ": \">= 1\"");
        return true;
}

static void explain(const yaml_parser_t *parser, const Place *place, Text *message) {
        const char *problem = parser->problem ? parser->problem : "unreadable";
        const char *context = parser->context ? parser->context : "";

        bool is_start = strstr(problem, "cannot start any token");

        if (is_start && explain_start(place, message))
                return;
        if (strstr(context, "block scalar"))
                text_append(message,
                                "`>` and `|` begin a block of text in YAML; a comparison needs quotes: \">= 1\"");
        else if (strstr(context, "flow") && explain_flow(place, message))
                return;
        else if (strstr(context, "flow"))
                text_printf(message,
                                "%s: this { or [ began in line %zu and is not closed, or a text in it needs quotes",
                                problem, parser->context_mark.line + 1);
        else if (strstr(problem, "mapping values are not allowed"))
                text_append(message, "YAML takes this `:` for the end of a key; put the text in quotes if the `:` "
                                     "belongs to "
                                     "it, else look at the indentation");
        else if (strstr(problem, "tab character") || (is_start && place_character(place) == '\t'))
                text_append(message, "a tab cannot indent YAML; use spaces");
        else
                text_printf(message, "not YAML: %s%s%s", problem, *context ? ", " : "", context);
}

void node_explain_error(const yaml_parser_t *parser, const char *text, size_t n_bytes, DiagnosticList *diagnostics) {
        CLEANUP_TEXT Text message = TEXT_INIT;
        yaml_mark_t at = parser->problem_mark;
        Place place;
        Mark mark;

        if (parser->error == YAML_READER_ERROR) {
                /* The reader's errors come without a mark, but with the offset. */
                diagnostic_add(diagnostics,
                                source_mark(text,
                                                parser->problem_offset < n_bytes ? parser->problem_offset : n_bytes),
                                0, "not YAML: %s", parser->problem ? parser->problem : "unreadable");
                return;
        }
        place = find_place(parser->problem_mark, text, n_bytes);
        explain(parser, &place, &message);
        if (place_character(&place) == '\0' && parser->context && strstr(parser->context, "flow"))
                at = parser->context_mark; /* nobody looks for an open { behind the last line */
        mark = (Mark){ .line = (unsigned) at.line + 1, .column = (unsigned) at.column + 1 };
        diagnostic_add(diagnostics, mark, 0, "%s", text_get(&message));
}
