/* SPDX-License-Identifier: MIT */

/* Stopping in order: idle, busy, with a task too long to wait for, with children. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"

static int64_t stamp_of(Rig *rig, const char *event) {
        json_t *entry = rig_wait_event(rig, event);
        int64_t usec = json_integer_value(json_object_get(entry, "monotonic_usec"));

        json_decref(entry);
        return usec;
}

static void assert_clean(Rig *rig, int64_t n_tasks) {
        json_t *entry = rig_wait_event(rig, "checkpoint");

        ck_assert_str_eq(json_string_value(json_object_get(entry, "reason")), "stop");
        ck_assert_int_eq(json_integer_value(json_object_get(entry, "tasks")), n_tasks);
        json_decref(entry);
        ck_assert_uint_eq(rig_count_events(rig, "stopping"), 1);
        ck_assert_uint_eq(rig_count_events(rig, "stopped"), 1);
        ck_assert_uint_eq(rig_count_events(rig, "error"), 0);
        ck_assert_int_lt(stamp_of(rig, "stopped") - stamp_of(rig, "stopping"), 5000000);
        ck_assert(rig_has_file(rig, "agent.db"));
        ck_assert(!rig_has_file(rig, "agent.db-wal"));
        ck_assert(!rig_has_file(rig, "agent.db-shm"));
        ck_assert_int_ne(access(rig->socket_path, F_OK), 0);
        ck_assert_int_eq(rig_query(rig, "SELECT count(*) FROM task"), n_tasks);
        ck_assert_int_eq(rig_query(rig, "SELECT count(*) FROM task WHERE state = 'running'"), 0);
}

START_TEST(idle) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_end(&rig, _i == 0 ? SIGTERM : SIGINT), 0);
        assert_clean(&rig, 0);
        ck_assert(rig_log_contains(&rig, _i == 0 ? "\"signal\":\"SIGTERM\"" : "\"signal\":\"SIGINT\""));
}
END_TEST

START_TEST(busy_finishes_the_running_task) {
        json_t *entry;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--count", "100", "--duration", "500ms", NULL), 0);
        json_decref(rig_wait_event(&rig, "task-started"));
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        assert_clean(&rig, 100);
        entry = rig_wait_event(&rig, "task-done");
        json_decref(entry);
        ck_assert_uint_eq(rig_count_events(&rig, "task-done"), rig_count_events(&rig, "task-started"));
        ck_assert_int_eq(rig_query(&rig, "SELECT count(*) FROM task WHERE state = 'done'"),
                        (int64_t) rig_count_events(&rig, "task-done"));
}
END_TEST

START_TEST(a_task_too_long_to_wait_for_is_handed_back) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--duration", "1h", NULL), 0);
        json_decref(rig_wait_event(&rig, "task-started"));
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        assert_clean(&rig, 1);
        ck_assert_uint_eq(rig_count_events(&rig, "task-handed-back"), 1);
        ck_assert_int_eq(rig_query(&rig, "SELECT count(*) FROM task WHERE state = 'pending'"), 1);

        rig_start(&rig, (RigStart){ 0 });
        json_decref(rig_wait_event(&rig, "task-started"));
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert_int_eq(rig_query(&rig, "SELECT attempts FROM task"), 2);
}
END_TEST

START_TEST(a_stopping_agent_takes_no_tasks_but_answers) {
        json_t *reply;
        RIG(rig);
        int fd;

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .config = "stop_budget = 8s\n" });
        fd = rig_connect(&rig);
        json_decref(rig_call(fd, "{\"command\":\"submit\",\"duration_usec\":2000000}"));
        json_decref(rig_wait_event(&rig, "task-started"));
        rig_signal(&rig, SIGTERM);
        json_decref(rig_wait_event(&rig, "stopping"));
        reply = rig_call(fd, "{\"command\":\"submit\"}");
        ck_assert_str_eq(json_string_value(json_object_get(reply, "error")), "submit: the agent is stopping");
        json_decref(reply);
        reply = rig_call(fd, "{\"command\":\"status\"}");
        ck_assert(json_is_false(json_object_get(reply, "accepting")));
        json_decref(reply);
        ck_assert_int_lt(rig_connect(&rig), 0);
        rig_signal(&rig, SIGTERM); /* once more is the same as once */
        ck_assert_int_eq(rig_wait_exit(&rig), 0);
        assert_clean(&rig, 1);
        (void) close(fd);
}
END_TEST

static void fork_children(const Rig *rig, int pidfds[static 3]) {
        char *pids = rig_ctl_output(rig, "fork", "--count", "3");
        char *rest = pids;

        for (size_t i = 0; i < 3; i++)
                pidfds[i] = rig_pidfd(atoi(strsep(&rest, "\n")));
        free(pids);
}

START_TEST(children_end_with_the_agent) {
        int pidfds[3], wait_status;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        fork_children(&rig, pidfds);
        wait_status = rig_end(&rig, _i == 0 ? SIGTERM : SIGKILL);
        ck_assert_int_eq(wait_status, _i == 0 ? 0 : SIGKILL);
        for (size_t i = 0; i < 3; i++)
                rig_wait_gone(pidfds[i]);
        if (_i == 0)
                assert_clean(&rig, 0);
}
END_TEST

/* A stopped child does not react to SIGTERM: when the budget is used up it is killed. */
START_TEST(a_stubborn_child_is_killed) {
        char *pid;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .config = "stop_budget = 100ms\n" });
        pid = rig_ctl_output(&rig, "fork", NULL, NULL);
        ck_assert_int_eq(kill(atoi(pid), SIGSTOP), 0);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        assert_clean(&rig, 0);
        free(pid);
}
END_TEST

Suite *stop_suite(void) {
        Suite *suite = suite_create("stop");
        TCase *tcase = tcase_create("stop");

        tcase_set_timeout(tcase, 60);
        tcase_add_loop_test(tcase, idle, 0, 2);
        tcase_add_test(tcase, busy_finishes_the_running_task);
        tcase_add_test(tcase, a_task_too_long_to_wait_for_is_handed_back);
        tcase_add_test(tcase, a_stopping_agent_takes_no_tasks_but_answers);
        tcase_add_loop_test(tcase, children_end_with_the_agent, 0, 2);
        tcase_add_test(tcase, a_stubborn_child_is_killed);
        suite_add_tcase(suite, tcase);
        return suite;
}
