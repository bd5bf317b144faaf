/* SPDX-License-Identifier: MIT */
#pragma once

/* What of a scenario has to be on the stage before its manager starts: unit files, drop-ins, files, directories. */

#include "scenario/scenario.h"
#include "stage/stage.h"

typedef struct StageFiles {
        StageFile *files; /* borrow from the scenario, and from texts */
        size_t n_files;
        char **texts; /* paths and contents made here */
        size_t n_texts;
        const char **unit_names; /* borrowed from the scenario */
        size_t n_units;
        const char **signalled_units; /* those of them that a step sends a signal to */
        size_t n_signalled_units;
} StageFiles;

#define STAGE_FILES_INIT ((StageFiles){ 0 })

/**
 * stage_files_make() - from scenario to files
 *
 * A unit goes to NAME in @unit_folder as it is. Its `properties`, and the scenario's `environment` for services,
 * go to a drop-in that sorts behind the unit's own ones.
 *
 * Errors: -ENOMEM.
 */
int stage_files_make(const Scenario *scenario, const char *unit_folder, StageFiles *ret_files);
void stage_files_done(StageFiles *files);
