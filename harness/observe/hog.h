/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A hog: a helper process that uses up one resource of a unit's cgroup, put there by us (harness/hog/hog.c). What
 * becomes of it is ENTRY_HOG, and ENTRY_HOST_PID, so that a kernel's record about it can be told from others.
 */

#include "observe/observer.h"

typedef struct Hog Hog;

typedef struct HogRequest {
        const char *unit;
        const char *resource; /* "memory", "cpu", "tasks", "fds" */
        uint64_t amount;
        const char *address;             /* whom "fds" connects to; else NULL */
        int program_fd;                  /* of the helper, O_PATH */
        int cgroup_ns_fd;                /* namespace that shows us and the cgroups; 0: ours */
        const char *const *cgroup_paths; /* files "cgroup.procs" to enter, NULL-terminated */
} HogRequest;

/**
 * hog_start() - fork, enter the cgroups, exec
 *
 * A helper that could not enter or be executed says so in its ENTRY_HOG "end" by `errno`. Errors: fork, pipe,
 * -ENOMEM.
 */
int hog_start(Observer *observer, const HogRequest *request, Hog **ret_hog, Error *reterr);

/* Ends it, with what it started, and records that we did. */
void hog_release(Hog *hog);
/* The same without a word, where it is still there; takes NULL. */
Hog *hog_free(Hog *hog);

const char *hog_unit(const Hog *hog);

DEFINE_CLEANUP(Hog, hog_free)
