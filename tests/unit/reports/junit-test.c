/* SPDX-License-Identifier: MIT */

/* JUnit files: golden ones, where the file appears and when, names. Foreign readers: tests/integration/junit-test.py.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/atomic-file.h"
#include "base/descriptor-path.h"
#include "base/quantity.h"
#include "reports/place.h"
#include "suites.h"

static char folder[64];

static void make_folder(void) {
        strcpy(folder, "/tmp/agenttest-junit-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void) {
        ck_assert_int_eq(rmdir(folder), 0); /* and nothing else was left in it */
}

static Report *open_report(const JunitOptions *options) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Report *report = NULL;

        ck_assert_msg(junit_report_new(options, &report, &error) == 0, "%s", error_text(&error));
        return report;
}

static char *read_and_remove(const char *path) {
        CLEANUP_FILE FILE *file = fopen(path, "re");
        CLEANUP_TEXT Text text = TEXT_INIT;
        char buffer[4096];
        size_t n;

        ck_assert_msg(file, "%s: %s", path, strerror(errno));
        while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
                text_append_bytes(&text, buffer, n);
        (void) unlink(path);
        return text_take(&text);
}

static const struct {
        const char *name;
        JunitFlavor flavor;
        JunitAttachments attachments;
        Outcome inconclusive_as;
        void (*show)(Report *report);
} rows[] = {
        { "junit-common.xml", JUNIT_COMMON, JUNIT_ATTACHMENTS_ABSOLUTE, OUTCOME_INCONCLUSIVE, show_sample_run },
        { "junit-xunit2.xml", JUNIT_XUNIT2, JUNIT_ATTACHMENTS_NONE, OUTCOME_FAIL, show_sample_run },
        { "junit-gitlab.xml", JUNIT_GITLAB, JUNIT_ATTACHMENTS_RELATIVE, OUTCOME_PASS, show_sample_run },
        { "junit-interrupted.xml", JUNIT_COMMON, JUNIT_ATTACHMENTS_RELATIVE, OUTCOME_INCONCLUSIVE,
                        show_interrupted_run },
};

START_TEST(report_is_golden) {
        char path[128];
        JunitOptions options = {
                .path = path,
                .flavor = rows[_i].flavor,
                .attachments = rows[_i].attachments,
                .inconclusive_as = rows[_i].inconclusive_as,
        };

        (void) snprintf(path, sizeof(path), "%s/report.xml", folder);
        rows[_i].show(open_report(&options));
        CLEANUP_FREE char *text = read_and_remove(path);
        assert_golden(rows[_i].name, text);
}
END_TEST

START_TEST(a_run_that_never_ended_is_written) {
        char path[128];
        Report *report;

        (void) snprintf(path, sizeof(path), "%s/report.xml", folder);
        report = open_report(&(JunitOptions){ .path = path });
        report->begin(report, &(RunFacts){ .version = "1", .stage_name = "sandbox" });
        ck_assert_int_eq(report->close(report, NULL), 0);
        CLEANUP_FREE char *text = read_and_remove(path);
        ck_assert_msg(strstr(text, "<testsuites name=\"agenttest\" tests=\"0\""), "%s", text);
}
END_TEST

START_TEST(where_nothing_began_nothing_is_written) {
        char path[128];
        Report *report;

        (void) snprintf(path, sizeof(path), "%s/report.xml", folder);
        report = open_report(&(JunitOptions){ .path = path });
        ck_assert_int_eq(report->close(report, NULL), 0);
        ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

START_TEST(what_cannot_be_written_is_told_at_once) {
        static const char *const PATHS[] = { "/proc/x.xml", "/no/such/folder/x.xml", "/tmp" };
        static const int CODES[] = { -ENOENT, -ENOENT, -EISDIR };
        CLEANUP_ERROR Error error = ERROR_INIT;
        Report *report = NULL;

        /* /proc says for root that it may be written to; then closing tells. */
        if (_i == 0) {
                report = open_report(&(JunitOptions){ .path = PATHS[_i] });
                report->begin(report, &(RunFacts){ .version = "1" });
                ck_assert_int_eq(report->close(report, &error), CODES[_i]);
        } else
                ck_assert_int_eq(junit_report_new(&(JunitOptions){ .path = PATHS[_i] }, &report, &error), CODES[_i]);
        ck_assert_msg(strstr(error.message, "The JUnit report: ") && strstr(error.message, PATHS[_i]), "%s",
                        error.message);
}
END_TEST

START_TEST(a_file_is_replaced_whole_and_keeps_a_link) {
        char target[128], link[128];
        struct stat status;

        (void) snprintf(target, sizeof(target), "%s/target", folder);
        (void) snprintf(link, sizeof(link), "%s/link", folder);
        ck_assert_int_eq(atomic_file_write(target, "old and long", 12, NULL), 0);
        ck_assert_int_eq(symlink("target", link), 0);
        ck_assert_int_eq(atomic_file_write(link, "new", 3, NULL), 0);
        ck_assert_int_eq(lstat(link, &status), 0);
        ck_assert(S_ISLNK(status.st_mode));
        ck_assert_int_eq(stat(target, &status), 0);
        ck_assert_int_eq(status.st_mode & 0600, 0600);
        CLEANUP_FREE char *text = read_and_remove(target);
        ck_assert_str_eq(text, "new");
        ck_assert_int_eq(unlink(link), 0);
}
END_TEST

START_TEST(as_long_a_name_as_there_can_be_is_written) {
        char path[512], name[256];

        memset(name, 'x', 255);
        name[255] = '\0';
        (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
        ck_assert_int_eq(atomic_file_check(path, NULL), 0);
        ck_assert_int_eq(atomic_file_write(path, "x", 1, NULL), 0);
        CLEANUP_FREE char *text = read_and_remove(path);
        ck_assert_str_eq(text, "x");
        (void) snprintf(path, sizeof(path), "%s/x%s", folder, name);
        ck_assert_int_eq(atomic_file_check(path, NULL), -ENAMETOOLONG);
        ck_assert_int_eq(atomic_file_check("/dev/null/x", NULL), -ENOTDIR);
}
END_TEST

START_TEST(what_is_no_file_is_not_replaced) {
        struct stat status;

        ck_assert_int_eq(atomic_file_check("/dev/null", NULL), 0);
        ck_assert_int_eq(atomic_file_write("/dev/null", "x", 1, NULL), 0);
        ck_assert_int_eq(stat("/dev/null", &status), 0);
        ck_assert(S_ISCHR(status.st_mode));
        ck_assert_int_eq(atomic_file_write("/dev/full", "x", 1, NULL), -ENOSPC);
}
END_TEST

/* A log is appended to by others too, whichever way it is named: its lines must stay, in one file. */
START_TEST(the_log_of_this_program_is_added_to) {
        char path[128], name[64];
        int fd, saved_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

        (void) snprintf(path, sizeof(path), "%s/build.log", folder);
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        ck_assert_int_eq(write(fd, "before\n", 7), 7);
        ck_assert_int_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
        ck_assert_int_eq(atomic_file_check("/dev/stdout", NULL), 0);
        ck_assert_int_eq(atomic_file_write("/dev/stdout", "by link\n", 8, NULL), 0);
        ck_assert_int_eq(atomic_file_write(path, "by name\n", 8, NULL), 0);
        ck_assert_int_eq(dup2(saved_fd, STDOUT_FILENO), STDOUT_FILENO);
        (void) close(saved_fd);
        ck_assert_int_eq(write(fd, "behind\n", 7), 7);

        /* One of its own is no place to write to: who names its number means something else. */
        (void) snprintf(name, sizeof(name), "/dev/fd/%d", fd);
        int own_fd = -1;
        ck_assert(!leads_to_descriptor(name, &own_fd));
        (void) close(fd);
        CLEANUP_FREE char *text = read_and_remove(path);
        ck_assert_str_eq(text, "before\nby link\nby name\nbehind\n");
}
END_TEST

START_TEST(a_fifo_that_nobody_reads_is_not_waited_for) {
        char path[128], buffer[8];
        int fd;

        (void) snprintf(path, sizeof(path), "%s/fifo", folder);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        ck_assert_int_eq(atomic_file_write(path, "x", 1, NULL), -ENXIO);
        fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        ck_assert_int_eq(atomic_file_write(path, "x", 1, NULL), 0);
        ck_assert_int_eq(read(fd, buffer, sizeof(buffer)), 1);
        (void) close(fd);
        ck_assert_int_eq(unlink(path), 0);
}
END_TEST

static const char *const CLASSES[][2] = {
        { "scenarios/real/redis.yaml", "agenttest.scenarios.real.redis" },
        { "crash.yml", "agenttest.crash" },
        { "./a.b/../c d.yaml", "agenttest.a_b.c_d" },
        { "/abs//x.yaml.in", "agenttest.abs.x_yaml_in" },
        { ".yaml", "agenttest._yaml" },
};

START_TEST(a_file_has_a_class) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        place_class(CLASSES[_i][0], &text);
        ck_assert_str_eq(text_get(&text), CLASSES[_i][1]);
}
END_TEST

START_TEST(a_place_is_relative_where_it_can_be) {
        static const char *const PLACES[][3] = {
                { "/usr", "/usr/bin/../lib", "lib" },
                { "/usr/", "/usr/lib", "lib" },
                { "/", "/usr", "usr" },
                { "/us", "/usr/lib", "/usr/lib" },
                { "/usr", "/etc", "/etc" },
                { "/usr", "no/such/file", "no/such/file" },
                { NULL, "./x", "./x" },
        };
        CLEANUP_TEXT Text text = TEXT_INIT;

        place_below(PLACES[_i][0], PLACES[_i][1], &text);
        ck_assert_str_eq(text_get(&text), PLACES[_i][2]);
}
END_TEST

/* Two files of one class, three plays, one of them with a details text that is far too long. */
static void end_play(Report *report, const char *path, const char *name, unsigned index, const char *sentence) {
        Scenario scenario = { .path = (char *) path, .name = (char *) name };
        Play play = { .scenario = &scenario, .name = (char *) name, .index = index };
        Verdict verdict = { .reason = REASON_WRONG_VALUE,
                .outcome = OUTCOME_FAIL,
                .sentence = strdup(sentence),
                .margin_usec = USEC_INFINITY };
        PlayResult result = { .play = &play, .outcome = OUTCOME_FAIL };

        ck_assert_int_eq(judgement_take(&result.judgement, &verdict), 0);
        report->play_end(report, &result);
        judgement_done(&result.judgement);
}

static size_t count_of(const char *text, const char *part) {
        size_t n = 0;

        for (; (text = strstr(text, part)); text += strlen(part))
                n++;
        return n;
}

START_TEST(classes_are_unique_and_sizes_are_bounded) {
        enum { LONG = 400 * 1024 };
        char path[128];
        char *sentence = malloc(LONG + 1);
        Report *report;

        memset(sentence, 'x', LONG);
        memcpy(sentence, "HEAD", 4);
        memcpy(sentence + LONG - 4, "TAIL", 5);
        (void) snprintf(path, sizeof(path), "%s/report.xml", folder);
        report = open_report(&(JunitOptions){ .path = path });
        report->begin(report, &(RunFacts){ .version = "1", .stage_name = "sandbox" });
        end_play(report, "a_b/x.yaml", "a_b/x.yaml", 1, "short");
        end_play(report, "a.b/x.yaml", "a.b/x.yaml", 0, sentence);
        end_play(report, "a_b/x.yaml", "a_b/x.yaml #2", 2, "]]> \033[31mred\033[0m \001");
        ck_assert_int_eq(report->close(report, NULL), 0);
        free(sentence);

        CLEANUP_FREE char *text = read_and_remove(path);
        ck_assert_uint_eq(count_of(text, "classname=\"agenttest.a_b.x\""), 1);
        ck_assert_uint_eq(count_of(text, "classname=\"agenttest.a_b.x~2\""), 2);
        ck_assert_uint_eq(count_of(text, "HEAD"), 2); /* in the message and in the details */
        ck_assert_uint_lt(strlen(text), 64 * 1024);
        ck_assert_msg(strstr(text, "bytes are left out ...]") && strstr(text, "message=\"]]&gt; red "), "%s", text);
        ck_assert_ptr_null(strchr(text, '\033'));
        ck_assert_ptr_null(strchr(text, '\001'));
}
END_TEST

START_TEST(names_are_unique) {
        static const char *const NAMES[] = { "x.yaml (2)", "x.yaml", "x.yaml", "bad \xff", "bad \xfe", "x.yaml" };
        static const char *const FOUND[] = { "x.yaml", "x.yaml (2)", "x.yaml (3)", "x.yaml (4)", "bad \xef\xbf\xbd",
                "bad \xef\xbf\xbd (2)" };
        char path[128];
        Report *report;

        (void) snprintf(path, sizeof(path), "%s/report.xml", folder);
        report = open_report(&(JunitOptions){ .path = path });
        report->begin(report, &(RunFacts){ .version = "1", .stage_name = "sandbox" });
        for (unsigned i = 0; i < ELEMENTS_OF(NAMES); i++)
                end_play(report, "x.yaml", NAMES[i], i, "wrong");
        ck_assert_int_eq(report->close(report, NULL), 0);

        CLEANUP_FREE char *text = read_and_remove(path);
        FOREACH_ARRAY (found, FOUND, ELEMENTS_OF(FOUND)) {
                CLEANUP_FREE char *attribute = NULL;

                ck_assert_int_ge(asprintf(&attribute, "name=\"%s\" classname=\"agenttest.x\"", *found), 0);
                ck_assert_msg(count_of(text, attribute) == 1, "%s in %s", attribute, text);
        }
}
END_TEST

Suite *junit_suite(void) {
        Suite *suite = suite_create("junit");
        TCase *cases = tcase_create("junit");

        tcase_add_checked_fixture(cases, make_folder, remove_folder);
        tcase_add_loop_test(cases, report_is_golden, 0, ELEMENTS_OF(rows));
        tcase_add_test(cases, a_run_that_never_ended_is_written);
        tcase_add_test(cases, where_nothing_began_nothing_is_written);
        tcase_add_loop_test(cases, what_cannot_be_written_is_told_at_once, 0, 3);
        tcase_add_test(cases, a_file_is_replaced_whole_and_keeps_a_link);
        tcase_add_test(cases, as_long_a_name_as_there_can_be_is_written);
        tcase_add_test(cases, what_is_no_file_is_not_replaced);
        tcase_add_test(cases, the_log_of_this_program_is_added_to);
        tcase_add_test(cases, a_fifo_that_nobody_reads_is_not_waited_for);
        tcase_add_loop_test(cases, a_file_has_a_class, 0, ELEMENTS_OF(CLASSES));
        tcase_add_loop_test(cases, a_place_is_relative_where_it_can_be, 0, 7);
        tcase_add_test(cases, classes_are_unique_and_sizes_are_bounded);
        tcase_add_test(cases, names_are_unique);
        suite_add_tcase(suite, cases);
        return suite;
}
