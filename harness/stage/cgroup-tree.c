/* SPDX-License-Identifier: MIT */
/* Making and entering the cgroups of a stage. */
#include "stage/cgroup-tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

/* Writes or reads one attribute file; returns a negative errno and composes no message. */
static int attribute_write(int folder_fd, const char *name, const char *value) {
        CLEANUP_CLOSE int fd = -EBADF;

        fd = openat(folder_fd, name, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static int attribute_read(int folder_fd, const char *name, char *buffer, size_t n_buffer) {
        CLEANUP_CLOSE int fd = -EBADF;
        ssize_t n;

        fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, buffer, n_buffer - 1);
        if (n < 0)
                return -errno;
        buffer[n] = '\0';
        buffer[strcspn(buffer, "\n")] = '\0';
        return 0;
}

/* What systemd 252 manages on v2. Source: systemd, src/basic/cgroup-util.h, CGROUP_MASK_V2. */
static void switch_controllers(int root_fd, char sign) {
        static const char *const wanted[] = { "cpuset", "cpu", "io", "memory", "pids" };
        char available[512], line[32];

        if (attribute_read(root_fd, "cgroup.controllers", available, sizeof(available)) < 0)
                return;
        FOREACH_ARRAY (name, wanted, ELEMENTS_OF(wanted)) {
                if (!strstr(available, *name))
                        continue;
                /* One that cannot be enabled (a container whose root cgroup holds processes) is one the scenario
                 * finds missing when it reads its limit back: no error here. */
                (void) snprintf(line, sizeof(line), "%c%s", sign, *name);
                (void) attribute_write(root_fd, "cgroup.subtree_control", line);
        }
}

void cgroup_enable_controllers(int folder_fd) {
        switch_controllers(folder_fd, '+');
}

void cgroup_disable_controllers(int folder_fd) {
        switch_controllers(folder_fd, '-');
}

/* A v1 cpuset starts without CPUs and memory nodes, and a process cannot enter it. Source: cpusets.rst, section 2. */
static int cpuset_fill(int root_fd, int folder_fd) {
        static const char *const names[] = { "cpuset.cpus", "cpuset.mems" };
        char value[4096];
        int r;

        FOREACH_ARRAY (name, names, ELEMENTS_OF(names)) {
                r = attribute_read(root_fd, *name, value, sizeof(value));
                if (r >= 0)
                        r = attribute_write(folder_fd, *name, value);
                if (r < 0)
                        return r;
        }
        return attribute_write(folder_fd, "cgroup.clone_children", "1");
}

static int tree_create(const CgroupHierarchy *hierarchy, const char *mark, bool is_unified_machine) {
        CLEANUP_CLOSE int root_fd = -EBADF;
        CLEANUP_CLOSE int folder_fd = -EBADF;

        root_fd = open(hierarchy->mount_path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        if (root_fd < 0)
                return -errno;
        if (is_unified_machine)
                cgroup_enable_controllers(root_fd);
        if (mkdirat(root_fd, mark, 0755) < 0)
                return -errno;

        if (strcmp(hierarchy->controllers, "cpuset") != 0)
                return 0;
        folder_fd = openat(root_fd, mark, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        if (folder_fd < 0)
                return -errno;
        return cpuset_fill(root_fd, folder_fd);
}

int cgroup_trees_create(const CgroupHierarchies *hierarchies, const char *mark, Error *reterr) {
        bool is_unified_machine = !cgroup_hierarchies_has_legacy(hierarchies);

        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items) {
                int r = tree_create(item, mark, is_unified_machine);

                if (r == -EROFS || r == -EACCES || r == -EPERM)
                        return error_set_errno(reterr, r,
                                        "cannot make the cgroup %s/%s: agenttest needs the cgroup file systems "
                                        "writable "
                                        "(in a container: --privileged, or a writable mount of /sys/fs/cgroup)",
                                        item->mount_path, mark);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot make the cgroup %s/%s", item->mount_path, mark);
        }
        return 0;
}

int cgroup_trees_enter(const CgroupHierarchies *hierarchies, const char *mark, Error *reterr) {
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items) {
                CLEANUP_FREE char *path = NULL;
                int r;

                if (asprintf(&path, "%s/%s/cgroup.procs", item->mount_path, mark) < 0)
                        return error_set(reterr, -ENOMEM, "out of memory");
                r = attribute_write(AT_FDCWD, path, "0");
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot enter the cgroup %s/%s", item->mount_path, mark);
        }
        return 0;
}

void cgroup_trees_favour(const CgroupHierarchies *hierarchies, const char *mark) {
        static const struct {
                const char *file, *value;
        } weights[] = {
                { "cpu.shares", "65536" }, /* v1, of 1024 */
                { "cpu.weight", "6400" },  /* v2, of 100 */
        };

        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items) {
                CLEANUP_FREE char *path = NULL;
                CLEANUP_CLOSE int folder_fd = -EBADF;

                if (asprintf(&path, "%s/%s", item->mount_path, mark) < 0) {
                        path = NULL;
                        return;
                }
                folder_fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
                FOREACH_ARRAY (weight, weights, ELEMENTS_OF(weights))
                        (void) attribute_write(folder_fd, weight->file, weight->value);
        }
}
