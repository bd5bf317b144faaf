/* SPDX-License-Identifier: MIT */

/* What a foreign parser makes of our TAP: TAP::Parser, which comes with perl, and prove. */

#include <string.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/quantity.h"
#include "suites.h"

static void write_tap(const char *path) {
        TapOptions options = {
                .file = fopen(path, "we"), .closes_file = true, .inconclusive_as = OUTCOME_INCONCLUSIVE
        };

        ck_assert_ptr_nonnull(options.file);
        show_sample_run(tap_report_new(&options));
}

static int run(const char *command, Text *output) {
        FILE *stream = popen(command, "re");
        char buffer[4096];
        size_t n;

        ck_assert_ptr_nonnull(stream);
        while ((n = fread(buffer, 1, sizeof(buffer), stream)) > 0)
                text_append_bytes(output, buffer, n);
        return pclose(stream);
}

static void make_file(char path[static 64]) {
        int fd;

        strcpy(path, "/tmp/agenttest-tap-XXXXXX");
        fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        (void) close(fd);
        write_tap(path);
}

static const char PARSE[] =
                "perl -MTAP::Parser -e '"
                "open my $f, \"<\", $ARGV[0] or die; local $/; my $p = TAP::Parser->new({ tap => <$f> });"
                "while (my $r = $p->next) {"
                "  print $r->is_ok ? \"ok\" : \"not ok\", \" \", $r->number, \" \", $r->description,"
                "    $r->has_skip ? \" skip: \" . $r->explanation : \"\", \"\\n\" if $r->is_test;"
                "  print \"unknown: \", $r->as_string, \"\\n\" if $r->is_unknown;"
                "  print \"found: \", $r->data->{found}, \"\\n\" if $r->is_yaml && $r->data->{found};"
                "  print \"line: \", $r->data->{at}{line}, \"\\n\" if $r->is_yaml && $r->data->{at}{line};"
                "}"
                "print \"errors: \", scalar($p->parse_errors), \" plan: \", $p->tests_planned, \"\\n\"' ";

START_TEST(a_foreign_parser_understands) {
        CLEANUP_TEXT Text output = TEXT_INIT;
        char path[64], command[2048];

        make_file(path);
        (void) snprintf(command, sizeof(command), "%s %s", PARSE, path);
        ck_assert_int_eq(run(command, &output), 0);
        (void) unlink(path);
        assert_golden("run.tap.parsed", text_get(&output));
}
END_TEST

START_TEST(prove_counts_the_same) {
        CLEANUP_TEXT Text output = TEXT_INIT;
        char path[64], command[256];
        int wait_status;

        make_file(path);
        (void) snprintf(command, sizeof(command), "prove --exec cat %s 2>&1", path);
        wait_status = run(command, &output);
        (void) unlink(path);
        ck_assert_msg(WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 1, "%s", text_get(&output));
        ck_assert_msg(strstr(text_get(&output), "Failed 5/7 subtests"), "%s", text_get(&output));
        ck_assert_msg(!strstr(text_get(&output), "Parse errors"), "%s", text_get(&output));
}
END_TEST

START_TEST(what_cannot_be_written_is_told) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        FILE *full = fopen("/dev/full", "we");
        Report *report = tap_report_new(&(TapOptions){ .file = full, .path = "x.tap", .closes_file = true });

        report->begin(report, &(RunFacts){ .n_plays = 1 });
        ck_assert_int_eq(report->close(report, &error), -ENOSPC);
        ck_assert_str_eq(error.message, "The TAP report could not be written to x.tap: No space left on device");
}
END_TEST

static Report *new_tap(FILE *file) {
        return tap_report_new(&(TapOptions){ .file = file });
}

static Report *new_terminal(FILE *file) {
        return terminal_report_new(&(TerminalOptions){ .file = file });
}

/* Names of files and what a daemon wrote: UTF-8, on one line, no command to a terminal or to GitHub's runner. */
START_TEST(foreign_text_is_harmless) {
        Report *(*const constructors[])(FILE *) = { new_tap, new_terminal };
        char name[] = "bad\xff\033[2J\n::error::.yaml";
        Scenario scenario = { .path = name, .name = name };
        Play play = { .scenario = &scenario, .name = name };
        PlayResult result = { .play = &play, .outcome = OUTCOME_FAIL, .timeline = timeline_new() };
        RunSummary summary = { .margin_of = name, .evidence_path = name, .broken = name };
        Verdict verdict = { .reason = REASON_WRONG_VALUE,
                .outcome = OUTCOME_FAIL,
                .sentence = strdup("it differs"),
                .seen = strdup("##[error]injected \xfe \xc2\x9b"
                               "2J") };
        CLEANUP_FREE char *text = NULL;
        size_t n_bytes = 0;
        FILE *file = open_memstream(&text, &n_bytes);
        Report *report = constructors[_i](file);

        ck_assert_int_eq(judgement_take(&result.judgement, &verdict), 0);
        report->begin(report, &(RunFacts){ .version = "1", .stage_name = "sandbox", .n_plays = 1 });
        report->play_begin(report, &play, 0);
        if (report->tick)
                report->tick(report, 100 * USEC_PER_SEC);
        report->play_end(report, &result);
        report->end(report, &summary);
        ck_assert_int_eq(report->close(report, NULL), 0);
        (void) fclose(file);
        judgement_done(&result.judgement);
        (void) timeline_free((Timeline *) result.timeline);

        ck_assert_msg(utf8_is_valid(text, n_bytes), "%s", text);
        ck_assert_ptr_null(memchr(text, '\033', n_bytes));
        ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
        ck_assert_msg(!strstr(text, "\n::"), "%s", text);
        ck_assert_msg(strstr(text, "it differs"), "%s", text);
        if (constructors[_i] == new_tap) /* what a terminal shows is fenced */
                ck_assert_msg(strstr(text, "#\\x23[error]injected") && !strstr(text, "##["), "%s", text);
}
END_TEST

Suite *tap_suite(void) {
        Suite *suite = suite_create("tap");
        TCase *cases = tcase_create("tap");

        tcase_add_test(cases, a_foreign_parser_understands);
        tcase_add_test(cases, prove_counts_the_same);
        tcase_add_test(cases, what_cannot_be_written_is_told);
        tcase_add_loop_test(cases, foreign_text_is_harmless, 0, 2);
        suite_add_tcase(suite, cases);
        return suite;
}
