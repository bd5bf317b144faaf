/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "bench.h"
#include "observe/sqlite-probe.h"
#include "suites.h"

static sqlite3 *open_database(const char *path) {
        sqlite3 *database;

        ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
        return database;
}

static void run_sql(sqlite3 *database, const char *sql) {
        ck_assert_msg(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql,
                        sqlite3_errmsg(database));
}

static int count_rows(const char *path) {
        sqlite3 *database = open_database(path);
        sqlite3_stmt *statement;
        int n;

        ck_assert_int_eq(sqlite3_prepare_v2(database, "SELECT count(*) FROM task", -1, &statement, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
        n = sqlite3_column_int(statement, 0);
        (void) sqlite3_finalize(statement);
        (void) sqlite3_close(database);
        return n;
}

static const Entry *copy(Bench *bench, SqliteProbe *probe, const char *path) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_msg(sqlite_probe_copy(probe, path, &error) == 0, "%s", error_text(&error));
        return bench_last(bench, ENTRY_DATABASE);
}

START_TEST(what_is_in_the_wal_alone_is_in_the_copy) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "agent.db");
        CLEANUP_FREE char *first = bench_path(bench, "databases/0/agent.db"),
                          *wal = bench_path(bench, "agent.db-wal");
        CLEANUP_FREE char *second = bench_path(bench, "databases/1/agent.db");
        CLEANUP(sqlite_probe_free_p) SqliteProbe *probe = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        sqlite3 *database = open_database(path);

        run_sql(database,
                        "PRAGMA journal_mode=WAL; CREATE TABLE task (id INTEGER); INSERT INTO task VALUES (1), (2)");
        ck_assert_int_eq(sqlite_probe_new(&bench->observer, &probe, &error), 0);
        ck_assert_str_eq(entry_get(copy(bench, probe, path), "copy"), "databases/0");
        ck_assert_ptr_null(entry_get(bench_last(bench, ENTRY_DATABASE), "changed"));

        /* The same again is not stored twice; what is new is. */
        ck_assert_str_eq(entry_get(copy(bench, probe, path), "copy"), "databases/0");
        run_sql(database, "INSERT INTO task VALUES (3)");
        ck_assert_str_eq(entry_get(copy(bench, probe, path), "copy"), "databases/1");
        ck_assert_int_eq(count_rows(first), 2);
        ck_assert_int_eq(count_rows(second), 3);
        ck_assert_int_eq(access(wal, F_OK), 0); /* and the daemon's own WAL is still there */
        (void) sqlite3_close(database);
        probe = sqlite_probe_free(probe);
        bench_free(bench);
}
END_TEST

START_TEST(a_database_that_is_not_there_is_an_answer) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "none.db"), *folder = bench_path(bench, "databases/0");
        CLEANUP(sqlite_probe_free_p) SqliteProbe *probe = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        const Entry *entry;

        ck_assert_int_eq(sqlite_probe_new(&bench->observer, &probe, &error), 0);
        entry = copy(bench, probe, path);
        ck_assert_int_eq(entry_get_number(entry, "errno", -1), ENOENT);
        ck_assert_ptr_null(entry_get(entry, "copy"));
        ck_assert_int_ne(access(folder, F_OK), 0);
        probe = sqlite_probe_free(probe);
        bench_free(bench);
}
END_TEST

START_TEST(a_source_that_cannot_be_read_is_an_answer) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "folder.db"), *folder = bench_path(bench, "databases/0");
        CLEANUP(sqlite_probe_free_p) SqliteProbe *probe = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_eq(mkdir(path, 0755), 0);
        ck_assert_int_eq(sqlite_probe_new(&bench->observer, &probe, &error), 0);
        ck_assert_int_eq(entry_get_number(copy(bench, probe, path), "errno", -1), EISDIR);
        ck_assert_ptr_null(entry_get(bench_last(bench, ENTRY_DATABASE), "copy"));
        ck_assert_int_ne(access(folder, F_OK), 0);
        probe = sqlite_probe_free(probe);
        bench_free(bench);
}
END_TEST

START_TEST(a_folder_left_behind_is_not_used_again) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "agent.db"), *databases = bench_path(bench, "databases");
        CLEANUP_FREE char *folder = bench_path(bench, "databases/0");
        CLEANUP(sqlite_probe_free_p) SqliteProbe *probe = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_eq(mkdir(databases, 0755), 0);
        ck_assert_int_eq(mkdir(folder, 0755), 0);
        bench_write(bench, "databases/0/agent.db-wal", "of a copy that failed");
        bench_write(bench, "agent.db", "");
        ck_assert_int_eq(sqlite_probe_new(&bench->observer, &probe, &error), 0);
        ck_assert_str_eq(entry_get(copy(bench, probe, path), "copy"), "databases/1");
        probe = sqlite_probe_free(probe);
        bench_free(bench);
}
END_TEST

START_TEST(a_link_is_copied_with_the_wal_of_what_it_leads_to) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "real.db"), *link = bench_path(bench, "agent.db");
        CLEANUP_FREE char *copied = bench_path(bench, "databases/0/agent.db");
        CLEANUP(sqlite_probe_free_p) SqliteProbe *probe = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        sqlite3 *database = open_database(path);

        run_sql(database,
                        "PRAGMA journal_mode=WAL; CREATE TABLE task (id INTEGER); INSERT INTO task VALUES (1), (2)");
        ck_assert_int_eq(symlink("real.db", link), 0);
        ck_assert_int_eq(sqlite_probe_new(&bench->observer, &probe, &error), 0);
        ck_assert_str_eq(entry_get(copy(bench, probe, link), "copy"), "databases/0");
        ck_assert_str_eq(entry_get(bench_last(bench, ENTRY_DATABASE), "path"), link);
        ck_assert_int_eq(count_rows(copied), 2);
        (void) sqlite3_close(database);
        probe = sqlite_probe_free(probe);
        bench_free(bench);
}
END_TEST

Suite *sqlite_suite(void) {
        Suite *suite = suite_create("sqlite");
        TCase *cases = tcase_create("sqlite");

        tcase_add_test(cases, what_is_in_the_wal_alone_is_in_the_copy);
        tcase_add_test(cases, a_database_that_is_not_there_is_an_answer);
        tcase_add_test(cases, a_source_that_cannot_be_read_is_an_answer);
        tcase_add_test(cases, a_folder_left_behind_is_not_used_again);
        tcase_add_test(cases, a_link_is_copied_with_the_wal_of_what_it_leads_to);
        suite_add_tcase(suite, cases);
        return suite;
}
