/* SPDX-License-Identifier: MIT */
#include "judge/check-words.h"

#include <string.h>

#include "judge/count.h"
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

/* Are all texts of the comparison known now, and none only while the scenario runs? */
static bool is_known(const Match *match) {
        if (match->operator!= MATCH_REGEX && match->n_children == 0 && template_has_variables(match->source))
                return false;
        FOREACH_ARRAY (child, match->children, match->n_children)
                if (!is_known(child))
                        return false;
        return true;
}

/* A number is compared by its value alone, so that TasksMax: 50% would ask for 50 tasks. */
static bool is_measured_in(const Match *match, LiteralDimension unit) {
        const char *operand = match->source + strspn(match->source, "<>= ");
        const char *dots = match->operator== MATCH_RANGE ? strstr(operand, "..") : NULL;
        CLEANUP_FREE char *low = strndup(operand, dots ? (size_t) (dots - operand) : strlen(operand));
        LiteralDimension dimension;
        double number;

        return !low || !match->has_number || literal_parse(low, &number, &dimension) < 0 ||
               dimension == LITERAL_PLAIN || dimension == unit;
}

static bool are_measured_in(const Match *match, LiteralDimension unit) {
        FOREACH_ARRAY (child, match->children, match->n_children)
                if (!are_measured_in(child, unit))
                        return false;
        return match->n_children > 0 || is_measured_in(match, unit);
}

void check_count(const Match *match, Mark mark, const char *name, DiagnosticList *diagnostics) {
        size_t n_before = diagnostics->n_items;
        Certainty certainty;

        check_numbers(match, mark, name, diagnostics);
        if (diagnostics->n_items > n_before || !is_known(match))
                return;
        certainty = are_measured_in(match, LITERAL_BYTES) ? count_matches(match, 0, SIZE_MAX, NULL) : CERTAINLY_NOT;
        if (certainty == CERTAINLY_NOT)
                diagnostic_add(diagnostics, mark, 0, "`%s` can never hold: it is a whole number from 0 up, never %s",
                                name, match->source);
        else if (certainty == CERTAINLY)
                diagnostic_add(diagnostics, mark, 0, "`%s` can never fail: every whole number from 0 up is %s", name,
                                match->source);
}

static const char *amount_text(LiteralDimension unit) {
        static const char *const TEXTS[] = {
                [LITERAL_PLAIN] = "a number",
                [LITERAL_BYTES] = "a number or size",
                [LITERAL_USEC] = "a duration or number of microseconds",
                [LITERAL_PERCENT] = "a percentage",
        };
        return TEXTS[unit];
}

/* Can a number from 0 up be this? */
static bool is_possible_amount(const Match *match) {
        switch (match->operator) {
        case MATCH_EQUAL:
                return !match->has_number || match->low >= 0;
        case MATCH_LESS:
                return match->low > 0;
        case MATCH_LESS_EQUAL:
                return match->low >= 0;
        case MATCH_RANGE:
                return match->high >= 0;
        default:
                return true;
        }
}

static void check_possible(const Match *match, Mark mark, const char *name, LiteralDimension unit, const char *word,
                DiagnosticList *diagnostics) {
        FOREACH_ARRAY (child, match->children, match->n_children)
                check_possible(child, mark, name, unit, word, diagnostics);
        if (match->n_children > 0 || !is_known(match) || (is_possible_amount(match) && is_measured_in(match, unit)))
                return;
        diagnostic_add(diagnostics, mark, 0, "`%s` is %s from 0 up%s%s, and never `%s`", name, amount_text(unit),
                        word ? " or " : "", word ?: "", match->source);
}

void check_amount(const Match *match, Mark mark, const char *name, LiteralDimension unit, const char *word,
                DiagnosticList *diagnostics) {
        size_t n_before = diagnostics->n_items;

        check_number(match, mark, name, word, diagnostics);
        if (diagnostics->n_items == n_before)
                check_possible(match, mark, name, unit, word, diagnostics);
}

static bool is_status(const Match *match, int low, bool or_signal) {
        const char *signal_name;
        char text[16];

        for (int status = low; status <= 255; status++) {
                (void) snprintf(text, sizeof(text), "%d", status);
                if (match_text(match, text, strlen(text), NULL))
                        return true;
        }
        for (size_t i = 0; or_signal && (signal_name = signal_nth_name(i)); i++)
                if (match_text(match, signal_name, strlen(signal_name), NULL))
                        return true;
        return false;
}

void check_status(const Match *match, Mark mark, const char *name, bool or_signal, DiagnosticList *diagnostics) {
        FOREACH_ARRAY (child, match->children, match->n_children)
                check_status(child, mark, name, or_signal, diagnostics);
        if (match->n_children > 0 || !is_known(match) || is_status(match, 0, or_signal))
                return;
        if (or_signal && signal_parse(match->source) > 0) /* of real time; another spelling is not seen either */
                check_signals(match, mark, name, diagnostics);
        else
                diagnostic_add(diagnostics, mark, 0, "`%s` is never `%s`: an exit status is a number from 0 to 255%s",
                                name, match->source, or_signal ? ", or the name of a signal" : "");
}

void check_clean(const Match *code, Mark mark, bool is_clean, DiagnosticList *diagnostics) {
        if (!is_known(code))
                return;
        if (is_clean && !match_text(code, "0", 1, NULL))
                diagnostic_add(diagnostics, mark, 0, "`clean: yes` contradicts `code`: a clean exit has the code 0");
        if (!is_clean && match_text(code, "0", 1, NULL) && !is_status(code, 1, false))
                diagnostic_add(diagnostics, mark, 0,
                                "`clean: no` contradicts `code`: the code is 0 for a clean exit alone");
}

void check_digits(const Match *match, Mark mark, const char *name, const char *digits, size_t n_digits,
                const char *example, DiagnosticList *diagnostics) {
        FOREACH_ARRAY (child, match->children, match->n_children)
                check_digits(child, mark, name, digits, n_digits, example, diagnostics);
        if (is_known_literal(match) &&
                        (strlen(match->source) != n_digits || strspn(match->source, digits) != n_digits))
                diagnostic_add(diagnostics, mark, 0, "`%s` takes %s, and this is \"%s\"", name, example,
                                match->source);
}

static bool is_blank(const char *text) {
        return text[strspn(text, " \t\n")] == '\0';
}

void check_line(const Value *line, const char *name, DiagnosticList *diagnostics) {
        if (line->text && is_blank(line->text))
                diagnostic_add(diagnostics, line->mark, 0, "`%s` is empty: there is nothing to run", name);
}
