/* SPDX-License-Identifier: MIT */
/*
 * Taking the cgroups of a mark away: kill, wait for the deaths, remove depth-first, and again until nothing is left.
 *
 * What there is to wait for: the pidfd of every process that was killed becomes readable after the kernel has taken
 * the process out of its cgroup (kernel/exit.c: cgroup_exit() before exit_notify()). A removal that is refused after
 * that has met a process forked meanwhile (the next round sees it) or one that another CPU is still switching away
 * from, for which v1 has no event at all: a short back-off bridges it, bounded by the deadline.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "stage/cgroup-tree.h"
#include "stage/deadline.h"

#define BACK_OFF_MSEC_MAX 50
#define ROUND_USEC        (250 * USEC_PER_MSEC)

typedef struct Killing {
        const char *mark;
        struct pollfd *victims; /* pidfds */
        pid_t *pids;
        size_t n_victims;
        int n_left;          /* directories that could not be removed in this round */
        int error;           /* a removal that can never succeed */
        char path[PATH_MAX]; /* one of those */
} Killing;

static void killing_done(Killing *killing) {
        FOREACH_ARRAY (victim, killing->victims, killing->n_victims)
                if (victim->fd >= 0)
                        (void) close(victim->fd);
        free(killing->victims);
        free(killing->pids);
        *killing = (Killing){ 0 };
}

static bool name_has_mark(const char *name, const char *mark) {
        size_t n = strlen(mark);

        return strncmp(name, mark, n) == 0 && (name[n] == '\0' || name[n] == '-');
}

/* Does /proc/<pid>/cgroup name a cgroup of the mark at the root of what we see? */
static bool process_has_mark(pid_t pid, const char *mark) {
        CLEANUP_FILE FILE *file = NULL;
        CLEANUP_FREE char *line = NULL;
        size_t n_allocated = 0;
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/cgroup", (int) pid);
        file = fopen(path, "re");
        while (file && getline(&line, &n_allocated, file) >= 0) {
                /* Any component: seen from outside a cgroup namespace the mount's root is not the hierarchy's. */
                for (char *at = strchr(line, '/'); at; at = strchr(at + 1, '/')) {
                        size_t n = strlen(mark);

                        if (strncmp(at + 1, mark, n) == 0 && strchr("-/\n", at[1 + n]))
                                return true;
                }
        }
        return false;
}

static bool killing_knows(const Killing *killing, pid_t pid) {
        FOREACH_ARRAY (known, killing->pids, killing->n_victims)
                if (*known == pid)
                        return true;
        return false;
}

static int killing_add(Killing *killing, pid_t pid, int fd) {
        struct pollfd *victims;
        pid_t *pids;

        victims = reallocarray(killing->victims, killing->n_victims + 1, sizeof(*victims));
        if (!victims)
                return -ENOMEM;
        killing->victims = victims;
        pids = reallocarray(killing->pids, killing->n_victims + 1, sizeof(*pids));
        if (!pids)
                return -ENOMEM;
        killing->pids = pids;

        killing->pids[killing->n_victims] = pid;
        killing->victims[killing->n_victims++] = (struct pollfd){ .fd = fd, .events = POLLIN };
        return 0;
}

static void kill_process(Killing *killing, pid_t pid) {
        CLEANUP_CLOSE int fd = -EBADF;

        if (pid <= 0 || killing_knows(killing, pid))
                return; /* 0: a process of a pid namespace that is not ours to see */

        fd = pidfd_open(pid, 0);
        if (fd < 0 || !process_has_mark(pid, killing->mark))
                return; /* gone, or its pid is somebody else's by now */
        if (pidfd_send_signal(fd, SIGKILL, NULL, 0) < 0)
                return;
        if (killing_add(killing, pid, fd) >= 0)
                fd = -EBADF;
}

static void kill_folder(Killing *killing, int folder_fd) {
        CLEANUP_FILE FILE *file = NULL;
        CLEANUP_CLOSE int thaw_fd = -EBADF;
        int fd, pid;

        /* A task frozen by the v1 freezer does not even die of SIGKILL. */
        thaw_fd = openat(folder_fd, "freezer.state", O_WRONLY | O_CLOEXEC);
        if (thaw_fd >= 0)
                (void) !write(thaw_fd, "THAWED", strlen("THAWED"));

        fd = openat(folder_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
        file = fd >= 0 ? fdopen(fd, "r") : NULL;
        if (!file) {
                close_p(&fd);
                return;
        }
        while (fscanf(file, "%d", &pid) == 1)
                kill_process(killing, pid);
}

/* Visits @name below @parent_fd and everything under it, children first; removes it where @remove is set. */
static void tree_visit(Killing *killing, int parent_fd, const char *name, bool remove) {
        DIR *folder;
        int fd;

        fd = openat(parent_fd, name, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return; /* gone: somebody else, or systemd in the sandbox itself, was faster */
        folder = fdopendir(fd);
        if (!folder) {
                (void) close(fd);
                return;
        }
        if (!remove)
                kill_folder(killing, dirfd(folder));
        for (struct dirent *entry; (entry = readdir(folder));)
                if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        tree_visit(killing, dirfd(folder), entry->d_name, remove);
        (void) closedir(folder);

        if (!remove || unlinkat(parent_fd, name, AT_REMOVEDIR) >= 0 || errno == ENOENT)
                return;
        if (errno != EBUSY && errno != ENOTEMPTY)
                killing->error = -errno;
        killing->n_left++;
}

static void hierarchy_visit(Killing *killing, const CgroupHierarchy *hierarchy, bool remove) {
        DIR *root;
        int n_left_before;

        root = opendir(hierarchy->mount_path);
        if (!root)
                return;
        for (struct dirent *entry; (entry = readdir(root));) {
                if (entry->d_type != DT_DIR || !name_has_mark(entry->d_name, killing->mark))
                        continue;
                n_left_before = killing->n_left;
                tree_visit(killing, dirfd(root), entry->d_name, remove);
                if (killing->n_left > n_left_before)
                        (void) snprintf(killing->path, sizeof(killing->path), "%s/%s", hierarchy->mount_path,
                                        entry->d_name);
        }
        (void) closedir(root);
}

static void hierarchies_visit(Killing *killing, const CgroupHierarchies *hierarchies, bool remove) {
        killing->n_left = 0;
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items)
                hierarchy_visit(killing, item, remove);
}

static void victims_reap(Killing *killing, size_t *ret_n_alive) {
        size_t n_alive = 0;

        FOREACH_ARRAY (victim, killing->victims, killing->n_victims) {
                if (victim->fd >= 0 && victim->revents != 0) {
                        (void) close(victim->fd);
                        victim->fd = -EBADF; /* poll() skips it */
                }
                n_alive += victim->fd >= 0;
        }
        *ret_n_alive = n_alive;
}

/*
 * Waits for the victims, but no longer than a round: PID 1 of a pid namespace counts as alive until its last zombie
 * is reaped by whoever has to, and has left its cgroups long before.
 */
static void killing_wait(Killing *killing, uint64_t deadline_usec) {
        uint64_t round_usec = deadline_in(ROUND_USEC);
        size_t n_alive = killing->n_victims;

        if (deadline_usec > round_usec)
                deadline_usec = round_usec;
        while (n_alive > 0 && !deadline_is_past(deadline_usec)) {
                if (poll(killing->victims, killing->n_victims, deadline_poll_msec(deadline_usec)) < 0 &&
                                errno != EINTR)
                        return;
                victims_reap(killing, &n_alive);
        }
}

void cgroup_trees_kill(const CgroupHierarchies *hierarchies, const char *mark) {
        CLEANUP(killing_done) Killing killing = { .mark = mark };

        hierarchies_visit(&killing, hierarchies, false);
}

int cgroup_trees_destroy(
                const CgroupHierarchies *hierarchies, const char *mark, uint64_t deadline_usec, Error *reterr) {
        int back_off_msec = 1;

        for (;;) {
                CLEANUP(killing_done) Killing killing = { .mark = mark };

                hierarchies_visit(&killing, hierarchies, false);
                killing_wait(&killing, deadline_usec);
                hierarchies_visit(&killing, hierarchies, true);
                if (killing.error < 0)
                        return error_set_errno(reterr, killing.error, "cannot remove the cgroup %s", killing.path);
                if (killing.n_left == 0)
                        return 0;
                if (deadline_is_past(deadline_usec))
                        return error_set(reterr, -ETIMEDOUT,
                                        "cannot remove the cgroup %s in time: processes in it do not die (see "
                                        "%s/cgroup.procs)",
                                        killing.path, killing.path);

                if (killing.n_victims == 0) {
                        (void) poll(NULL, 0, back_off_msec);
                        back_off_msec = back_off_msec * 2 < BACK_OFF_MSEC_MAX ? back_off_msec * 2 : BACK_OFF_MSEC_MAX;
                }
        }
}
