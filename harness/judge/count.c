/* SPDX-License-Identifier: MIT */
#include "judge/count.h"

#include <string.h>

#include "base/macros.h"

typedef struct Trial {
        const Match *match;
        const TemplateLookup *lookup;
        size_t n_low, n_high;
        bool is_ever, is_always;
} Trial;

static void trial_try(Trial *trial, size_t n) {
        char buffer[32];
        bool is_match;

        if (n < trial->n_low || n > trial->n_high)
                return;
        (void) snprintf(buffer, sizeof(buffer), "%zu", n);
        is_match = match_text(trial->match, buffer, strlen(buffer), trial->lookup);
        trial->is_ever |= is_match;
        trial->is_always &= is_match;
}

static void trial_try_around(Trial *trial, double number) {
        if (number < 0 || number > 1e15)
                return;
        for (int i = -1; i <= 2; i++)
                if (number + i >= 0)
                        trial_try(trial, (size_t) (number + i));
}

/* The answer can change only next to a number that the comparison names; so these are tried, and the ends. */
static bool trial_try_numbers(Trial *trial, const Match *match) {
        bool are_known = match->has_number || match->n_children > 0;

        if (match->has_number) {
                trial_try_around(trial, match->low);
                trial_try_around(trial, match->high);
        }
        FOREACH_ARRAY (child, match->children, match->n_children)
                are_known &= trial_try_numbers(trial, child);
        return are_known;
}

Certainty count_matches(const Match *match, size_t n_low, size_t n_high, const TemplateLookup *lookup) {
        Trial trial = { .match = match, .lookup = lookup, .n_low = n_low, .n_high = n_high, .is_always = true };
        bool are_known = trial_try_numbers(&trial, match);

        trial_try(&trial, n_low);
        trial_try(&trial, n_high == SIZE_MAX ? SIZE_MAX / 4 : n_high);
        if (!are_known && n_low != n_high)
                return UNCERTAIN;
        return trial.is_always ? CERTAINLY : trial.is_ever ? UNCERTAIN : CERTAINLY_NOT;
}
