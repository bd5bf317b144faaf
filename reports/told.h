/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which plays of a run have had their result, so that a report can tell of those that were not run. Inline: who only
 * runs plays need not link the formats.
 */

#include "reports/report.h"

typedef struct Told {
        const Play *plays; /* borrowed; NULL: not known */
        size_t n_plays;
        bool *is_told; /* parallel to plays */
} Told;

/* -ENOMEM. Where the plays are not known beforehand, none is ever left. */
static inline int told_init(Told *told, const RunFacts *facts) {
        *told = (Told){ .plays = facts->plays, .n_plays = facts->plays ? facts->n_plays : 0 };
        told->is_told = calloc(told->n_plays ?: 1, sizeof(*told->is_told));
        if (told->is_told)
                return 0;
        told->n_plays = 0;
        return -ENOMEM;
}

static inline void told_done(Told *told) {
        free(told->is_told);
        *told = (Told){ 0 };
}

static inline int told_compare(const void *key, const void *item) {
        const Play *x = key, *y = item;

        return (x->index > y->index) - (x->index < y->index);
}

static inline void told_note(Told *told, const Play *play) {
        const Play *found;

        if (told->n_plays == 0)
                return;
        found = bsearch(play, told->plays, told->n_plays, sizeof(*play), told_compare);
        if (found)
                told->is_told[found - told->plays] = true;
}

/* Calls @visit for every play without a result, in order. */
static inline void told_visit_rest(
                const Told *told, void (*visit)(const Play *play, void *userdata), void *userdata) {
        for (size_t i = 0; i < told->n_plays; i++)
                if (!told->is_told[i])
                        visit(&told->plays[i], userdata);
}
