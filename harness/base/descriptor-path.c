/* SPDX-License-Identifier: MIT */
#include "base/descriptor-path.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macros.h"

enum { LINKS_MAX = 8 };

static bool is_given(int fd) {
        int flags = fcntl(fd, F_GETFD);

        return flags >= 0 && !(flags & FD_CLOEXEC);
}

char *path_place(const char *path) {
        CLEANUP_FREE char *copy = strdup(path), *other = strdup(path), *folder = NULL, *place = NULL;

        folder = copy ? realpath(dirname(copy), NULL) : NULL;
        if (!folder || !other || asprintf(&place, "%s/%s", folder, basename(other)) < 0)
                return NULL;
        return TAKE_PTR(place);
}

/* Where the link @place goes, seen from the folder it lies in; NULL: it is none. */
static char *follow(const char *place) {
        CLEANUP_FREE char *next = NULL;
        char target[4096];
        ssize_t n = readlink(place, target, sizeof(target) - 1);

        if (n < 0)
                return NULL;
        target[n] = '\0';
        if (target[0] == '/')
                return strdup(target);
        if (asprintf(&next, "%.*s/%s", (int) (strrchr(place, '/') - place), place, target) < 0)
                return NULL;
        return TAKE_PTR(next);
}

static bool is_link_to_descriptor(const char *path, int *ret_fd) {
        CLEANUP_FREE char *next = strdup(path);

        for (unsigned n = 0; next && n < LINKS_MAX; n++) {
                CLEANUP_FREE char *place = path_place(next);
                int pid, fd, n_read = 0;

                if (place && sscanf(place, "/proc/%9d/fd/%9d%n", &pid, &fd, &n_read) == 2 && !place[n_read] &&
                                pid == getpid() && is_given(fd)) {
                        *ret_fd = fd;
                        return true;
                }
                free(next);
                next = place ? follow(place) : NULL;
        }
        return false;
}

bool leads_to_descriptor(const char *path, int *ret_fd) {
        struct stat there, here;

        if (is_link_to_descriptor(path, ret_fd))
                return true;
        if (stat(path, &there) < 0 || !S_ISREG(there.st_mode))
                return false;
        for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
                if (fstat(fd, &here) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino) {
                        *ret_fd = fd;
                        return true;
                }
        return false;
}
