/* SPDX-License-Identifier: MIT */
#include "base/atomic-file.h"

#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "base/descriptor-path.h"
#include "base/write-all.h"

static int tell(Error *reterr, int r, const char *path) {
        return error_set_errno(reterr, r, "%s cannot be written", path);
}

int atomic_file_check(const char *path, Error *reterr) {
        CLEANUP_FREE char *copy = NULL;
        struct stat status;
        int fd;

        if (leads_to_descriptor(path, &fd))
                return (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? tell(reterr, -EBADF, path) : 0;
        if (stat(path, &status) < 0) {
                if (errno != ENOENT) /* a name too long, a file in place of a folder */
                        return tell(reterr, -errno, path);
        } else if (S_ISDIR(status.st_mode))
                return tell(reterr, -EISDIR, path);
        else if (!S_ISREG(status.st_mode))
                return access(path, W_OK) < 0 ? tell(reterr, -errno, path) : 0;
        copy = strdup(path);
        if (!copy)
                return tell(reterr, -ENOMEM, path);
        return access(dirname(copy), W_OK | X_OK) < 0 ? tell(reterr, -errno, path) : 0;
}

/* As a file that was made by open(2): mkstemp() gives it to its owner alone. Alone in its process, nobody minds. */
static int give_usual_mode(int fd) {
        mode_t mask = umask(0);

        (void) umask(mask);
        return fchmod(fd, 0666 & ~mask) < 0 ? -errno : 0;
}

static int write_and_rename(const char *path, const char *bytes, size_t n_bytes) {
        CLEANUP_FREE char *copy = strdup(path), *other = NULL;
        CLEANUP_CLOSE int fd = -EBADF;
        int r;

        /* Not the name with something behind it: that may be too long where the name is not. */
        if (!copy || asprintf(&other, "%s/.agenttest-XXXXXX", dirname(copy)) < 0) {
                other = NULL;
                return -ENOMEM;
        }
        fd = mkostemp(other, O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = give_usual_mode(fd);
        if (r >= 0)
                r = write_all(fd, bytes, n_bytes);
        if (r >= 0 && rename(other, path) < 0)
                r = -errno;
        if (r < 0)
                (void) unlink(other);
        return r;
}

/* A FIFO that nobody reads is not waited for: a whole run is over, and signals may be blocked. */
static int write_in_place(const char *path, const char *bytes, size_t n_bytes) {
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        if (fd < 0)
                return -errno;
        return fcntl(fd, F_SETFL, 0) < 0 ? -errno : write_all(fd, bytes, n_bytes);
}

int atomic_file_write(const char *path, const char *bytes, size_t n_bytes, Error *reterr) {
        CLEANUP_FREE char *real = realpath(path, NULL);
        struct stat status;
        int r, fd;

        if (leads_to_descriptor(path, &fd))
                r = write_all(fd, bytes, n_bytes);
        else if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
                r = write_in_place(path, bytes, n_bytes);
        else
                r = write_and_rename(real ?: path, bytes, n_bytes);
        return r < 0 ? tell(reterr, r, path) : 0;
}
