/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sandbox of an ordinary user. A run that is not root's makes itself the root of a user namespace first, with the
 * caller as its user 0 and the caller's subordinate ids as all others; what follows finds the capabilities it needs.
 * What it may not do in there, and what differs, is in docs/sandbox.md, "As an ordinary user".
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Has this process, or one it was forked from, entered a user namespace of ours? */
bool rootless_is_entered(void);

/* Who runs agenttest, by the number that is right outside of the namespace too. */
uid_t rootless_caller_uid(void);

/**
 * rootless_enter() - become root in a user namespace of our own, in the delegated cgroup
 * @moves: also move into the leaf of the delegated cgroup; without it nothing outside the process changes
 *
 * For a process with one thread, before it forks. There is no way back: what fails has changed nothing that lasts.
 *
 * Errors: what is missing on this machine or for this user, and how to get it.
 * Source: user_namespaces(7), newuidmap(1), subuid(5).
 */
int rootless_enter(bool moves, Error *reterr);
