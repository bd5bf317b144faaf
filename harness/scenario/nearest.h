/* SPDX-License-Identifier: MIT */
#pragma once

/* "Did you mean": the known word that is nearest to a misspelt one. */

#include "base/text.h"

typedef struct Nearest {
        const char *word; /* borrowed: the misspelt one */
        const char *best; /* borrowed: the nearest so far; NULL: none is near */
        size_t distance;
} Nearest;

#define NEAREST_INIT(w) ((Nearest){ .word = (w) })

/* Offers one known word; the first of several equally near ones stays. */
void nearest_offer(Nearest *nearest, const char *known);
/* Offers every word of "a|b|c". @storage (empty, for one call) keeps the words alive. */
void nearest_offer_choices(Nearest *nearest, const char *choices, Text *storage);
