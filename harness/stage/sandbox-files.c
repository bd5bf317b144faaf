/* SPDX-License-Identifier: MIT */
/*
 * Putting files on the stage while the host is still the root: paths of the stage are resolved with RESOLVE_IN_ROOT,
 * so that a link to /etc/x on the stage never leads to the host's /etc/x. Source: openat2(2).
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/write-all.h"
#include "stage/sandbox.h"

static int open_in_root(int root_fd, const char *path, uint64_t flags) {
        struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
        long fd;

        fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        return fd < 0 ? -errno : (int) fd;
}

/* Opens folder @path and makes what is missing of it. */
static int open_folder(int root_fd, const char *path, int *ret_fd) {
        CLEANUP_CLOSE int parent_fd = -EBADF;
        CLEANUP_FREE char *parent = NULL;
        const char *name;
        int r;

        r = open_in_root(root_fd, path[0] ? path : "/", O_DIRECTORY | O_RDONLY);
        if (r >= 0) {
                *ret_fd = r;
                return 0;
        }
        if (r != -ENOENT)
                return r;

        name = strrchr(path, '/');
        parent = name ? strndup(path, (size_t) (name - path)) : NULL;
        if (!parent)
                return -ENOMEM;
        r = open_folder(root_fd, parent, &parent_fd);
        if (r < 0)
                return r;
        if (name[1] && mkdirat(parent_fd, name + 1, 0755) < 0)
                return -errno;
        r = open_in_root(root_fd, path, O_DIRECTORY | O_RDONLY);
        if (r < 0)
                return r;
        *ret_fd = r;
        return 0;
}

int sandbox_make_folders(int root_fd, const char *path, Error *reterr) {
        CLEANUP_CLOSE int fd = -EBADF;
        int r;

        r = open_folder(root_fd, path, &fd);
        return r < 0 ? error_set_errno(reterr, r, "cannot make %s on the stage", path) : 0;
}

static FILE *open_text_in_root(int root_fd, const char *path) {
        int fd = open_in_root(root_fd, path, O_RDONLY);
        FILE *file;

        if (fd < 0)
                return NULL;
        file = fdopen(fd, "re");
        if (!file)
                (void) close(fd);
        return file;
}

static bool parse_id(const char *text, unsigned *ret_id) {
        char *end;
        unsigned long id;

        if (text[0] < '0' || text[0] > '9')
                return false;
        errno = 0;
        id = strtoul(text, &end, 10);
        if (*end || errno != 0 || id >= UINT32_MAX)
                return false;
        *ret_id = (unsigned) id;
        return true;
}

/* The stage's own /etc/passwd, not NSS: that would ask the host, and load the host's modules to do so. */
static int resolve_owner(int root_fd, const char *name, uid_t *ret_uid, gid_t *ret_gid) {
        CLEANUP_FILE FILE *file = open_text_in_root(root_fd, "/etc/passwd");
        bool is_number = parse_id(name, ret_uid);

        if (is_number)
                *ret_gid = 0; /* unless the table knows better */
        for (struct passwd *user; file && (user = fgetpwent(file));) {
                if (is_number ? user->pw_uid != *ret_uid : strcmp(user->pw_name, name) != 0)
                        continue;
                *ret_uid = user->pw_uid;
                *ret_gid = user->pw_gid;
                return 0;
        }
        return is_number ? 0 : -ENOENT;
}

static int resolve_group(int root_fd, const char *name, gid_t *ret_gid) {
        CLEANUP_FILE FILE *file = NULL;

        if (parse_id(name, ret_gid))
                return 0;
        file = open_text_in_root(root_fd, "/etc/group");
        for (struct group *group; file && (group = fgetgrent(file));) {
                if (strcmp(group->gr_name, name) != 0)
                        continue;
                *ret_gid = group->gr_gid;
                return 0;
        }
        return -ENOENT;
}

static int set_owner_and_mode(int root_fd, const StageFile *file, int fd, mode_t mode, Error *reterr) {
        uid_t uid = 0;
        gid_t gid = 0;

        if (file->owner && resolve_owner(root_fd, file->owner, &uid, &gid) < 0)
                return error_set(reterr, -ENOENT, "%s: there is no user \"%s\" on the stage (/etc/passwd)",
                                file->path, file->owner);
        if (file->group && resolve_group(root_fd, file->group, &gid) < 0)
                return error_set(reterr, -ENOENT, "%s: there is no group \"%s\" on the stage (/etc/group)",
                                file->path, file->group);
        /* In this order: a change of owner takes the set-user-ID bits away. */
        if (fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
                return error_set_errno(reterr, -errno, "cannot give %s on the stage its owner and mode", file->path);
        return 0;
}

static int place_folder(int root_fd, const StageFile *file, Error *reterr) {
        CLEANUP_CLOSE int fd = -EBADF;
        int r;

        r = open_folder(root_fd, file->path, &fd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make %s on the stage", file->path);
        return set_owner_and_mode(root_fd, file, fd, file->mode ? file->mode : 0755, reterr);
}

static int copy_bytes(int from_fd, int to_fd) {
        ssize_t n;

        do
                n = sendfile(to_fd, from_fd, NULL, 1 << 30);
        while (n > 0);
        return n < 0 ? -errno : 0;
}

static int fill_file(const StageFile *file, int fd, mode_t *ret_mode, Error *reterr) {
        CLEANUP_CLOSE int source_fd = -EBADF;
        struct stat st;
        int r;

        *ret_mode = file->mode ? file->mode : 0644;
        if (!file->source_path) {
                r = write_all(fd, file->content, file->content ? file->n_content_bytes : 0);
                return r < 0 ? error_set_errno(reterr, r, "cannot write %s on the stage", file->path) : 0;
        }

        source_fd = open(file->source_path, O_RDONLY | O_CLOEXEC);
        if (source_fd < 0 || fstat(source_fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot read %s, which is to become %s on the stage",
                                file->source_path, file->path);
        if (!S_ISREG(st.st_mode))
                return error_set(reterr, -EINVAL, "%s, which is to become %s on the stage, is not a regular file",
                                file->source_path, file->path);
        if (file->mode == 0)
                *ret_mode = st.st_mode & 07777;
        r = copy_bytes(source_fd, fd);
        return r < 0 ? error_set_errno(reterr, r, "cannot copy %s to %s on the stage", file->source_path, file->path)
                     : 0;
}

/* Takes the place of whatever is there: a link is replaced, not followed. */
static int create_file(int root_fd, const char *path, int *ret_fd) {
        CLEANUP_CLOSE int parent_fd = -EBADF;
        CLEANUP_FREE char *parent = NULL;
        const char *name = strrchr(path, '/');
        int r;

        if (!name || !name[1])
                return -EINVAL;
        parent = strndup(path, (size_t) (name - path));
        if (!parent)
                return -ENOMEM;
        r = open_folder(root_fd, parent, &parent_fd);
        if (r < 0)
                return r;
        if (unlinkat(parent_fd, name + 1, 0) < 0 && errno != ENOENT)
                return -errno;
        r = openat(parent_fd, name + 1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (r < 0)
                return -errno;
        *ret_fd = r;
        return 0;
}

int sandbox_place_file(int root_fd, const StageFile *file, Error *reterr) {
        CLEANUP_CLOSE int fd = -EBADF;
        mode_t mode;
        int r;

        if (file->is_directory)
                return place_folder(root_fd, file, reterr);
        r = create_file(root_fd, file->path, &fd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make %s on the stage", file->path);
        r = fill_file(file, fd, &mode, reterr);
        return r < 0 ? r : set_owner_and_mode(root_fd, file, fd, mode, reterr);
}
