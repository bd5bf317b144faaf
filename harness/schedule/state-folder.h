/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

/*
 * $XDG_STATE_HOME/agenttest, else ~/.local/state/agenttest, else /var/tmp/agenttest-UID: evidence of runs that were
 * given no folder for it, and what became of scenarios last time. The caller's; NULL: out of memory.
 *
 * Source: XDG Base Directory Specification: a relative path is to be ignored.
 */
char *state_folder_path(void);

/* Makes @path and the folders above it. -EACCES, -EROFS, -ENOTDIR, ... */
int make_folders(const char *path, mode_t mode);
