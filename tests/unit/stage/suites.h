/* SPDX-License-Identifier: MIT */
#pragma once

/* The suites of the stage layer, and what they share: real cgroups and run folders, so they need root. */

#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

#include "stage/cgroup-tree.h"
#include "stage/ownership.h"

Suite *cgroup_suite(void);
Suite *ownership_suite(void);
Suite *guard_suite(void);
Suite *files_suite(void);
Suite *undo_suite(void);

/* Is there a cgroup of @mark, or below it, in any hierarchy? */
bool cgroups_exist(const char *mark);
/* Is there the folder of run @run_id? */
bool run_folder_exists(const char *run_id);
/* A child that sits in the cgroups of @mark until it is killed. */
pid_t fork_into_cgroups(const char *mark);
/* Waits at most @limit_msec for @child to end; its wait status, or -1 where it has not. */
int wait_for(pid_t child, int limit_msec);
/* Waits until @holds(@argument) does not hold, at most @limit_msec. */
bool gone_within(bool (*holds)(const char *argument), const char *argument, int limit_msec);
