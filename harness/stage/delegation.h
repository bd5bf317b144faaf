/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The cgroup that was delegated to an ordinary user: the one agenttest was started in, on a machine that is unified.
 *
 * A cgroup that gives controllers to its children may hold no process itself. So the run moves out of it, into a leaf
 * `agenttest-callers` beside the cgroups of the scenarios, and back when it ends. Everything here is about the
 * calling process and its children. Source: cgroups(7), "no internal processes"; systemd, docs/CGROUP_DELEGATION.md.
 */

#include <stdbool.h>

#include "base/error.h"

/* The command that gives agenttest a cgroup of its own, for messages. */
#define DELEGATION_REMEDY                                                                                            \
        "`systemd-run --user --scope -p Delegate=yes agenttest ...`, or in a service with User= and Delegate=yes"

/**
 * delegation_find() - the cgroup of this process, where it is delegated to it
 * @ret_path: in the file system, e.g. "/sys/fs/cgroup/user.slice/.../run-r1.scope"
 *
 * Errors: -EOPNOTSUPP on cgroup v1; -EACCES where it is somebody else's, with the remedy.
 */
int delegation_find(char **ret_path, Error *reterr);

/* Moves this process into the leaf and gives the controllers there are to the children of @path, which from now on is
 * the delegation of this process. */
int delegation_enter(const char *path, Error *reterr);

/* Only notes that it is the delegation of this process, and moves nobody. */
int delegation_use(const char *path, Error *reterr);

/* The delegation of this process, or NULL. Borrowed. */
const char *delegation_path(void);

/*
 * Moves this process back and takes the leaf away. Where another run, or a process of this one, is still in there it
 * does nothing: the last one does. Never an error: an empty leaf is in nobody's way.
 */
void delegation_leave(void);

/* Takes the leaf in @path away that a dead run has left, where nothing is in there. */
void delegation_tidy(const char *path);

/* 0 where limits of controller @name can be in force below the delegation, else the reason. */
int delegation_check_controller(const char *name, Error *reterr);
