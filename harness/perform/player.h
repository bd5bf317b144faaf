/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Moves a scenario from step to step. A state machine on the loop: every event source only appends entries, the
 * player is woken by them, and there is one deadline timer for the current step.
 */

#include "perform/run.h"

int player_new(Run *run, Player **ret_player, Error *reterr);
Player *player_free(Player *player);

/* Starts with the first step. The loop ends when the scenario has. */
int player_start(Player *player, Error *reterr);

/* Something happened: look at the current step again, once the loop is back. */
void player_wake(Player *player);

/* For `repeat`: play @steps @n_times before going on behind the current step. */
int player_push(Player *player, const Step *steps, size_t n_steps, uint64_t n_times);

/* Which execution of which step is current: for entries that say so. */
const Step *player_step(const Player *player);
uint64_t player_step_run(const Player *player);
/* Does an action wait for what it caused? What is answered later must not act any more. */
bool player_is_acting(const Player *player);

/* The current action could not be done, as a callback of its finds: an error, which ends the scenario. */
void player_break(Player *player, int code, const char *text);

/* Ends the scenario before its last step ("interrupted", "timeout", "broken"), with the closing barrier. */
void player_end(Player *player, const char *how, const char *text);

DEFINE_CLEANUP(Player, player_free)
