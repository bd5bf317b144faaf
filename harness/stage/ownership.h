/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What belongs to which run of agenttest, so that nothing stays behind and nothing of somebody else is ever taken.
 *
 * A run has a random id, a folder /run/agenttest/<run_id>/ (for those who are not root $XDG_RUNTIME_DIR/agenttest/)
 * and the mark `agenttest-<run_id>`, by which its cgroups are named. Who holds the flock on the folder lives. The
 * lock sits on the open file description, so every process forked from the run that has not called exec holds it too:
 * once it can be taken, no process of the run is left that could still make a cgroup. A second lock, on the file
 * `alive` in there, is the scheduler's alone: where it is free and the first is not, children of a killed scheduler
 * are just dying, and whoever cleans up kills what is in the run's cgroups and waits for them.
 *
 *     ownership_clean_stale(NULL);     what earlier runs left
 *     ownership_new(&ownership, …);    then guard_start(), then the scenarios
 *     ownership_release(ownership, …); cgroups, folder, lock, in that order
 *
 * Creating and taking over are serialised by a flock on /run/agenttest itself, held for microseconds: a folder nobody
 * has locked is therefore always one whose run is dead, never one that is being made.
 */

#include <stdint.h>

#include "base/error.h"
#include "stage/cgroup-tree.h"

typedef struct Ownership Ownership;

/* A new run, its folder made and locked. Errors: -EACCES, -EROFS, ... with the folder and the remedy in @reterr. */
int ownership_new(Ownership **ret_ownership, Error *reterr);
/* Forgets the run without touching its folder; the lock goes with the last process that holds it. */
Ownership *ownership_free(Ownership *ownership);

/* In a child of the scheduler, forked to play: it keeps the run's folder from being taken, and is not the scheduler.
 */
void ownership_leave_to_parent(Ownership *ownership);

const char *ownership_run_id(const Ownership *ownership);
const char *ownership_run_folder(const Ownership *ownership);

/**
 * ownership_release() - remove what the run has left and end it
 * @deadline_usec: CLOCK_MONOTONIC; when to give up
 *
 * The caller's children that play scenarios are reaped by then. Frees @ownership in any case.
 *
 * Errors: those of cgroup_trees_destroy(); the next run's ownership_clean_stale() tries again.
 */
int ownership_release(Ownership *ownership, uint64_t deadline_usec, Error *reterr);

/**
 * ownership_clean_stale() - remove what runs left whose processes and whose guard were killed
 * @ret_n_runs: how many were found and cleaned; may be NULL
 *
 * Runs that live are not touched; one whose scheduler was killed a moment ago is waited for, a few seconds at most.
 * Errors: the first that was met; the other runs are cleaned all the same.
 */
int ownership_clean_stale(unsigned *ret_n_runs, Error *reterr);

/* The folder of run @run_id, whether or not it exists. NULL: out of memory. */
char *run_folder_path(const char *run_id);
/* "agenttest-<run_id>", and "agenttest-<run_id>-<index>". NULL: out of memory. */
char *run_mark(const char *run_id);
char *scenario_mark(const char *run_id, unsigned scenario_index);

/* How long to wait for the children of a killed scheduler: they die with it, a loaded machine takes its time. */
#define RUN_DEATH_LIMIT_SEC 3

/* The hierarchies, and of the unified one what the run may use. */
int run_hierarchies_read(const char *run_id, CgroupHierarchies **ret_hierarchies, Error *reterr);
/* Sends SIGKILL to what is in the cgroups of run @run_id, and waits for nothing. */
void run_kill(const char *run_id);
/* Kills and removes all of run @run_id but its folder; for the guard and for ownership_release(). */
int run_remove_cgroups(const char *run_id, uint64_t deadline_usec, Error *reterr);
/* Removes the folder of the run and, where it was the last one, the folder of the runs. Nothing there is success. */
int run_remove_folder(const char *run_id, Error *reterr);

DEFINE_CLEANUP(Ownership, ownership_free)
