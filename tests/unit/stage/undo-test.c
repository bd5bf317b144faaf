/* SPDX-License-Identifier: MIT */
/* The undo log and what is done with it, but for the manager: units are tested by tests/integration/system-test.py.
 */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/write-all.h"
#include "stage/run-folder.h"
#include "stage/undo-private.h"
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

/* The files alone: what undoing them gave, which undo_roll_back() hides behind the manager that is not there. */
static int undo_files_of(UndoLog *log, Error *reterr) {
        Undo undo = { .log = log, .reterr = reterr };

        ck_assert_int_eq(undo_log_read(log, &undo.records, &undo.n_records, NULL), 0);
        undo_files(&undo);
        undo_records_free(undo.records, undo.n_records);
        return undo.first_error;
}

static char *inside(const char *name) {
        static char paths[4][512];
        static unsigned n;
        char *full = paths[n++ % ELEMENTS_OF(paths)];

        (void) snprintf(full, sizeof(paths[0]), "%s/%s", place, name);
        return full;
}

static void make_folder(const char *name) {
        ck_assert_int_eq(mkdir(inside(name), 0755), 0);
}

static void mount_on(const char *what, const char *where) {
        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        ck_assert_int_eq(mount(inside(what), inside(where), NULL, MS_BIND, NULL), 0);
}

/* @where: on the folder of ours, on the one above it, or in it. */
static void check_mounted(const char *where) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin();
        CLEANUP_ERROR Error error = ERROR_INIT;

        make_folder("real");
        make_folder("real/ours");
        (void) snprintf(path, sizeof(path), "%s", inside("real/ours/old"));
        write_file("years", 0644);
        (void) snprintf(path, sizeof(path), "%s", inside("real/old"));
        write_file("years", 0644);
        make_folder("above");
        ck_assert_int_eq(undo_log_folder(log, inside("above/ours"), true, NULL), 0);
        make_folder("above/ours");
        make_folder("above/ours/in");
        mount_on("real", where);
        ck_assert_int_eq(undo_files_of(log, &error), -EXDEV);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "mount"));
        ck_assert_int_eq(umount2(inside(where), MNT_DETACH), 0);
        assert_file("years");
        ck_assert_int_eq(access(inside("real/ours/old"), F_OK), 0);
        ck_assert_int_eq(undo_files_of(log, NULL), 0);
        ck_assert_int_lt(access(inside("above/ours"), F_OK), 0);
}

START_TEST(what_is_mounted_on_a_folder_stays) {
        check_mounted("above/ours");
}
END_TEST

START_TEST(what_is_mounted_above_a_folder_stays) {
        check_mounted("above");
}
END_TEST

START_TEST(what_is_mounted_in_a_folder_stays) {
        check_mounted("above/ours/in");
}
END_TEST

START_TEST(a_folder_that_is_a_mount_is_not_removed) {
        make_folder("real");
        make_folder("real/old");
        make_folder("ours");
        mount_on("real", "ours");
        ck_assert_int_eq(folder_remove(AT_FDCWD, inside("ours")), -EXDEV);
        ck_assert_int_eq(access(inside("real/old"), F_OK), 0);
        ck_assert_int_eq(umount2(inside("ours"), MNT_DETACH), 0);
}
END_TEST

START_TEST(a_folder_that_somebody_made_first_stays) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin();

        ck_assert_int_eq(undo_log_folder(log, inside("a"), false, NULL), 0);
        make_folder("a");
        ck_assert_int_eq(undo_log_folder(log, inside("a/theirs"), true, NULL), 0);
        make_folder("a/theirs");
        ck_assert_int_eq(undo_log_not_made(log, inside("a/theirs"), NULL), 0);
        ck_assert_int_eq(undo_log_folder(log, inside("b"), true, NULL), 0);
        make_folder("b");
        ck_assert_int_eq(undo_files_of(log, NULL), 0);
        ck_assert_int_eq(access(inside("a/theirs"), F_OK), 0);
        ck_assert_int_lt(access(inside("b"), F_OK), 0);
}
END_TEST

START_TEST(what_was_never_made_is_undone) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin();
        CLEANUP_ERROR Error error = ERROR_INIT;
        char name[301];

        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        write_file("x", 0644);
        ck_assert_int_eq(undo_log_folder(log, inside("file/below"), false, NULL), 0);
        ck_assert_int_eq(undo_log_folder(log, inside("file/below"), true, NULL), 0);
        ck_assert_int_eq(undo_log_folder(log, inside(name), true, NULL), 0);
        ck_assert_int_eq(undo_log_file(log, inside("nowhere/file"), NULL), 0);
        ck_assert_msg(undo_files_of(log, &error) == 0, "%s", error_text(&error));
}
END_TEST

START_TEST(a_file_comes_back_with_its_folder) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin();
        struct stat status;

        make_folder("gone");
        ck_assert_int_eq(chown(inside("gone"), 7, 8), 0);
        ck_assert_int_eq(chmod(inside("gone"), 0710), 0);
        (void) snprintf(path, sizeof(path), "%s", inside("gone/conf"));
        write_file("before", 0600);
        ck_assert_int_eq(undo_log_file(log, path, NULL), 0);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(rmdir(inside("gone")), 0);
        ck_assert_int_eq(undo_files_of(log, NULL), 0);
        assert_file("before");
        ck_assert_int_eq(stat(inside("gone"), &status), 0);
        ck_assert_uint_eq(status.st_mode & 07777, 0710);
        ck_assert_uint_eq(status.st_uid, 7);
        ck_assert_uint_eq(status.st_gid, 8);
}
END_TEST

START_TEST(a_file_that_became_a_folder) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin();
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_eq(undo_log_file(log, inside("new"), NULL), 0);
        make_folder("new");
        make_folder("new/below");
        write_file("before", 0644);
        ck_assert_int_eq(undo_log_file(log, path, NULL), 0);
        ck_assert_int_eq(unlink(path), 0);
        make_folder("file");
        make_folder("file/below");
        ck_assert_int_eq(undo_files_of(log, &error), -EISDIR);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "move it away"));
        ck_assert_int_lt(access(inside("new"), F_OK), 0);
        ck_assert_int_eq(rmdir(inside("file/below")), 0);
        ck_assert_int_eq(undo_files_of(log, NULL), 0);
        assert_file("before");
}
END_TEST

START_TEST(folders_above_that_are_made_too_go) {
        CLEANUP(undo_log_close_p) UndoLog *log = begin();

        ck_assert_int_eq(undo_log_folder(log, inside("one/two"), true, NULL), 0);
        make_folder("one");
        make_folder("one/two");
        make_folder("one/two/three");
        ck_assert_int_eq(undo_files_of(log, NULL), 0);
        ck_assert_int_lt(access(inside("one"), F_OK), 0);
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
        tcase_add_test(cases, what_is_mounted_on_a_folder_stays);
        tcase_add_test(cases, what_is_mounted_above_a_folder_stays);
        tcase_add_test(cases, what_is_mounted_in_a_folder_stays);
        tcase_add_test(cases, a_folder_that_is_a_mount_is_not_removed);
        tcase_add_test(cases, a_folder_that_somebody_made_first_stays);
        tcase_add_test(cases, what_was_never_made_is_undone);
        tcase_add_test(cases, a_file_comes_back_with_its_folder);
        tcase_add_test(cases, a_file_that_became_a_folder);
        tcase_add_test(cases, folders_above_that_are_made_too_go);
        tcase_add_test(cases, what_could_not_come_back_is_refused);
        tcase_add_test(cases, one_run_at_a_time);
        tcase_add_test(cases, a_line_that_was_cut_is_of_a_change_that_was_not_made);
        tcase_add_test(cases, nothing_stays_when_all_is_undone);
        suite_add_tcase(suite, cases);
        return suite;
}
