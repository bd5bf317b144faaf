/* SPDX-License-Identifier: MIT */
#pragma once

/* Is a count as expected, when it is known only to lie in a range? */

#include <stddef.h>

#include "scenario/match.h"

typedef enum Certainty {
        CERTAINLY_NOT,
        CERTAINLY,
        UNCERTAIN,
} Certainty;

/* @n_low to @n_high, both included; SIZE_MAX: no upper end. */
Certainty count_matches(const Match *match, size_t n_low, size_t n_high, const TemplateLookup *lookup);
