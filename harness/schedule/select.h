/* SPDX-License-Identifier: MIT */
#pragma once

/* Which scenarios are played: --filter on names, --tag on tags. */

#include <stdbool.h>

#include "scenario/scenario.h"

typedef struct Selection {
        const char *const *filters; /* a glob where it holds one of *?[, else a part of the name; any of them */
        size_t n_filters;
        const char *const *tags; /* any of them; "!tag": not with that tag */
        size_t n_tags;
} Selection;

bool selection_takes(const Selection *selection, const Scenario *scenario);
