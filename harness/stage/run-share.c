/* SPDX-License-Identifier: MIT */
#include "stage/run-share.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "stage/run-folder.h"

#define JOBS_FILE "jobs"

void run_share_done(RunShare *share) {
        FOREACH_ARRAY (mark, share->marks, share->n_marks)
                free(*mark);
        free(share->marks);
        close_p(&share->folder_fd);
        close_p(&share->runs_fd);
        *share = RUN_SHARE_INIT;
}

/* 0 where the run has not decided yet: it will, with ours in mind. */
static unsigned read_jobs(int runs_fd, const char *run_id) {
        CLEANUP_FREE char *path = NULL;
        CLEANUP_FILE FILE *file = NULL;
        unsigned n_jobs = 0;
        int fd;

        if (asprintf(&path, "%s/" JOBS_FILE, run_id) < 0) {
                path = NULL;
                return 0;
        }
        fd = openat(runs_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        file = fd >= 0 ? fdopen(fd, "r") : NULL;
        if (!file) {
                close_p(&fd);
                return 0;
        }
        return fscanf(file, "%u", &n_jobs) == 1 ? n_jobs : 0;
}

static int add_run(RunShare *share, const char *run_id, unsigned n_jobs) {
        char **marks = reallocarray(share->marks, share->n_marks + 1, sizeof(*marks));

        if (!marks)
                return -ENOMEM;
        share->marks = marks;
        marks[share->n_marks] = run_mark(run_id);
        if (!marks[share->n_marks])
                return -ENOMEM;
        share->n_marks++;
        share->n_jobs += n_jobs;
        return 0;
}

static int read_others(RunShare *share, const char *own_id) {
        int fd = openat(share->runs_fd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC), r = 0;
        DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

        if (!folder) {
                r = -errno;
                close_p(&fd);
                return r;
        }
        for (struct dirent *entry; r >= 0 && (entry = readdir(folder));) {
                unsigned n_jobs;

                if (entry->d_name[0] == '.' || strcmp(entry->d_name, own_id) == 0)
                        continue;
                n_jobs = read_jobs(share->runs_fd, entry->d_name);
                if (n_jobs > 0)
                        r = add_run(share, entry->d_name, n_jobs);
        }
        (void) closedir(folder);
        return r;
}

int run_share_begin(const Ownership *ownership, RunShare *ret_share, Error *reterr) {
        CLEANUP(run_share_done) RunShare share = RUN_SHARE_INIT;
        int r;

        r = runs_folder_lock(&share.runs_fd, reterr);
        if (r < 0)
                return r;
        share.folder_fd = open(ownership_run_folder(ownership), O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        if (share.folder_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open %s", ownership_run_folder(ownership));
        r = read_others(&share, ownership_run_id(ownership));
        if (r < 0)
                return error_set_errno(reterr, r, "cannot look at the other runs");

        *ret_share = share;
        share = RUN_SHARE_INIT;
        return 0;
}

int run_share_end(RunShare *share, unsigned n_jobs, Error *reterr) {
        CLEANUP_CLOSE int fd = openat(share->folder_fd, JOBS_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        int r = 0;

        if (fd < 0 || dprintf(fd, "%u\n", n_jobs) < 0)
                r = error_set_errno(reterr, -errno, "cannot tell other runs how many scenarios this one plays");
        run_share_done(share);
        return r;
}
