/* SPDX-License-Identifier: MIT */
#include "judge/check-words.h"

#include <string.h>

#include "scenario/literal.h"
#include "scenario/nearest.h"
#include "scenario/signal-name.h"
#include "scenario/template.h"

/* A literal whose text is known, in a comparison that may nest. */
static bool is_known_literal(const Match *match) {
        return match->operator== MATCH_EQUAL && !template_has_variables(match->source);
}

static bool is_one_of(const char *words, const char *word) {
        size_t n = strlen(word);

        for (const char *at = words; at; at = strchr(at, '|'), at = at ? at + 1 : NULL)
                if (strncmp(at, word, n) == 0 && (at[n] == '|' || at[n] == '\0'))
                        return true;
        return false;
}

static void diagnose(const Match *match, Mark mark, const char *name, const Nearest *nearest,
                DiagnosticList *diagnostics) {
        if (nearest->best)
                diagnostic_add(diagnostics, mark, 0, "`%s` is never `%s`; did you mean `%s`?", name, match->source,
                                nearest->best);
        else
                diagnostic_add(diagnostics, mark, 0, "`%s` is never `%s`", name, match->source);
}

static void check_literals(const Match *match, Mark mark, const char *name, const char *words, bool is_open,
                DiagnosticList *diagnostics) {
        CLEANUP_TEXT Text storage = TEXT_INIT;
        Nearest nearest = NEAREST_INIT(match->source);

        FOREACH_ARRAY (child, match->children, match->n_children)
                check_literals(child, mark, name, words, is_open, diagnostics);
        if (!is_known_literal(match) || is_one_of(words, match->source))
                return;
        nearest_offer_choices(&nearest, words, &storage);
        if (!is_open || nearest.best)
                diagnose(match, mark, name, &nearest, diagnostics);
}

void check_words(const Match *match, Mark mark, const char *name, const char *words, DiagnosticList *diagnostics) {
        check_literals(match, mark, name, words, false, diagnostics);
}

void check_spelling(const Match *match, Mark mark, const char *name, const char *words, DiagnosticList *diagnostics) {
        check_literals(match, mark, name, words, true, diagnostics);
}

void check_signals(const Match *match, Mark mark, const char *name, DiagnosticList *diagnostics) {
        Nearest nearest = NEAREST_INIT(match->source);
        char text[SIGNAL_TEXT_MAX];
        const char *known;
        int number;

        FOREACH_ARRAY (child, match->children, match->n_children)
                check_signals(child, mark, name, diagnostics);
        if (!is_known_literal(match))
                return;
        number = signal_parse(match->source);
        if (number > 0 && strcmp(signal_text(number, text), match->source) == 0)
                return;
        for (size_t i = 0; (known = signal_nth_name(i)); i++)
                nearest_offer(&nearest, known);
        if (number > 0)
                nearest.best = text;
        diagnose(match, mark, name, &nearest, diagnostics);
}

static void check_number(
                const Match *match, Mark mark, const char *name, const char *word, DiagnosticList *diagnostics) {
        LiteralDimension dimension;
        double number;

        FOREACH_ARRAY (child, match->children, match->n_children)
                check_number(child, mark, name, word, diagnostics);
        if (!is_known_literal(match) || match->has_number || (word && strcmp(match->source, word) == 0))
                return;
        /* '10' in quotes is a text, and that is what 10 reads as; '64M' is not what any number does. */
        if (number_parse(match->source, strlen(match->source), &number) >= 0)
                return;
        if (literal_parse(match->source, &number, &dimension) >= 0)
                diagnostic_add(diagnostics, mark, 0,
                                "`%s` is a number, and `%s` in quotes is a text: write it without them", name,
                                match->source);
        else
                diagnostic_add(diagnostics, mark, 0, "`%s` is a number, and never `%s`", name, match->source);
}

void check_numbers(const Match *match, Mark mark, const char *name, DiagnosticList *diagnostics) {
        check_number(match, mark, name, NULL, diagnostics);
}

void check_limit_number(const Match *match, Mark mark, const char *name, DiagnosticList *diagnostics) {
        check_number(match, mark, name, "infinity", diagnostics);
}
