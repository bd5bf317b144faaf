/* SPDX-License-Identifier: MIT */
/* What the reader does with folders that hold no good journal; good ones need a journald: tests/integration. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "bench.h"
#include "observe/journal-reader.h"
#include "suites.h"

START_TEST(an_empty_or_missing_folder_has_no_lines) {
        Bench *bench = bench_new();
        static const char *const names[] = { ".", "missing" };

        for (size_t i = 0; i < ELEMENTS_OF(names); i++) {
                CLEANUP(journal_reader_free_p) JournalReader *reader = NULL;
                CLEANUP_ERROR Error error = ERROR_INIT;
                const LogLine *line;

                ck_assert_int_eq(journal_reader_open(bench->observer.evidence_fd, names[i], &reader, &error), 0);
                ck_assert_int_eq(journal_reader_next(reader, &line), 0);
        }
        bench_free(bench);
}
END_TEST

START_TEST(a_file_that_is_no_journal_is_named) {
        Bench *bench = bench_new();
        CLEANUP(journal_reader_free_p) JournalReader *reader = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP_FREE char *path = bench_path(bench, "broken.journal");

        bench_write(bench, "broken.journal", "this is no journal");
        ck_assert_int_eq(truncate(path, 65536), 0);
        ck_assert_int_eq(journal_reader_open(AT_FDCWD, bench->folder, &reader, &error), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "broken.journal"));
        bench_free(bench);
}
END_TEST

/* journald makes a file large before it signs it: not yet a journal is no error. */
START_TEST(a_file_in_the_making_is_passed_over) {
        Bench *bench = bench_new();
        CLEANUP(journal_reader_free_p) JournalReader *reader = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP_FREE char *path = bench_path(bench, "system.journal");
        const LogLine *line;

        bench_write(bench, "system.journal", "");
        ck_assert_int_eq(journal_reader_open(AT_FDCWD, bench->folder, &reader, &error), 0);
        ck_assert_int_eq(truncate(path, 65536), 0);
        ck_assert_int_eq(journal_reader_rescan(reader, &error), 0);
        ck_assert_int_eq(journal_reader_next(reader, &line), 0);
        bench_free(bench);
}
END_TEST

Suite *journal_suite(void) {
        Suite *suite = suite_create("journal");
        TCase *cases = tcase_create("journal");

        tcase_add_test(cases, an_empty_or_missing_folder_has_no_lines);
        tcase_add_test(cases, a_file_that_is_no_journal_is_named);
        tcase_add_test(cases, a_file_in_the_making_is_passed_over);
        suite_add_tcase(suite, cases);
        return suite;
}
