/* SPDX-License-Identifier: MIT */
#include "stage/file-image.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

#define ATTRIBUTES_MAX (64 * 1024) /* XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h */

void file_image_done(FileImage *image) {
        close_p(&image->fd);
        *image = FILE_IMAGE_INIT;
}

int file_image_read(const char *path, FileImage *ret_image, Error *reterr) {
        CLEANUP(file_image_done) FileImage image = FILE_IMAGE_INIT;

        image.fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (image.fd < 0 && errno == ENOENT)
                return -ENOENT;
        if (image.fd < 0 && errno == ELOOP)
                return error_set(reterr, -ELOOP, "%s is a symbolic link; name the file that it leads to", path);
        if (image.fd < 0 || fstat(image.fd, &image.status) < 0)
                return error_set_errno(reterr, -errno, "cannot read %s", path);
        if (!S_ISREG(image.status.st_mode))
                return error_set(reterr, -EINVAL, "%s is no regular file and could not be put back", path);
        if (image.status.st_nlink > 1)
                return error_set(reterr, -EMLINK, "%s has %ju names (hard links); putting it back would part them",
                                path, (uintmax_t) image.status.st_nlink);
        *ret_image = image;
        image = FILE_IMAGE_INIT;
        return 0;
}

static int copy_attributes(int from_fd, int to_fd) {
        CLEANUP_FREE char *names = malloc(ATTRIBUTES_MAX), *value = malloc(ATTRIBUTES_MAX);
        ssize_t n_names;

        if (!names || !value)
                return -ENOMEM;
        n_names = flistxattr(from_fd, names, ATTRIBUTES_MAX);
        if (n_names < 0)
                return errno == ENOTSUP ? 0 : -errno;
        for (const char *name = names; name < names + n_names; name += strlen(name) + 1) {
                ssize_t n = fgetxattr(from_fd, name, value, ATTRIBUTES_MAX);

                if (n < 0 || fsetxattr(to_fd, name, value, (size_t) n, 0) < 0)
                        return -errno;
        }
        return 0;
}

static int copy_bytes(int from_fd, int to_fd) {
        off_t offset = 0;
        ssize_t n;

        do
                n = sendfile(to_fd, from_fd, &offset, 1 << 30);
        while (n > 0);
        return n < 0 ? -errno : 0;
}

static int copy_all(int from_fd, int to_fd) {
        struct timespec times[2];
        struct stat status;
        int r;

        if (fstat(from_fd, &status) < 0)
                return -errno;
        r = copy_bytes(from_fd, to_fd);
        if (r < 0)
                return r;
        /* In this order: a change of owner takes set-user-ID bits and capabilities away, writing sets the times. */
        if (fchown(to_fd, status.st_uid, status.st_gid) < 0 || fchmod(to_fd, status.st_mode & 07777) < 0)
                return -errno;
        r = copy_attributes(from_fd, to_fd);
        if (r < 0)
                return r;
        times[0] = status.st_atim;
        times[1] = status.st_mtim;
        return futimens(to_fd, times) < 0 || fsync(to_fd) < 0 ? -errno : 0;
}

int file_image_keep(const FileImage *image, int folder_fd, const char *name, Error *reterr) {
        CLEANUP_CLOSE int fd = -EBADF;
        int r;

        /* One that is there is of a run whose log is gone. */
        (void) unlinkat(folder_fd, name, 0);
        fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        r = fd < 0 ? -errno : copy_all(image->fd, fd);
        if (r >= 0 && fsync(folder_fd) < 0)
                r = -errno;
        return r < 0 ? error_set_errno(reterr, r, "cannot keep a copy of a file that is to be replaced") : 0;
}

/* Hidden, and with another ending: who reads a folder of settings does not take it for one. */
char *file_temporary_path(const char *path) {
        const char *name = strrchr(path, '/') + 1;
        char *temporary;

        return asprintf(&temporary, "%.*s.%s.agenttest~", (int) (name - path), path, name) < 0 ? NULL : temporary;
}

int file_prepare(const char *path, char **ret_temporary_path, int *ret_fd, Error *reterr) {
        CLEANUP_FREE char *temporary = file_temporary_path(path);
        int fd;

        if (!temporary)
                return error_set(reterr, -ENOMEM, "out of memory");
        (void) unlink(temporary);
        fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot make a file beside %s", path);
        *ret_temporary_path = TAKE_PTR(temporary);
        *ret_fd = fd;
        return 0;
}

int file_replace(const char *path, const char *temporary_path, int fd, Error *reterr) {
        if (fsync(fd) >= 0 && rename(temporary_path, path) >= 0)
                return 0;
        (void) error_set_errno(reterr, -errno, "cannot put %s in place", path);
        (void) unlink(temporary_path);
        return reterr ? reterr->code : -EIO;
}

static bool has_same_bytes(int a_fd, int b_fd) {
        char a[8192], b[8192];
        off_t offset = 0;
        ssize_t n;

        do {
                n = pread(a_fd, a, sizeof(a), offset);
                if (n < 0 || pread(b_fd, b, sizeof(b), offset) != n || memcmp(a, b, (size_t) n) != 0)
                        return false;
                offset += n;
        } while (n > 0);
        return true;
}

static bool is_unchanged(const char *path, int kept_fd) {
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat now, kept;

        if (fd < 0 || fstat(fd, &now) < 0 || fstat(kept_fd, &kept) < 0)
                return false;
        return S_ISREG(now.st_mode) && now.st_mode == kept.st_mode && now.st_uid == kept.st_uid &&
               now.st_gid == kept.st_gid && now.st_size == kept.st_size &&
               now.st_mtim.tv_sec == kept.st_mtim.tv_sec && now.st_mtim.tv_nsec == kept.st_mtim.tv_nsec &&
               has_same_bytes(fd, kept_fd);
}

int file_image_restore(const char *path, int kept_fd, Error *reterr) {
        CLEANUP_FREE char *temporary = NULL;
        CLEANUP_CLOSE int fd = -EBADF;
        int r;

        if (is_unchanged(path, kept_fd))
                return 0;
        r = file_prepare(path, &temporary, &fd, reterr);
        if (r < 0)
                return r;
        r = copy_all(kept_fd, fd);
        if (r < 0) {
                (void) unlink(temporary);
                return error_set_errno(reterr, r, "cannot put %s back", path);
        }
        return file_replace(path, temporary, fd, reterr);
}
