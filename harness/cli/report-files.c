/* SPDX-License-Identifier: MIT */
#include "cli/report-files.h"

#include <string.h>
#include <sys/stat.h>

#include "base/descriptor-path.h"

/* A file that is written: by its inode where it is there, else by its folder and name. */
typedef struct Target {
        const char *option;
        const char *path; /* NULL: standard output */
        struct stat inode;
        bool is_there;
} Target;

enum { TARGETS_MAX = 2 };

static Target target_of(const char *option, const char *path) {
        Target target = { .option = option, .path = path };

        target.is_there = (path ? stat(path, &target.inode) : fstat(STDOUT_FILENO, &target.inode)) == 0;
        return target;
}

static size_t list_targets(const Options *options, Target targets[static TARGETS_MAX]) {
        size_t n = 0;

        if (options->writes_tap)
                targets[n++] = target_of("--tap", options->tap_path);
        if (options->junit_path)
                targets[n++] = target_of("--junit", options->junit_path);
        return n;
}

static bool is_same(const Target *a, const Target *b) {
        CLEANUP_FREE char *place_a = NULL, *place_b = NULL;

        if (a->is_there && b->is_there)
                return a->inode.st_dev == b->inode.st_dev && a->inode.st_ino == b->inode.st_ino &&
                       !S_ISCHR(a->inode.st_mode);
        if (a->is_there || b->is_there)
                return false;
        place_a = path_place(a->path);
        place_b = path_place(b->path);
        return place_a && place_b && strcmp(place_a, place_b) == 0;
}

int report_files_check(const Options *options, Error *reterr) {
        Target targets[TARGETS_MAX];
        size_t n = list_targets(options, targets);

        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < i; j++)
                        if (is_same(&targets[i], &targets[j]))
                                return error_set(reterr, -EINVAL, "%s and %s go to one file, %s", targets[j].option,
                                                targets[i].option, targets[i].path ?: "standard output");
        return 0;
}

int report_files_spare(const Options *options, const Library *library, Error *reterr) {
        Target targets[TARGETS_MAX];
        size_t n = list_targets(options, targets);

        FOREACH_ARRAY (file, library->files, library->n_files) {
                Target read = target_of("", file->path);

                FOREACH_ARRAY (target, targets, n)
                        if (target->path && read.is_there && is_same(target, &read))
                                return error_set(reterr, -EINVAL, "%s would be written over the scenario file %s",
                                                target->option, file->path);
        }
        return 0;
}
