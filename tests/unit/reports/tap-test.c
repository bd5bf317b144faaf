/* SPDX-License-Identifier: MIT */

/* What a foreign parser makes of our TAP: TAP::Parser, which comes with perl, and prove. */

#include <string.h>
#include <sys/wait.h>

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
        Report *report = tap_report_new(&(TapOptions){ .file = full, .closes_file = true });

        report->begin(report, &(RunFacts){ .n_plays = 1 });
        ck_assert_int_eq(report->close(report, &error), -EIO);
}
END_TEST

Suite *tap_suite(void) {
        Suite *suite = suite_create("tap");
        TCase *cases = tcase_create("tap");

        tcase_add_test(cases, a_foreign_parser_understands);
        tcase_add_test(cases, prove_counts_the_same);
        tcase_add_test(cases, what_cannot_be_written_is_told);
        suite_add_tcase(suite, cases);
        return suite;
}
