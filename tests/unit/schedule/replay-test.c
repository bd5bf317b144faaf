/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "judge/expect.h"
#include "perform/step.h"
#include "schedule/replay.h"
#include "suites.h"

#define RESOLVED "{\"path\": \"a.yaml\", \"document\": 0, \"name\": \"a.yaml\", \"defines\": {}}\n"
#define SCENARIO                                                                                                     \
        "about: A recording\n"                                                                                       \
        "units: { a.service: { properties: { ExecStart: /bin/true } } }\n"                                           \
        "steps: [ start: a.service ]\n"                                                                              \
        "never: [ log: hello ]\n"
#define ENTRY(kind, fields) "\"source\":\"harness\",\"kind\":\"" kind "\",\"at\":1,\"seen\":1,\"f\":{" fields "}}\n"

/* A recording of whose journal @n_lines were judged, and nothing is left. */
static int replay_without_journal(const char *n_lines, Error *error) {
        CLEANUP(replay_done) Replay replay = { 0 };
        CLEANUP_TEXT Text timeline = TEXT_INIT;
        Language language = { 0 };

        language.steps = step_kinds(&language.n_steps);
        language.expectations = expect_kinds(&language.n_expectations);
        text_printf(&timeline,
                        "{\"i\":0," ENTRY("barrier", "\"lines\":\"%s\",\"since\":\"1\"") "{\"i\":1," ENTRY(
                                        "scenario-end", "\"how\":\"done\""),
                        n_lines);
        put_file("e/resolved.json", RESOLVED);
        put_file("e/scenario.yaml", SCENARIO);
        put_file("e/verdicts.ndjson", "");
        put_file("e/timeline.ndjson", text_get(&timeline));
        return replay_evidence("e", NULL, &language, &replay, error);
}

START_TEST(lines_that_are_gone_are_damage) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_eq(replay_without_journal("111", &error), -EBADMSG);
        ck_assert_str_eq(error_text(&error), "e: the journal holds 0 of the 111 lines that were judged");
}
END_TEST

START_TEST(no_line_was_judged) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_msg(replay_without_journal("0", &error) == 0, "%s", error_text(&error));
}
END_TEST

Suite *replay_suite(void) {
        Suite *suite = suite_create("replay");
        TCase *cases = tcase_create("replay");

        tcase_add_checked_fixture(cases, enter_folder, leave_folder);
        tcase_add_test(cases, lines_that_are_gone_are_damage);
        tcase_add_test(cases, no_line_was_judged);
        suite_add_tcase(suite, cases);
        return suite;
}
