/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A virtual file system for SQLite whose files are private mappings of those in one folder: what SQLite writes stays
 * in memory. No locks, no clock. Source: https://www.sqlite.org/vfs.html.
 */

#include "base/macros.h"

typedef struct MemoryVfs MemoryVfs;

/* @folder_fd is duplicated. Errors: -ENOMEM, or of dup(). */
int memory_vfs_new(int folder_fd, MemoryVfs **ret_vfs);
/* After the connections that use it are closed. */
MemoryVfs *memory_vfs_free(MemoryVfs *vfs);

/* For sqlite3_open_v2(). */
const char *memory_vfs_name(const MemoryVfs *vfs);

DEFINE_CLEANUP(MemoryVfs, memory_vfs_free)
