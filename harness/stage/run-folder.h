/* SPDX-License-Identifier: MIT */
#pragma once

/* The folders of the runs and their locks; used by ownership.c and guard.c. See ownership.h for the rules. */

#include "base/error.h"

/* The folder the run folders are in: "/run/agenttest"; of an ordinary user "$XDG_RUNTIME_DIR/agenttest", or
 * "/tmp/agenttest-<uid>" without that. NULL: out of memory. */
char *runs_folder_path(void);

/* From now on runs_folder_path() is what it is now, also where this process becomes another user. */
int runs_folder_settle(Error *reterr);

/**
 * runs_folder_lock() - make the folder of the runs where it is missing, and lock it
 * @ret_fd: the folder, locked until the last copy of the descriptor is closed
 */
int runs_folder_lock(int *ret_fd, Error *reterr);

/* As above, but -ENOENT without a message where the folder is missing. */
int runs_folder_lock_existing(int *ret_fd, Error *reterr);

/**
 * run_folder_create() - make and lock folder @run_id in @runs_fd, which is locked
 * @ret_alive_fd: carries the second lock, for the scheduler alone: its children close it
 */
int run_folder_create(int runs_fd, const char *run_id, int *ret_fd, int *ret_alive_fd, Error *reterr);

/* Takes the lock of a run that is dead. -EWOULDBLOCK where it lives, -ENOENT where it is gone; no message for these.
 */
int run_folder_take(int runs_fd, const char *run_id, int *ret_fd);

/**
 * run_folder_take_dying() - claim a run whose scheduler is dead while children of it are still dying
 * @ret_fd:       its folder, not locked yet: run_folder_wait()
 * @ret_alive_fd: the scheduler's lock, ours now, so that no other cleaner claims the run too
 *
 * Errors: -EWOULDBLOCK where the scheduler lives or the run is claimed, -ENOENT where it is gone; no message.
 */
int run_folder_take_dying(int runs_fd, const char *run_id, int *ret_fd, int *ret_alive_fd);

/* Waits for the lock of folder @fd, by an alarm(2) no longer than @limit_sec. -ENOENT where it was removed meanwhile,
 * -ETIMEDOUT where somebody still holds it. */
int run_folder_wait(int fd, unsigned limit_sec);

/* Removes folder @name and all in it, without following links or entering other file systems: -EXDEV where it is one
 * itself, or one is mounted in it. */
int folder_remove(int parent_fd, const char *name);
