/* SPDX-License-Identifier: MIT */
#include "stage/undo-log.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/write-all.h"
#include "stage/file-image.h"
#include "stage/mount-table.h"
#include "stage/ownership.h"
#include "stage/run-folder.h"

#define LOG_NAME      "log"
#define LOG_MAX_BYTES (64 * 1024 * 1024)

struct UndoLog {
        char *path;
        int folder_fd; /* locked */
        int log_fd;    /* -EBADF: not begun */
        unsigned n_kept;
};

char *undo_folder_path(bool is_user) {
        const char *home = secure_getenv("HOME") ?: "/root", *state = secure_getenv("XDG_STATE_HOME");
        char *path;
        int r;

        if (!is_user)
                return strdup("/var/lib/agenttest/undo");
        r = state ? asprintf(&path, "%s/agenttest-undo", state)
                  : asprintf(&path, "%s/.local/state/agenttest-undo", home);
        return r < 0 ? NULL : path;
}

static int make_folders(const char *path) {
        CLEANUP_FREE char *copy = strdup(path);

        if (!copy)
                return -ENOMEM;
        for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(copy, 0755) < 0 && errno != EEXIST)
                        return -errno;
                *slash = '/';
        }
        return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* From its first line; of a run that lives it may be gone by now. */
static char *read_run_id(int folder_fd) {
        CLEANUP_CLOSE int fd = openat(folder_fd, LOG_NAME, O_RDONLY | O_CLOEXEC);
        char line[256] = "", run_id[41];
        const char *id;

        if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
                return NULL;
        id = strstr(line, "\"run\":\"");
        return id && sscanf(id, "\"run\":\"%40[a-z0-9]", run_id) == 1 ? strdup(run_id) : NULL;
}

char *undo_folder_run_id(const char *folder) {
        CLEANUP_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? NULL : read_run_id(fd);
}

char *undo_log_run_id(const UndoLog *log) {
        return read_run_id(log->folder_fd);
}

static int take_lock(const UndoLog *log, UndoLogMode mode, Error *reterr) {
        CLEANUP_FREE char *run_id = NULL;
        int r;

        if (mode == UNDO_LOG_WAIT) {
                r = run_folder_wait(log->folder_fd, RUN_DEATH_LIMIT_SEC);
                return r == -ENOENT ? 0 : r; /* is_still_there() looks at that */
        }
        if (flock(log->folder_fd, LOCK_EX | LOCK_NB) >= 0)
                return 0;
        r = -errno;
        run_id = read_run_id(log->folder_fd);
        return error_set(reterr, r, "another run%s%s is playing on this machine (it holds %s)", run_id ? " " : "",
                        run_id ?: "", log->path);
}

static int open_folder(UndoLog *log, UndoLogMode mode, Error *reterr) {
        int r = mode == UNDO_LOG_CREATE ? make_folders(log->path) : 0;

        if (r < 0)
                return error_set_errno(reterr, r, "cannot make %s, where changes to the machine are kept", log->path);
        close_p(&log->folder_fd);
        log->folder_fd = open(log->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (log->folder_fd < 0 && errno == ENOENT)
                return -ENOENT;
        if (log->folder_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open %s", log->path);
        return take_lock(log, mode, reterr);
}

/* Who had the lock before us takes the folder away with the last of it. */
static bool is_still_there(const UndoLog *log) {
        struct stat ours, theirs;

        return fstat(log->folder_fd, &ours) >= 0 && stat(log->path, &theirs) >= 0 && ours.st_dev == theirs.st_dev &&
               ours.st_ino == theirs.st_ino;
}

int undo_log_open(const char *folder, UndoLogMode mode, UndoLog **ret_log, Error *reterr) {
        CLEANUP(undo_log_close_p) UndoLog *log = calloc(1, sizeof(*log));
        int r;

        if (!log)
                return error_set(reterr, -ENOMEM, "out of memory");
        *log = (UndoLog){ .path = strdup(folder), .folder_fd = -EBADF, .log_fd = -EBADF };
        if (!log->path)
                return error_set(reterr, -ENOMEM, "out of memory");
        do {
                r = open_folder(log, mode, reterr);
                if (r < 0 && !(r == -ENOENT && mode == UNDO_LOG_CREATE))
                        return r;
        } while (r < 0 || !is_still_there(log));
        *ret_log = TAKE_PTR(log);
        return 0;
}

UndoLog *undo_log_close(UndoLog *log) {
        if (!log)
                return NULL;

        close_p(&log->log_fd);
        close_p(&log->folder_fd);
        free(log->path);
        free(log);
        return NULL;
}

bool undo_log_is_pending(const UndoLog *log) {
        return faccessat(log->folder_fd, LOG_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- reading --- */

static int read_log(const UndoLog *log, Text *ret_text) {
        CLEANUP_CLOSE int fd = openat(log->folder_fd, LOG_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        char buffer[4096];
        ssize_t n;

        if (fd < 0)
                return -errno;
        while ((n = read(fd, buffer, sizeof(buffer))) > 0 && ret_text->n_bytes < LOG_MAX_BYTES)
                text_append_bytes(ret_text, buffer, (size_t) n);
        if (n != 0)
                return n < 0 ? -errno : -EFBIG;
        return ret_text->is_broken ? -ENOMEM : 0;
}

void undo_records_free(Json **records, size_t n_records) {
        FOREACH_ARRAY (record, records, n_records)
                json_free(*record);
        free(records);
}

static int parse_lines(const char *text, Json ***records, size_t *n_records, Error *reterr) {
        for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
                Json **grown = reallocarray(*records, *n_records + 1, sizeof(Json *));
                int r;

                if (!grown)
                        return error_set(reterr, -ENOMEM, "out of memory");
                *records = grown;
                r = json_parse(text, (size_t) (end - text), &grown[*n_records], reterr);
                if (r < 0)
                        return r;
                (*n_records)++;
        }
        return 0;
}

int undo_log_read(const UndoLog *log, Json ***ret_records, size_t *ret_n_records, Error *reterr) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        Json **records = NULL;
        size_t n_records = 0;
        int r;

        r = read_log(log, &text);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read %s/" LOG_NAME, log->path);
        r = parse_lines(text_get(&text), &records, &n_records, reterr);
        if (r < 0) {
                undo_records_free(records, n_records);
                return error_prefix(reterr, "%s/" LOG_NAME, log->path);
        }
        *ret_records = records;
        *ret_n_records = n_records;
        return 0;
}

const char *undo_record_text(const Json *record, const char *name) {
        const Json *member = json_member(record, name);
        size_t n_bytes;

        return (member ? json_get_string(member, &n_bytes) : NULL) ?: "";
}

bool undo_record_is(const Json *record, const char *kind) {
        return strcmp(undo_record_text(record, "kind"), kind) == 0;
}

/* --- writing --- */

/* Pairs of name and value up to NULL, as one line, which is on the disk when this returns. */
__attribute__((sentinel)) static int log_append(UndoLog *log, Error *reterr, const char *name, ...) {
        CLEANUP_TEXT Text line = TEXT_INIT;
        const char *separator = "{";
        va_list arguments;
        int r;

        va_start(arguments, name);
        for (; name; name = va_arg(arguments, const char *)) {
                const char *value = va_arg(arguments, const char *);

                text_append(&line, separator);
                json_write_string(&line, name, strlen(name));
                text_append(&line, ":");
                json_write_string(&line, value, strlen(value));
                separator = ",";
        }
        va_end(arguments);
        text_append(&line, "}\n");
        r = line.is_broken ? -ENOMEM : write_all(log->log_fd, text_get(&line), line.n_bytes);
        if (r >= 0 && fsync(log->log_fd) < 0)
                r = -errno;
        return r < 0 ? error_set_errno(reterr, r, "cannot write %s/" LOG_NAME ", so nothing is changed", log->path)
                     : 0;
}

int undo_log_begin(UndoLog *log, const char *run_id, const char *manager_id, const char *scenario, Error *reterr) {
        log->log_fd = openat(log->folder_fd, LOG_NAME, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
        /* The folder too, so that the name is there after a power cut. */
        if (log->log_fd < 0 || fsync(log->folder_fd) < 0)
                return error_set_errno(reterr, -errno, "cannot make %s/" LOG_NAME, log->path);
        return log_append(
                        log, reterr, "kind", "run", "run", run_id, "manager", manager_id, "scenario", scenario, NULL);
}

int undo_log_states(UndoLog *log, const char *units, Error *reterr) {
        return log_append(log, reterr, "kind", "states", "units", units, NULL);
}

int undo_log_unit(UndoLog *log, const char *unit, const char *active_state, const char *invocation_id,
                const char *freezer_state, Error *reterr) {
        return log_append(log, reterr, "kind", "unit", "unit", unit, "active", active_state, "invocation",
                        invocation_id, "freezer", freezer_state, NULL);
}

int undo_log_own_unit(UndoLog *log, const char *kind, const char *unit, Error *reterr) {
        return log_append(log, reterr, "kind", kind, "unit", unit, NULL);
}

int undo_log_signalled(UndoLog *log, const char *unit, Error *reterr) {
        return undo_log_own_unit(log, "signalled", unit, reterr);
}

int undo_log_reload(UndoLog *log, Error *reterr) {
        return log_append(log, reterr, "kind", "reload", NULL);
}

int undo_find_mount(const char *path, char **ret_mount, Error *reterr) {
        CLEANUP(mount_table_free_p) MountTable *table = NULL;
        const char *found = "/";
        int r;

        r = mount_table_read(&table, reterr);
        if (r < 0)
                return r;
        FOREACH_ARRAY (entry, table->entries, table->n_entries)
                if (path_is_below(path, entry->path) && strlen(entry->path) > strlen(found))
                        found = entry->path;
        *ret_mount = strdup(found);
        return *ret_mount ? 0 : error_set(reterr, -ENOMEM, "out of memory");
}

/* Mode, owner and group of the folder @path lies in, should it have to be made again. */
static void describe_folder(const char *path, char description[static 48]) {
        CLEANUP_FREE char *folder = strndup(path, (size_t) (strrchr(path, '/') - path));
        struct stat status;

        description[0] = '\0';
        if (folder && stat(folder, &status) >= 0)
                (void) snprintf(description, 48, "%o %u %u", status.st_mode & 07777, status.st_uid, status.st_gid);
}

int undo_log_file(UndoLog *log, const char *path, Error *reterr) {
        CLEANUP(file_image_done) FileImage image = FILE_IMAGE_INIT;
        CLEANUP_FREE char *mount = NULL;
        char name[16], folder[48];
        int r;

        r = undo_find_mount(path, &mount, reterr);
        if (r < 0)
                return r;
        r = file_image_read(path, &image, reterr);
        if (r == -ENOENT)
                return log_append(log, reterr, "kind", "file", "path", path, "mount", mount, NULL);
        (void) snprintf(name, sizeof(name), "%u", ++log->n_kept);
        if (r >= 0)
                r = file_image_keep(&image, log->folder_fd, name, reterr);
        if (r < 0)
                return r;
        describe_folder(path, folder);
        return log_append(log, reterr, "kind", "file", "path", path, "mount", mount, "kept", name, "folder", folder,
                        NULL);
}

static int log_one_folder(UndoLog *log, const char *path, bool is_whole, Error *reterr) {
        CLEANUP_FREE char *mount = NULL;
        int r = undo_find_mount(path, &mount, reterr);

        return r < 0 ? r
                     : log_append(log, reterr, "kind", "folder", "path", path, "mount", mount, "whole",
                                       is_whole ? "yes" : "no", NULL);
}

int undo_log_folder(UndoLog *log, const char *path, bool is_whole, Error *reterr) {
        CLEANUP_FREE char *parent = strdup(path);
        int r = 0;

        if (!parent)
                return error_set(reterr, -ENOMEM, "out of memory");
        for (char *slash = strchr(parent + 1, '/'); r >= 0 && slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (faccessat(AT_FDCWD, parent, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                        r = log_one_folder(log, parent, false, reterr);
                *slash = '/';
        }
        return r < 0 ? r : log_one_folder(log, path, is_whole, reterr);
}

int undo_log_not_made(UndoLog *log, const char *path, Error *reterr) {
        return log_append(log, reterr, "kind", "not-made", "path", path, NULL);
}

int undo_log_watch_folder(UndoLog *log, const char *path, Error *reterr) {
        CLEANUP_TEXT Text names = TEXT_INIT;
        DIR *folder = opendir(path);
        int r = 0;

        if (!folder)
                return errno == ENOENT ? undo_log_folder(log, path, true, reterr)
                                       : error_set_errno(reterr, -errno, "cannot list %s", path);
        for (struct dirent *item; r >= 0 && (item = readdir(folder));) {
                CLEANUP_FREE char *file = NULL;

                if (item->d_name[0] == '.')
                        continue;
                text_printf(&names, "/%s/", item->d_name);
                if (asprintf(&file, "%s/%s", path, item->d_name) < 0) {
                        file = NULL;
                        r = error_set(reterr, -ENOMEM, "out of memory");
                } else
                        r = undo_log_file(log, file, reterr);
        }
        (void) closedir(folder);
        return r < 0 ? r : log_append(log, reterr, "kind", "watch", "path", path, "names", text_get(&names), NULL);
}

int undo_log_open_kept(const UndoLog *log, const char *name, int *ret_fd) {
        int fd = openat(log->folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

/* --- the end --- */

static bool is_kept_name(const char *name) {
        return name[0] && strspn(name, "0123456789") == strlen(name);
}

static int remove_kept(const UndoLog *log) {
        int fd = openat(log->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
        int r = 0;

        if (!folder)
                return -errno;
        for (struct dirent *item; (item = readdir(folder));)
                if (is_kept_name(item->d_name) && unlinkat(log->folder_fd, item->d_name, 0) < 0)
                        r = -errno;
        (void) closedir(folder);
        return r;
}

/* Not even an empty folder stays. The folder above it goes where it was made for this one. */
static void remove_folder(const UndoLog *log) {
        CLEANUP_FREE char *parent = strdup(log->path);
        char *slash = parent ? strrchr(parent, '/') : NULL;

        if (rmdir(log->path) < 0 || !slash)
                return;
        *slash = '\0';
        if (strstr(parent, "/agenttest"))
                (void) rmdir(parent);
}

int undo_log_discard(UndoLog *log, Error *reterr) {
        int r;

        close_p(&log->log_fd);
        log->log_fd = -EBADF;
        log->n_kept = 0;
        /* First the log: kept files without one mean nothing and go with the next. */
        if (unlinkat(log->folder_fd, LOG_NAME, 0) < 0 && errno != ENOENT)
                return error_set_errno(reterr, -errno, "cannot remove %s/" LOG_NAME, log->path);
        r = remove_kept(log);
        (void) fsync(log->folder_fd);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot empty %s", log->path);
        remove_folder(log);
        return 0;
}
