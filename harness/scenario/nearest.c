/* SPDX-License-Identifier: MIT */
#include "scenario/nearest.h"

#include <ctype.h>
#include <string.h>

/* Longer words are nobody's spelling mistake. */
#define N_WORD_MAX 48

static size_t min3(size_t a, size_t b, size_t c) {
        size_t least = a < b ? a : b;

        return least < c ? least : c;
}

/* Damerau-Levenshtein (optimal string alignment), letters compared without case: `activestate` is one edit from
 * nothing. */
static size_t edit_distance(const char *a, size_t n_a, const char *b, size_t n_b) {
        size_t rows[3][N_WORD_MAX + 1];
        size_t *before = rows[0], *previous = rows[1], *current = rows[2];

        for (size_t j = 0; j <= n_b; j++)
                previous[j] = j;
        for (size_t i = 1; i <= n_a; i++) {
                size_t *oldest = before;

                current[0] = i;
                for (size_t j = 1; j <= n_b; j++) {
                        int x = tolower((unsigned char) a[i - 1]), y = tolower((unsigned char) b[j - 1]);

                        current[j] = min3(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (x != y));
                        if (i > 1 && j > 1 && x == tolower((unsigned char) b[j - 2]) &&
                                        y == tolower((unsigned char) a[i - 2]) && before[j - 2] + 1 < current[j])
                                current[j] = before[j - 2] + 1;
                }
                before = previous;
                previous = current;
                current = oldest;
        }
        return previous[n_b];
}

void nearest_offer(Nearest *nearest, const char *known) {
        size_t n_word = strlen(nearest->word), n_known = strlen(known), distance, limit;

        if (n_word == 0 || n_word > N_WORD_MAX || n_known > N_WORD_MAX)
                return;
        /* A third of the letters may be wrong; of short words one. */
        limit = n_word <= 4 ? 1 : n_word / 3;
        if ((n_word > n_known ? n_word - n_known : n_known - n_word) > limit)
                return;
        distance = edit_distance(nearest->word, n_word, known, n_known);
        if (distance > limit || distance >= n_known)
                return;
        if (!nearest->best || distance < nearest->distance) {
                nearest->best = known;
                nearest->distance = distance;
        }
}

void nearest_offer_choices(Nearest *nearest, const char *choices, Text *storage) {
        char *rest, *word;

        text_append(storage, choices);
        for (rest = storage->bytes; rest && (word = strsep(&rest, "|"));)
                nearest_offer(nearest, word);
}
