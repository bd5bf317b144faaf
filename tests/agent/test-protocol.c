/* SPDX-License-Identifier: MIT */

/* The control socket and agentctl. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

static void assert_refused(int fd, const char *request, const char *reason) {
        json_t *reply = rig_call(fd, request);

        ck_assert(json_is_false(json_object_get(reply, "ok")));
        ck_assert_msg(strstr(json_string_value(json_object_get(reply, "error")), reason),
                        "%s: expected '%s', got '%s'", request, reason,
                        json_string_value(json_object_get(reply, "error")));
        json_decref(reply);
}

START_TEST(list_prints_what_submit_printed) {
        char *submitted, *listed;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        submitted = rig_ctl_output(&rig, "submit", "--count", "100");
        listed = rig_ctl_output(&rig, "list", NULL, NULL);
        ck_assert(strncmp(submitted, "1\n2\n3\n", 6) == 0);
        ck_assert_str_eq(submitted + strlen(submitted) - 4, "100\n");
        ck_assert_str_eq(listed, submitted);
        free(submitted);
        free(listed);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert_uint_eq(rig_count_events(&rig, "error"), 0);
}
END_TEST

START_TEST(long_lists_come_in_pages) {
        char *submitted, *listed, *done;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, &submitted, "submit", "--count", "10000", "--duration", "1h", NULL), 0);
        listed = rig_ctl_output(&rig, "list", NULL, NULL);
        ck_assert_str_eq(listed, submitted);
        done = rig_ctl_output(&rig, "list", "--state", "done");
        ck_assert_str_eq(done, "");
        free(submitted);
        free(listed);
        free(done);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(tasks_are_done_in_order) {
        json_t *entry;
        char *done;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--count", "3", "--duration", "0", NULL), 0);
        entry = rig_wait_nth_event(&rig, "task-done", 3);
        ck_assert_int_eq(json_integer_value(json_object_get(entry, "id")), 3);
        json_decref(entry);
        done = rig_ctl_output(&rig, "list", "--state", "done");
        ck_assert_str_eq(done, "1\n2\n3\n");
        free(done);
        ck_assert_int_eq(rig_status_integer(&rig, "done"), 3);
        ck_assert_int_eq(rig_status_integer(&rig, "progress"), 3);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(invalid_requests_are_refused_and_the_connection_lives) {
        json_t *reply;
        RIG(rig);
        int fd;

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        fd = rig_connect(&rig);
        assert_refused(fd, "garbage", "not JSON");
        assert_refused(fd, "", "not JSON");
        assert_refused(fd, "\xff\xfe", "not JSON");
        assert_refused(fd, "[1]", "a request is an object");
        assert_refused(fd, "{}", "a request is an object");
        assert_refused(fd, "{\"command\":\"sumbit\"}", "unknown command: sumbit");
        assert_refused(fd, "{\"command\":\"submit\",\"cuont\":1}", "cuont");
        assert_refused(fd, "{\"command\":\"submit\",\"count\":\"1\"}", "submit");
        assert_refused(fd, "{\"command\":\"submit\",\"count\":0}", "count must be from 1");
        assert_refused(fd, "{\"command\":\"submit\",\"count\":100001}", "count must be from 1");
        assert_refused(fd, "{\"command\":\"submit\",\"duration_usec\":-5}", "duration_usec");
        assert_refused(fd, "{\"command\":\"list\",\"state\":\"x\"}", "state must be");
        assert_refused(fd, "{\"command\":\"crash\",\"signal\":\"SIGX\"}", "no signal is called SIGX");
        assert_refused(fd, "{\"command\":\"quit\",\"status\":256}", "status must be");
        assert_refused(fd, "{\"command\":\"fork\",\"count\":0}", "count must be");
        assert_refused(fd, "{\"command\":\"burn\"}", "burn");
        assert_refused(fd, "{\"command\":\"leak\",\"bytes\":0}", "bytes must be");
        reply = rig_call(fd, "{\"command\":\"status\"}");
        ck_assert(json_is_true(json_object_get(reply, "ok")));
        ck_assert_int_eq(json_integer_value(json_object_get(reply, "pending")), 0);
        json_decref(reply);
        (void) close(fd);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(an_endless_request_is_cut_off) {
        static char bytes[64 * 1024];
        json_t *reply;
        RIG(rig);
        char rest;
        int fd;

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        fd = rig_connect(&rig);
        memset(bytes, 'x', sizeof(bytes));
        ck_assert_int_eq(send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL), (ssize_t) sizeof(bytes));
        reply = rig_read_reply(fd);
        ck_assert_str_eq(json_string_value(json_object_get(reply, "error")), "request too long");
        json_decref(reply);
        ck_assert_int_eq(recv(fd, &rest, 1, 0), 0);
        (void) close(fd);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

/* Requests without end, and not one reply read: the agent must stop reading, and go on with everybody else. */
START_TEST(a_client_that_does_not_read_blocks_nobody) {
        static const char request[] = "{\"command\":\"list\"}\n";
        ssize_t n = 0;
        RIG(rig);
        int fd;

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--count", "4000", "--duration", "1h", NULL), 0);
        fd = rig_connect(&rig);
        for (size_t i = 0; i < 100000 && n >= 0; i++)
                n = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        ck_assert_int_lt(n, 0); /* the agent has stopped to take them */
        ck_assert_int_eq(rig_status_integer(&rig, "pending"), 3999);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0); /* and it does not hold up a stop */
        (void) close(fd);
}
END_TEST

static int64_t processor_msec(pid_t pid) {
        unsigned long user, system_time;
        char path[64], line[512];
        FILE *file;

        (void) snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
        file = fopen(path, "re");
        ck_assert_ptr_nonnull(file);
        ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
        (void) fclose(file);
        ck_assert_int_eq(sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                                         &system_time),
                        2);
        return (int64_t) (user + system_time) * 1000 / sysconf(_SC_CLK_TCK);
}

/* One that says nothing, one that went away in the middle, one whose replies are in the way: all to wait for, not to
 * spin on. */
START_TEST(waiting_costs_no_processor_time) {
        static const char request[] = "{\"command\":\"list\"}\n";
        int silent_fd, torn_fd, full_fd;
        int64_t used_msec;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .config = "health_interval = 100ms\n" });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--count", "4000", "--duration", "1h", NULL), 0);
        ck_assert_int_ge(silent_fd = rig_connect(&rig), 0);
        ck_assert_int_ge(torn_fd = rig_connect(&rig), 0);
        ck_assert_int_eq(send(torn_fd, request, 5, MSG_NOSIGNAL), 5);
        ck_assert_int_ge(full_fd = rig_connect(&rig), 0);
        while (send(full_fd, request, sizeof(request) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
                ;
        json_decref(rig_wait_nth_event(&rig, "health", rig_count_events(&rig, "health") + 2));
        used_msec = processor_msec(rig.pid);
        json_decref(rig_wait_nth_event(&rig, "health", rig_count_events(&rig, "health") + 10));
        ck_assert_int_lt(processor_msec(rig.pid) - used_msec, 300); /* of a second that has passed at least */
        (void) close(silent_fd);
        (void) close(torn_fd);
        (void) close(full_fd);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(pipelined_and_torn_requests_are_put_together) {
        static const char first[] = "{\"command\":\"submit\"}\n{\"command\":\"sub";
        static const char second[] = "mit\"}\n";
        json_t *reply;
        RIG(rig);
        int fd;

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        fd = rig_connect(&rig);
        ck_assert_int_eq(send(fd, first, strlen(first), 0), (ssize_t) strlen(first));
        reply = rig_read_reply(fd);
        ck_assert_int_eq(json_integer_value(json_object_get(reply, "first")), 1);
        json_decref(reply);
        ck_assert_int_eq(send(fd, second, strlen(second), 0), (ssize_t) strlen(second));
        reply = rig_read_reply(fd);
        ck_assert_int_eq(json_integer_value(json_object_get(reply, "last")), 2);
        json_decref(reply);
        /* Half a request, and gone: it is nobody's. */
        ck_assert_int_eq(send(fd, first, strlen(first) - 1, 0), (ssize_t) strlen(first) - 1);
        ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
        json_decref(rig_read_reply(fd));
        ck_assert_int_eq(recv(fd, (char[1]){ 0 }, 1, 0), 0);
        (void) close(fd);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert_int_eq(rig_query(&rig, "SELECT count(*) FROM task"), 3);
}
END_TEST

START_TEST(the_number_of_clients_is_bounded) {
        json_t *reply;
        int fds[65];
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        for (size_t i = 0; i < 65; i++)
                ck_assert_int_ge(fds[i] = rig_connect(&rig), 0);
        reply = rig_read_reply(fds[64]);
        ck_assert_str_eq(json_string_value(json_object_get(reply, "error")), "too many clients");
        json_decref(reply);
        reply = rig_call(fds[63], "{\"command\":\"status\"}");
        ck_assert(json_is_true(json_object_get(reply, "ok")));
        json_decref(reply);
        for (size_t i = 0; i < 65; i++)
                (void) close(fds[i]);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(leak_takes_memory) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "leak", "20M", NULL), 0);
        /* A piece in every turn of the loop: each connection is a turn, so this ends soon. */
        for (size_t i = 0; i < 100 && rig_status_integer(&rig, "leaked_bytes") < 20 * 1024 * 1024; i++)
                ;
        ck_assert_int_eq(rig_status_integer(&rig, "leaked_bytes"), 20 * 1024 * 1024);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(children_end_by_themselves_and_are_reaped) {
        char *burner, *waiter;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        burner = rig_ctl_output(&rig, "burn", "50ms", NULL);
        waiter = rig_ctl_output(&rig, "fork", "--duration", "50ms");
        json_decref(rig_wait_nth_event(&rig, "child-ended", 2));
        ck_assert_int_eq(rig_status_integer(&rig, "children"), 0);
        ck_assert_int_eq(kill(atoi(burner), 0), -1);
        ck_assert_int_eq(kill(atoi(waiter), 0), -1);
        free(burner);
        free(waiter);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert_uint_eq(rig_count_events(&rig, "error"), 0);
}
END_TEST

START_TEST(a_killed_child_is_an_error) {
        json_t *entry;
        char *pid;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        pid = rig_ctl_output(&rig, "fork", NULL, NULL);
        ck_assert_int_eq(kill(atoi(pid), SIGKILL), 0);
        entry = rig_wait_event(&rig, "error");
        ck_assert_str_eq(json_string_value(json_object_get(entry, "message")), "a child was killed");
        ck_assert_int_eq(json_integer_value(json_object_get(entry, "pid")), atoi(pid));
        json_decref(entry);
        free(pid);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(crash_dies_by_the_signal) {
        static const int signals[] = { SIGSEGV, SIGABRT, SIGTERM, SIGKILL };
        static const char *const names[] = { "SIGSEGV", "ABRT", "SIGTERM", "SIGKILL" };
        int wait_status;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "crash", "--signal", names[_i], NULL), 0);
        wait_status = rig_wait_exit(&rig);
        ck_assert(WIFSIGNALED(wait_status));
        ck_assert_int_eq(WTERMSIG(wait_status), signals[_i]);
}
END_TEST

START_TEST(quit_exits_at_once_with_the_status) {
        int wait_status;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "quit", "--status", "7", NULL), 0);
        wait_status = rig_wait_exit(&rig);
        ck_assert(WIFEXITED(wait_status));
        ck_assert_int_eq(WEXITSTATUS(wait_status), 7);
        ck_assert_uint_eq(rig_count_events(&rig, "error"), 1);
        ck_assert_uint_eq(rig_count_events(&rig, "stopped"), 0);
}
END_TEST

START_TEST(hang_stops_the_loop) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "hang", NULL), 0);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "--timeout", "200ms", "status", NULL), 1);
        ck_assert_int_eq(rig_end(&rig, SIGKILL), SIGKILL);
}
END_TEST

START_TEST(agentctl_refuses_what_it_does_not_know) {
        RIG(rig);

        rig_init(&rig);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "sumbit", NULL), 64);
        ck_assert_int_eq(rig_ctl(&rig, NULL, NULL), 64);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "leak", NULL), 64);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "leak", "200X", NULL), 64);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "list", "--count", "3", NULL), 64);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--count", "many", NULL), 64);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--nonsense", NULL), 64);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "status", "extra", NULL), 64);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "status", NULL), 1); /* nobody listens */
        ck_assert_int_eq(rig_ctl(&rig, NULL, "quit", NULL), 1);
}
END_TEST

Suite *protocol_suite(void) {
        Suite *suite = suite_create("protocol");
        TCase *tcase = tcase_create("protocol");

        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, list_prints_what_submit_printed);
        tcase_add_test(tcase, long_lists_come_in_pages);
        tcase_add_test(tcase, tasks_are_done_in_order);
        tcase_add_test(tcase, invalid_requests_are_refused_and_the_connection_lives);
        tcase_add_test(tcase, an_endless_request_is_cut_off);
        tcase_add_test(tcase, a_client_that_does_not_read_blocks_nobody);
        tcase_add_test(tcase, waiting_costs_no_processor_time);
        tcase_add_test(tcase, pipelined_and_torn_requests_are_put_together);
        tcase_add_test(tcase, the_number_of_clients_is_bounded);
        tcase_add_test(tcase, leak_takes_memory);
        tcase_add_test(tcase, children_end_by_themselves_and_are_reaped);
        tcase_add_test(tcase, a_killed_child_is_an_error);
        tcase_add_loop_test(tcase, crash_dies_by_the_signal, 0, 4);
        tcase_add_test(tcase, quit_exits_at_once_with_the_status);
        tcase_add_test(tcase, hang_stops_the_loop);
        tcase_add_test(tcase, agentctl_refuses_what_it_does_not_know);
        suite_add_tcase(suite, tcase);
        return suite;
}
