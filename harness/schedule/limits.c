/* SPDX-License-Identifier: MIT */
#include "schedule/limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "stage/delegation.h"

/*
 * A boot costs a tenth of a second of one core, after that a scenario mainly waits for time to pass. Measured on two
 * cores with 32 scenarios that start and stop a service: 4.5 s one at a time, 1.7 s with 4, 1.5 s with 8, 1.4 s with
 * 16 side by side; beyond 8 the boots only delay each other.
 */
enum { JOBS_PER_CORE = 4 };

/*
 * What one scenario takes. inotify: systemd 3, measured; journald, the performer's journal reader and the daemon have
 * one each. Tasks: systemd, journald, performer, stage, a daemon with its threads. Memory: 7 MiB were measured for 32
 * sandboxes side by side without a daemon in them.
 */
enum { INOTIFY_PER_JOB = 6, DESCRIPTORS_PER_JOB = 6, TASKS_PER_JOB = 40, MEMORY_MIB_PER_JOB = 64 };

static bool read_number(const char *path, uint64_t *ret_number) {
        CLEANUP_FILE FILE *file = fopen(path, "re");
        return file && fscanf(file, "%" SCNu64, ret_number) == 1;
}

/* inotify instances in use are counted nowhere; each shows as a link in somebody's /proc/PID/fd. */
static uint64_t count_inotify(DIR *descriptors) {
        uint64_t n = 0;
        char target[32];

        for (struct dirent *child; (child = readdir(descriptors));) {
                ssize_t length = readlinkat(dirfd(descriptors), child->d_name, target, sizeof(target) - 1);
                if (length < 0)
                        continue;
                target[length] = '\0';
                n += strcmp(target, "anon_inode:inotify") == 0;
        }
        return n;
}

/* In a sandbox of another run that has decided how many it plays: counted by that number, not by what is there. */
static bool is_reserved(const RunShare *others, int proc_fd, const char *pid) {
        CLEANUP_FREE char *line = NULL;
        CLEANUP_FILE FILE *file = NULL;
        size_t n_allocated = 0;
        char path[32];
        int fd;

        if (!others || others->n_marks == 0)
                return false;
        (void) snprintf(path, sizeof(path), "%.10s/cgroup", pid);
        fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
        file = fd >= 0 ? fdopen(fd, "r") : NULL;
        if (!file)
                close_p(&fd);
        while (file && getline(&line, &n_allocated, file) >= 0)
                FOREACH_ARRAY (mark, others->marks, others->n_marks)
                        if (strstr(line, *mark))
                                return true;
        return false;
}

static uint64_t inotify_in_use(const RunShare *others) {
        DIR *proc = opendir("/proc");
        uint64_t n = 0;

        for (struct dirent *child; proc && (child = readdir(proc));) {
                char path[64];
                struct stat status;
                DIR *descriptors;

                if (strspn(child->d_name, "0123456789") != strlen(child->d_name) || strlen(child->d_name) > 10)
                        continue;
                (void) snprintf(path, sizeof(path), "/proc/%.10s/fd", child->d_name);
                descriptors = opendir(path);
                if (!descriptors)
                        continue;
                if (fstat(dirfd(descriptors), &status) == 0 && status.st_uid == getuid() &&
                                !is_reserved(others, dirfd(proc), child->d_name))
                        n += count_inotify(descriptors);
                (void) closedir(descriptors);
        }
        if (proc)
                (void) closedir(proc);
        return n;
}

static uint64_t memory_available(void) {
        CLEANUP_FILE FILE *file = fopen("/proc/meminfo", "re");
        char line[128];
        uint64_t kib;

        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) == 1)
                        return kib * 1024;
        return UINT64_MAX;
}

static uint64_t left_of(uint64_t limit, uint64_t used) {
        return limit > used ? limit - used : 0;
}

static uint64_t cgroup_left(const char *folder, const char *limit_file, const char *usage_file) {
        char path[4096];
        uint64_t limit, usage;

        /* "max", and a file that is not there, are no limit. */
        if (snprintf(path, sizeof(path), "%s/%s", folder, limit_file) >= (int) sizeof(path) ||
                        !read_number(path, &limit))
                return UINT64_MAX;
        if (snprintf(path, sizeof(path), "%s/%s", folder, usage_file) >= (int) sizeof(path) ||
                        !read_number(path, &usage))
                return UINT64_MAX;
        return left_of(limit, usage);
}

static uint64_t least(uint64_t a, uint64_t b) {
        return a < b ? a : b;
}

/* A cgroup and those above it, up to the root: any of them may hold the limit. */
static void look_at_cgroups(Limits *limits, const char *root, const char *path) {
        char folder[2048];

        if (snprintf(folder, sizeof(folder), "%s%s", root, path) >= (int) sizeof(folder))
                return;
        for (;;) {
                limits->tasks_left = least(limits->tasks_left, cgroup_left(folder, "pids.max", "pids.current"));
                limits->memory_left_bytes =
                                least(limits->memory_left_bytes, cgroup_left(folder, "memory.max", "memory.current"));
                limits->memory_left_bytes = least(limits->memory_left_bytes,
                                cgroup_left(folder, "memory.limit_in_bytes", "memory.usage_in_bytes"));
                char *slash = strrchr(folder, '/');
                if (!slash || (size_t) (slash - folder) < strlen(root))
                        return;
                *slash = '\0';
        }
}

/* Source: cgroups(7), /proc/PID/cgroup: "hierarchy:controllers:path". */
static void read_cgroups(Limits *limits) {
        CLEANUP_FILE FILE *file = fopen("/proc/self/cgroup", "re");
        char line[1024];

        if (delegation_path()) { /* since then /proc/self/cgroup begins there, and not at the root */
                look_at_cgroups(limits, "", delegation_path());
                return;
        }
        while (file && fgets(line, sizeof(line), file)) {
                char *controllers = strchr(line, ':'), *path;

                line[strcspn(line, "\n")] = '\0';
                path = controllers ? strchr(controllers + 1, ':') : NULL;
                if (!path)
                        continue;
                *path++ = '\0';
                if (strcmp(controllers, ":pids") == 0)
                        look_at_cgroups(limits, "/sys/fs/cgroup/pids", path);
                else if (strcmp(controllers, ":memory") == 0)
                        look_at_cgroups(limits, "/sys/fs/cgroup/memory", path);
                else if (strcmp(controllers, ":") == 0)
                        look_at_cgroups(limits, "/sys/fs/cgroup", path);
        }
}

static uint64_t open_descriptors(void) {
        DIR *folder = opendir("/proc/self/fd");
        uint64_t n = 0;

        while (folder && readdir(folder))
                n++;
        if (folder)
                (void) closedir(folder);
        return n;
}

void limits_read(const RunShare *others, Limits *ret_limits) {
        struct rlimit descriptors;
        uint64_t inotify_max;

        *ret_limits = (Limits){
                .n_cores = (unsigned) get_nprocs(),
                .n_jobs_elsewhere = others ? others->n_jobs : 0,
                .inotify_max = UINT64_MAX,
                .inotify_left = UINT64_MAX,
                .descriptors_left = UINT64_MAX,
                .tasks_left = UINT64_MAX,
                .memory_left_bytes = memory_available(),
        };
        if (read_number("/proc/sys/fs/inotify/max_user_instances", &inotify_max)) {
                ret_limits->inotify_max = inotify_max;
                ret_limits->inotify_left = left_of(inotify_max,
                                inotify_in_use(others) + (uint64_t) INOTIFY_PER_JOB * ret_limits->n_jobs_elsewhere);
        }
        if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0 && descriptors.rlim_cur != RLIM_INFINITY)
                ret_limits->descriptors_left = left_of(descriptors.rlim_cur, open_descriptors());
        read_cgroups(ret_limits);
}

void limits_raise_descriptors(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
                return;
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
}

/* Lowers @n_jobs to what @left allows and keeps the sentence of the tightest limit. */
static void lower(unsigned *n_jobs, uint64_t left, uint64_t per_job, Text *note, const char *what) {
        uint64_t n_possible = left / per_job ?: 1;

        if (left == UINT64_MAX || n_possible >= *n_jobs)
                return;
        *n_jobs = (unsigned) n_possible;
        text_truncate(note, 0);
        text_append(note, what);
}

unsigned limits_jobs(const Limits *limits, unsigned n_wanted, size_t n_plays, Text *ret_note) {
        unsigned n_before = (unsigned) least(n_wanted > 0 ? n_wanted : JOBS_PER_CORE * limits->n_cores, n_plays ?: 1);
        unsigned n_jobs = n_before;
        CLEANUP_TEXT Text inotify = TEXT_INIT;
        CLEANUP_TEXT Text why = TEXT_INIT;

        text_printf(&inotify,
                        "fs.inotify.max_user_instances=%" PRIu64 " leaves %" PRIu64
                        ", a scenario takes %d (raise it with sysctl)",
                        limits->inotify_max, limits->inotify_left, INOTIFY_PER_JOB);
        if (limits->n_jobs_elsewhere > 0)
                text_printf(&inotify, "; other runs play %u side by side", limits->n_jobs_elsewhere);
        lower(&n_jobs, limits->inotify_left, INOTIFY_PER_JOB, &why, text_get(&inotify));
        lower(&n_jobs, limits->descriptors_left, DESCRIPTORS_PER_JOB, &why, "the limit of open files (ulimit -n)");
        lower(&n_jobs, limits->tasks_left, TASKS_PER_JOB, &why, "the pids limit of this cgroup (pids.max)");
        lower(&n_jobs, limits->memory_left_bytes, MEMORY_MIB_PER_JOB * UINT64_C(1048576), &why,
                        "the memory that is free");
        if (n_jobs < n_before)
                text_printf(ret_note, "%u scenarios side by side instead of %u: %s", n_jobs, n_before,
                                text_get(&why));
        return n_jobs;
}
