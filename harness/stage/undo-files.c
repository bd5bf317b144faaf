/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "stage/file-image.h"
#include "stage/run-folder.h"
#include "stage/undo-private.h"

/* What `set-property` wrote is in force until the manager reads its files again. */
static bool is_of_manager(const char *path) {
        return strstr(path, "/system.control/") || strstr(path, "/user.control/");
}

/* A unit file or a drop-in: in force from a unit's next start on. Source: systemd.unit(5), "Unit File Load Path". */
static bool is_of_unit(const char *path) {
        return is_of_manager(path) || strstr(path, "/systemd/system/") || strstr(path, "/systemd/user/");
}

/* The target of ours, which no unit runs with. */
static bool is_of_pin(const Undo *undo, const char *path) {
        const char *name = strrchr(path, '/');

        FOREACH_ARRAY (record, undo->records, undo->n_records)
                if (name && undo_record_is(*record, "pin") &&
                                strcmp(undo_record_text(*record, "unit"), name + 1) == 0)
                        return true;
        return false;
}

static void note_change(Undo *undo, const char *path) {
        undo->has_to_reload |= is_of_manager(path);
        if (is_of_pin(undo, path))
                return;
        undo->has_changed_settings = true;
        /* Only a service that is started finds what lies in a folder that stands in for another. */
        undo->has_changed_files |= !is_of_unit(path) && strncmp(path, "/var/lib/agenttest/", 19) != 0;
}

/* Nothing can be at such a path; so nothing of ours is. */
static bool is_absent(const char *path, bool *ret_is_folder) {
        struct stat status = { 0 };
        int r = lstat(path, &status);

        if (ret_is_folder)
                *ret_is_folder = r >= 0 && S_ISDIR(status.st_mode);
        return r < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG);
}

/* What was on the disk then may be hidden now, and what is to be seen there is somebody else's. */
static int check_mount(const Undo *undo, const Json *record) {
        const char *path = undo_record_text(record, "path"), *then = undo_record_text(record, "mount");
        CLEANUP_FREE char *now = NULL;
        int r;

        if (!then[0])
                return 0;
        r = undo_find_mount(path, &now, undo->reterr);
        if (r < 0 || strcmp(then, now) == 0)
                return r;
        return error_set(undo->reterr, -EXDEV,
                        "%s was on the file system at %s and is on the one at %s now, so it is left alone: unmount "
                        "what was mounted since, or mount what was unmounted",
                        path, then, now);
}

static int remove_error(const Undo *undo, int r, const char *path) {
        if (r == -EXDEV || r == -EBUSY)
                return error_set(undo->reterr, r,
                                "something is mounted on or below %s, which is left alone: unmount it", path);
        return r < 0 ? error_set_errno(undo->reterr, r, "cannot remove %s", path) : 0;
}

/* Whatever a daemon has made of it: where nothing was before. */
static int remove_new(const Undo *undo, const Json *record) {
        const char *path = undo_record_text(record, "path");
        bool is_folder;
        int r;

        if (is_absent(path, &is_folder))
                return 0;
        r = check_mount(undo, record);
        if (r < 0)
                return r;
        r = is_folder ? folder_remove(AT_FDCWD, path) : unlink(path) < 0 ? -errno : 0;
        return remove_error(undo, r, path);
}

static int make_folder_of(const Undo *undo, const Json *record) {
        CLEANUP_FREE char *folder = strdup(undo_record_text(record, "path"));
        unsigned mode = 0755;
        uid_t uid = 0;
        gid_t gid = 0;
        char *last = folder ? strrchr(folder, '/') : NULL;

        if (!last || last == folder)
                return 0;
        *last = '\0';
        if (access(folder, F_OK) >= 0)
                return 0;
        (void) sscanf(undo_record_text(record, "folder"), "%o %u %u", &mode, &uid, &gid);
        for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(folder, 0755) < 0 && errno != EEXIST)
                        return error_set_errno(undo->reterr, -errno, "cannot make %s again", folder);
                *slash = '/';
        }
        if (mkdir(folder, 0700) < 0 || chown(folder, uid, gid) < 0 || chmod(folder, mode) < 0)
                return error_set_errno(undo->reterr, -errno, "cannot make %s again", folder);
        return 0;
}

static int put_back(Undo *undo, const Json *record) {
        const char *path = undo_record_text(record, "path");
        CLEANUP_CLOSE int kept_fd = -EBADF;
        int r;

        r = undo_log_open_kept(undo->log, undo_record_text(record, "kept"), &kept_fd);
        if (r < 0)
                return error_set_errno(undo->reterr, r, "cannot open the kept copy of %s", path);
        r = check_mount(undo, record);
        if (r >= 0)
                r = make_folder_of(undo, record);
        if (r < 0)
                return r;
        if (rmdir(path) < 0 && (errno == ENOTEMPTY || errno == EEXIST))
                return error_set(undo->reterr, -EISDIR,
                                "%s was a file and is a folder now, with something in it: move it away", path);
        return file_image_restore(path, kept_fd, undo->reterr);
}

static int undo_file(Undo *undo, const Json *record) {
        const char *path = undo_record_text(record, "path");
        CLEANUP_FREE char *temporary = file_temporary_path(path);

        note_change(undo, path);
        if (temporary && check_mount(undo, record) >= 0)
                (void) unlink(temporary);
        return undo_record_text(record, "kept")[0] ? put_back(undo, record) : remove_new(undo, record);
}

/* The line behind it says that it was not made, by us: it is somebody else's. */
static bool was_never_made(const Undo *undo, size_t i) {
        return i + 1 < undo->n_records && undo_record_is(undo->records[i + 1], "not-made") &&
               strcmp(undo_record_text(undo->records[i], "path"), undo_record_text(undo->records[i + 1], "path")) ==
                               0;
}

static int undo_folder(Undo *undo, const Json *record) {
        const char *path = undo_record_text(record, "path");
        int r;

        if (is_absent(path, NULL))
                return 0;
        undo->has_to_reload |= is_of_manager(path);
        if (strcmp(undo_record_text(record, "whole"), "yes") == 0)
                return remove_new(undo, record);
        r = rmdir(path) < 0 ? -errno : 0;
        /* Somebody else has put something into it, or in its place: it is theirs now. */
        if (r == -ENOTEMPTY || r == -EEXIST || r == -ENOTDIR)
                return 0;
        return remove_error(undo, r, path);
}

static bool has_name(const char *names, const char *name) {
        CLEANUP_FREE char *wanted = NULL;

        if (asprintf(&wanted, "/%s/", name) < 0)
                wanted = NULL;
        return !wanted || strstr(names, wanted);
}

/* What was there has a record of its own. */
static int undo_watch(Undo *undo, const Json *record) {
        const char *path = undo_record_text(record, "path"), *names = undo_record_text(record, "names");
        DIR *folder = opendir(path);
        int r = 0;

        if (!folder)
                return errno == ENOENT ? 0 : error_set_errno(undo->reterr, -errno, "cannot list %s", path);
        for (struct dirent *item; (item = readdir(folder));)
                if (item->d_name[0] != '.' && !has_name(names, item->d_name)) {
                        undo->has_to_reload = true;
                        if (unlinkat(dirfd(folder), item->d_name, 0) < 0)
                                r = -errno;
                }
        (void) closedir(folder);
        return r < 0 ? error_set_errno(undo->reterr, r, "cannot empty %s", path) : 0;
}

void undo_files(Undo *undo) {
        for (size_t i = undo->n_records; i-- > 0;) {
                const Json *record = undo->records[i];

                if (undo_record_is(record, "file"))
                        undo_note(undo, undo_file(undo, record));
                else if (undo_record_is(record, "folder") && !was_never_made(undo, i))
                        undo_note(undo, undo_folder(undo, record));
                else if (undo_record_is(record, "watch"))
                        undo_note(undo, undo_watch(undo, record));
                else if (undo_record_is(record, "reload"))
                        undo->has_to_reload = true;
        }
}
