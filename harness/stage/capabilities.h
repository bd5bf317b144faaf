/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which capabilities nobody in the sandbox has. The list and the reason for each are in docs/sandbox.md.
 *
 * PID 1 drops them before it becomes systemd. The function that runs on the stage observes with them (acct(2), the
 * kernel log): they stay effective in it, and what it executes for a scenario is without them.
 */

#include "base/error.h"

/* Takes them out of the bounding set, so that the next exec is without them. Errors: -EPERM without CAP_SETPCAP. */
int capabilities_drop(Error *reterr);
