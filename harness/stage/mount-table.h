/* SPDX-License-Identifier: MIT */
#pragma once

/* The mounts this process sees, read from /proc/self/mountinfo. Source: proc(5). */

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct MountEntry {
        int mount_id;
        char *path;          /* where it is mounted; unescaped */
        char *fs_type;       /* "ext4", "cgroup2", ... */
        char *super_options; /* comma separated */
} MountEntry;

typedef struct MountTable {
        MountEntry *entries; /* as the kernel lists them */
        size_t n_entries;
} MountTable;

/* Errors: -ENOMEM; what reading the file gave. */
int mount_table_read(MountTable **ret_table, Error *reterr);
MountTable *mount_table_free(MountTable *table);

/* Is this mount the one reached by its path, i.e. not covered by another one? Source: statx(2), STATX_MNT_ID. */
bool mount_entry_is_visible(const MountEntry *entry);

/* Is @path @folder itself or below it? Both absolute, without trailing slashes ("/" excepted). */
bool path_is_below(const char *path, const char *folder);

DEFINE_CLEANUP(MountTable, mount_table_free)
