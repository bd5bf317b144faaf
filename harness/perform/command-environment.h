/* SPDX-License-Identifier: MIT */
#pragma once

/* Where and with what the commands of a scenario run: its folder, PATH with the programs under test, its environment.
 */

#include "perform/perform.h"

typedef struct CommandEnvironment CommandEnvironment;

int command_environment_new(const PerformRequest *request, CommandEnvironment **ret_environment);
CommandEnvironment *command_environment_free(CommandEnvironment *environment);

/* NULL-terminated "KEY=value"; borrowed. */
const char *const *command_environment_variables(const CommandEnvironment *environment);
const char *command_environment_folder(const CommandEnvironment *environment);

/* The absolute folder of the scenario's file; the caller's. NULL: out of memory. */
char *scenario_folder(const Scenario *scenario);

DEFINE_CLEANUP(CommandEnvironment, command_environment_free)
