/* SPDX-License-Identifier: MIT */

/* Start-up, configuration, logging, what is said to the service manager. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

static void assert_string(const json_t *entry, const char *key, const char *expected) {
        ck_assert_str_eq(json_string_value(json_object_get(entry, key)), expected);
}

START_TEST(ready_means_that_the_socket_accepts) {
        json_t *entry;
        RIG(rig);
        int fd;

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        fd = rig_connect(&rig);
        ck_assert_int_ge(fd, 0);
        (void) close(fd);
        entry = rig_wait_event(&rig, "health");
        assert_string(entry, "version", AGENT_VERSION);
        assert_string(entry, "level", "info");
        ck_assert_int_gt(json_integer_value(json_object_get(entry, "monotonic_usec")), 0);
        json_decref(entry);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert_ptr_null(strstr(rig.log, "<6>"));
}
END_TEST

START_TEST(version_is_the_one_of_the_health_line) {
        FILE *pipe = popen(AGENTD_PATH " --version", "re");
        char line[64] = "";

        ck_assert_ptr_nonnull(fgets(line, sizeof(line), pipe));
        ck_assert_str_eq(line, AGENT_VERSION "\n");
        ck_assert_int_eq(pclose(pipe), 0);
}
END_TEST

START_TEST(health_comes_at_intervals) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .config = "health_interval = 50ms # often\n\n# nothing\n" });
        json_decref(rig_wait_nth_event(&rig, "health", 4));
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(the_journal_gets_priorities) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .is_journal = true });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "quit", "--status", "1", NULL), 0);
        (void) rig_wait_exit(&rig);
        ck_assert(rig_log_contains(&rig, "<6>{\"event\":\"ready\",\"level\":\"info\","));
        ck_assert(rig_log_contains(&rig, "<3>{\"event\":\"error\",\"level\":\"error\","));
}
END_TEST

START_TEST(the_watchdog_is_fed_and_stops_are_announced) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .watchdog_usec = 200000 });
        rig_wait_notify(&rig, "WATCHDOG=1");
        rig_wait_notify(&rig, "WATCHDOG=1");
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert(rig_drain_notify(&rig, "STOPPING=1"));
}
END_TEST

static const struct {
        const char *config;
        const char *key;
} invalid_configs[] = {
        { "health_interval = soon\n", "\"key\":\"health_interval\"" },
        { "health_interval = 0\n", "\"key\":\"health_interval\"" },
        { "helth_interval = 1s\n", "\"key\":\"helth_interval\"" },
        { "health_interval\n", "\"key\":\"health_interval\"" },
        { "task_duration = -1s\n", "\"key\":\"task_duration\"" },
        { "stop_budget = 2 weeks\n", "\"key\":\"stop_budget\"" },
        { "task_duration = \n", "\"line\":1" },
        { "\xff = 1\n", "configuration" },
};

START_TEST(an_invalid_configuration_exits_78_and_names_the_key) {
        int wait_status;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .config = invalid_configs[_i].config, .is_not_awaited = true });
        wait_status = rig_wait_exit(&rig);
        ck_assert(WIFEXITED(wait_status));
        ck_assert_int_eq(WEXITSTATUS(wait_status), 78);
        ck_assert_uint_eq(rig_count_events(&rig, "error"), 1);
        if ((unsigned char) invalid_configs[_i].config[0] != 0xff)
                ck_assert_msg(rig_log_contains(&rig, invalid_configs[_i].key), "%s", rig.log);
        ck_assert(!rig_drain_notify(&rig, "READY=1"));
}
END_TEST

START_TEST(reload_takes_a_valid_configuration) {
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .config = "health_interval = 1h\n" });
        rig_write_config(&rig, "health_interval = 50ms\n");
        rig_signal(&rig, SIGHUP);
        rig_wait_notify(&rig, "RELOADING=1");
        rig_wait_notify(&rig, "READY=1");
        json_decref(rig_wait_event(&rig, "reloaded"));
        json_decref(rig_wait_nth_event(&rig, "health", 3));
        ck_assert_int_eq(rig_status_integer(&rig, "config_revision"), 2);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(reload_keeps_the_old_configuration_where_the_new_is_invalid) {
        json_t *entry;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .config = "task_duration = 1ms\n" });
        rig_write_config(&rig, "task_duration = 1h\nhealth_interval = x\n");
        rig_signal(&rig, SIGHUP);
        rig_wait_notify(&rig, "RELOADING=1");
        rig_wait_notify(&rig, "READY=1");
        entry = rig_wait_event(&rig, "error");
        assert_string(entry, "key", "health_interval");
        json_decref(entry);
        ck_assert_int_eq(rig_status_integer(&rig, "config_revision"), 1);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", NULL), 0);
        json_decref(rig_wait_event(&rig, "task-done")); /* in 1ms, not in an hour */
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert_uint_eq(rig_count_events(&rig, "reloaded"), 0);
}
END_TEST

START_TEST(a_second_instance_is_refused) {
        int wait_status;
        RIG(rig);
        RIG(second);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        second = rig; /* the same folders */
        second.log = second.notes = NULL;
        second.n_notes = second.n_notes_seen = 0;
        second.log_fd = second.pidfd = -1;
        second.notify_fd = dup(rig.notify_fd);
        rig_start(&second, (RigStart){ .is_not_awaited = true });
        wait_status = rig_wait_exit(&second);
        ck_assert(WIFEXITED(wait_status));
        ck_assert_int_eq(WEXITSTATUS(wait_status), 75);
        ck_assert(rig_log_contains(&second, "already running"));
        ck_assert_int_eq(rig_status_integer(&rig, "pid"), rig.pid); /* and it took nothing away */
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

START_TEST(a_dead_socket_is_replaced_and_a_file_is_not) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int wait_status, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        FILE *file;
        RIG(rig);

        rig_init(&rig);
        strcpy(address.sun_path, rig.socket_path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        (void) close(fd);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_status_integer(&rig, "pid"), rig.pid);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert_int_ne(access(rig.socket_path, F_OK), 0);

        file = fopen(rig.socket_path, "we");
        ck_assert_ptr_nonnull(file);
        (void) fclose(file);
        rig_start(&rig, (RigStart){ .is_not_awaited = true });
        wait_status = rig_wait_exit(&rig);
        ck_assert_int_eq(WEXITSTATUS(wait_status), 1);
        ck_assert(rig_log_contains(&rig, "cannot listen on"));
        ck_assert_int_eq(access(rig.socket_path, F_OK), 0);
}
END_TEST

START_TEST(unknown_faults_and_options_are_usage_errors) {
        int wait_status;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .fault = "SG-99", .is_not_awaited = true });
        wait_status = rig_wait_exit(&rig);
        ck_assert_int_eq(WEXITSTATUS(wait_status), 64);
        ck_assert(rig_log_contains(&rig, "unknown fault 'SG-99'"));
        rig_start(&rig, (RigStart){ .fault = "none" });
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert_int_eq(system(AGENTD_PATH " --nonsense 2>/dev/null") >> 8, 64);
        ck_assert_int_eq(system(AGENTD_PATH " extra 2>/dev/null") >> 8, 64);
}
END_TEST

Suite *startup_suite(void) {
        Suite *suite = suite_create("startup");
        TCase *tcase = tcase_create("startup");

        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, ready_means_that_the_socket_accepts);
        tcase_add_test(tcase, version_is_the_one_of_the_health_line);
        tcase_add_test(tcase, health_comes_at_intervals);
        tcase_add_test(tcase, the_journal_gets_priorities);
        tcase_add_test(tcase, the_watchdog_is_fed_and_stops_are_announced);
        tcase_add_loop_test(tcase, an_invalid_configuration_exits_78_and_names_the_key, 0,
                        (int) (sizeof(invalid_configs) / sizeof(invalid_configs[0])));
        tcase_add_test(tcase, reload_takes_a_valid_configuration);
        tcase_add_test(tcase, reload_keeps_the_old_configuration_where_the_new_is_invalid);
        tcase_add_test(tcase, a_second_instance_is_refused);
        tcase_add_test(tcase, a_dead_socket_is_replaced_and_a_file_is_not);
        tcase_add_test(tcase, unknown_faults_and_options_are_usage_errors);
        suite_add_tcase(suite, tcase);
        return suite;
}
