/* SPDX-License-Identifier: MIT */

/* What is there after a crash. */

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

static void assert_integer(const json_t *entry, const char *key, int64_t expected) {
        ck_assert_ptr_nonnull(json_object_get(entry, key));
        ck_assert_int_eq(json_integer_value(json_object_get(entry, key)), expected);
}

START_TEST(acknowledged_is_there_after_a_kill) {
        char *submitted, *listed;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        submitted = rig_ctl_output(&rig, "submit", "--count", "100");
        ck_assert_int_eq(rig_end(&rig, SIGKILL), SIGKILL);
        rig_start(&rig, (RigStart){ 0 });
        listed = rig_ctl_output(&rig, "list", NULL, NULL);
        ck_assert_str_eq(listed, submitted);
        free(submitted);
        free(listed);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert_uint_eq(rig_count_events(&rig, "error"), 0);
}
END_TEST

START_TEST(a_running_task_is_done_again) {
        json_t *entry;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--count", "2", "--duration", "1h", NULL), 0);
        json_decref(rig_wait_event(&rig, "task-started"));
        ck_assert_int_eq(rig_end(&rig, SIGKILL), SIGKILL);
        rig_start(&rig, (RigStart){ 0 });
        entry = rig_wait_event(&rig, "recovered");
        assert_integer(entry, "running_requeued", 1);
        assert_integer(entry, "running_completed", 0);
        assert_integer(entry, "pending", 2);
        json_decref(entry);
        entry = rig_wait_event(&rig, "task-started");
        assert_integer(entry, "id", 1);
        json_decref(entry);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

/* The crash between the effect and its mark: the ledger knows, so the task must not be done twice. */
START_TEST(a_task_that_took_effect_is_not_done_again) {
        json_t *entry;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--duration", "1h", NULL), 0);
        json_decref(rig_wait_event(&rig, "task-started"));
        ck_assert_int_eq(rig_end(&rig, SIGKILL), SIGKILL);
        rig_append(&rig, "ledger", "1\n1"); /* and the torn line of another one */

        rig_start(&rig, (RigStart){ 0 });
        entry = rig_wait_event(&rig, "recovered");
        assert_integer(entry, "running_requeued", 0);
        assert_integer(entry, "running_completed", 1);
        assert_integer(entry, "done", 1);
        json_decref(entry);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--duration", "0", NULL), 0);
        entry = rig_wait_event(&rig, "task-done");
        assert_integer(entry, "id", 2);
        json_decref(entry);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
        ck_assert_int_eq(rig_query(&rig, "SELECT attempts FROM task WHERE id = 1"), 1);
}
END_TEST

START_TEST(every_effect_is_in_the_ledger_once) {
        char path[400], line[32];
        FILE *file;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--count", "20", "--duration", "1ms", NULL), 0);
        json_decref(rig_wait_nth_event(&rig, "task-done", 5));
        ck_assert_int_eq(rig_end(&rig, SIGKILL), SIGKILL);
        rig_start(&rig, (RigStart){ 0 });
        while (rig_status_integer(&rig, "done") < 20) /* each turn waits for what it lacks */
                json_decref(rig_wait_nth_event(&rig, "task-done", rig_count_events(&rig, "task-done") + 1));
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);

        (void) snprintf(path, sizeof(path), "%s/state/ledger", rig.directory);
        file = fopen(path, "re");
        ck_assert_ptr_nonnull(file);
        for (int id = 1; id <= 20; id++) {
                ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
                ck_assert_int_eq(atoi(line), id);
        }
        ck_assert_ptr_null(fgets(line, sizeof(line), file));
        (void) fclose(file);
}
END_TEST

START_TEST(the_wal_is_checkpointed_at_intervals) {
        json_t *entry;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ .config = "checkpoint_interval = 50ms\ntask_duration = 1h\n" });
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", "--count", "7", NULL), 0);
        do
                entry = rig_wait_nth_event(&rig, "checkpoint", rig_count_events(&rig, "checkpoint") + 1);
        while (json_integer_value(json_object_get(entry, "tasks")) != 7 && (json_decref(entry), true));
        ck_assert_str_eq(json_string_value(json_object_get(entry, "reason")), "periodic");
        json_decref(entry);
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

/* Another process holds the write lock for longer than the agent waits: refused, not fatal, and right again
 * afterwards. */
START_TEST(a_locked_database_is_not_the_end) {
        char path[400], *listed;
        sqlite3 *database;
        RIG(rig);

        rig_init(&rig);
        rig_start(&rig, (RigStart){ 0 });
        (void) snprintf(path, sizeof(path), "%s/state/agent.db", rig.directory);
        ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        ck_assert_int_eq(rig_ctl(&rig, NULL, "submit", NULL), 1);
        ck_assert_int_eq(sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        (void) sqlite3_close(database);
        listed = rig_ctl_output(&rig, "submit", NULL, NULL);
        ck_assert_str_eq(listed, "1\n");
        free(listed);
        json_decref(rig_wait_event(&rig, "task-done"));
        ck_assert_int_eq(rig_end(&rig, SIGTERM), 0);
}
END_TEST

Suite *recovery_suite(void) {
        Suite *suite = suite_create("recovery");
        TCase *tcase = tcase_create("recovery");

        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, acknowledged_is_there_after_a_kill);
        tcase_add_test(tcase, a_running_task_is_done_again);
        tcase_add_test(tcase, a_task_that_took_effect_is_not_done_again);
        tcase_add_test(tcase, every_effect_is_in_the_ledger_once);
        tcase_add_test(tcase, the_wal_is_checkpointed_at_intervals);
        tcase_add_test(tcase, a_locked_database_is_not_the_end);
        suite_add_tcase(suite, tcase);
        return suite;
}
