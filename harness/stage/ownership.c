/* SPDX-License-Identifier: MIT */
#include "stage/ownership.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/write-all.h"
#include "stage/cgroup-tree.h"
#include "stage/deadline.h"
#include "stage/delegation.h"
#include "stage/run-folder.h"

#define RUN_ID_LENGTH    12
#define STALE_LIMIT_USEC (10 * USEC_PER_SEC)
#define DELEGATION_FILE  "cgroup"

struct Ownership {
        char run_id[RUN_ID_LENGTH + 1];
        char *run_folder;
        int lock_fd;
        int alive_fd;
};

char *run_folder_path(const char *run_id) {
        CLEANUP_FREE char *runs = runs_folder_path();
        char *path;

        return !runs || asprintf(&path, "%s/%s", runs, run_id) < 0 ? NULL : path;
}

char *run_mark(const char *run_id) {
        char *mark;

        return asprintf(&mark, "agenttest-%s", run_id) < 0 ? NULL : mark;
}

char *scenario_mark(const char *run_id, unsigned scenario_index) {
        char *mark;

        return asprintf(&mark, "agenttest-%s-%u", run_id, scenario_index) < 0 ? NULL : mark;
}

/* 62 bits of chance: two runs never share an id, and mkdirat() would refuse the second. */
static int run_id_generate(char run_id[static RUN_ID_LENGTH + 1]) {
        static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return -errno;
        for (size_t i = 0; i < RUN_ID_LENGTH; i++, random /= 36)
                run_id[i] = digits[random % 36];
        run_id[RUN_ID_LENGTH] = '\0';
        return 0;
}

/* Whoever cleans up after this run may have been started in another cgroup. */
static int note_delegation(const Ownership *ownership) {
        const char *path = delegation_path();
        CLEANUP_CLOSE int fd = -EBADF;

        if (!path)
                return 0;
        fd = openat(ownership->lock_fd, DELEGATION_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        return fd < 0 ? -errno : write_all(fd, path, strlen(path));
}

/* NULL where the run is root's, or has no folder. */
static char *read_delegation(const char *run_id) {
        CLEANUP_FREE char *folder = run_folder_path(run_id), *path = NULL;
        char text[PATH_MAX] = "";
        CLEANUP_CLOSE int fd = -EBADF;

        if (!folder || asprintf(&path, "%s/" DELEGATION_FILE, folder) < 0) {
                path = NULL;
                return NULL;
        }
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 ? strdup(text) : NULL;
}

int run_hierarchies_read(const char *run_id, CgroupHierarchies **ret_hierarchies, Error *reterr) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        CLEANUP_FREE char *path = read_delegation(run_id);
        int r;

        r = cgroup_hierarchies_read(&hierarchies, reterr);
        if (r >= 0 && path && cgroup_hierarchies_restrict(hierarchies, path) < 0)
                r = error_set(reterr, -ENOMEM, "out of memory");
        if (r < 0)
                return r;
        *ret_hierarchies = TAKE_PTR(hierarchies);
        return 0;
}

int ownership_new(Ownership **ret_ownership, Error *reterr) {
        CLEANUP(ownership_free_p) Ownership *ownership = NULL;
        CLEANUP_CLOSE int runs_fd = -EBADF;
        int r;

        ownership = calloc(1, sizeof(Ownership));
        if (!ownership)
                return error_set(reterr, -ENOMEM, "out of memory");
        ownership->lock_fd = ownership->alive_fd = -EBADF;

        r = run_id_generate(ownership->run_id);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot get random bytes for the id of the run");
        ownership->run_folder = run_folder_path(ownership->run_id);
        if (!ownership->run_folder)
                return error_set(reterr, -ENOMEM, "out of memory");

        r = runs_folder_lock(&runs_fd, reterr);
        if (r < 0)
                return r;
        r = run_folder_create(runs_fd, ownership->run_id, &ownership->lock_fd, &ownership->alive_fd, reterr);
        if (r < 0)
                return r;
        r = note_delegation(ownership);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot note the cgroup of run %s", ownership->run_id);

        *ret_ownership = TAKE_PTR(ownership);
        return 0;
}

Ownership *ownership_free(Ownership *ownership) {
        if (!ownership)
                return NULL;

        close_p(&ownership->lock_fd);
        close_p(&ownership->alive_fd);
        free(ownership->run_folder);
        free(ownership);
        return NULL;
}

void ownership_leave_to_parent(Ownership *ownership) {
        close_p(&ownership->alive_fd);
        ownership->alive_fd = -EBADF;
}

const char *ownership_run_id(const Ownership *ownership) {
        return ownership->run_id;
}

const char *ownership_run_folder(const Ownership *ownership) {
        return ownership->run_folder;
}

void run_kill(const char *run_id) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        CLEANUP_FREE char *mark = run_mark(run_id);

        if (mark && run_hierarchies_read(run_id, &hierarchies, NULL) >= 0)
                cgroup_trees_kill(hierarchies, mark);
}

int run_remove_cgroups(const char *run_id, uint64_t deadline_usec, Error *reterr) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        CLEANUP_FREE char *mark = NULL;
        int r;

        mark = run_mark(run_id);
        if (!mark)
                return error_set(reterr, -ENOMEM, "out of memory");
        r = run_hierarchies_read(run_id, &hierarchies, reterr);
        if (r < 0)
                return r;
        return cgroup_trees_destroy(hierarchies, mark, deadline_usec, reterr);
}

int run_remove_folder(const char *run_id, Error *reterr) {
        CLEANUP_FREE char *path = NULL;
        CLEANUP_CLOSE int runs_fd = -EBADF;
        int r;

        r = runs_folder_lock_existing(&runs_fd, reterr);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = folder_remove(runs_fd, run_id);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot remove the folder of run %s", run_id);

        /* Refused while other runs have a folder in it; who waits for our lock finds it gone and makes it anew. */
        path = runs_folder_path();
        if (path)
                (void) rmdir(path);
        return 0;
}

int ownership_release(Ownership *ownership, uint64_t deadline_usec, Error *reterr) {
        CLEANUP(ownership_free_p) Ownership *owned = ownership;
        int r;

        r = run_remove_cgroups(owned->run_id, deadline_usec, reterr);
        if (r < 0)
                return r;
        return run_remove_folder(owned->run_id, reterr);
}

/* One run whose scheduler is dead. */
typedef struct StaleRun {
        char *run_id;
        int folder_fd;
        int alive_fd; /* -EBADF: the folder's lock is ours already; else children of the scheduler may hold it */
} StaleRun;

typedef struct StaleRuns {
        StaleRun *items;
        size_t n_items;
} StaleRuns;

static void stale_runs_done(StaleRuns *runs) {
        FOREACH_ARRAY (run, runs->items, runs->n_items) {
                close_p(&run->folder_fd);
                close_p(&run->alive_fd);
                free(run->run_id);
        }
        free(runs->items);
}

static int stale_runs_add(StaleRuns *runs, const char *run_id, int *folder_fd, int *alive_fd) {
        CLEANUP_FREE char *copy = strdup(run_id);
        StaleRun *items;

        items = reallocarray(runs->items, runs->n_items + 1, sizeof(StaleRun));
        if (items)
                runs->items = items;
        if (!items || !copy)
                return -ENOMEM;
        runs->items[runs->n_items++] = (StaleRun){
                .run_id = TAKE_PTR(copy),
                .folder_fd = TAKE_FD(*folder_fd),
                .alive_fd = TAKE_FD(*alive_fd),
        };
        return 0;
}

static bool is_run_id(const char *name) {
        return name[0] && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789")] == '\0';
}

/* Claims every run whose scheduler has died. The folder of the runs is locked only for so long. */
static int stale_runs_take(StaleRuns *runs, Error *reterr) {
        CLEANUP_CLOSE int runs_fd = -EBADF;
        DIR *folder;
        int fd, r;

        r = runs_folder_lock_existing(&runs_fd, reterr);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        fd = openat(runs_fd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        folder = fd >= 0 ? fdopendir(fd) : NULL;
        if (!folder) {
                r = -errno;
                close_p(&fd);
                return error_set_errno(reterr, r, "cannot list the folder of the runs");
        }
        r = 0;
        for (struct dirent *entry; r >= 0 && (entry = readdir(folder));) {
                CLEANUP_CLOSE int folder_fd = -EBADF;
                CLEANUP_CLOSE int alive_fd = -EBADF;

                if (!is_run_id(entry->d_name))
                        continue;
                if (run_folder_take(runs_fd, entry->d_name, &folder_fd) >= 0 ||
                                run_folder_take_dying(runs_fd, entry->d_name, &folder_fd, &alive_fd) >= 0)
                        r = stale_runs_add(runs, entry->d_name, &folder_fd, &alive_fd);
        }
        (void) closedir(folder);
        return r < 0 ? error_set(reterr, r, "out of memory") : 0;
}

/* 1 where it was cleaned, 0 where nothing is there, or its last processes do not die: the next run looks again. */
static int stale_run_clean(const StaleRun *run, Error *reterr) {
        CLEANUP_FREE char *delegation = read_delegation(run->run_id);
        int r;

        if (run->alive_fd >= 0) {
                run_kill(run->run_id);
                if (run_folder_wait(run->folder_fd, RUN_DEATH_LIMIT_SEC) < 0)
                        return 0;
        }
        r = run_remove_cgroups(run->run_id, deadline_in(STALE_LIMIT_USEC), reterr);
        if (r >= 0 && delegation)
                delegation_tidy(delegation);
        if (r >= 0)
                r = run_remove_folder(run->run_id, reterr);
        return r < 0 ? r : 1;
}

int ownership_clean_stale(unsigned *ret_n_runs, Error *reterr) {
        CLEANUP(stale_runs_done) StaleRuns runs = { 0 };
        unsigned n_cleaned = 0;
        int first_error, r;

        first_error = stale_runs_take(&runs, reterr);
        FOREACH_ARRAY (run, runs.items, runs.n_items) {
                r = stale_run_clean(run, reterr);
                if (r < 0 && first_error >= 0) {
                        first_error = r;
                        error_prefix(reterr, "cannot clean up after the dead run %s", run->run_id);
                }
                n_cleaned += r > 0;
        }
        if (ret_n_runs)
                *ret_n_runs = n_cleaned;
        return first_error;
}
