/* SPDX-License-Identifier: MIT */

/* What the formats write for the sample run, compared with tests/golden/reports. */

#include <string.h>

#include "suites.h"

static void read_golden(const char *path, Text *text) {
        CLEANUP_FILE FILE *file = fopen(path, "re");
        char buffer[4096];
        size_t n;

        ck_assert_msg(file, "%s: %s", path, strerror(errno));
        while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
                text_append_bytes(text, buffer, n);
}

void assert_golden(const char *name, const char *text) {
        CLEANUP_TEXT Text wanted = TEXT_INIT;
        char path[512];

        (void) snprintf(path, sizeof(path), "%s/golden/reports/%s", TEST_SOURCE_DIR, name);
        if (getenv("GOLDEN_UPDATE")) {
                CLEANUP_FILE FILE *file = fopen(path, "we");
                ck_assert_msg(file && fputs(text, file) >= 0, "%s: %s", path, strerror(errno));
                return;
        }
        read_golden(path, &wanted);
        ck_assert_msg(strcmp(text, text_get(&wanted)) == 0, "%s\n--- wanted\n%s--- is\n%s", path, text_get(&wanted),
                        text);
}

typedef enum SampleRun { RUN_WHOLE, RUN_INTERRUPTED } SampleRun;

static void check(const char *name, Report *(*make)(FILE *, int), int argument, SampleRun run) {
        CLEANUP_FREE char *bytes = NULL;
        size_t n_bytes;
        FILE *file = open_memstream(&bytes, &n_bytes);

        ck_assert_ptr_nonnull(file);
        if (run == RUN_WHOLE)
                show_sample_run(make(file, argument));
        else
                show_interrupted_run(make(file, argument));
        ck_assert_int_eq(fclose(file), 0);
        assert_golden(name, bytes);
}

static Report *make_plain(FILE *file, int verbosity) {
        return terminal_report_new(&(TerminalOptions){ .file = file, .verbosity = verbosity });
}

static Report *make_live(FILE *file, int n_columns) {
        return terminal_report_new(&(TerminalOptions){ .file = file,
                        .is_live = true,
                        .has_color = true,
                        .n_columns = (unsigned) n_columns,
                        .n_rows = 24 });
}

static Report *make_tap(FILE *file, int inconclusive_as) {
        return tap_report_new(&(TapOptions){ .file = file, .inconclusive_as = (Outcome) inconclusive_as });
}

static const struct {
        const char *name;
        Report *(*make)(FILE *, int);
        int argument;
        SampleRun run;
} rows[] = {
        { "plain.txt", make_plain, 0, RUN_WHOLE },
        { "quiet.txt", make_plain, -1, RUN_WHOLE },
        { "verbose.txt", make_plain, 1, RUN_WHOLE },
        { "live.txt", make_live, 60, RUN_WHOLE },
        { "interrupted.txt", make_plain, 0, RUN_INTERRUPTED },
        { "run.tap", make_tap, OUTCOME_INCONCLUSIVE, RUN_WHOLE },
        { "inconclusive-passes.tap", make_tap, OUTCOME_PASS, RUN_WHOLE },
        { "interrupted.tap", make_tap, OUTCOME_INCONCLUSIVE, RUN_INTERRUPTED },
};

START_TEST(report_is_golden) {
        check(rows[_i].name, rows[_i].make, rows[_i].argument, rows[_i].run);
}
END_TEST

Suite *golden_suite(void) {
        Suite *suite = suite_create("golden");
        TCase *cases = tcase_create("formats");

        tcase_add_loop_test(cases, report_is_golden, 0, ELEMENTS_OF(rows));
        suite_add_tcase(suite, cases);
        return suite;
}
