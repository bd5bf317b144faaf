/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base/write-all.h"
#include "stage/file-image.h"
#include "stage/machine.h"
#include "stage/mount-table.h"

/* What the machine needs to boot, to be logged in to, or to be sane; and what is no file at all. */
static const char *const untouchable[] = {
        "/proc",
        "/sys",
        "/dev",
        "/boot",
        "/efi",
        "/run/systemd",
        "/run/agenttest",
        "/usr/lib/systemd",
        "/usr/local/lib/systemd",
        "/lib/systemd",
        "/etc/systemd",
        "/etc/passwd",
        "/etc/shadow",
        "/etc/group",
        "/etc/gshadow",
        "/etc/sudoers",
        "/etc/sudoers.d",
        "/etc/pam.d",
        "/etc/security",
        "/etc/ssh",
        "/etc/fstab",
        "/etc/nsswitch.conf",
        "/etc/ld.so.cache",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/ld.so.preload",
        "/var/lib/agenttest",
        "/var/lib/dpkg",
        "/var/lib/rpm",
        "/var/lib/systemd",
        "/var/log/journal",
};

static int check_place(const Machine *machine, const char *path, Error *reterr) {
        if (path_is_below(path, machine->unit_folder))
                return machine_check_unit_path(machine, path, reterr);
        if (machine->is_user && strstr(path, "/systemd/user"))
                return error_set(reterr, -EPERM, "%s: nothing is put to the user's units on stage %s", path,
                                machine->kind->name);
        FOREACH_ARRAY (place, untouchable, ELEMENTS_OF(untouchable))
                if (path_is_below(path, *place))
                        return error_set(reterr, -EPERM, "%s: nothing is put into %s on stage %s", path, *place,
                                        machine->kind->name);
        return 0;
}

/* What cannot be made is refused now: later it would be in the midst of changes. */
static int check_makable(const char *path, const char *folder, Error *reterr) {
        size_t n_longest = 0;
        struct stat status;

        if (stat(folder, &status) < 0)
                return error_set_errno(reterr, -errno, "cannot look at %s", folder);
        if (!S_ISDIR(status.st_mode))
                return error_set(reterr, -ENOTDIR, "%s: %s is there, and is no folder", path, folder);
        if (access(folder, W_OK) < 0)
                return error_set_errno(reterr, -errno, "%s: nothing can be put into %s", path, folder);
        for (const char *name = path; *name; name += strcspn(name, "/")) {
                name += strspn(name, "/");
                n_longest = strcspn(name, "/") > n_longest ? strcspn(name, "/") : n_longest;
        }
        /* While it is written it lies beside its place, under a longer name. */
        if (n_longest + strlen("..agenttest~") > NAME_MAX || strlen(path) + strlen("..agenttest~") >= PATH_MAX)
                return error_set(reterr, -ENAMETOOLONG, "%s: the name is too long", path);
        return 0;
}

/* The folder that is there already has to be the one it is called: a link may lead anywhere. */
static int check_folder_of(const char *path, Error *reterr) {
        CLEANUP_FREE char *folder = strdup(path), *real = NULL;
        char *slash;

        if (!folder)
                return error_set(reterr, -ENOMEM, "out of memory");
        do {
                slash = strrchr(folder, '/');
                if (slash == folder)
                        return check_makable(path, "/", reterr);
                *slash = '\0';
                real = realpath(folder, NULL);
        } while (!real && errno == ENOENT);
        if (!real)
                return error_set_errno(reterr, -errno, "cannot look at %s", folder);
        if (strcmp(real, folder) != 0)
                return error_set(reterr, -ELOOP, "%s leads to %s: write %s%s", folder, real, real,
                                path + strlen(folder));
        return check_makable(path, folder, reterr);
}

static int check_file(const Machine *machine, const StageFile *file, Error *reterr) {
        CLEANUP(file_image_done) FileImage image = FILE_IMAGE_INIT;
        int r;

        r = check_place(machine, file->path, reterr);
        if (r >= 0)
                r = check_folder_of(file->path, reterr);
        if (r < 0 || file->is_directory || machine_stand_in_of(machine, file->path))
                return r;
        r = file_image_read(file->path, &image, reterr);
        return r == -ENOENT ? 0 : r;
}

int machine_check_files(const Machine *machine, Error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < machine->request->n_files; i++)
                r = check_file(machine, &machine->request->files[i], reterr);
        return r;
}

/* --- putting in place --- */

static int find_owner(const StageFile *file, uid_t *ret_uid, gid_t *ret_gid, Error *reterr) {
        const struct passwd *user = file->owner ? getpwnam(file->owner) : NULL;
        const struct group *group = file->group ? getgrnam(file->group) : NULL;
        char *end;

        *ret_uid = user ? user->pw_uid : geteuid();
        *ret_gid = user ? user->pw_gid : getegid();
        if (file->owner && !user) {
                *ret_uid = (uid_t) strtoul(file->owner, &end, 10);
                if (*end)
                        return error_set(reterr, -ENOENT, "%s: there is no user \"%s\"", file->path, file->owner);
        }
        if (group)
                *ret_gid = group->gr_gid;
        else if (file->group) {
                *ret_gid = (gid_t) strtoul(file->group, &end, 10);
                if (*end)
                        return error_set(reterr, -ENOENT, "%s: there is no group \"%s\"", file->path, file->group);
        }
        return 0;
}

static int make_one_folder(Machine *machine, const char *path, bool is_whole, mode_t mode, Error *reterr) {
        int r = undo_log_folder(machine->log, path, is_whole, reterr);

        if (r < 0 || mkdir(path, mode) >= 0)
                return r;
        r = error_set_errno(reterr, -errno, "cannot make %s", path);
        /* Whoever made it meanwhile keeps it. */
        (void) undo_log_not_made(machine->log, path, NULL);
        return r;
}

static int make_parents(Machine *machine, const char *path, Error *reterr) {
        CLEANUP_FREE char *copy = strdup(path);
        int r = 0;

        if (!copy)
                return error_set(reterr, -ENOMEM, "out of memory");
        for (char *slash = strchr(copy + 1, '/'); r >= 0 && slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (access(copy, F_OK) < 0)
                        r = make_one_folder(machine, copy, false, 0755, reterr);
                *slash = '/';
        }
        return r;
}

static int fill_from(const StageFile *file, int fd, mode_t *mode, Error *reterr) {
        CLEANUP_CLOSE int source_fd = open(file->source_path, O_RDONLY | O_CLOEXEC);
        struct stat status;
        ssize_t n;

        if (source_fd < 0 || fstat(source_fd, &status) < 0)
                return error_set_errno(reterr, -errno, "cannot read %s, which is to become %s", file->source_path,
                                file->path);
        if (!S_ISREG(status.st_mode))
                return error_set(reterr, -EINVAL, "%s, which is to become %s, is no regular file", file->source_path,
                                file->path);
        if (*mode == 0)
                *mode = status.st_mode & 07777;
        do
                n = sendfile(fd, source_fd, NULL, 1 << 30);
        while (n > 0);
        return n < 0 ? error_set_errno(reterr, -errno, "cannot copy %s to %s", file->source_path, file->path) : 0;
}

static int fill(const StageFile *file, int fd, Error *reterr) {
        mode_t mode = file->mode;
        uid_t uid;
        gid_t gid;
        int r;

        if (file->source_path)
                r = fill_from(file, fd, &mode, reterr);
        else {
                r = write_all(fd, file->content, file->content ? file->n_content_bytes : 0);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write %s", file->path);
        }
        if (r >= 0)
                r = find_owner(file, &uid, &gid, reterr);
        if (r >= 0 && (fchown(fd, uid, gid) < 0 || fchmod(fd, mode ? mode : 0644) < 0))
                r = error_set_errno(reterr, -errno, "cannot give %s its owner and mode", file->path);
        return r;
}

static int place_file(Machine *machine, const StageFile *file, Error *reterr) {
        CLEANUP_FREE char *temporary = NULL;
        CLEANUP_CLOSE int fd = -EBADF;
        int r;

        r = undo_log_file(machine->log, file->path, reterr);
        if (r >= 0)
                r = file_prepare(file->path, &temporary, &fd, reterr);
        if (r < 0)
                return r;
        r = fill(file, fd, reterr);
        if (r < 0) {
                (void) unlink(temporary);
                return r;
        }
        return file_replace(file->path, temporary, fd, reterr);
}

static int place_folder(Machine *machine, const StageFile *file, Error *reterr) {
        mode_t mode = file->mode ? file->mode : 0755;
        uid_t uid;
        gid_t gid;
        int r;

        r = find_owner(file, &uid, &gid, reterr);
        if (r >= 0)
                r = make_one_folder(machine, file->path, true, 0700, reterr);
        if (r >= 0 && (lchown(file->path, uid, gid) < 0 || chmod(file->path, mode) < 0))
                r = error_set_errno(reterr, -errno, "cannot give %s its owner and mode", file->path);
        return r;
}

static int place(Machine *machine, const StageFile *file, Error *reterr) {
        CLEANUP_FREE char *path = machine_real_path(machine, file->path);
        StageFile placed = *file;
        int r;

        if (!path)
                return error_set(reterr, -ENOMEM, "out of memory");
        placed.path = path;
        r = make_parents(machine, path, reterr);
        if (r < 0)
                return r;
        return file->is_directory ? place_folder(machine, &placed, reterr) : place_file(machine, &placed, reterr);
}

static int place_all(Machine *machine, bool directories, Error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < machine->request->n_files; i++)
                if (machine->request->files[i].is_directory == directories)
                        r = place(machine, &machine->request->files[i], reterr);
        return r;
}

/* Nobody but those they are shown to has a way to the stand-ins. */
static int make_stand_in_folder(Machine *machine, Error *reterr) {
        CLEANUP_FREE char *folder = machine_stand_in_folder(machine);

        if (machine->n_stand_ins == 0)
                return 0;
        return folder ? make_one_folder(machine, folder, true, 0700, reterr)
                      : error_set(reterr, -ENOMEM, "out of memory");
}

int machine_place_files(Machine *machine, Error *reterr) {
        int r;

        r = make_stand_in_folder(machine, reterr);
        /* A file may lie in one of the directories. */
        if (r >= 0)
                r = place_all(machine, true, reterr);
        if (r >= 0)
                r = place_all(machine, false, reterr);
        return r < 0 ? r : machine_place_drop_ins(machine, reterr);
}

int machine_place_text(Machine *machine, const char *path, const char *content, Error *reterr) {
        StageFile file = { .path = path, .content = content, .n_content_bytes = strlen(content), .mode = 0644 };

        return place(machine, &file, reterr);
}
