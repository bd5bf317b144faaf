/* SPDX-License-Identifier: MIT */
#include "stage/run-folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ALIVE_FILE "alive"

/* Where it was settled; else it is looked up each time. Set once, inherited by fork. */
static char *settled_path;

char *runs_folder_path(void) {
        const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
        char *path;

        if (settled_path)
                return strdup(settled_path);
        if (geteuid() == 0)
                return strdup("/run/agenttest");
        return (runtime && runtime[0] == '/' ? asprintf(&path, "%s/agenttest", runtime)
                                             : asprintf(&path, "/tmp/agenttest-%u", geteuid())) < 0
                               ? NULL
                               : path;
}

int runs_folder_settle(Error *reterr) {
        settled_path = runs_folder_path();
        return settled_path ? 0 : error_set(reterr, -ENOMEM, "out of memory");
}

/* Was the folder behind @fd removed, or replaced, before the lock was ours? */
static bool is_still_at(int fd, const char *path) {
        struct stat ours, theirs;

        return fstat(fd, &ours) >= 0 && stat(path, &theirs) >= 0 && ours.st_dev == theirs.st_dev &&
               ours.st_ino == theirs.st_ino;
}

/* In /tmp anybody could have made it. */
static bool is_own(int fd) {
        struct stat st;

        return fstat(fd, &st) >= 0 && st.st_uid == geteuid();
}

static int flock_waiting(int fd) {
        while (flock(fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

/* Waits for the lock: whoever holds it makes or opens a few folders and lets go. */
static int runs_folder_lock_internal(bool create, int *ret_fd, Error *reterr) {
        CLEANUP_FREE char *path = NULL;
        int r;

        path = runs_folder_path();
        if (!path)
                return error_set(reterr, -ENOMEM, "out of memory");

        for (;;) {
                CLEANUP_CLOSE int fd = -EBADF;

                if (create && mkdir(path, 0755) < 0 && errno != EEXIST)
                        return error_set_errno(reterr, -errno,
                                        "cannot make %s, where the runs are registered (/run for root, "
                                        "$XDG_RUNTIME_DIR else)",
                                        path);
                fd = open(path, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
                if (fd < 0 && errno == ENOENT) {
                        if (create)
                                continue; /* the last run took it away between the two calls */
                        return -ENOENT;
                }
                if (fd >= 0 && !is_own(fd))
                        return error_set(reterr, -EPERM, "%s, where the runs are registered, is somebody else's",
                                        path);
                r = fd < 0 ? -errno : flock_waiting(fd);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot lock %s", path);
                if (is_still_at(fd, path)) {
                        *ret_fd = TAKE_FD(fd);
                        return 0;
                }
        }
}

int runs_folder_lock(int *ret_fd, Error *reterr) {
        return runs_folder_lock_internal(true, ret_fd, reterr);
}

int runs_folder_lock_existing(int *ret_fd, Error *reterr) {
        return runs_folder_lock_internal(false, ret_fd, reterr);
}

int run_folder_take(int runs_fd, const char *run_id, int *ret_fd) {
        CLEANUP_CLOSE int fd = -EBADF;
        struct stat st;

        fd = openat(runs_fd, run_id, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        /* Removed by another cleaner between the two calls. */
        if (fstat(fd, &st) < 0 || st.st_nlink == 0)
                return -ENOENT;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int run_folder_take_dying(int runs_fd, const char *run_id, int *ret_fd, int *ret_alive_fd) {
        CLEANUP_CLOSE int fd = -EBADF;
        CLEANUP_CLOSE int alive_fd = -EBADF;

        fd = openat(runs_fd, run_id, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        alive_fd = openat(fd, ALIVE_FILE, O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
        if (alive_fd < 0)
                return -errno;
        if (flock(alive_fd, LOCK_EX | LOCK_NB) < 0)
                return -errno;

        *ret_fd = TAKE_FD(fd);
        *ret_alive_fd = TAKE_FD(alive_fd);
        return 0;
}

static void on_alarm(int signal_number) {
        /* Only there to interrupt flock(). */
}

int run_folder_wait(int fd, unsigned limit_sec) {
        struct sigaction action = { .sa_handler = on_alarm }, before; /* no SA_RESTART */
        struct stat st;
        int r;

        (void) sigaction(SIGALRM, &action, &before);
        (void) alarm(limit_sec);
        r = flock(fd, LOCK_EX) < 0 ? -errno : 0;
        (void) alarm(0);
        (void) sigaction(SIGALRM, &before, NULL);
        if (r < 0)
                return r == -EINTR ? -ETIMEDOUT : r;
        return fstat(fd, &st) >= 0 && st.st_nlink == 0 ? -ENOENT : 0;
}

static int alive_file_create(int folder_fd, int *ret_fd) {
        CLEANUP_CLOSE int fd = openat(folder_fd, ALIVE_FILE, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0600);

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int run_folder_create(int runs_fd, const char *run_id, int *ret_fd, int *ret_alive_fd, Error *reterr) {
        int r;

        if (mkdirat(runs_fd, run_id, 0700) < 0)
                return error_set_errno(reterr, -errno, "cannot make the folder of run %s", run_id);
        r = run_folder_take(runs_fd, run_id, ret_fd);
        if (r >= 0)
                r = alive_file_create(*ret_fd, ret_alive_fd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot lock the folder of run %s", run_id);
        return 0;
}

static int folder_remove_at(int parent_fd, const char *name);

/*
 * Never reaches into a mount: RESOLVE_NO_XDEV refuses to open one, and nothing unlinks a mount point. (The device
 * number tells nothing: on an overlay files have others than their folder. Source: overlayfs.rst, "Non-standard
 * behavior".)
 */
static int folder_empty(DIR *folder) {
        int r = 0;

        for (struct dirent *entry; r >= 0 && (entry = readdir(folder));) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (unlinkat(dirfd(folder), entry->d_name, 0) >= 0 || errno == ENOENT)
                        continue;
                r = errno == EISDIR ? folder_remove_at(dirfd(folder), entry->d_name) : -errno;
        }
        return r;
}

static int folder_remove_at(int parent_fd, const char *name) {
        struct open_how how = {
                .flags = O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC,
                .resolve = RESOLVE_NO_XDEV,
        };
        CLEANUP_CLOSE int fd = -EBADF;
        DIR *folder;
        int r;

        fd = (int) syscall(SYS_openat2, parent_fd, name, &how, sizeof(how));
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        folder = fdopendir(fd);
        if (!folder)
                return -errno;
        fd = -EBADF; /* the folder's now */
        r = folder_empty(folder);
        (void) closedir(folder);
        if (r < 0)
                return r;
        return unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int folder_remove(int parent_fd, const char *name) {
        CLEANUP_FREE char *above = NULL;
        CLEANUP_CLOSE int above_fd = -EBADF;
        const char *slash = strrchr(name, '/');

        if (!slash)
                return folder_remove_at(parent_fd, name);
        /* On the way to it there may be mounts; it itself may be none, somebody's files are seen in it then. */
        above = strndup(name, (size_t) (slash - name) + 1);
        if (!above)
                return -ENOMEM;
        above_fd = openat(parent_fd, above, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (above_fd < 0)
                return errno == ENOENT ? 0 : -errno;
        return folder_remove_at(above_fd, slash + 1);
}
