/* SPDX-License-Identifier: MIT */
#include "schedule/prune.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/macros.h"
#include "stage/run-folder.h"

typedef struct OldRun {
        char *name;
        int folder_fd; /* carries the lock while it is judged */
        struct timespec modified;
} OldRun;

typedef struct OldRuns {
        OldRun *items;
        size_t n_items;
} OldRuns;

static void old_runs_done(OldRuns *runs) {
        FOREACH_ARRAY (run, runs->items, runs->n_items) {
                close_p(&run->folder_fd);
                free(run->name);
        }
        free(runs->items);
}

static int newest_first(const void *a, const void *b) {
        const struct timespec *x = &((const OldRun *) a)->modified, *y = &((const OldRun *) b)->modified;

        if (x->tv_sec != y->tv_sec)
                return x->tv_sec < y->tv_sec ? 1 : -1;
        return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

/* A folder of a run that is over: it has our mark, and its lock is free. */
static bool take_finished(int parent_fd, const char *name, int *ret_fd, struct timespec *ret_modified) {
        CLEANUP_CLOSE int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;

        if (fd < 0 || faccessat(fd, EVIDENCE_MARK_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return false;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &status) < 0)
                return false;
        *ret_modified = status.st_mtim;
        *ret_fd = TAKE_FD(fd);
        return true;
}

static bool add_run(OldRuns *runs, int parent_fd, const char *name) {
        OldRun run;
        OldRun *items;

        if (!take_finished(parent_fd, name, &run.folder_fd, &run.modified))
                return true;
        run.name = strdup(name);
        items = run.name ? reallocarray(runs->items, runs->n_items + 1, sizeof(*items)) : NULL;
        if (!items) {
                close_p(&run.folder_fd);
                free(run.name);
                return false;
        }
        runs->items = items;
        items[runs->n_items++] = run;
        return true;
}

void evidence_prune(int parent_fd, unsigned n_kept) {
        CLEANUP(old_runs_done) OldRuns runs = { 0 };
        int copy_fd = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *stream = copy_fd >= 0 ? fdopendir(copy_fd) : NULL;

        if (!stream) {
                close_p(&copy_fd);
                return;
        }
        for (struct dirent *child; (child = readdir(stream));)
                if (child->d_name[0] != '.' && !add_run(&runs, parent_fd, child->d_name))
                        break;
        (void) closedir(stream);

        if (runs.n_items > n_kept)
                qsort(runs.items, runs.n_items, sizeof(*runs.items), newest_first);
        for (size_t i = n_kept; i < runs.n_items; i++)
                (void) folder_remove(parent_fd, runs.items[i].name);
}
