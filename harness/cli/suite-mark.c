/* SPDX-License-Identifier: MIT */
#include "cli/suite-mark.h"

#include <string.h>

#include "cli/reporting.h"
#include "reports/place.h"

/* Source: draft-eastlake-fnv, FNV-1a of 64 bits. */
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME  UINT64_C(0x100000001b3)

/* With the NUL: no two lists of names are the same bytes. */
static void add_text(SuiteMark *mark, const char *text) {
        for (const char *c = text;; c++) {
                mark->names_hash = (mark->names_hash ^ (unsigned char) *c) * FNV_PRIME;
                if (!*c)
                        return;
        }
}

int suite_mark_add(SuiteMark *mark, const Scenario *scenario) {
        CLEANUP_TEXT Text place = TEXT_INIT;
        size_t n_path = strlen(scenario->path);
        bool is_named_after_file = strncmp(scenario->name, scenario->path, n_path) == 0;

        if (mark->n_scenarios++ == 0)
                mark->names_hash = FNV_OFFSET;
        place_below(project_folder(), scenario->path, &place);
        add_text(mark, text_get(&place));
        add_text(mark, is_named_after_file ? scenario->name + n_path : scenario->name);
        return place.is_broken ? -ENOMEM : 0;
}
