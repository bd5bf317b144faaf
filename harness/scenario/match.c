/* SPDX-License-Identifier: MIT */
#include "scenario/match.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "scenario/literal.h"

typedef struct OperatorName {
        const char *sign;
        MatchOperator operator;
        const char *words;
} OperatorName;

/* The longer signs first: `<=` begins with `<`. */
static const OperatorName operators[] = {
        { "<=", MATCH_LESS_EQUAL, "at most" },
        { ">=", MATCH_GREATER_EQUAL, "at least" },
        { "<", MATCH_LESS, "less than" },
        { ">", MATCH_GREATER, "more than" },
};

void match_done(Match *match) {
        if (!match)
                return;
        free(match->source);
        (void) regex_free(match->regex);
        FOREACH_ARRAY (child, match->children, match->n_children)
                match_done(child);
        free(match->children);
        *match = (Match){ 0 };
}

static const OperatorName *find_operator(const char *text) {
        FOREACH_ARRAY (name, operators, ELEMENTS_OF(operators))
                if (strncmp(text, name->sign, strlen(name->sign)) == 0)
                        return name;
        return NULL;
}

/* What stands behind the sign of an ordering. */
static const char *match_operand(const Match *match) {
        const OperatorName *name = find_operator(match->source);

        return name ? match->source + strlen(name->sign) + strspn(match->source + strlen(name->sign), " ")
                    : match->source;
}

/* Operators of other languages, which would silently be texts here. */
static int refuse_foreign_sign(const char *text, Error *reterr) {
        double number;
        LiteralDimension dimension;

        if (strncmp(text, "!=", 2) == 0)
                return error_set(reterr, -EINVAL, "`!=` is no comparison; write `not: %s`",
                                text + 2 + strspn(text + 2, " "));
        if (strncmp(text, "==", 2) != 0 && strncmp(text, "=>", 2) != 0 && strncmp(text, "=<", 2) != 0)
                return 0;
        if (literal_parse(text + 2 + strspn(text + 2, " "), &number, &dimension) < 0)
                return 0;
        return error_set(reterr, -EINVAL,
                        "`%.2s` is no comparison; there are `<`, `<=`, `>`, `>=`, and equality needs no sign", text);
}

static int parse_regex(Match *match, size_t *ret_offset, Error *reterr) {
        CLEANUP_FREE char *body = strndup(match->source + 1, strlen(match->source) - 2), *pattern = NULL;
        size_t offset = 0;
        int r;

        if (!body)
                return -ENOMEM;
        if (template_has_variables(body))
                return error_set(reterr, -EINVAL,
                                "a value that is known only while the scenario runs cannot stand in a /regex/");
        r = template_resolve(body, NULL, false, &pattern, reterr);
        if (r < 0)
                return r;
        r = regex_new(pattern, &match->regex, &offset, reterr);
        if (ret_offset)
                *ret_offset = offset + 1;
        return r;
}

static int parse_ordering(Match *match, Error *reterr) {
        const char *operand = match_operand(match);
        LiteralDimension dimension;

        if (template_has_variables(operand))
                return 0;
        if (literal_parse(operand, &match->low, &dimension) < 0 && priority_parse(operand, &match->low) < 0)
                return error_set(reterr, -EINVAL,
                                "\"%s\" is nothing to be compared by size; write a number, 64M, 500ms, 50%% or a log "
                                "level",
                                operand);
        match->has_number = true;
        return 0;
}

/* Takes "low..high" where both are literals of one dimension. -ENOENT: this is no range, but a text with two dots. */
static int parse_range(Match *match, Error *reterr) {
        const char *dots = strstr(match->source, "..");
        CLEANUP_FREE char *low = NULL;
        LiteralDimension low_dimension, high_dimension;

        if (!dots)
                return -ENOENT;
        low = strndup(match->source, (size_t) (dots - match->source));
        if (!low)
                return -ENOMEM;
        if (literal_parse(low, &match->low, &low_dimension) < 0 ||
                        literal_parse(dots + 2, &match->high, &high_dimension) < 0)
                return -ENOENT;
        if (low_dimension != high_dimension && match->low != 0)
                return error_set(reterr, -EINVAL, "the two ends of the range %s are of different kinds",
                                match->source);
        if (match->low > match->high)
                return error_set(reterr, -EINVAL, "the range %s holds nothing: its low end is the higher one",
                                match->source);
        match->operator= MATCH_RANGE;
        match->has_number = true;
        return 0;
}

static bool is_regex(const char *text) {
        size_t n = strlen(text);

        return n >= 2 && text[0] == '/' && text[n - 1] == '/';
}

static int parse_literal(Match *match, Error *reterr) {
        LiteralDimension dimension;
        int r = parse_range(match, reterr);

        if (r != -ENOENT)
                return r;
        match->operator= MATCH_EQUAL;
        match->has_number = literal_parse(match->source, &match->low, &dimension) >= 0;
        return 0;
}

/* `<none>` is a text, `< none` and `<5` are meant as comparisons. */
static const OperatorName *find_ordering(const char *text) {
        const OperatorName *name = find_operator(text);

        return name && (strchr(" 0123456789-$", text[strlen(name->sign)]) || text[1] == '=') ? name : NULL;
}

int match_parse(const char *text, Match *ret_match, size_t *ret_offset, Error *reterr) {
        CLEANUP(match_done) Match match = { .source = strdup(text) };
        const OperatorName *ordering = find_ordering(text);
        int r;

        if (ret_offset)
                *ret_offset = 0;
        if (!match.source)
                return -ENOMEM;

        r = refuse_foreign_sign(text, reterr);
        if (r < 0)
                return r;
        if (is_regex(text)) {
                match.operator= MATCH_REGEX;
                r = parse_regex(&match, ret_offset, reterr);
        } else if (ordering) {
                match.operator= ordering->operator;
                r = parse_ordering(&match, reterr);
        } else
                r = parse_literal(&match, reterr);
        if (r < 0)
                return r;

        *ret_match = match;
        match = (Match){ 0 };
        return 0;
}

/* Counters and stamps are whole; what was computed on the way here may be off in the last bits of a double. */
static bool is_same_number(double a, double b) {
        return a == b || fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

static bool match_equal(const Match *match, const char *text, size_t n_bytes, const TemplateLookup *lookup) {
        CLEANUP_FREE char *wanted = NULL;
        double low = match->low, number;
        bool has_number = match->has_number;
        LiteralDimension dimension;

        if (template_resolve(match->source, lookup, false, &wanted, NULL) < 0)
                return false;
        if (strlen(wanted) == n_bytes && memcmp(wanted, text, n_bytes) == 0)
                return true;
        if (template_has_variables(match->source))
                has_number = literal_parse(wanted, &low, &dimension) >= 0;
        return has_number && number_parse(text, n_bytes, &number) >= 0 && is_same_number(number, low);
}

/* The number to compare with, which a capture may give only now. */
static bool match_number(const Match *match, const TemplateLookup *lookup, double *ret_number) {
        CLEANUP_FREE char *operand = NULL;
        LiteralDimension dimension;

        *ret_number = match->low;
        if (match->has_number)
                return true;
        return template_resolve(match_operand(match), lookup, false, &operand, NULL) >= 0 &&
               literal_parse(operand, ret_number, &dimension) >= 0;
}

static bool match_ordering(const Match *match, const char *text, size_t n_bytes, const TemplateLookup *lookup) {
        double number, limit;

        if (number_parse(text, n_bytes, &number) < 0 || !match_number(match, lookup, &limit))
                return false;
        switch (match->operator) {
        case MATCH_LESS:
                return number < limit;
        case MATCH_LESS_EQUAL:
                return number <= limit;
        case MATCH_GREATER:
                return number > limit;
        case MATCH_GREATER_EQUAL:
                return number >= limit;
        default:
                return number >= limit && number <= match->high;
        }
}

bool match_text(const Match *match, const char *text, size_t n_bytes, const TemplateLookup *lookup) {
        switch (match->operator) {
        case MATCH_EQUAL:
                return match_equal(match, text, n_bytes, lookup);
        case MATCH_REGEX:
                return regex_matches(match->regex, text, n_bytes);
        case MATCH_ONE_OF:
                FOREACH_ARRAY (child, match->children, match->n_children)
                        if (match_text(child, text, n_bytes, lookup))
                                return true;
                return false;
        case MATCH_NOT:
                return !match_text(match->children, text, n_bytes, lookup);
        default:
                return match_ordering(match, text, n_bytes, lookup);
        }
}

/* /^$/ and /^[a-z]*$/ match the empty text and can fail all the same; what matches this, too, is content with
 * anything. */
static bool matches_anything(Regex *regex) {
        static const char nobody_asks_for[] = "\x01\x02\x01\x03\x01\x02\x01\x04\x01\x02\x01\x03\x01\x02\x01";

        return regex_matches_empty(regex) && regex_matches(regex, nobody_asks_for, sizeof(nobody_asks_for) - 1);
}

bool match_is_vacuous(const Match *match) {
        switch (match->operator) {
        case MATCH_REGEX:
                return matches_anything(match->regex);
        case MATCH_GREATER_EQUAL: /* nothing that is counted or measured is below zero */
                return match->has_number && match->low <= 0;
        case MATCH_GREATER:
                return match->has_number && match->low < 0;
        case MATCH_ONE_OF:
                FOREACH_ARRAY (child, match->children, match->n_children)
                        if (match_is_vacuous(child))
                                return true;
                return false;
        default:
                return false;
        }
}

static void describe(const Match *match, const TemplateLookup *lookup, Text *text) {
        CLEANUP_FREE char *source = NULL;
        const OperatorName *name = find_operator(match->source);
        const char *dots = strstr(match->source, "..");
        const char *separator = "";

        switch (match->operator) {
        case MATCH_EQUAL:
                (void) template_resolve(match->source, lookup, false, &source, NULL);
                text_printf(text, "equals \"%s\"", source ? source : match->source);
                break;
        case MATCH_REGEX:
                text_printf(text, "matches %s", match->source);
                break;
        case MATCH_RANGE:
                text_printf(text, "between %.*s and %s", (int) (dots - match->source), match->source, dots + 2);
                break;
        case MATCH_ONE_OF:
                FOREACH_ARRAY (child, match->children, match->n_children) {
                        text_append(text, separator);
                        describe(child, lookup, text);
                        separator = " or ";
                }
                break;
        case MATCH_NOT:
                text_append(text, "not: ");
                describe(match->children, lookup, text);
                break;
        default:
                (void) template_resolve(match_operand(match), lookup, false, &source, NULL);
                text_printf(text, "%s %s", name->words, source ? source : match_operand(match));
        }
}

char *match_describe(const Match *match, const TemplateLookup *lookup) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        describe(match, lookup, &text);
        return text_take(&text);
}
