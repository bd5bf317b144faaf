/* SPDX-License-Identifier: MIT */

/* Each fault is wrong in its own way, and only in that. That the honest agent is right is shown by the other suites.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

START_TEST(sg_01_ignores_sigterm) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = "SG-01" });
        rig_signal(&rig, SIGTERM);
        ck_assert_int_eq(rig_status_integer(&rig, "accepting"), 1);
        ck_assert_int_eq(rig_end(&rig, SIGINT), 0);
        ck_assert(!rig_log_contains(&rig, "SIGTERM"));
}
END_TEST

START_TEST(sg_02_dies_by_sigterm) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = "SG-02" });
        ck_assert_int_eq(rig_end(&rig, SIGTERM), SIGTERM);
        ck_assert_uint_eq(rig_count_events(&rig, "stopped"), 0);
}
END_TEST

START_TEST(sg_08_stops_in_order_with_status_143) {
        int wait_status;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = "SG-08" });
        wait_status = rig_end(&rig, SIGTERM);
        ck_assert(WIFEXITED(wait_status));
        ck_assert_int_eq(WEXITSTATUS(wait_status), 128 + SIGTERM);
        ck_assert_uint_eq(rig_count_events(&rig, "stopped"), 1);
        ck_assert(!rig_has_file(&rig, "agent.db-wal"));
}
END_TEST

START_TEST(st_01_is_ready_before_it_listens) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = "ST-01" });
        ck_assert_int_lt(rig_connect(&rig), 0);
        json_decref(rig_wait_event(&rig, "health"));
        ck_assert_int_eq(rig_status_integer(&rig, "accepting"), 1);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(st_02_serves_but_is_never_ready) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = "ST-02", .is_not_awaited = true });
        json_decref(rig_wait_event(&rig, "health"));
        ck_assert_int_eq(rig_status_integer(&rig, "accepting"), 1);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert(!rig_drain_notify(&rig, "READY=1"));
}
END_TEST

START_TEST(ck_07_leaves_running_tasks_to_nobody) {
        char *running;
        json_t *entry;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = "CK-07" });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--count", "2", "--duration", "300ms", NULL), 0);
        json_decref(rig_wait_event(&rig, "task-started"));
        ck_assert_int_eq(rig_end(&rig, SIGKILL), SIGKILL);
        rig_start(&rig, (RigStart){ .fault = "CK-07" });
        entry = rig_wait_event(&rig, "task-done");
        ck_assert_int_eq(json_integer_value(json_object_get(entry, "id")), 2);
        json_decref(entry);
        running = rig_ctl_output(&rig, "list", "--state", "running");
        ck_assert_str_eq(running, "1\n");
        free(running);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert_int_eq(rig_query(&rig, "SELECT count(*) FROM task WHERE state = 'running'"), 1);
}
END_TEST

START_TEST(ck_09_loses_on_stop_what_it_acknowledged) {
        char *submitted, *listed;
        json_t *entry;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = "CK-09" });
        submitted = rig_ctl_output(&rig, "submit", "--count", "10");
        listed = rig_ctl_output(&rig, "list", NULL, NULL);
        ck_assert_str_eq(listed, submitted);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        entry = rig_wait_event(&rig, "checkpoint"); /* a claim, and a wrong one */
        ck_assert_int_eq(json_integer_value(json_object_get(entry, "tasks")), 10);
        json_decref(entry);
        ck_assert_int_eq(rig_query(&rig, "SELECT count(*) FROM task"), 0);
        free(submitted);
        free(listed);
}
END_TEST

/* What is older than the last save is kept, over restarts too: the bug is losing the newest, not losing everything.
 */
START_TEST(ck_09_saves_now_and_then) {
        char *listed;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--count", "3", NULL), 0);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        /* Health every 1s: after the sixth line five seconds are over. */
        rig_start(&rig, (RigStart){ .fault = "CK-09", .config = "health_interval = 1s\n" });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--count", "2", NULL), 0);
        json_decref(rig_wait_nth_event(&rig, "health", 7));
        ck_assert_int_eq(rig_end(&rig, SIGKILL), SIGKILL);
        rig_start(&rig, (RigStart){ 0 });
        listed = rig_ctl_output(&rig, "list", NULL, NULL);
        ck_assert_str_eq(listed, "1\n2\n3\n4\n5\n");
        free(listed);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(cr_01_exits_0_after_a_fatal_error) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = "CR-01" });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "quit", "--status", "1", NULL), 0);
        ck_assert_int_eq(rig_wait_exit(&rig), 0);
        ck_assert_uint_eq(rig_count_events(&rig, "error"), 1);
        ck_assert_uint_eq(rig_count_events(&rig, "stopped"), 0);
}
END_TEST

/* The size is in the log; what comes of it under a limit is for the scenarios. */
START_TEST(qt_01_takes_a_share_of_the_machine) {
        json_t *cache;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = "QT-01" });
        cache = rig_wait_event(&rig, "cache");
        ck_assert_int_gt(json_integer_value(json_object_get(cache, "bytes")), 48 * 1024 * 1024);
        json_decref(cache);
        (void) rig_end(&rig, SIGTERM);
}
END_TEST

START_TEST(qt_03_says_nothing_of_a_killed_child) {
        char *pid;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = "QT-03" });
        pid = rig_ctl_output(&rig, "fork", "--count", "1");
        ck_assert_int_eq(kill((pid_t) strtol(pid, NULL, 10), SIGKILL), 0);
        free(pid);
        /* The status is answered by the loop, which has seen the death once no child is counted any more. */
        while (rig_status_integer(&rig, "children") > 0)
                ;
        ck_assert_uint_eq(rig_count_events(&rig, "error"), 0);
        ck_assert_uint_eq(rig_count_events(&rig, "child-ended"), 0);
        (void) rig_end(&rig, SIGTERM);
}
END_TEST

/* A thread wants 8M for its stack; with less than that to be had of the address space, none can be started. */
static void start_without_threads(Rig *rig, const char *fault) {
        unsigned long long n_pages = 0;
        struct rlimit limit;
        char path[64];
        FILE *file;

        rig_init(rig);
        rig_start(rig, (RigStart){ .fault = fault });
        (void) snprintf(path, sizeof(path), "/proc/%d/statm", rig->pid);
        file = fopen(path, "re");
        ck_assert_int_eq(fscanf(file, "%llu", &n_pages), 1);
        (void) fclose(file);
        limit.rlim_cur = limit.rlim_max = n_pages * (unsigned long long) sysconf(_SC_PAGESIZE) + 4 * 1024 * 1024;
        ck_assert_int_eq(prlimit(rig->pid, RLIMIT_AS, &limit, NULL), 0);
}

START_TEST(qt_05_aborts_without_a_thread) {
        int wait_status;
        RIG(rig);

        start_without_threads(&rig, "QT-05");
        ck_assert_int_ne(rig_ctl(&rig, NULL, "submit", NULL), 0);
        wait_status = rig_wait_exit(&rig);
        ck_assert(WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGABRT);
        ck_assert_uint_eq(rig_count_events(&rig, "error"), 0);
}
END_TEST

START_TEST(qt_06_waits_for_no_thread) {
        RIG(rig);

        start_without_threads(&rig, "QT-06");
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--duration", "0", NULL), 0);
        ck_assert_int_eq(rig_status_integer(&rig, "running"), 1);
        ck_assert_uint_eq(rig_count_events(&rig, "error"), 0);
        rig_signal(&rig, SIGKILL);
        (void) rig_wait_exit(&rig);
}
END_TEST

/* The honest one says so, gives the task back and lives. */
START_TEST(no_thread_is_an_error_line_and_no_end) {
        json_t *error;
        RIG(rig);

        start_without_threads(&rig, NULL);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--duration", "0", NULL), 0);
        error = rig_wait_event(&rig, "error");
        json_decref(error);
        ck_assert_int_eq(rig_status_integer(&rig, "pending"), 1);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

/* Every fault there is, so that one without a test is noticed. */
static const char *const ids[] = { "ST-01", "ST-02", "SG-01", "SG-02", "SG-08", "CK-07", "CK-09", "QT-01", "QT-03",
        "QT-05", "QT-06", "CR-01" };
#define N_IDS (sizeof(ids) / sizeof(ids[0]))

START_TEST(all_faults_are_known_here) {
        FILE *pipe = popen(AGENTD_PATH " --list-faults", "re");
        char line[256];
        size_t n = 0;

        for (; fgets(line, sizeof(line), pipe); n++) {
                ck_assert_uint_lt(n, N_IDS);
                line[strcspn(line, "\t")] = '\0';
                ck_assert_str_eq(line, ids[n]);
        }
        ck_assert_uint_eq(n, N_IDS);
        ck_assert_int_eq(pclose(pipe), 0);
}
END_TEST

START_TEST(the_log_does_not_name_the_fault) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = ids[_i], .is_not_awaited = true });
        json_decref(rig_wait_event(&rig, "health"));
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--duration", "0", NULL), 0);
        json_decref(rig_wait_event(&rig, "task-done"));
        (void) rig_end(&rig, SIGINT);
        ck_assert(!rig_log_contains(&rig, ids[_i]));
        ck_assert(!rig_log_contains(&rig, "fault"));
        ck_assert_uint_eq(rig_count_events(&rig, "error"), 0);
}
END_TEST

Suite *fault_suite(void) {
        Suite *suite = suite_create("faults");
        TCase *tcase = tcase_create("faults");

        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, sg_01_ignores_sigterm);
        tcase_add_test(tcase, sg_02_dies_by_sigterm);
        tcase_add_test(tcase, sg_08_stops_in_order_with_status_143);
        tcase_add_test(tcase, st_01_is_ready_before_it_listens);
        tcase_add_test(tcase, st_02_serves_but_is_never_ready);
        tcase_add_test(tcase, ck_07_leaves_running_tasks_to_nobody);
        tcase_add_test(tcase, ck_09_loses_on_stop_what_it_acknowledged);
        tcase_add_test(tcase, ck_09_saves_now_and_then);
        tcase_add_test(tcase, qt_01_takes_a_share_of_the_machine);
        tcase_add_test(tcase, qt_03_says_nothing_of_a_killed_child);
        tcase_add_test(tcase, qt_05_aborts_without_a_thread);
        tcase_add_test(tcase, qt_06_waits_for_no_thread);
        tcase_add_test(tcase, no_thread_is_an_error_line_and_no_end);
        tcase_add_test(tcase, cr_01_exits_0_after_a_fatal_error);
        tcase_add_loop_test(tcase, the_log_does_not_name_the_fault, 0, (int) N_IDS);
        tcase_add_test(tcase, all_faults_are_known_here);
        suite_add_tcase(suite, tcase);
        return suite;
}
