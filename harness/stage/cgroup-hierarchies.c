/* SPDX-License-Identifier: MIT */
/* Which cgroup hierarchies there are. Source: cgroups(7); Documentation/admin-guide/cgroup-v1/cgroups.rst. */
#include <string.h>

#include "base/text.h"
#include "stage/cgroup-tree.h"
#include "stage/mount-table.h"

CgroupHierarchies *cgroup_hierarchies_free(CgroupHierarchies *hierarchies) {
        if (!hierarchies)
                return NULL;

        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items) {
                free(item->controllers);
                free(item->mount_path);
        }
        free(hierarchies->items);
        free(hierarchies);
        return NULL;
}

const CgroupHierarchy *cgroup_hierarchies_find(const CgroupHierarchies *hierarchies, const char *controllers) {
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items)
                if (strcmp(item->controllers, controllers) == 0)
                        return item;
        return NULL;
}

int cgroup_hierarchies_restrict(CgroupHierarchies *hierarchies, const char *path) {
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items) {
                char *copy;

                if (item->controllers[0])
                        continue;
                copy = strdup(path);
                if (!copy)
                        return -ENOMEM;
                free(item->mount_path);
                item->mount_path = copy;
        }
        return 0;
}

bool cgroup_hierarchies_has_legacy(const CgroupHierarchies *hierarchies) {
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items)
                if (item->controllers[0])
                        return true;
        return false;
}

static bool list_contains(const char *list, const char *word) {
        size_t n = strlen(word);

        for (const char *at = list; at; at = strchr(at, ',')) {
                at += *at == ',';
                if (strncmp(at, word, n) == 0 && (at[n] == '\0' || at[n] == ','))
                        return true;
        }
        return false;
}

bool cgroup_hierarchies_has_controller(const CgroupHierarchies *hierarchies, const char *name) {
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items)
                if (list_contains(item->controllers, name))
                        return true;
        return false;
}

/* Mount options of a v1 hierarchy that are no controllers. Source: kernel/cgroup/cgroup-v1.c, cgroup1_show_options().
 */
static bool is_controller(const char *option) {
        static const char *const others[] = {
                "rw",
                "ro",
                "xattr",
                "noprefix",
                "clone_children",
                "cpuset_v2_mode",
                "favordynmods",
                "none",
        };

        FOREACH_ARRAY (other, others, ELEMENTS_OF(others))
                if (strcmp(option, *other) == 0)
                        return false;
        return strncmp(option, "release_agent=", strlen("release_agent=")) != 0;
}

static char *controllers_of(const MountEntry *entry) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_FREE char *options = NULL;
        char *rest = NULL;

        if (strcmp(entry->fs_type, "cgroup2") == 0)
                return strdup("");

        options = strdup(entry->super_options);
        if (!options)
                return NULL;
        for (char *option = strtok_r(options, ",", &rest); option; option = strtok_r(NULL, ",", &rest))
                if (is_controller(option))
                        text_printf(&text, "%s%s", text.n_bytes > 0 ? "," : "", option);
        return text_take(&text);
}

static int hierarchies_add(CgroupHierarchies *hierarchies, const MountEntry *entry) {
        CLEANUP_FREE char *controllers = NULL;
        CLEANUP_FREE char *mount_path = NULL;
        CgroupHierarchy *items;

        controllers = controllers_of(entry);
        if (!controllers)
                return -ENOMEM;
        if (cgroup_hierarchies_find(hierarchies, controllers))
                return 0; /* mounted twice */

        mount_path = strdup(entry->path);
        items = reallocarray(hierarchies->items, hierarchies->n_items + 1, sizeof(CgroupHierarchy));
        if (items)
                hierarchies->items = items;
        if (!items || !mount_path)
                return -ENOMEM;

        hierarchies->items[hierarchies->n_items++] = (CgroupHierarchy){
                .controllers = TAKE_PTR(controllers),
                .mount_path = TAKE_PTR(mount_path),
        };
        return 0;
}

int cgroup_hierarchies_read(CgroupHierarchies **ret_hierarchies, Error *reterr) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        CLEANUP(mount_table_free_p) MountTable *table = NULL;
        int r;

        r = mount_table_read(&table, reterr);
        if (r < 0)
                return r;

        hierarchies = calloc(1, sizeof(CgroupHierarchies));
        if (!hierarchies)
                return error_set(reterr, -ENOMEM, "out of memory");

        FOREACH_ARRAY (entry, table->entries, table->n_entries) {
                if (strcmp(entry->fs_type, "cgroup") != 0 && strcmp(entry->fs_type, "cgroup2") != 0)
                        continue;
                if (!mount_entry_is_visible(entry))
                        continue;
                r = hierarchies_add(hierarchies, entry);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot list the cgroup hierarchies");
        }

        *ret_hierarchies = TAKE_PTR(hierarchies);
        return 0;
}
