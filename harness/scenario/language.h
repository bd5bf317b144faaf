/* SPDX-License-Identifier: MIT */
#pragma once

/* Looking words up in the tables of kinds, and the keys that every step may have. */

#include <stdbool.h>

#include "scenario/kind.h"
#include "scenario/nearest.h"

const KindSpec *language_find(const KindSpec *const *kinds, size_t n_kinds, const char *name);
bool language_is_unbuilt(const char *const *words, const char *name);
void language_offer(const KindSpec *const *kinds, size_t n_kinds, const char *const *unbuilt, Nearest *nearest);

/* Does a step of this kind have a standard output that `save` can take? */
bool step_kind_saves_output(const KindSpec *kind);

/* Keys beside a step's kind. */
typedef enum StepKey {
        STEP_KEY_NAME,
        STEP_KEY_UNIT,
        STEP_KEY_WITHIN,
        STEP_KEY_FOR,
        STEP_KEY_SINCE,
        STEP_KEY_SAVE,
        N_STEP_KEYS,
} StepKey;

typedef struct StepKeySpec {
        const char *name;
        const char *with;   /* names of the kinds it belongs to, "a|b"; NULL: all */
        const char *schema; /* JSON Schema of its value */
        const char *doc;
} StepKeySpec;

extern const StepKeySpec step_keys[N_STEP_KEYS];

/* A key of the document, of a unit, ...: what the parser knows by itself and schema and manual have to tell. */
typedef struct DocumentKey {
        const char *name;
        bool is_required;
        const char *schema; /* JSON Schema of its value */
        const char *doc;
        const char *example;
} DocumentKey;

extern const DocumentKey document_keys[];
extern const size_t n_document_keys;
