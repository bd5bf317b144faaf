/* SPDX-License-Identifier: MIT */
/* What /proc and the cgroup files tell, in the words the judge reads them by. */
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "bench.h"
#include "observe/cgroup-reader.h"
#include "observe/left-behind.h"
#include "observe/proc-text.h"
#include "observe/process-probe.h"
#include "suites.h"

/* A child that waits for its end; it ends with us in any case. */
static pid_t fork_waiting(void) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) alarm(60);
                for (;;)
                        (void) pause();
        }
        return pid;
}

static void end_child(pid_t pid) {
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void *wait_for_the_end(void *userdata) {
        while (true)
                (void) pause();
        return NULL;
}

/* Its first thread ends, the other one lives. */
static _Noreturn void leave_a_thread(void) {
        pthread_t thread;

        (void) alarm(60);
        (void) pthread_create(&thread, NULL, wait_for_the_end, NULL);
        pthread_exit(NULL);
}

START_TEST(a_process_ends_with_its_last_thread) {
        pid_t waiting = fork_waiting(), dead = fork(), leaving;
        ProcessBrief brief;
        siginfo_t ended;

        if (dead == 0)
                _exit(0);
        leaving = fork();
        if (leaving == 0)
                leave_a_thread();

        ck_assert_int_eq(process_brief(waiting, &brief), 0);
        ck_assert(!process_is_ending(&brief));
        ck_assert_int_eq(waitid(P_PID, (id_t) dead, &ended, WEXITED | WNOWAIT), 0);
        ck_assert_int_eq(process_brief(dead, &brief), 0);
        ck_assert(process_is_ending(&brief));
        do {
                ck_assert_int_eq(process_brief(leaving, &brief), 0);
                ck_assert(!process_is_ending(&brief));
        } while (brief.process_state != 'Z');
        ck_assert_int_eq(waitpid(dead, NULL, 0), dead);
        end_child(leaving);
        end_child(waiting);
}
END_TEST

START_TEST(a_process_and_its_children_are_recorded) {
        Bench *bench = bench_new();
        pid_t pid = fork_waiting();
        const Entry *entry;
        size_t n_children = 0;

        ck_assert_int_eq(process_probe(&bench->observer, "x.service", getpid()), 0);
        entry = timeline_next(bench->observer.timeline, 0, ENTRY_PROCESS, "x.service");
        ck_assert_ptr_nonnull(entry);
        ck_assert_str_eq(entry_get(entry, "role"), "main");
        ck_assert_int_eq(entry_get_number(entry, "pid", -1), getpid());
        ck_assert_int_eq(entry_get_number(entry, "errno", -1), 0);
        ck_assert_int_eq(entry_get_number(entry, "n_children", -1), 1);
        ck_assert_int_eq(entry_get_number(entry, "n_zombies", -1), 0);
        ck_assert_ptr_nonnull(strstr(entry_get(entry, "status"), "\nSigCgt:"));
        ck_assert_int_eq(entry_get(entry, "exe")[0], '/');
        while ((entry = timeline_next(bench->observer.timeline, entry->index + 1, ENTRY_PROCESS, "x.service"))) {
                ck_assert_str_eq(entry_get(entry, "role"), "child");
                ck_assert_int_eq(entry_get_number(entry, "pid", -1), pid);
                n_children++;
        }
        ck_assert_uint_eq(n_children, 1);
        end_child(pid);
        bench_free(bench);
}
END_TEST

START_TEST(a_zombie_counts_as_one) {
        Bench *bench = bench_new();
        pid_t pid = fork_waiting();
        siginfo_t info;

        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
        ck_assert_int_eq(process_probe(&bench->observer, "x.service", getpid()), 0);
        ck_assert_int_eq(entry_get_number(timeline_get(bench->observer.timeline, 0), "n_zombies", -1), 1);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        bench_free(bench);
}
END_TEST

START_TEST(a_process_that_is_gone_has_an_errno) {
        Bench *bench = bench_new();
        pid_t pid = fork_waiting();

        end_child(pid);
        ck_assert_int_eq(process_probe(&bench->observer, "x.service", pid), 0);
        ck_assert_int_eq(entry_get_number(bench_last(bench, ENTRY_PROCESS), "errno", -1), ENOENT);
        bench_free(bench);
}
END_TEST

START_TEST(a_unit_without_main_process_has_no_children) {
        Bench *bench = bench_new();
        const Entry *entry;

        ck_assert_int_eq(process_probe(&bench->observer, "x.service", 0), 0);
        ck_assert_uint_eq(timeline_length(bench->observer.timeline), 1);
        entry = bench_last(bench, ENTRY_PROCESS);
        ck_assert_str_eq(entry_get(entry, "role"), "main");
        ck_assert_int_eq(entry_get_number(entry, "pid", -1), 0);
        ck_assert_int_eq(entry_get_number(entry, "errno", -1), ESRCH);
        bench_free(bench);
}
END_TEST

/* A child that waits, under a pid that is free. */
static pid_t fork_waiting_as(pid_t pid) {
        struct clone_args args = {
                .exit_signal = SIGCHLD,
                .set_tid = pid > 0 ? (uint64_t) (uintptr_t) &pid : 0,
                .set_tid_size = pid > 0,
        };
        pid_t child = (pid_t) syscall(SYS_clone3, &args, sizeof(args));

        if (child == 0) {
                (void) alarm(60);
                for (;;)
                        (void) pause();
        }
        return child;
}

/* Starts a process that is no descendant of ours: its parent ends at once. @pid: which it gets; 0: any. */
static pid_t fork_escaped_as(pid_t pid) {
        int fds[2];
        pid_t parent, escaped;

        ck_assert_int_eq(pipe(fds), 0);
        parent = fork();
        ck_assert_int_ge(parent, 0);
        if (parent == 0) {
                escaped = fork_waiting_as(pid);
                _exit(write(fds[1], &escaped, sizeof(escaped)) == sizeof(escaped) ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
        ck_assert_int_eq(read(fds[0], &escaped, sizeof(escaped)), sizeof(escaped));
        (void) close(fds[0]);
        (void) close(fds[1]);
        ck_assert_int_gt(escaped, 0);
        return escaped;
}

static pid_t fork_escaped(void) {
        return fork_escaped_as(0);
}

static bool lists(const Entry *entry, pid_t pid) {
        CLEANUP_FREE char *start = NULL, *line = NULL;
        const char *processes = entry_get(entry, "processes");

        ck_assert_int_gt(asprintf(&start, "%d ", pid), 0);
        ck_assert_int_gt(asprintf(&line, "\n%d ", pid), 0);
        return strncmp(processes, start, strlen(start)) == 0 || strstr(processes, line);
}

START_TEST(an_escaped_process_is_left_behind_and_ours_are_not) {
        Bench *bench = bench_new();
        CLEANUP(left_behind_free_p) LeftBehind *probe = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        pid_t before = fork_escaped(), escaped, ours;
        const Entry *entry;

        ck_assert_int_eq(left_behind_new(&bench->observer, &probe, &error), 0);
        escaped = fork_escaped();
        ours = fork_waiting();
        ck_assert_int_eq(left_behind_probe(probe, "x.service", NULL), 0);
        entry = bench_last(bench, ENTRY_LEFT_BEHIND);
        ck_assert(lists(entry, escaped));
        ck_assert(!lists(entry, before));
        ck_assert(!lists(entry, ours));
        ck_assert(!lists(entry, getpid()));
        end_child(ours);
        ck_assert_int_eq(kill(before, SIGKILL), 0);
        ck_assert_int_eq(kill(escaped, SIGKILL), 0);
        probe = left_behind_free(probe);
        bench_free(bench);
}
END_TEST

/* Start times are counted in ticks of 10 ms: waits for the next one, by the clock they are taken from. */
static void await_tick(void) {
        struct timespec tick = { .tv_nsec = 20 * 1000 * 1000 };

        ck_assert_int_eq(clock_nanosleep(CLOCK_BOOTTIME, 0, &tick, NULL), 0);
}

START_TEST(a_pid_of_the_base_line_that_came_again_is_left_behind) {
        Bench *bench = bench_new();
        CLEANUP(left_behind_free_p) LeftBehind *probe = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        pid_t pid = fork_waiting();

        ck_assert_int_eq(left_behind_new(&bench->observer, &probe, &error), 0);
        end_child(pid);
        await_tick();
        ck_assert_int_eq(fork_escaped_as(pid), pid);
        ck_assert_int_eq(left_behind_probe(probe, "x.service", NULL), 0);
        ck_assert(lists(bench_last(bench, ENTRY_LEFT_BEHIND), pid));
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        probe = left_behind_free(probe);
        bench_free(bench);
}
END_TEST

START_TEST(a_counter_that_cannot_be_read_says_so) {
        Bench *bench = bench_new();
        CLEANUP(cgroup_reader_free_p) CgroupReader *reader = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP_FREE char *path = NULL;

        ck_assert_int_eq(cgroup_reader_new(&bench->observer, &reader, &error), 0);
        ck_assert_int_eq(cgroup_reader_sample(reader, "x.service", "/no-such-cgroup", "pids.denied", NULL), 0);
        ck_assert_str_eq(entry_get(bench_last(bench, ENTRY_COUNTER), "counter"), "pids.denied");
        ck_assert_str_eq(entry_get(bench_last(bench, ENTRY_COUNTER), "key"), "max");
        ck_assert_int_eq(entry_get_number(bench_last(bench, ENTRY_COUNTER), "errno", -1), ENOENT);
        ck_assert_int_eq(cgroup_reader_sample(reader, "x.service", "/", "no.such-counter", NULL), -EINVAL);
        ck_assert_int_eq(cgroup_reader_find(reader, "/no-such-cgroup", &path), 0);
        ck_assert_ptr_null(path);
        reader = cgroup_reader_free(reader);
        bench_free(bench);
}
END_TEST

/* In a mount namespace of its own: this hierarchy is the last one of the table, and found by its folder. */
START_TEST(a_cgroup_mounted_with_a_blank_is_found) {
        Bench *bench = bench_new();
        CLEANUP(cgroup_reader_free_p) CgroupReader *reader = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP_FREE char *found = NULL, *folder = bench_path(bench, "with blank");

        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        ck_assert_int_eq(mkdir(folder, 0755), 0);
        ck_assert_int_eq(umount2("/sys", MNT_DETACH), 0);
        ck_assert_int_eq(mount("cgroup", folder, "cgroup2", 0, NULL), 0);
        ck_assert_int_eq(cgroup_reader_new(&bench->observer, &reader, &error), 0);
        ck_assert_int_eq(cgroup_reader_find(reader, "", &found), 0);
        ck_assert_ptr_nonnull(found);
        ck_assert_str_eq(found, folder);
        ck_assert_int_eq(umount2(folder, MNT_DETACH), 0);
        ck_assert_int_eq(rmdir(folder), 0);
        reader = cgroup_reader_free(reader);
        bench_free(bench);
}
END_TEST

START_TEST(a_counter_is_the_text_of_its_file) {
        Bench *bench = bench_new();
        CLEANUP(cgroup_reader_free_p) CgroupReader *reader = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP_FREE char *path = NULL;

        ck_assert_int_eq(cgroup_reader_new(&bench->observer, &reader, &error), 0);
        ck_assert_int_eq(cgroup_reader_find(reader, "/", &path), 0);
        ck_assert_ptr_nonnull(path);
        ck_assert_int_eq(cgroup_reader_sample(reader, "x.service", "", "file:cgroup.procs", NULL), 0);
        ck_assert_str_eq(entry_get(bench_last(bench, ENTRY_COUNTER), "file"), "cgroup.procs");
        ck_assert_int_eq(entry_get_number(bench_last(bench, ENTRY_COUNTER), "errno", -1), 0);
        ck_assert_uint_gt(entry_find(bench_last(bench, ENTRY_COUNTER), "text")->n_bytes, 0);
        reader = cgroup_reader_free(reader);
        bench_free(bench);
}
END_TEST

Suite *probes_suite(void) {
        Suite *suite = suite_create("probes");
        TCase *cases = tcase_create("probes");

        tcase_add_test(cases, a_process_ends_with_its_last_thread);
        tcase_add_test(cases, a_process_and_its_children_are_recorded);
        tcase_add_test(cases, a_zombie_counts_as_one);
        tcase_add_test(cases, a_process_that_is_gone_has_an_errno);
        tcase_add_test(cases, a_unit_without_main_process_has_no_children);
        tcase_add_test(cases, an_escaped_process_is_left_behind_and_ours_are_not);
        tcase_add_test(cases, a_pid_of_the_base_line_that_came_again_is_left_behind);
        tcase_add_test(cases, a_cgroup_mounted_with_a_blank_is_found);
        tcase_add_test(cases, a_counter_that_cannot_be_read_says_so);
        tcase_add_test(cases, a_counter_is_the_text_of_its_file);
        suite_add_tcase(suite, cases);
        return suite;
}
