/* SPDX-License-Identifier: MIT */
#pragma once

/* `requires` of a scenario against this machine: what is missing is the exact reason of a skip. */

#include "base/text.h"
#include "scenario/scenario.h"
#include "stage/stage.h"

/**
 * requires_missing() - what of @requires this machine does not have
 * @stage: where it is to be played; NULL: only the machine counts
 * @build_path: folder of the programs under test, searched for commands before PATH; may be NULL
 * @ret_reason: "command redis-server is not in PATH; path /x does not exist", everything at once; empty: nothing is
 *              missing
 */
void requires_missing(
                const ScenarioRequires *requires, const char *build_path, const StageKind *stage, Text *ret_reason);

/* Is there an executable file @name in PATH or in @build_path (may be NULL)? */
bool command_exists(const char *name, const char *build_path);

/* Is @controller there to be used, in a v1 hierarchy or in the unified one? */
bool controller_exists(const char *controller);

/* Version of the systemd that a stage would start: 252; 0 where there is none. */
unsigned systemd_version(void);
