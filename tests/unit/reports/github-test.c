/* SPDX-License-Identifier: MIT */

/* Annotations and the step summary: golden ones, the limits, and that nothing a daemon wrote is obeyed. */

#include <string.h>

#include "base/quantity.h"
#include "suites.h"

static char summary_path[64];
static char *annotations;
static size_t n_annotation_bytes;
static FILE *file;

static void make(void) {
        int fd;

        strcpy(summary_path, "/tmp/agenttest-summary-XXXXXX");
        fd = mkstemp(summary_path);
        ck_assert_int_ge(fd, 0);
        (void) close(fd);
        annotations = NULL;
        file = open_memstream(&annotations, &n_annotation_bytes);
        ck_assert_ptr_nonnull(file);
}

static void release(void) {
        (void) unlink(summary_path);
        free(annotations);
}

static Report *open_report(Outcome inconclusive_as) {
        return github_report_new(&(GithubOptions){
                        .file = file, .summary_path = summary_path, .inconclusive_as = inconclusive_as });
}

static char *read_summary(void) {
        CLEANUP_FILE FILE *summary = fopen(summary_path, "re");
        CLEANUP_TEXT Text text = TEXT_INIT;
        char buffer[4096];
        size_t n;

        ck_assert_ptr_nonnull(summary);
        while ((n = fread(buffer, 1, sizeof(buffer), summary)) > 0)
                text_append_bytes(&text, buffer, n);
        return text_take(&text);
}

static void end_play(Report *report, unsigned index, Reason reason, const char *name, const char *sentence) {
        Scenario scenario = { .path = (char *) "a,b:c.yaml", .name = (char *) name };
        Play play = { .scenario = &scenario, .name = (char *) name, .index = index };
        Verdict verdict = { .reason = reason,
                .outcome = reason_outcome(reason),
                .sentence = strdup(sentence),
                .mark = { .line = 3, .column = 5 },
                .margin_usec = USEC_INFINITY };
        PlayResult result = { .play = &play, .outcome = reason_outcome(reason) };

        ck_assert_int_eq(judgement_take(&result.judgement, &verdict), 0);
        report->play_end(report, &result);
        judgement_done(&result.judgement);
}

static void end_run(Report *report) {
        RunSummary summary = { .margin_usec = USEC_INFINITY };

        report->end(report, &summary);
        ck_assert_int_eq(report->close(report, NULL), 0);
        ck_assert_int_eq(fclose(file), 0);
}

static size_t count_of(const char *text, const char *part) {
        size_t n = 0;

        for (; (text = strstr(text, part)); text += strlen(part))
                n++;
        return n;
}

START_TEST(report_is_golden) {
        show_sample_run(open_report(OUTCOME_INCONCLUSIVE));
        ck_assert_int_eq(fclose(file), 0);
        CLEANUP_FREE char *summary = read_summary();
        assert_golden("github-annotations.txt", annotations);
        assert_golden("github-summary.md", summary);
}
END_TEST

START_TEST(an_early_end_is_told) {
        show_interrupted_run(open_report(OUTCOME_INCONCLUSIVE));
        ck_assert_int_eq(fclose(file), 0);
        CLEANUP_FREE char *summary = read_summary();
        ck_assert_msg(strstr(summary, "**Ended early** by SIGINT"), "%s", summary);
}
END_TEST

START_TEST(commands_are_escaped) {
        Report *report = open_report(OUTCOME_INCONCLUSIVE);

        end_play(report, 0, REASON_WRONG_VALUE, "a:b,c%", "100%\n::warning::x\033[31m");
        end_run(report);
        ck_assert_str_eq(annotations,
                        "::error file=a%2Cb%3Ac.yaml,line=3,col=5,title=FAIL a%3Ab%2Cc%25::100%25%0A::warning::x\n");
}
END_TEST

START_TEST(ten_are_shown_the_worst_first) {
        Report *report = open_report(OUTCOME_INCONCLUSIVE);

        for (unsigned i = 0; i < 12; i++)
                end_play(report, i, REASON_LATE_STAMP, "late", "inconclusive");
        end_play(report, 12, REASON_STAGE, "stage", "error");
        end_play(report, 13, REASON_WRONG_VALUE, "broken", "fail");
        end_run(report);
        ck_assert_uint_eq(count_of(annotations, "\n"), 10);
        ck_assert_uint_eq(count_of(annotations, "::warning "), 7);
        ck_assert_msg(strncmp(annotations, "::error file=a%2Cb%3Ac.yaml,line=3,col=5,title=FAIL broken::", 60) == 0,
                        "%s", annotations);
        ck_assert_msg(strstr(annotations, "::error title=agenttest::+5 more scenarios did not pass\n"), "%s",
                        annotations);
}
END_TEST

START_TEST(what_counts_as_pass_is_not_shown) {
        Report *report = open_report(OUTCOME_PASS);

        end_play(report, 0, REASON_LATE_STAMP, "late", "inconclusive");
        end_play(report, 1, REASON_HELD, "good", "held");
        end_play(report, 2, REASON_REQUIREMENT, "skipped", "not here");
        end_run(report);
        ck_assert_uint_eq(n_annotation_bytes, 0);
}
END_TEST

/* A daemon's backticks do not end the block they are quoted in; its HTML is text. */
START_TEST(markdown_is_harmless) {
        Report *report = open_report(OUTCOME_INCONCLUSIVE);

        end_play(report, 0, REASON_WRONG_VALUE, "x|y", "a ```` b </details><script> [c](d)");
        end_run(report);
        CLEANUP_FREE char *summary = read_summary();
        ck_assert_msg(strstr(summary, "| FAIL | x\\|y | a \\`\\`\\`\\` b &#60;/details&#62;&#60;script&#62; "
                                      "\\[c\\](d) |"),
                        "%s", summary);
        ck_assert_msg(strstr(summary, "\n`````text\n"), "%s", summary);
}
END_TEST

START_TEST(the_summary_stays_below_its_limit) {
        enum { THERE = 600 * 1024, LONG = 12 * 1024 };
        char *there = malloc(THERE), *sentence = malloc(LONG + 1);
        Report *report = open_report(OUTCOME_INCONCLUSIVE);
        FILE *summary_file = fopen(summary_path, "we");

        memset(there, 'o', THERE);
        memset(sentence, '<', LONG);
        sentence[LONG] = '\0';
        ck_assert_uint_eq(fwrite(there, 1, THERE, summary_file), THERE);
        ck_assert_int_eq(fclose(summary_file), 0);
        for (unsigned i = 0; i < 1000; i++)
                end_play(report, i, REASON_WRONG_VALUE, "broken", sentence);
        end_run(report);
        CLEANUP_FREE char *summary = read_summary();
        ck_assert_uint_lt(strlen(summary), 1024 * 1024);
        ck_assert_uint_gt(strlen(summary), 900 * 1024);
        ck_assert_int_eq(memcmp(summary, there, THERE), 0);
        ck_assert_msg(strstr(summary, " more did not pass\n"), "the rest is not told");
        free(there);
        free(sentence);
}
END_TEST

START_TEST(what_cannot_be_written_is_told) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Report *report = github_report_new(&(GithubOptions){ .file = file, .summary_path = "/no/such/summary" });
        RunSummary summary = { .margin_usec = USEC_INFINITY };

        report->end(report, &summary);
        ck_assert_int_eq(report->close(report, &error), -ENOENT);
        ck_assert_int_eq(fclose(file), 0);
}
END_TEST

/* Between the two lines of the fence no command is obeyed; only what knows the word ends it. */
START_TEST(the_terminal_is_fenced) {
        show_sample_run(terminal_report_new(&(TerminalOptions){ .file = file, .fence = "secret" }));
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_int_eq(strncmp(annotations, "::stop-commands::secret\n", 24), 0);
        ck_assert_uint_gt(n_annotation_bytes, 100);
        ck_assert_str_eq(annotations + n_annotation_bytes - 11, "::secret::\n");
}
END_TEST

START_TEST(what_counts_as_a_failure_is_no_warning) {
        static const Outcome AS[] = { OUTCOME_INCONCLUSIVE, OUTCOME_FAIL, OUTCOME_PASS };
        static const char *const COMMANDS[] = { "::warning ", "::error ", NULL };
        Report *report = open_report(AS[_i]);

        report->begin(report, &(RunFacts){ .n_plays = 1 });
        end_play(report, 0, REASON_UNREADABLE, "x.yaml", "it is not known");
        end_run(report);
        if (COMMANDS[_i])
                ck_assert_msg(strncmp(annotations, COMMANDS[_i], strlen(COMMANDS[_i])) == 0, "%s", annotations);
        else
                ck_assert_uint_eq(n_annotation_bytes, 0);
}
END_TEST

Suite *github_suite(void) {
        Suite *suite = suite_create("github");
        TCase *cases = tcase_create("github");

        tcase_add_checked_fixture(cases, make, release);
        tcase_add_test(cases, report_is_golden);
        tcase_add_loop_test(cases, what_counts_as_a_failure_is_no_warning, 0, 3);
        tcase_add_test(cases, an_early_end_is_told);
        tcase_add_test(cases, commands_are_escaped);
        tcase_add_test(cases, ten_are_shown_the_worst_first);
        tcase_add_test(cases, what_counts_as_pass_is_not_shown);
        tcase_add_test(cases, markdown_is_harmless);
        tcase_add_test(cases, the_summary_stays_below_its_limit);
        tcase_add_test(cases, what_cannot_be_written_is_told);
        tcase_add_test(cases, the_terminal_is_fenced);
        suite_add_tcase(suite, cases);
        return suite;
}
