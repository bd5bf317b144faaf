/* SPDX-License-Identifier: MIT */
/* The undo log and what is done with it, but for the manager: units are tested by tests/integration/system-test.py.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/write-all.h"
#include "stage/run-folder.h"
#include "stage/undo.h"
#include "suites.h"

/* No manager is there, so that only files are undone; and that is said. */
#define NOBODY "unix:path=/nonexistent/private"

static char place[] = "/var/tmp/agenttest-undo-XXXXXX";
static char folder[64], path[128];

static void set_up(void) {
        (void) strcpy(place, "/var/tmp/agenttest-undo-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(place));
        (void) snprintf(folder, sizeof(folder), "%s/undo", place);
        (void) snprintf(path, sizeof(path), "%s/file", place);
}

static void tear_down(void) {
        ck_assert_int_eq(folder_remove(AT_FDCWD, place), 0);
}

static void write_file(const char *bytes, mode_t mode) {
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write_all(fd, bytes, strlen(bytes)), 0);
        ck_assert_int_eq(fchmod(fd, mode), 0);
}

static void assert_file(const char *bytes) {
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        char found[64] = "";

        ck_assert_int_ge(fd, 0);
        ck_assert_int_ge(read(fd, found, sizeof(found) - 1), 0);
        ck_assert_str_eq(found, bytes);
}

static UndoLog *begin(void) {
        UndoLog *log = NULL;

        ck_assert_int_eq(undo_log_open(folder, UNDO_LOG_CREATE, &log, NULL), 0);
        ck_assert_int_eq(undo_log_begin(log, "abc", "boot:1", "a \"scenario\"", NULL), 0);
        return log;
}

/* As a run that died: its log stays, and the next one finds it. */
static UndoLog *die_and_reopen(UndoLog *log) {
        (void) undo_log_close(log);
        log = NULL;
        ck_assert_int_eq(undo_log_open(folder, UNDO_LOG_TRY, &log, NULL), 0);
        ck_assert(undo_log_is_pending(log));
        return log;
}

START_TEST(a_file_comes_back_as_it_was) {
        CLEANUP(undo_log_close_p) UndoLog *log = NULL;
        struct stat before, after;
        char note[8] = "";

        write_file("before", 04751);
        ck_assert_int_eq(chown(path, 7, 8), 0);
        ck_assert_int_eq(chmod(path, 04751), 0);
        ck_assert_int_eq(setxattr(path, "trusted.note", "kept", 4, 0), 0);
        ck_assert_int_eq(stat(path, &before), 0);
        log = begin();
        ck_assert_int_eq(undo_log_file(log, path, NULL), 0);
        ck_assert_int_eq(unlink(path), 0);
        write_file("after", 0600);

        log = die_and_reopen(log);
        ck_assert_int_lt(undo_roll_back(log, NOBODY, NULL), 0);
        ck_assert(undo_log_is_pending(log));
        assert_file("before");
        ck_assert_int_eq(stat(path, &after), 0);
        ck_assert_uint_eq(after.st_mode, before.st_mode);
        ck_assert_uint_eq(after.st_uid, 7);
        ck_assert_uint_eq(after.st_gid, 8);
        ck_assert_int_eq(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
        ck_assert_int_eq(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
        ck_assert_int_eq(getxattr(path, "trusted.note", note, sizeof(note)), 4);
        /* Once more: it is as it was, and left alone. */
        ck_assert_int_lt(undo_roll_back(log, NOBODY, NULL), 0);
        ck_assert_int_eq(stat(path, &before), 0);
        ck_assert_uint_eq(after.st_ino, before.st_ino);
}
END_TEST

START_TEST(what_was_not_there_goes) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin();
        char made[96], inner[112];

        (void) snprintf(made, sizeof(made), "%s/made", place);
        (void) snprintf(inner, sizeof(inner), "%s/inner", made);
        ck_assert_int_eq(undo_log_folder(log, made, true, NULL), 0);
        ck_assert_int_eq(mkdir(made, 0755), 0);
        ck_assert_int_eq(mkdir(inner, 0755), 0);
        ck_assert_int_eq(undo_log_file(log, path, NULL), 0);
        write_file("new", 0644);

        log = die_and_reopen(log);
        (void) undo_roll_back(log, NOBODY, NULL);
        ck_assert_int_lt(access(path, F_OK), 0);
        ck_assert_int_lt(access(made, F_OK), 0);
}
END_TEST

START_TEST(a_folder_that_others_use_by_now_stays) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin();
        char made[96];

        (void) snprintf(made, sizeof(made), "%s/made", place);
        (void) snprintf(path, sizeof(path), "%s/theirs", made);
        ck_assert_int_eq(undo_log_folder(log, made, false, NULL), 0);
        ck_assert_int_eq(mkdir(made, 0755), 0);
        write_file("theirs", 0644);
        (void) undo_roll_back(log, NOBODY, NULL);
        assert_file("theirs");
}
END_TEST

START_TEST(what_could_not_come_back_is_refused) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin();
        CLEANUP_ERROR Error error = ERROR_INIT;
        char other[96];

        (void) snprintf(other, sizeof(other), "%s/other", place);
        write_file("x", 0644);
        ck_assert_int_eq(link(path, other), 0);
        ck_assert_int_eq(undo_log_file(log, path, &error), -EMLINK);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "hard links"));
        ck_assert_int_eq(unlink(other), 0);
        ck_assert_int_eq(symlink(path, other), 0);
        ck_assert_int_eq(undo_log_file(log, other, NULL), -ELOOP);
        ck_assert_int_eq(undo_log_file(log, place, NULL), -EINVAL);
}
END_TEST

START_TEST(one_run_at_a_time) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin(), *other = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_eq(undo_log_open(folder, UNDO_LOG_CREATE, &other, &error), -EWOULDBLOCK);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "another run abc is playing"));
        log = undo_log_close(log);
        ck_assert_int_eq(undo_log_open(folder, UNDO_LOG_CREATE, &other, NULL), 0);
}
END_TEST

START_TEST(a_line_that_was_cut_is_of_a_change_that_was_not_made) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin();
        char name[80];
        CLEANUP_CLOSE int fd = -EBADF;
        Json **records = NULL;
        size_t n_records = 0;

        write_file("x", 0644);
        (void) snprintf(name, sizeof(name), "%s/log", folder);
        fd = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
        ck_assert_int_eq(write_all(fd, "{\"kind\":\"file\",\"path\":\"", 23), 0);
        log = die_and_reopen(log);
        ck_assert_int_eq(undo_log_read(log, &records, &n_records, NULL), 0);
        ck_assert_uint_eq(n_records, 1);
        undo_records_free(records, n_records);
}
END_TEST

START_TEST(nothing_stays_when_all_is_undone) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin();

        write_file("x", 0644);
        ck_assert_int_eq(undo_log_file(log, path, NULL), 0);
        ck_assert_int_eq(undo_log_discard(log, NULL), 0);
        ck_assert_int_lt(access(folder, F_OK), 0);
        log = undo_log_close(log);
        ck_assert_int_eq(undo_log_open(folder, UNDO_LOG_TRY, &log, NULL), -ENOENT);
}
END_TEST

Suite *undo_suite(void) {
        Suite *suite = suite_create("undo");
        TCase *cases = tcase_create("undo");

        tcase_add_checked_fixture(cases, set_up, tear_down);
        tcase_add_test(cases, a_file_comes_back_as_it_was);
        tcase_add_test(cases, what_was_not_there_goes);
        tcase_add_test(cases, a_folder_that_others_use_by_now_stays);
        tcase_add_test(cases, what_could_not_come_back_is_refused);
        tcase_add_test(cases, one_run_at_a_time);
        tcase_add_test(cases, a_line_that_was_cut_is_of_a_change_that_was_not_made);
        tcase_add_test(cases, nothing_stays_when_all_is_undone);
        suite_add_tcase(suite, cases);
        return suite;
}
