/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "judge/sqlite-copy.h"
#include "recording.h"
#include "suites-b.h"

#define CLEANUP_RECORDING   CLEANUP(recording_done)
#define DATABASE_ENTRY(...) recording_add(&recording, SOURCE_SQLITE, ENTRY_DATABASE, BEGIN, NULL, __VA_ARGS__)
#define COPIED              "path=/var/lib/agent/a.db", "copy=copy"

/* An evidence folder of its own for each test: EVIDENCE/copy/a.db; "live" is where a daemon still has it open. */
static char root[] = "/tmp/sqlite-XXXXXX";
static int evidence_fd = -EBADF;
static sqlite3 *daemon_database;

static void run(sqlite3 *database, const char *sql) {
        char *problem = NULL;

        ck_assert_msg(sqlite3_exec(database, sql, NULL, NULL, &problem) == SQLITE_OK, "%s: %s", sql, problem);
}

static void set_up(void) {
        char path[64];

        memcpy(root + strlen(root) - 6, "XXXXXX", 6);
        ck_assert_ptr_nonnull(mkdtemp(root));
        evidence_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(evidence_fd, 0);
        ck_assert_int_eq(mkdirat(evidence_fd, "live", 0755), 0);
        ck_assert_int_eq(mkdirat(evidence_fd, "copy", 0755), 0);
        (void) snprintf(path, sizeof(path), "%s/live/a.db", root);
        ck_assert_int_eq(sqlite3_open(path, &daemon_database), SQLITE_OK);
}

static void remove_folder(const char *name) {
        int fd = openat(evidence_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fdopendir(fd);

        for (struct dirent *item; (item = readdir(folder));)
                (void) unlinkat(fd, item->d_name, 0);
        (void) closedir(folder);
        (void) unlinkat(evidence_fd, name, AT_REMOVEDIR);
}

static void tear_down(void) {
        (void) sqlite3_close_v2(daemon_database);
        remove_folder("live");
        remove_folder("copy");
        (void) rmdir(root);
        (void) close(evidence_fd);
}

static Text read_file(const char *name) {
        CLEANUP_CLOSE int fd = openat(evidence_fd, name, O_RDONLY | O_CLOEXEC);
        Text text = TEXT_INIT;
        char buffer[4096];

        for (ssize_t n; fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0;)
                text_append_bytes(&text, buffer, (size_t) n);
        return text;
}

static void write_file(const char *name, const char *bytes, size_t n_bytes) {
        CLEANUP_CLOSE int fd = openat(evidence_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        ck_assert_int_eq(write(fd, bytes, n_bytes), n_bytes);
}

/* As the observer does: the files as they lie there, the daemon still running. */
static void copy_live(void) {
        static const char *const suffixes[] = { "", "-wal", "-journal" };

        for (size_t i = 0; i < ELEMENTS_OF(suffixes); i++) {
                CLEANUP_TEXT Text bytes = TEXT_INIT;
                char from[32], to[32];

                (void) snprintf(from, sizeof(from), "live/a.db%s", suffixes[i]);
                (void) snprintf(to, sizeof(to), "copy/a.db%s", suffixes[i]);
                bytes = read_file(from);
                if (faccessat(evidence_fd, from, F_OK, 0) == 0)
                        write_file(to, text_get(&bytes), bytes.n_bytes);
        }
}

/* Names, sizes and bytes of all that is in the copy's folder. */
static Text fingerprint(void) {
        DIR *folder = fdopendir(openat(evidence_fd, "copy", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        Text text = TEXT_INIT;

        for (struct dirent *item; (item = readdir(folder));) {
                CLEANUP_TEXT Text bytes = TEXT_INIT;
                char name[300];

                if (item->d_name[0] == '.')
                        continue;
                (void) snprintf(name, sizeof(name), "copy/%s", item->d_name);
                bytes = read_file(name);
                text_printf(&text, "%s %zu\n", name, bytes.n_bytes);
                text_append_bytes(&text, text_get(&bytes), bytes.n_bytes);
        }
        (void) closedir(folder);
        return text;
}

static void begin(Recording *recording, const char *expect) {
        recording_init(recording, expect);
        recording->facts.evidence_fd = evidence_fd;
}

#define COUNT_TASKS "file: /var/lib/agent/a.db, query: select count(*) from task"

START_TEST(a_wal_is_read_and_nothing_is_changed) {
        CLEANUP_RECORDING Recording recording;
        CLEANUP_TEXT Text before = TEXT_INIT, after = TEXT_INIT, wal = TEXT_INIT;

        run(daemon_database, "pragma journal_mode=wal; pragma wal_autocheckpoint=0; create table task(id integer)");
        run(daemon_database, "insert into task values (1), (2), (3)");
        copy_live();
        wal = read_file("copy/a.db-wal");
        ck_assert_uint_gt(wal.n_bytes, 0);
        before = fingerprint();

        begin(&recording, "sqlite: { " COUNT_TASKS ", equals: 3, integrity: yes }");
        assert_examined(&recording, DATABASE_ENTRY(COPIED), TRUTH_TRUE, "integrity was ok, the answer was \"3\"");
        after = fingerprint();
        ck_assert_uint_eq(before.n_bytes, after.n_bytes);
        ck_assert_mem_eq(text_get(&before), text_get(&after), before.n_bytes);
        assert_described(
                        &recording, "/var/lib/agent/a.db: `select count(*) from task` equals \"3\", integrity is ok");
}
END_TEST

START_TEST(a_wal_cut_short_shows_what_was_committed) {
        CLEANUP_RECORDING Recording recording;
        CLEANUP_TEXT Text wal = TEXT_INIT;

        run(daemon_database, "pragma journal_mode=wal; pragma wal_autocheckpoint=0; create table task(id integer)");
        run(daemon_database, "insert into task values (1)");
        run(daemon_database, "insert into task values (2)");
        copy_live();
        wal = read_file("copy/a.db-wal");
        write_file("copy/a.db-wal", text_get(&wal), wal.n_bytes - 100);

        begin(&recording, "sqlite: { " COUNT_TASKS ", equals: 1 }");
        assert_examined(&recording, DATABASE_ENTRY(COPIED), TRUTH_TRUE, "the answer was \"1\"");
}
END_TEST

START_TEST(a_hot_journal_is_rolled_back_in_memory) {
        CLEANUP_RECORDING Recording recording;
        CLEANUP_TEXT Text before = TEXT_INIT, after = TEXT_INIT, journal = TEXT_INIT;

        run(daemon_database, "create table task(id integer, text text)");
        run(daemon_database, "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) "
                             "insert into task select i, hex(zeroblob(50)) from n");
        /* With a cache of two pages the transaction spills into the file, so only its journal knows what was. */
        run(daemon_database,
                        "pragma cache_size=2; begin; update task set text = 'lost'; delete from task where id > 10");
        copy_live();
        journal = read_file("copy/a.db-journal");
        ck_assert_uint_gt(journal.n_bytes, 512);
        before = fingerprint();

        begin(&recording, "sqlite: { file: /var/lib/agent/a.db, query: \"select count(*), sum(text = 'lost') from "
                          "task\", equals: '2000|0', "
                          "integrity: yes }");
        assert_examined(&recording, DATABASE_ENTRY(COPIED), TRUTH_TRUE, "the answer was \"2000|0\"");
        after = fingerprint();
        ck_assert_uint_eq(before.n_bytes, after.n_bytes);
        ck_assert_mem_eq(text_get(&before), text_get(&after), before.n_bytes);
}
END_TEST

START_TEST(another_answer_is_false) {
        CLEANUP_RECORDING Recording recording;

        run(daemon_database, "create table task(id integer); insert into task values (1), (null)");
        copy_live();
        begin(&recording, "sqlite: { file: /var/lib/agent/a.db, query: select id from task order by id, equals: x }");
        assert_examined(&recording, DATABASE_ENTRY(COPIED), TRUTH_FALSE, "the answer was \"\\n1\"");
        assert_examined(&recording, DATABASE_ENTRY("path=/other.db", "copy=copy"), TRUTH_IRRELEVANT, "");
}
END_TEST

START_TEST(a_missing_table_and_a_broken_file_are_the_daemons) {
        CLEANUP_RECORDING Recording recording;

        run(daemon_database, "create table other(id integer)");
        copy_live();
        begin(&recording, "sqlite: { " COUNT_TASKS ", equals: 3 }");
        assert_examined(&recording, DATABASE_ENTRY(COPIED), TRUTH_FALSE, "no such table: task");

        write_file("copy/a.db",
                        "no database, but long enough to be taken for one: "
                        "..............................................",
                        96);
        assert_examined(&recording, DATABASE_ENTRY(COPIED), TRUTH_FALSE, "file is not a database");
        write_file("copy/a.db", "", 0);
        assert_examined(&recording, DATABASE_ENTRY(COPIED), TRUTH_FALSE, "no such table: task");
}
END_TEST

START_TEST(damage_is_found) {
        CLEANUP_RECORDING Recording recording;
        CLEANUP_TEXT Text bytes = TEXT_INIT;

        run(daemon_database, "create table task(id integer primary key, text text); create index i on task(text)");
        run(daemon_database, "with recursive n(i) as (select 1 union all select i + 1 from n where i < 500) "
                             "insert into task select i, hex(zeroblob(20)) || i from n");
        copy_live();
        bytes = read_file("copy/a.db");
        memset(bytes.bytes + 2 * 4096, 0xff, 100);
        write_file("copy/a.db", text_get(&bytes), bytes.n_bytes);

        begin(&recording, "sqlite: { file: /var/lib/agent/a.db, integrity: yes }");
        assert_examined(&recording, DATABASE_ENTRY(COPIED), TRUTH_FALSE, "integrity: ");
        assert_described(&recording, "/var/lib/agent/a.db: integrity is ok");
}
END_TEST

START_TEST(what_could_not_be_copied_is_unknown) {
        CLEANUP_RECORDING Recording recording;

        begin(&recording, "sqlite: { " COUNT_TASKS ", equals: 3 }");
        assert_examined(&recording, DATABASE_ENTRY("path=/var/lib/agent/a.db", "errno=2"), TRUTH_FALSE,
                        "there was no such file");
        assert_examined(&recording, DATABASE_ENTRY("path=/var/lib/agent/a.db", "errno=13"), TRUTH_UNKNOWN,
                        "Permission denied");
        assert_examined(&recording, DATABASE_ENTRY(COPIED, "changed=yes"), TRUTH_UNKNOWN,
                        "it changed while it was copied");
        assert_examined(&recording, DATABASE_ENTRY(COPIED), TRUTH_UNKNOWN, "copy/a.db: No such file");
        assert_examined(&recording, DATABASE_ENTRY("path=/var/lib/agent/a.db"), TRUTH_UNKNOWN, "no copy");
        recording.facts.evidence_fd = -EBADF;
        assert_examined(&recording, DATABASE_ENTRY(COPIED), TRUTH_UNKNOWN, "no copy");
}
END_TEST

START_TEST(captures_are_put_into_the_query) {
        CLEANUP_RECORDING Recording recording;

        run(daemon_database, "create table task(id integer); insert into task values (7)");
        copy_live();
        begin(&recording, "sqlite: { file: /var/lib/agent/a.db, query: 'select count(*) from task where id = ${id}', "
                          "equals: 1 }");
        recording_add(&recording, SOURCE_HARNESS, ENTRY_CAPTURE, BEGIN, NULL, "name=id", "value=7");
        assert_examined(&recording, DATABASE_ENTRY(COPIED), TRUTH_TRUE, "the answer was \"1\"");
}
END_TEST

static void open_copy(SqliteCopy **ret_copy) {
        run(daemon_database, "create table task(id integer)");
        copy_live();
        ck_assert_int_eq(sqlite_copy_open(evidence_fd, "copy", "a.db", ret_copy, NULL), 0);
}

START_TEST(only_reading_is_allowed) {
        static const char *const queries[] = {
                "insert into task values (1)",
                "drop table task",
                "select 1; select 2",
                "",
                ";",
                "create table x(y)",
        };
        CLEANUP(sqlite_copy_free_p) SqliteCopy *copy = NULL;

        open_copy(&copy);
        for (size_t i = 0; i < ELEMENTS_OF(queries); i++) {
                CLEANUP_TEXT Text text = TEXT_INIT;
                SqliteAnswer answer;

                ck_assert_msg(sqlite_copy_query(copy, queries[i], &answer, &text, NULL) == -EINVAL, "%s", queries[i]);
        }
}
END_TEST

START_TEST(an_endless_query_ends) {
        CLEANUP(sqlite_copy_free_p) SqliteCopy *copy = NULL;
        CLEANUP_TEXT Text text = TEXT_INIT;
        SqliteAnswer answer;

        open_copy(&copy);
        ck_assert_int_eq(sqlite_copy_query(copy,
                                         "with recursive n(i) as (select 1 union all select i + 1 from n) select "
                                         "max(i) from n",
                                         &answer, &text, NULL),
                        0);
        ck_assert_int_eq(answer, SQLITE_UNBOUNDED);
        ck_assert_str_eq(text_get(&text), "the query runs too long");
        text_truncate(&text, 0);
        ck_assert_int_eq(sqlite_copy_query(copy, "select hex(zeroblob(1000000))", &answer, &text, NULL), 0);
        ck_assert_int_eq(answer, SQLITE_UNBOUNDED);
}
END_TEST

START_TEST(now_is_no_clock) {
        CLEANUP(sqlite_copy_free_p) SqliteCopy *copy = NULL;
        CLEANUP_TEXT Text text = TEXT_INIT;
        SqliteAnswer answer;

        open_copy(&copy);
        ck_assert_int_eq(sqlite_copy_query(copy, "select date('now'), x'00ff', 1.5", &answer, &text, NULL), 0);
        ck_assert_int_eq(answer, SQLITE_ANSWERED);
        ck_assert_mem_eq(text_get(&text), "1970-01-01|", 11);
}
END_TEST

START_TEST(a_sort_that_spills_needs_no_file) {
        CLEANUP(sqlite_copy_free_p) SqliteCopy *copy = NULL;
        CLEANUP_TEXT Text text = TEXT_INIT;
        SqliteAnswer answer;

        open_copy(&copy);
        ck_assert_int_eq(sqlite_copy_query(copy,
                                         "with recursive n(i) as (select 1 union all select i + 1 from n where i < "
                                         "40000) select "
                                         "count(*) from (select i from n order by hex(i * 7919 % 40009) || "
                                         "hex(zeroblob(200)))",
                                         &answer, &text, NULL),
                        0);
        ck_assert_str_eq(text_get(&text), "40000");
}
END_TEST

START_TEST(mistakes_are_refused) {
        assert_refused("sqlite: { file: /a, query: select 1 }", "`query` needs `equals`");
        assert_refused("sqlite: { file: /a, equals: 1 }", "`equals` needs a `query`");
        assert_refused("sqlite: { file: /a }", "expects nothing here");
        assert_refused("sqlite: { file: /a, integrity: no }", "expects nothing; leave it out");
        assert_refused("sqlite: { file: a, integrity: yes }", "begins with a slash");
        assert_refused("sqlite: { file: /a, query: selct 1, equals: 1 }", "it begins with none of SELECT");
        assert_refused("sqlite: { file: /a, query: select count( from x, equals: 1 }", "syntax error");
        assert_refused("sqlite: { file: /a, query: select 1; select 2, equals: 1 }", "more than one statement");
        assert_refused("sqlite: { file: /a, query: delete from x, equals: 1 }", "it begins with none of SELECT");
}
END_TEST

Suite *sqlite_suite(void) {
        Suite *suite = suite_create("expect-sqlite");
        TCase *tests = tcase_create("sqlite");

        tcase_add_checked_fixture(tests, set_up, tear_down);
        tcase_set_timeout(tests, 60); /* the endless query, under sanitizers */
        tcase_add_test(tests, a_wal_is_read_and_nothing_is_changed);
        tcase_add_test(tests, a_wal_cut_short_shows_what_was_committed);
        tcase_add_test(tests, a_hot_journal_is_rolled_back_in_memory);
        tcase_add_test(tests, another_answer_is_false);
        tcase_add_test(tests, a_missing_table_and_a_broken_file_are_the_daemons);
        tcase_add_test(tests, damage_is_found);
        tcase_add_test(tests, what_could_not_be_copied_is_unknown);
        tcase_add_test(tests, captures_are_put_into_the_query);
        tcase_add_test(tests, only_reading_is_allowed);
        tcase_add_test(tests, an_endless_query_ends);
        tcase_add_test(tests, now_is_no_clock);
        tcase_add_test(tests, a_sort_that_spills_needs_no_file);
        tcase_add_test(tests, mistakes_are_refused);
        suite_add_tcase(suite, tests);
        return suite;
}
