/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The cgroups of a stage: one directory of the stage's mark in every hierarchy this process can see, v1 and v2 alike.
 *
 * Everything here touches cgroups whose name is the mark, or the mark followed by "-", and nothing else: with the
 * mark of a run, `agenttest-<run_id>`, all scenarios of it; with that of a scenario, `agenttest-<run_id>-<index>`,
 * just that one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct CgroupHierarchy {
        char *controllers; /* "memory", "cpu,cpuacct", "name=systemd"; "" for the unified hierarchy (v2) */
        char *mount_path;
} CgroupHierarchy;

typedef struct CgroupHierarchies {
        CgroupHierarchy *items;
        size_t n_items;
} CgroupHierarchies;

/* The hierarchies that are mounted and visible here, each once. None is no error. -ENOMEM, what mountinfo gave. */
int cgroup_hierarchies_read(CgroupHierarchies **ret_hierarchies, Error *reterr);
CgroupHierarchies *cgroup_hierarchies_free(CgroupHierarchies *hierarchies);

/* Of the unified hierarchy no more than what is below @path is used. -ENOMEM */
int cgroup_hierarchies_restrict(CgroupHierarchies *hierarchies, const char *path);

/* The hierarchy with exactly these controllers, or NULL. Borrowed. */
const CgroupHierarchy *cgroup_hierarchies_find(const CgroupHierarchies *hierarchies, const char *controllers);
/* Is there a v1 hierarchy, with controllers or as a name? Without one the machine is unified. */
bool cgroup_hierarchies_has_legacy(const CgroupHierarchies *hierarchies);
/* Is @name ("memory") a controller of one of the v1 hierarchies? */
bool cgroup_hierarchies_has_controller(const CgroupHierarchies *hierarchies, const char *name);

/**
 * cgroup_trees_create() - make the directory @mark at the root of every hierarchy
 *
 * On a unified machine the controllers systemd uses are enabled for the children of the root as far as they can be;
 * that is the one write outside our own directories, and it takes nothing away from anybody.
 *
 * Errors: -EEXIST where such a directory is there already; -EROFS, -EACCES with the remedy in @reterr. What was made
 * before the error stays; cgroup_trees_destroy() takes it.
 */
int cgroup_trees_create(const CgroupHierarchies *hierarchies, const char *mark, Error *reterr);

/* Gives the controllers systemd uses to the children of a v2 cgroup, as far as they can be, and takes them back. */
void cgroup_enable_controllers(int folder_fd);
void cgroup_disable_controllers(int folder_fd);

/*
 * Gives what is in @mark the processor before others: where something is measured, load beside it must not keep it
 * from running. A weight, not a reservation: 64 times that of another process. Where it cannot be set, it is not:
 * nothing depends on it but how soon a quota is reached.
 */
void cgroup_trees_favour(const CgroupHierarchies *hierarchies, const char *mark);

/* Moves the calling process into @mark in every hierarchy. */
int cgroup_trees_enter(const CgroupHierarchies *hierarchies, const char *mark, Error *reterr);

/**
 * cgroup_trees_forbid_sysctls() - let nothing in @mark write a sysctl, whatever /proc it sees
 *
 * Errors: -EOPNOTSUPP without a unified hierarchy; what bpf(2) says where the kernel was built without it, or a
 * container does not let us. The read-only /proc/sys of the sandbox is then the only protection.
 */
int cgroup_trees_forbid_sysctls(const CgroupHierarchies *hierarchies, const char *mark);

/**
 * cgroup_trees_destroy() - kill what runs in the cgroups of @mark and remove them
 * @deadline_usec: CLOCK_MONOTONIC; when to give up
 *
 * A process is killed through a pidfd, and only after its /proc/<pid>/cgroup, read with the pidfd held, names @mark:
 * a pid that has been reused meanwhile is never hit. Nothing being there is success.
 *
 * Errors: -ETIMEDOUT with the path that is left; the errno of a removal that can never succeed.
 */
int cgroup_trees_destroy(
                const CgroupHierarchies *hierarchies, const char *mark, uint64_t deadline_usec, Error *reterr);

/* Sends SIGKILL to every process in the cgroups of @mark, once, and waits for none. */
void cgroup_trees_kill(const CgroupHierarchies *hierarchies, const char *mark);

DEFINE_CLEANUP(CgroupHierarchies, cgroup_hierarchies_free)
