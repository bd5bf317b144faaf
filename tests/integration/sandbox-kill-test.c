/* SPDX-License-Identifier: MIT */
/*
 * SIGKILL of a scheduler with performers in every phase of a boot, at random moments. Afterwards nothing may be
 * there: processes and mounts after 2 s, cgroups and files after 5 s; with the guard killed too, after the next
 * clean-up.
 */
#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/error.h"
#include "sandbox-rig.h"
#include "stage/cgroup-tree.h"
#include "stage/deadline.h"
#include "stage/guard.h"

#define N_KILLS            30
#define N_KILLS_WITH_GUARD 6
#define N_PERFORMERS       16
#define STAGGER_MSEC       20
#define LONGEST_LIFE_MSEC  900
#define PROCESS_LIMIT_MSEC 2000
#define REMOVED_LIMIT_MSEC 5000

/* What the scheduler of the test tells the test. */
typedef struct Told {
        char run_id[32];
        pid_t guard;
        int n_entered; /* players that ran */
} Told;

static Told *told;
static pid_t scheduler;

static int stay(const StageContext *context, void *userdata) {
        __atomic_add_fetch(&told->n_entered, 1, __ATOMIC_SEQ_CST);
        (void) system("systemctl start --no-block redis-server.service");
        (void) poll(NULL, 0, 30000);
        return 0;
}

_Noreturn static void perform(const Ownership *ownership, unsigned index, pid_t parent) {
        const StageRequest request = { .run_id = ownership_run_id(ownership), .scenario_index = index };
        int wait_status;

        /* As the scheduler has to do it: the performer dies with it. */
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(EXIT_FAILURE);
        (void) poll(NULL, 0, (int) index * STAGGER_MSEC);
        _exit(sandbox_stage.run(&request, stay, NULL, &wait_status, NULL) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

_Noreturn static void schedule(int ready_fd) {
        Ownership *ownership = NULL;
        Guard *guard = NULL;
        pid_t self = getpid();

        (void) setpgid(0, 0);
        if (ownership_new(&ownership, NULL) < 0 || guard_start(ownership, &guard, NULL) < 0)
                _exit(EXIT_FAILURE);
        (void) snprintf(told->run_id, sizeof(told->run_id), "%s", ownership_run_id(ownership));
        told->guard = guard_pid(guard);
        for (unsigned i = 0; i < N_PERFORMERS; i++)
                if (fork() == 0) {
                        guard_forget(guard);
                        perform(ownership, i, self);
                }
        (void) !write(ready_fd, "x", 1);
        for (;;)
                (void) pause();
}

static void start_scheduler(void) {
        char byte;
        int fds[2];

        memset(told, 0, sizeof(*told));
        ck_assert_int_eq(pipe(fds), 0);
        scheduler = fork();
        if (scheduler == 0)
                schedule(fds[1]);
        (void) close(fds[1]);
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        (void) close(fds[0]);
}

static char *read_proc(const char *pid, const char *name) {
        char path[300];
        FILE *file;
        char *text = NULL;
        size_t n_allocated = 0;

        (void) snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
        file = fopen(path, "re");
        if (!file)
                return NULL;
        if (getdelim(&text, &n_allocated, '\0', file) < 0) {
                free(text);
                text = NULL;
        }
        (void) fclose(file);
        return text;
}

/* Of the run, and no zombie: those are for a foreign PID 1 to reap. The guard is not the run's. */
static bool process_is_of_run(const char *pid) {
        CLEANUP_FREE char *stat_text = read_proc(pid, "stat");
        CLEANUP_FREE char *cgroup_text = read_proc(pid, "cgroup");
        int group = 0;
        char state = 'X';
        const char *after_name = stat_text ? strrchr(stat_text, ')') : NULL;

        if (!after_name || sscanf(after_name, ") %c %*d %d", &state, &group) != 2 || state == 'Z' || state == 'X')
                return false;
        return group == scheduler || (cgroup_text && strstr(cgroup_text, told->run_id));
}

static bool mounts_are_of_run(const char *pid) {
        CLEANUP_FREE char *text = read_proc(pid, "mountinfo");

        return text && strstr(text, told->run_id);
}

static bool any_process(bool (*holds)(const char *pid)) {
        DIR *folder = opendir("/proc");
        bool found = false;

        for (struct dirent *entry; !found && (entry = readdir(folder));)
                found = isdigit((unsigned char) entry->d_name[0]) && holds(entry->d_name);
        (void) closedir(folder);
        return found;
}

static bool processes_left(void) {
        return any_process(process_is_of_run);
}

static bool mounts_left(void) {
        return any_process(mounts_are_of_run);
}

static bool cgroups_left(void) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        bool found = false;

        ck_assert_int_eq(cgroup_hierarchies_read(&hierarchies, NULL), 0);
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items) {
                DIR *folder = opendir(item->mount_path);

                for (struct dirent *entry; folder && (entry = readdir(folder));)
                        found = found || strstr(entry->d_name, told->run_id);
                if (folder)
                        (void) closedir(folder);
        }
        return found;
}

static bool files_left(void) {
        CLEANUP_FREE char *path = run_folder_path(told->run_id);

        return access(path, F_OK) == 0;
}

/* How long it took from @begin_usec until @left no longer held; asserts the limit. */
static uint64_t assert_gone(bool (*left)(void), const char *what, uint64_t begin_usec, unsigned limit_msec) {
        while (left()) {
                ck_assert_msg(clock_now_usec() - begin_usec < limit_msec * USEC_PER_MSEC,
                                "run %s: %s left after %u ms", told->run_id, what, limit_msec);
                (void) poll(NULL, 0, 2);
        }
        return clock_now_usec() - begin_usec;
}

static uint64_t max_of(uint64_t a, uint64_t b) {
        return a > b ? a : b;
}

/* Spread over the boots, so that every phase is met, and random within its part, so that no two runs are alike. */
static int life_msec(int i, int n) {
        unsigned random = 0;
        int part = LONGEST_LIFE_MSEC / n;

        (void) !getrandom(&random, sizeof(random), 0);
        return i * part + (int) (random % (unsigned) part);
}

static uint64_t kill_scheduler(void) {
        uint64_t begin_usec = clock_now_usec();

        ck_assert_int_eq(kill(scheduler, SIGKILL), 0);
        ck_assert_int_eq(waitpid(scheduler, NULL, 0), scheduler);
        return begin_usec;
}

START_TEST(a_killed_scheduler_leaves_nothing) {
        uint64_t processes_usec = 0, mounts_usec = 0, cgroups_usec = 0, files_usec = 0;
        int n_entered = 0, n_performers = 0;

        for (int i = 0; i < N_KILLS; i++) {
                uint64_t begin_usec;

                start_scheduler();
                (void) poll(NULL, 0, life_msec(i, N_KILLS));
                n_entered += told->n_entered;
                n_performers += N_PERFORMERS;
                begin_usec = kill_scheduler();
                processes_usec = max_of(processes_usec,
                                assert_gone(processes_left, "processes", begin_usec, PROCESS_LIMIT_MSEC));
                mounts_usec = max_of(mounts_usec, assert_gone(mounts_left, "mounts", begin_usec, PROCESS_LIMIT_MSEC));
                cgroups_usec = max_of(
                                cgroups_usec, assert_gone(cgroups_left, "cgroups", begin_usec, REMOVED_LIMIT_MSEC));
                files_usec = max_of(files_usec, assert_gone(files_left, "files", begin_usec, REMOVED_LIMIT_MSEC));
        }
        (void) printf("%d kills, %d of %d sandboxes were up: gone at the latest after: processes %llu ms, mounts "
                      "%llu ms, "
                      "cgroups %llu ms, files %llu ms\n",
                        N_KILLS, n_entered, n_performers, (unsigned long long) processes_usec / 1000,
                        (unsigned long long) mounts_usec / 1000, (unsigned long long) cgroups_usec / 1000,
                        (unsigned long long) files_usec / 1000);
        /* Both before and after the end of a boot was somebody met. */
        ck_assert_int_gt(n_entered, 0);
        ck_assert_int_lt(n_entered, n_performers);
}
END_TEST

START_TEST(without_a_guard_the_next_run_cleans) {
        for (int i = 0; i < N_KILLS_WITH_GUARD; i++) {
                CLEANUP_ERROR Error error = ERROR_INIT;
                uint64_t begin_usec;

                start_scheduler();
                (void) poll(NULL, 0, life_msec(i, N_KILLS_WITH_GUARD));
                ck_assert_int_eq(kill(told->guard, SIGKILL), 0);
                begin_usec = kill_scheduler();
                (void) assert_gone(processes_left, "processes", begin_usec, PROCESS_LIMIT_MSEC);
                (void) assert_gone(mounts_left, "mounts", begin_usec, PROCESS_LIMIT_MSEC);
                ck_assert(files_left());
                ck_assert_msg(ownership_clean_stale(NULL, &error) == 0, "%s", error_text(&error));
                ck_assert(!cgroups_left());
                ck_assert(!files_left());
        }
}
END_TEST

START_TEST(a_killed_performer_takes_its_sandbox_along) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        uint64_t begin_usec;

        start_scheduler();
        for (uint64_t deadline_usec = deadline_in(20 * USEC_PER_SEC);
                        told->n_entered < N_PERFORMERS && !deadline_is_past(deadline_usec);)
                (void) poll(NULL, 0, 5);
        ck_assert_int_eq(told->n_entered, N_PERFORMERS);
        ck_assert_int_eq(kill(told->guard, SIGKILL), 0);
        begin_usec = clock_now_usec();
        ck_assert_int_eq(kill(-scheduler, SIGKILL), 0); /* all of them at once */
        ck_assert_int_eq(waitpid(scheduler, NULL, 0), scheduler);
        (void) printf("%d sandboxes gone %llu ms after their performers\n", N_PERFORMERS,
                        (unsigned long long) assert_gone(
                                        processes_left, "processes", begin_usec, PROCESS_LIMIT_MSEC) /
                                        1000);
        ck_assert_msg(ownership_clean_stale(NULL, &error) == 0, "%s", error_text(&error));
        ck_assert(!cgroups_left());
        ck_assert(!files_left());
}
END_TEST

static void set_up(void) {
        told = mmap(NULL, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(told, MAP_FAILED);
}

static void tear_down(void) {
        (void) munmap(told, sizeof(Told));
}

Suite *sandbox_kill_suite(void) {
        Suite *suite = suite_create("sandbox kills");
        TCase *tests = tcase_create("kills");

        tcase_add_checked_fixture(tests, set_up, tear_down);
        tcase_set_timeout(tests, 240);
        tcase_add_test(tests, a_killed_scheduler_leaves_nothing);
        tcase_add_test(tests, without_a_guard_the_next_run_cleans);
        tcase_add_test(tests, a_killed_performer_takes_its_sandbox_along);
        suite_add_tcase(suite, tests);
        return suite;
}
