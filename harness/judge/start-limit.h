/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Was a unit refused another start because of StartLimitBurst=? Told by Result=start-limit-hit, or, of an automatic
 * restart, by its start job, which failed without a new invocation.
 */

#include "judge/window.h"

/* The first entry in the window that tells it; NULL: none does. */
const Entry *start_limit_find(const Timeline *timeline, const char *unit, const Window *window);

/* The invocation whose restart was refused, as @hit tells; NULL: it does not say so. */
const char *start_limit_invocation(const Timeline *timeline, const Entry *hit);

/* A snapshot of a unit whose last scheduled restart came to nothing, for whatever reason: where the manager writes no
 * lines (LogLevel=err), all that is seen of the limit. NULL: there is none. */
const Entry *start_limit_suspect(const Timeline *timeline, const char *unit, const Window *window);
