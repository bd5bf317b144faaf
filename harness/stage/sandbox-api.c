/* SPDX-License-Identifier: MIT */
/* /run, /proc and /sys of the sandbox. Source: systemd, docs/CONTAINER_INTERFACE.md, "Execution Environment". */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/text.h"
#include "stage/sandbox.h"

/* Mounts @fs_type on @path of the sandbox, which the root has already. */
static int mount_at(const SandboxRoot *root, const char *path, const char *fs_type, unsigned long flags,
                const char *options, Error *reterr) {
        CLEANUP_FREE char *target = NULL;

        if (asprintf(&target, "%s%s", sandbox_root_path(root), path) < 0) {
                target = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        if (mkdir(target, 0755) < 0 && errno != EEXIST && errno != EROFS)
                return error_set_errno(reterr, -errno, "cannot make %s in the sandbox", path);
        if (mount(fs_type, target, fs_type, flags, options) < 0)
                return error_set_errno(reterr, -errno, "mount of %s on %s of the sandbox", fs_type, path);
        return 0;
}

/* Makes @path of the sandbox read-only where it is there. */
static int protect(const SandboxRoot *root, const char *path, Error *reterr) {
        CLEANUP_FREE char *target = NULL;

        if (asprintf(&target, "%s%s", sandbox_root_path(root), path) < 0) {
                target = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        if (mount(target, target, NULL, MS_BIND | MS_REC, NULL) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "cannot protect %s", path);
        if (mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot make %s of the sandbox read-only", path);
        return 0;
}

/*
 * /proc/cgroups with the hierarchies we have and no others. systemd mounts every controller listed there, and a v1
 * controller that nobody has mounted yet becomes a new hierarchy of the whole machine.
 */
static int cgroups_text(const Sandbox *sandbox, Text *text, Error *reterr) {
        CLEANUP_FILE FILE *file = fopen("/proc/cgroups", "re");
        CLEANUP_FREE char *line = NULL;
        char name[64];
        size_t n_allocated = 0;
        int hierarchy;

        if (!file)
                return error_set_errno(reterr, -errno, "cannot read /proc/cgroups");
        while (getline(&line, &n_allocated, file) >= 0) {
                if (line[0] != '#' && sscanf(line, "%63s %d", name, &hierarchy) == 2 && hierarchy != 0 &&
                                !cgroup_hierarchies_has_controller(sandbox->hierarchies, name))
                        continue;
                /* Hierarchy 0 is the unified one: on a v1 machine, controllers nobody has mounted. */
                if (line[0] != '#' && hierarchy == 0 && cgroup_hierarchies_has_legacy(sandbox->hierarchies))
                        continue;
                text_append(text, line);
        }
        return 0;
}

static int filter_proc_cgroups(const Sandbox *sandbox, const SandboxRoot *root, Error *reterr) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_FREE char *file_path = NULL, *target = NULL;
        CLEANUP_CLOSE int fd = -EBADF;
        int r;

        r = cgroups_text(sandbox, &text, reterr);
        if (r < 0)
                return r;
        if (asprintf(&file_path, "%s/cgroups", sandbox_root_staging_path(root)) < 0)
                file_path = NULL;
        if (asprintf(&target, "%s/proc/cgroups", sandbox_root_path(root)) < 0)
                target = NULL;
        if (!file_path || !target)
                return error_set(reterr, -ENOMEM, "out of memory");

        fd = open(file_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0444);
        if (fd < 0 || write(fd, text_get(&text), text.n_bytes) < 0 ||
                        mount(file_path, target, NULL, MS_BIND, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot put a filtered /proc/cgroups in place");
        return 0;
}

static int mount_proc(const Sandbox *sandbox, const SandboxRoot *root, Error *reterr) {
        /* What writes to the machine as a whole. systemd itself would raise fs.file-max. */
        static const char *const protected_paths[] = { "/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus",
                "/proc/fs", "/proc/acpi", "/proc/scsi" };
        int r;

        r = mount_at(root, "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, reterr);
        FOREACH_ARRAY (path, protected_paths, ELEMENTS_OF(protected_paths))
                if (r >= 0)
                        r = protect(root, *path, reterr);
        return r < 0 ? r : filter_proc_cgroups(sandbox, root, reterr);
}

/* "/sys/fs/cgroup/cpu,cpuacct", with links named cpu and cpuacct to it, as systemd and every other reader expect. */
static int mount_legacy_hierarchy(const SandboxRoot *root, const CgroupHierarchy *hierarchy, Error *reterr) {
        const char *name = hierarchy->controllers;
        CLEANUP_FREE char *path = NULL;
        CLEANUP_FREE char *words = NULL;
        char *rest = NULL;
        int r;

        if (strncmp(name, "name=", strlen("name=")) == 0)
                name += strlen("name=");
        if (asprintf(&path, "/sys/fs/cgroup/%s", name) < 0) {
                path = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        r = mount_at(root, path, "cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, hierarchy->controllers, reterr);
        if (r < 0 || !strchr(name, ','))
                return r;

        words = strdup(name);
        for (char *word = words ? strtok_r(words, ",", &rest) : NULL; word; word = strtok_r(NULL, ",", &rest)) {
                CLEANUP_FREE char *link_path = NULL;

                if (asprintf(&link_path, "%s/sys/fs/cgroup/%s", sandbox_root_path(root), word) < 0) {
                        link_path = NULL;
                        return error_set(reterr, -ENOMEM, "out of memory");
                }
                if (symlink(name, link_path) < 0)
                        return error_set_errno(reterr, -errno, "cannot make %s", link_path);
        }
        return 0;
}

static int mount_cgroups(const Sandbox *sandbox, const SandboxRoot *root, Error *reterr) {
        const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
        bool has_legacy = cgroup_hierarchies_has_legacy(sandbox->hierarchies);
        int r = 0;

        if (!has_legacy)
                return mount_at(root, "/sys/fs/cgroup", "cgroup2", flags, NULL, reterr);

        r = mount_at(root, "/sys/fs/cgroup", "tmpfs", flags, "mode=0755,size=1m", reterr);
        FOREACH_ARRAY (item, sandbox->hierarchies->items, sandbox->hierarchies->n_items) {
                if (r < 0)
                        break;
                r = item->controllers[0] ? mount_legacy_hierarchy(root, item, reterr)
                                         : mount_at(root, "/sys/fs/cgroup/unified", "cgroup2", flags, NULL, reterr);
        }
        return r;
}

int sandbox_mount_api(const Sandbox *sandbox, const SandboxRoot *root, Error *reterr) {
        int r;

        r = mount_at(root, "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755", reterr);
        if (r >= 0)
                r = mount_proc(sandbox, root, reterr);
        /* A new sysfs: it shows the sandbox's network devices. */
        if (r >= 0)
                r = mount_at(root, "/sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, reterr);
        if (r >= 0)
                r = mount_cgroups(sandbox, root, reterr);
        return r;
}
