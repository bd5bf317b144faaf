/* SPDX-License-Identifier: MIT */
#include "schedule/discover.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "schedule/prune.h"

/* A link loop cannot happen (links to folders are not followed); this bounds the recursion on a hostile tree. */
enum { DEPTH_MAX = 64 };

typedef struct Discovery {
        PathList *paths;
        PathList files; /* the same, as the kernel names them */
        Text problems;
        int code; /* of the first problem */
} Discovery;

void path_list_done(PathList *list) {
        FOREACH_ARRAY (path, list->items, list->n_items)
                free(*path);
        free(list->items);
        *list = PATH_LIST_INIT;
}

int path_list_add(PathList *list, const char *path) {
        char **items = reallocarray(list->items, list->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        list->items = items;

        items[list->n_items] = strdup(path);
        if (!items[list->n_items])
                return -ENOMEM;
        list->n_items++;
        return 0;
}

static bool path_list_has(const PathList *list, const char *path) {
        FOREACH_ARRAY (item, list->items, list->n_items)
                if (strcmp(*item, path) == 0)
                        return true;
        return false;
}

static int compare_paths(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool is_scenario_name(const char *name) {
        return fnmatch("*.yaml", name, 0) == 0 || fnmatch("*.yml", name, 0) == 0;
}

PRINTF_LIKE(3, 4) static void add_problem(Discovery *discovery, int code, const char *format, ...) {
        va_list arguments;
        CLEANUP_FREE char *message = NULL;

        va_start(arguments, format);
        if (vasprintf(&message, format, arguments) < 0)
                message = NULL;
        va_end(arguments);

        if (discovery->problems.n_bytes > 0)
                text_append(&discovery->problems, "\n");
        text_append(&discovery->problems, message ?: strerror(-code));
        if (discovery->code == 0)
                discovery->code = code;
}

static int list_folder(Discovery *discovery, const char *folder, unsigned depth, PathList *found);

static int look_at(Discovery *discovery, const char *folder, const struct dirent *child, unsigned depth,
                PathList *found) {
        CLEANUP_FREE char *path = NULL;
        struct stat status;
        size_t n_folder = strlen(folder);
        bool has_slash = n_folder > 0 && folder[n_folder - 1] == '/';

        if (child->d_name[0] == '.')
                return 0;
        if (asprintf(&path, "%s%s%s", folder, has_slash ? "" : "/", child->d_name) < 0)
                return -ENOMEM;
        if (lstat(path, &status) < 0) {
                add_problem(discovery, -errno, "%s: %m", path);
                return 0;
        }
        if (S_ISDIR(status.st_mode))
                return list_folder(discovery, path, depth + 1, found);
        return is_scenario_name(child->d_name) ? path_list_add(found, path) : 0;
}

/* A run's evidence: the scenarios in it were played, they are not to be. */
static bool is_evidence(const char *folder) {
        CLEANUP_CLOSE int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd >= 0 && faccessat(fd, EVIDENCE_MARK_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int list_folder(Discovery *discovery, const char *folder, unsigned depth, PathList *found) {
        DIR *stream;
        int r = 0;

        if (depth > DEPTH_MAX) {
                add_problem(discovery, -ELOOP, "%s: more than %d folders deep", folder, DEPTH_MAX);
                return 0;
        }
        if (is_evidence(folder))
                return 0;
        stream = opendir(folder);
        if (!stream) {
                add_problem(discovery, -errno, "%s: cannot be read: %m", folder);
                return 0;
        }
        for (struct dirent *child; r >= 0 && (child = readdir(stream));)
                r = look_at(discovery, folder, child, depth, found);
        (void) closedir(stream);
        return r;
}

/*
 * A file once, under whatever names: two reports of one scenario could not be told apart. Not by device and inode:
 * what a file names lies in its folder, so a hard link in another folder is another scenario.
 */
static int take_file(Discovery *discovery, const char *path) {
        CLEANUP_FREE char *file = realpath(path, NULL);

        if (!file && errno == ENOMEM)
                return -ENOMEM;
        /* What cannot be found is told when it is read. */
        if (path_list_has(&discovery->files, file ?: path))
                return 0;
        if (path_list_add(&discovery->files, file ?: path) < 0)
                return -ENOMEM;
        return path_list_add(discovery->paths, path);
}

static int take_folder(Discovery *discovery, const char *folder) {
        CLEANUP(path_list_done) PathList found = PATH_LIST_INIT;
        int code_before = discovery->code;
        int r = list_folder(discovery, folder, 0, &found);
        if (r < 0)
                return r;

        if (is_evidence(folder))
                add_problem(discovery, -ENOENT,
                                "%s: holds no scenario to play, it is the evidence of a run: agenttest replay judges "
                                "it "
                                "again",
                                folder);
        else if (found.n_items == 0 && discovery->code == code_before)
                add_problem(discovery, -ENOENT, "%s: holds no scenario: no *.yaml or *.yml file in it or below it",
                                folder);
        if (found.n_items > 0)
                qsort(found.items, found.n_items, sizeof(*found.items), compare_paths);
        FOREACH_ARRAY (path, found.items, found.n_items)
                if (take_file(discovery, *path) < 0)
                        return -ENOMEM;
        return 0;
}

static int take_path(Discovery *discovery, const char *path) {
        struct stat status;

        if (stat(path, &status) < 0) {
                add_problem(discovery, -errno, "%s: %m", path);
                return 0;
        }
        if (S_ISDIR(status.st_mode))
                return take_folder(discovery, path);
        if (!S_ISREG(status.st_mode)) {
                add_problem(discovery, -EINVAL, "%s: neither a file nor a folder", path);
                return 0;
        }
        return take_file(discovery, path);
}

int discover(const char *const *paths, size_t n_paths, PathList *ret_paths, Error *reterr) {
        Discovery discovery = { .paths = ret_paths };
        int r = 0;

        FOREACH_ARRAY (path, paths, n_paths) {
                r = take_path(&discovery, *path);
                if (r < 0) {
                        (void) error_set(reterr, r, "Out of memory while looking for scenarios");
                        break;
                }
        }
        if (r == 0 && discovery.code < 0)
                r = error_set(reterr, discovery.code, "%s", text_get(&discovery.problems));
        text_done(&discovery.problems);
        path_list_done(&discovery.files);
        return r;
}
