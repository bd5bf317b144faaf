/* SPDX-License-Identifier: MIT */
#include "stage/mount-table.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

MountTable *mount_table_free(MountTable *table) {
        if (!table)
                return NULL;

        FOREACH_ARRAY (entry, table->entries, table->n_entries) {
                free(entry->path);
                free(entry->fs_type);
                free(entry->super_options);
        }
        free(table->entries);
        free(table);
        return NULL;
}

/* "36 35 98:0 /root /path options optional... - type source super-options"; -EINVAL where a line is not like that. */
static int mount_entry_parse(char *line, MountEntry *ret_entry) {
        char *tail, *rest = NULL;
        char *path = NULL, *fs_type, *super_options = NULL;

        tail = strstr(line, " - ");
        if (!tail)
                return -EINVAL;
        *tail = '\0';

        ret_entry->mount_id = (int) strtol(line, NULL, 10);
        strtok_r(line, " ", &rest);
        for (int i = 0; i < 4; i++)
                path = strtok_r(NULL, " ", &rest);

        fs_type = strtok_r(tail + 3, " ", &rest);
        for (int i = 0; i < 2; i++)
                super_options = strtok_r(NULL, " \n", &rest);
        if (!path || !fs_type || !super_options)
                return -EINVAL;

        string_unescape_octal(path);
        ret_entry->path = strdup(path);
        ret_entry->fs_type = strdup(fs_type);
        ret_entry->super_options = strdup(super_options);
        return ret_entry->path && ret_entry->fs_type && ret_entry->super_options ? 0 : -ENOMEM;
}

static int mount_table_add(MountTable *table, char *line) {
        MountEntry *entries;

        entries = reallocarray(table->entries, table->n_entries + 1, sizeof(MountEntry));
        if (!entries)
                return -ENOMEM;
        table->entries = entries;
        table->entries[table->n_entries] = (MountEntry){ 0 };
        /* Counted before it is filled, so that mount_table_free() releases what a failing parse left. */
        return mount_entry_parse(line, &table->entries[table->n_entries++]);
}

int mount_table_read(MountTable **ret_table, Error *reterr) {
        CLEANUP(mount_table_free_p) MountTable *table = NULL;
        CLEANUP_FILE FILE *file = NULL;
        CLEANUP_FREE char *line = NULL;
        size_t n_allocated = 0;
        int r;

        table = calloc(1, sizeof(MountTable));
        if (!table)
                return error_set(reterr, -ENOMEM, "out of memory");

        file = fopen("/proc/self/mountinfo", "re");
        if (!file)
                return error_set_errno(reterr, -errno, "cannot read /proc/self/mountinfo");

        while (getline(&line, &n_allocated, file) >= 0) {
                r = mount_table_add(table, line);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot parse /proc/self/mountinfo");
        }
        if (ferror(file))
                return error_set_errno(reterr, -EIO, "cannot read /proc/self/mountinfo");

        *ret_table = TAKE_PTR(table);
        return 0;
}

bool mount_entry_is_visible(const MountEntry *entry) {
        struct statx sx;

        if (statx(AT_FDCWD, entry->path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MNT_ID, &sx) < 0)
                return false;
        return (sx.stx_mask & STATX_MNT_ID) && sx.stx_mnt_id == (uint64_t) entry->mount_id;
}

bool path_is_below(const char *path, const char *folder) {
        size_t n = strlen(folder);

        if (strcmp(folder, "/") == 0)
                return path[0] == '/';
        return strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}
