/* SPDX-License-Identifier: MIT */
#pragma once

/* The folders of the runs and their locks; used by ownership.c and guard.c. See ownership.h for the rules. */

#include "base/error.h"

/* The folder the run folders are in, "/run/agenttest". NULL: out of memory. */
char *runs_folder_path(void);

/**
 * runs_folder_lock() - make the folder of the runs where it is missing, and lock it
 * @ret_fd: the folder, locked until the last copy of the descriptor is closed
 */
int runs_folder_lock(int *ret_fd, Error *reterr);

/* As above, but -ENOENT without a message where the folder is missing. */
int runs_folder_lock_existing(int *ret_fd, Error *reterr);

/* Makes and locks folder @run_id in @runs_fd, which is locked. */
int run_folder_create(int runs_fd, const char *run_id, int *ret_fd, Error *reterr);

/* Takes the lock of a run that is dead. -EWOULDBLOCK where it lives, -ENOENT where it is gone; no message for these.
 */
int run_folder_take(int runs_fd, const char *run_id, int *ret_fd);

/* Removes folder @name and all in it, without following links or entering other file systems. */
int folder_remove(int parent_fd, const char *name);
