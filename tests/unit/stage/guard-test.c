/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "stage/deadline.h"
#include "stage/guard.h"
#include "suites.h"

/* What a run tells the test, which is no child of it. */
typedef struct Told {
        char run_id[32];
        pid_t guard;
} Told;

static Told *told;
static char *mark;

static void set_up(void) {
        told = mmap(NULL, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(told, MAP_FAILED);
}

static void tear_down(void) {
        (void) munmap(told, sizeof(Told));
        free(mark);
        mark = NULL;
}

/* A run with a guard, and a cgroup with a process in it. */
static void begin_run(Ownership **ret_ownership, Guard **ret_guard) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        CLEANUP_FREE char *scenario = NULL;

        ck_assert_int_eq(ownership_new(ret_ownership, NULL), 0);
        ck_assert_int_eq(guard_start(*ret_ownership, ret_guard, NULL), 0);
        (void) snprintf(told->run_id, sizeof(told->run_id), "%s", ownership_run_id(*ret_ownership));
        told->guard = guard_pid(*ret_guard);
        scenario = scenario_mark(told->run_id, 0);
        ck_assert_int_eq(cgroup_hierarchies_read(&hierarchies, NULL), 0);
        ck_assert_int_eq(cgroup_trees_create(hierarchies, scenario, NULL), 0);
}

/* A child of the run in its cgroup, as a performer's sandbox is. */
static pid_t add_process(Ownership *ownership, Guard *guard) {
        CLEANUP_FREE char *scenario = scenario_mark(told->run_id, 0);
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        int fds[2];
        pid_t child;
        char byte;

        ck_assert_int_eq(cgroup_hierarchies_read(&hierarchies, NULL), 0);
        ck_assert_int_eq(pipe(fds), 0);
        child = fork();
        if (child == 0) {
                guard_forget(guard);
                ownership_leave_to_parent(ownership);
                if (cgroup_trees_enter(hierarchies, scenario, NULL) < 0)
                        _exit(EXIT_FAILURE);
                (void) !write(fds[1], "x", 1);
                for (;;)
                        (void) pause();
        }
        (void) close(fds[1]);
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        (void) close(fds[0]);
        return child;
}

/* Runs until it is killed; the process in its cgroup holds the lock, as a performer does. */
static pid_t fork_run(void) {
        int fds[2];
        pid_t child;
        char byte;

        ck_assert_int_eq(pipe(fds), 0);
        child = fork();
        if (child == 0) {
                Ownership *ownership = NULL;
                Guard *guard = NULL;

                begin_run(&ownership, &guard);
                (void) add_process(ownership, guard);
                (void) !write(fds[1], "x", 1);
                for (;;)
                        (void) pause();
        }
        (void) close(fds[1]);
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        (void) close(fds[0]);
        mark = run_mark(told->run_id);
        return child;
}

START_TEST(it_cleans_after_a_killed_run) {
        pid_t run = fork_run();

        ck_assert(cgroups_exist(mark));
        (void) kill(run, SIGKILL);
        ck_assert(WTERMSIG(wait_for(run, 1000)) == SIGKILL);
        ck_assert(gone_within(cgroups_exist, mark, 2000));
        ck_assert(gone_within(run_folder_exists, told->run_id, 2000));
}
END_TEST

START_TEST(it_ignores_what_is_meant_for_the_run) {
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
        pid_t run = fork_run();

        FOREACH_ARRAY (number, signals, ELEMENTS_OF(signals))
                ck_assert_int_eq(kill(told->guard, *number), 0);
        ck_assert_int_eq(getsid(told->guard), told->guard);
        (void) kill(run, SIGKILL);
        ck_assert_int_ne(wait_for(run, 1000), -1);
        ck_assert(gone_within(cgroups_exist, mark, 2000));
        ck_assert(gone_within(run_folder_exists, told->run_id, 2000));
}
END_TEST

START_TEST(the_next_run_cleans_where_it_was_killed_too) {
        pid_t run = fork_run();
        unsigned n_runs = 0;

        (void) kill(told->guard, SIGKILL);
        (void) kill(run, SIGKILL);
        ck_assert_int_ne(wait_for(run, 1000), -1);

        /* The process in the cgroup holds the folder's lock, but the scheduler is dead: at once, not the run after.
         */
        ck_assert_int_eq(ownership_clean_stale(&n_runs, NULL), 0);
        ck_assert_uint_ge(n_runs, 1);
        ck_assert(!run_folder_exists(told->run_id));
        ck_assert(!cgroups_exist(mark));
}
END_TEST

START_TEST(an_orderly_end_waits_for_it) {
        CLEANUP(ownership_free_p) Ownership *ownership = NULL;
        Guard *guard = NULL;
        pid_t process;

        begin_run(&ownership, &guard);
        mark = run_mark(told->run_id);
        process = add_process(ownership, guard);
        ck_assert_int_eq(guard_finish(guard, deadline_in(5 * USEC_PER_SEC), NULL), 0);
        ck_assert(!cgroups_exist(mark));
        ck_assert(!run_folder_exists(told->run_id));
        ck_assert(WTERMSIG(wait_for(process, 1000)) == SIGKILL);
        ck_assert_int_eq(kill(told->guard, 0), -1);
}
END_TEST

START_TEST(an_orderly_end_does_without_it) {
        CLEANUP(ownership_free_p) Ownership *ownership = NULL;
        Guard *guard = NULL;

        begin_run(&ownership, &guard);
        mark = run_mark(told->run_id);
        ck_assert_int_eq(kill(told->guard, SIGKILL), 0);
        ck_assert_int_eq(guard_finish(guard, deadline_in(5 * USEC_PER_SEC), NULL), 0);
        ck_assert(!cgroups_exist(mark));
        ck_assert(!run_folder_exists(told->run_id));
}
END_TEST

Suite *guard_suite(void) {
        Suite *suite = suite_create("guard");
        TCase *tests = tcase_create("guard");

        tcase_add_checked_fixture(tests, set_up, tear_down);
        tcase_set_timeout(tests, 20);
        tcase_add_test(tests, it_cleans_after_a_killed_run);
        tcase_add_test(tests, it_ignores_what_is_meant_for_the_run);
        tcase_add_test(tests, the_next_run_cleans_where_it_was_killed_too);
        tcase_add_test(tests, an_orderly_end_waits_for_it);
        tcase_add_test(tests, an_orderly_end_does_without_it);
        suite_add_tcase(suite, tests);
        return suite;
}
