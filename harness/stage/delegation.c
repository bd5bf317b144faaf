/* SPDX-License-Identifier: MIT */
#include "stage/delegation.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "stage/cgroup-tree.h"

#define LEAF "agenttest-callers"

/* As a namespace is of a process, so is this: set once, inherited by fork. */
static char *own_path;

const char *delegation_path(void) {
        return own_path;
}

/* "0::/user.slice/...". Source: cgroups(7), "/proc/pid/cgroup". */
static int read_own_cgroup(char **ret_path, Error *reterr) {
        CLEANUP_FILE FILE *file = fopen("/proc/self/cgroup", "re");
        CLEANUP_FREE char *line = NULL;
        size_t n_allocated = 0;

        while (file && getline(&line, &n_allocated, file) >= 0) {
                if (strncmp(line, "0::/", strlen("0::/")) != 0)
                        continue;
                line[strcspn(line, "\n")] = '\0';
                *ret_path = strdup(line + strlen("0::"));
                return *ret_path ? 0 : error_set(reterr, -ENOMEM, "out of memory");
        }
        return error_set(reterr, -ENOENT, "/proc/self/cgroup does not say which cgroup agenttest is in");
}

/* What systemd hands over with Delegate=. Source: systemd, docs/CGROUP_DELEGATION.md, "Delegation". */
static int check_is_ours(const char *path, Error *reterr) {
        static const char *const names[] = { "", "/cgroup.procs", "/cgroup.subtree_control" };

        FOREACH_ARRAY (name, names, ELEMENTS_OF(names)) {
                CLEANUP_FREE char *file_path = NULL;

                if (asprintf(&file_path, "%s%s", path, *name) < 0) {
                        file_path = NULL;
                        return error_set(reterr, -ENOMEM, "out of memory");
                }
                if (access(file_path, W_OK) < 0)
                        return error_set(reterr, -EACCES,
                                        "the cgroup agenttest was started in, %s, is not delegated to this user "
                                        "(%s is not writable): start it by " DELEGATION_REMEDY,
                                        path, file_path);
        }
        return 0;
}

int delegation_find(char **ret_path, Error *reterr) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        CLEANUP_FREE char *own = NULL, *path = NULL;
        int r;

        r = cgroup_hierarchies_read(&hierarchies, reterr);
        if (r < 0)
                return r;
        if (hierarchies->n_items == 0 || cgroup_hierarchies_has_legacy(hierarchies))
                return error_set(reterr, -EOPNOTSUPP,
                                "without root the sandbox needs a delegated cgroup, which there is only where cgroup "
                                "v2 is alone: boot with systemd.unified_cgroup_hierarchy=1, or run agenttest with "
                                "sudo");
        r = read_own_cgroup(&own, reterr);
        if (r < 0)
                return r;
        if (asprintf(&path, "%s%s", hierarchies->items[0].mount_path, strcmp(own, "/") == 0 ? "" : own) < 0) {
                path = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        r = check_is_ours(path, reterr);
        if (r < 0)
                return r;
        *ret_path = TAKE_PTR(path);
        return 0;
}

static int write_at(int folder_fd, const char *name, const char *value) {
        CLEANUP_CLOSE int fd = openat(folder_fd, name, O_WRONLY | O_CLOEXEC);

        return fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

/* Entering and leaving exclude each other: the lock goes with the descriptor. */
static int open_locked(const char *path, int *ret_fd) {
        CLEANUP_CLOSE int fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        while (flock(fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int delegation_use(const char *path, Error *reterr) {
        own_path = strdup(path);
        return own_path ? 0 : error_set(reterr, -ENOMEM, "out of memory");
}

int delegation_enter(const char *path, Error *reterr) {
        CLEANUP_CLOSE int fd = -EBADF;
        int r;

        r = open_locked(path, &fd);
        if (r >= 0 && mkdirat(fd, LEAF, 0755) < 0 && errno != EEXIST)
                r = -errno;
        if (r >= 0)
                r = write_at(fd, LEAF "/cgroup.procs", "0");
        if (r < 0)
                return error_set_errno(reterr, r, "cannot move into a cgroup " LEAF " of my own in %s", path);
        cgroup_enable_controllers(fd);
        return delegation_use(path, reterr);
}

static bool leaf_has_others(int root_fd) {
        int fd = openat(root_fd, LEAF "/cgroup.procs", O_RDONLY | O_CLOEXEC);
        CLEANUP_FILE FILE *procs = fd >= 0 ? fdopen(fd, "r") : NULL;
        int pid;

        while (procs && fscanf(procs, "%d", &pid) == 1)
                if (pid != getpid())
                        return true;
        return !procs;
}

/* Is a cgroup in there beside the leaf, or a process other than this one in the leaf? */
static bool is_in_use(int root_fd) {
        int fd = openat(root_fd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        bool is_used = leaf_has_others(root_fd);
        DIR *folder;

        folder = fd >= 0 ? fdopendir(fd) : NULL;
        if (!folder)
                return true;
        for (struct dirent *entry; (entry = readdir(folder));)
                if (entry->d_type == DT_DIR && entry->d_name[0] != '.' && strcmp(entry->d_name, LEAF) != 0)
                        is_used = true;
        (void) closedir(folder);
        return is_used;
}

void delegation_leave(void) {
        CLEANUP_CLOSE int fd = -EBADF;

        if (!own_path || open_locked(own_path, &fd) < 0 || is_in_use(fd))
                return;
        cgroup_disable_controllers(fd); /* while it gives any to others it takes no process */
        if (write_at(fd, "cgroup.procs", "0") >= 0)
                (void) unlinkat(fd, LEAF, AT_REMOVEDIR);
}

void delegation_tidy(const char *path) {
        CLEANUP_CLOSE int fd = -EBADF;

        if (open_locked(path, &fd) < 0 || is_in_use(fd) || unlinkat(fd, LEAF, AT_REMOVEDIR) < 0)
                return; /* in use, also by this process */
        cgroup_disable_controllers(fd);
}

static bool file_has_word(const char *folder, const char *name, const char *word) {
        CLEANUP_FREE char *path = NULL;
        CLEANUP_FILE FILE *file = NULL;
        char found[64];

        if (asprintf(&path, "%s/%s", folder, name) < 0) {
                path = NULL;
                return false;
        }
        file = fopen(path, "re");
        while (file && fscanf(file, "%63s", found) == 1)
                if (strcmp(found, word) == 0)
                        return true;
        return false;
}

int delegation_check_controller(const char *name, Error *reterr) {
        if (!own_path || file_has_word(own_path, "cgroup.subtree_control", name))
                return 0;
        if (!file_has_word(own_path, "cgroup.controllers", name))
                return error_set(reterr, -EOPNOTSUPP,
                                "cgroup controller %s is not delegated to %s (Delegate= of the unit)", name,
                                own_path);
        return error_set(reterr, -EBUSY,
                        "cgroup controller %s cannot be used below %s, where other processes are: start agenttest "
                        "by " DELEGATION_REMEDY,
                        name, own_path);
}
