/* SPDX-License-Identifier: MIT */
#include "observe/sqlite-probe.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "observe/file-copy.h"

#define FOLDER       "databases"
#define MAX_ATTEMPTS 5

static const char *const suffixes[] = { "", "-wal", "-journal" };

typedef struct Copy {
        char *path;
        char hash[SHA256_TEXT_MAX];
        char folder[32]; /* "databases/N" */
} Copy;

struct SqliteProbe {
        Observer *observer;
        Copy *copies;
        size_t n_copies;
        unsigned next_number;
};

int sqlite_probe_new(Observer *observer, SqliteProbe **ret_probe, Error *reterr) {
        SqliteProbe *probe = calloc(1, sizeof(*probe));

        if (!probe)
                return error_set_errno(reterr, -ENOMEM, "databases");
        probe->observer = observer;
        *ret_probe = probe;
        return 0;
}

SqliteProbe *sqlite_probe_free(SqliteProbe *probe) {
        if (!probe)
                return NULL;

        FOREACH_ARRAY (copy, probe->copies, probe->n_copies)
                free(copy->path);
        free(probe->copies);
        free(probe);
        return NULL;
}

static const char *base_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static char *join(const char *left, const char *right) {
        char *joined;

        return asprintf(&joined, "%s%s", left, right) < 0 ? NULL : joined;
}

static int open_target(int folder_fd, const char *database_name, const char *suffix) {
        CLEANUP_FREE char *name = join(database_name, suffix);
        int fd;

        if (!name)
                return -ENOMEM;
        fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        return fd < 0 ? -errno : fd;
}

static int open_source(const char *path, const char *suffix) {
        CLEANUP_FREE char *name = join(path, suffix);
        int fd;

        if (!name)
                return -ENOMEM;
        fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        return fd < 0 ? -errno : fd;
}

/**
 * read_files() - copy the database's files, and say what they were as one hash
 * @source_path:        where they really are: behind a symbolic link, its WAL lies beside the file it leads to
 * @name:               what the copies are called
 * @folder_fd:          where to; -1: only read them
 * @ret_database_error: negative errno where the database itself cannot be read; 0
 * Errors: those of the evidence.
 */
static int read_files(const char *source_path, const char *name, int folder_fd,
                char hash_text[static SHA256_TEXT_MAX], int *ret_database_error) {
        Sha256 hash;

        *ret_database_error = 0;
        sha256_init(&hash);
        for (size_t i = 0; i < ELEMENTS_OF(suffixes); i++) {
                CLEANUP_CLOSE int source_fd = open_source(source_path, suffixes[i]), target_fd = -EBADF;
                int r;

                if (source_fd == -ENOENT && i > 0)
                        continue; /* only the database itself has to be there */
                if (source_fd < 0) {
                        *ret_database_error = source_fd;
                        return 0;
                }
                if (folder_fd >= 0) {
                        target_fd = open_target(folder_fd, name, suffixes[i]);
                        if (target_fd < 0)
                                return target_fd;
                }
                sha256_add(&hash, suffixes[i], strlen(suffixes[i]) + 1);
                r = file_copy(source_fd, target_fd, &hash, ret_database_error);
                if (r < 0 || *ret_database_error < 0)
                        return r;
        }
        (void) sha256_text(&hash, hash_text);
        return 0;
}

static void remove_files(int folder_fd, const char *path) {
        for (size_t i = 0; i < ELEMENTS_OF(suffixes); i++) {
                CLEANUP_FREE char *name = join(base_name(path), suffixes[i]);

                if (name)
                        (void) unlinkat(folder_fd, name, 0);
        }
}

/*
 * The files are one database only as they were at one moment. Stamps cannot tell whether they changed (their grain is
 * some milliseconds), so they are read once more: the same bytes twice were there all the time in between.
 */
static int copy_files(const char *path, int folder_fd, Copy *copy, bool *ret_is_changed, int *ret_database_error) {
        CLEANUP_FREE char *source_path = realpath(path, NULL);
        const char *name = base_name(path);
        char again[SHA256_TEXT_MAX];
        int r;

        *ret_is_changed = false;
        if (!source_path) {
                *ret_database_error = -errno;
                return 0;
        }
        for (unsigned attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
                remove_files(folder_fd, path); /* of the attempt before: its WAL may not be there any more */
                r = read_files(source_path, name, folder_fd, copy->hash, ret_database_error);
                if (r >= 0 && *ret_database_error == 0)
                        r = read_files(source_path, name, -1, again, ret_database_error);
                if (r < 0 || *ret_database_error < 0)
                        return r;
                *ret_is_changed = strcmp(copy->hash, again) != 0;
                if (!*ret_is_changed)
                        return 0;
        }
        return 0;
}

static const Copy *find_equal(const SqliteProbe *probe, const Copy *wanted) {
        FOREACH_ARRAY (copy, probe->copies, probe->n_copies)
                if (strcmp(copy->path, wanted->path) == 0 && strcmp(copy->hash, wanted->hash) == 0)
                        return copy;
        return NULL;
}

static int remember(SqliteProbe *probe, const Copy *copy) {
        Copy *grown = reallocarray(probe->copies, probe->n_copies + 1, sizeof(*grown));
        char *path = strdup(copy->path);

        if (grown)
                probe->copies = grown;
        if (!grown || !path) {
                free(path);
                return -ENOMEM;
        }
        grown[probe->n_copies] = *copy;
        grown[probe->n_copies++].path = path;
        return 0;
}

/* "databases/N", N the next number that is free: a copy that failed may have left its folder. */
static int make_folder(SqliteProbe *probe, Copy *copy) {
        int evidence_fd = probe->observer->evidence_fd, fd;

        if (mkdirat(evidence_fd, FOLDER, 0755) < 0 && errno != EEXIST)
                return -errno;
        for (;; probe->next_number++) {
                (void) snprintf(copy->folder, sizeof(copy->folder), FOLDER "/%u", probe->next_number);
                if (mkdirat(evidence_fd, copy->folder, 0755) == 0)
                        break;
                if (errno != EEXIST)
                        return -errno;
        }
        fd = openat(evidence_fd, copy->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* What the copy is called in the end: by its own folder, by that of an equal one, or by none. */
static int settle(SqliteProbe *probe, Copy *copy, int folder_fd, int database_error, bool is_changed) {
        const Copy *equal = database_error == 0 && !is_changed ? find_equal(probe, copy) : NULL;

        if (database_error == 0 && !equal) {
                probe->next_number++;
                return is_changed ? 0 : remember(probe, copy);
        }
        remove_files(folder_fd, copy->path);
        if (unlinkat(probe->observer->evidence_fd, copy->folder, AT_REMOVEDIR) < 0)
                return -errno;
        if (equal)
                memcpy(copy->folder, equal->folder, sizeof(copy->folder));
        return 0;
}

static int record(SqliteProbe *probe, const Copy *copy, uint64_t asked_usec, int database_error, bool is_changed) {
        Entry *entry = observer_entry(probe->observer, SOURCE_SQLITE, ENTRY_DATABASE, 0, NULL);

        if (entry) {
                entry_set(entry, "path", copy->path);
                entry_set_usec(entry, "asked", asked_usec);
                entry_set_number(entry, "errno", -database_error);
                if (database_error == 0)
                        entry_set(entry, "copy", copy->folder);
                if (is_changed)
                        entry_set(entry, "changed", "yes");
        }
        return observer_append(probe->observer, entry);
}

int sqlite_probe_copy(SqliteProbe *probe, const char *path, Error *reterr) {
        CLEANUP_FREE char *copied_path = strdup(path);
        CLEANUP_CLOSE int folder_fd = -EBADF;
        uint64_t asked_usec = clock_now_usec();
        Copy copy = { .path = copied_path };
        int r, database_error = 0;
        bool is_changed = false;

        if (!copied_path)
                return error_set_errno(reterr, -ENOMEM, "copying database %s", path);
        folder_fd = make_folder(probe, &copy);
        r = folder_fd < 0 ? folder_fd : copy_files(path, folder_fd, &copy, &is_changed, &database_error);
        if (r >= 0)
                r = settle(probe, &copy, folder_fd, database_error, is_changed);
        if (r < 0)
                return error_set_errno(reterr, r, "copying database %s into the evidence", path);
        return record(probe, &copy, asked_usec, database_error, is_changed);
}
