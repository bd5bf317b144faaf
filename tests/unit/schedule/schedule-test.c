/* SPDX-License-Identifier: MIT */

/* What becomes of performers, whichever way they end: never a pass that was not given. */

#include <string.h>

#include "base/quantity.h"
#include "players.h"
#include "suites.h"

static const struct {
        const char *player, *noted, *sentence; /* part of the worst verdict's */
} rows[] = {
        { "passes", "passes: pass held\n", "as played" },
        { "fails", "fails: fail wrong-value\n", "as played" },
        { "is inconclusive", "is inconclusive: inconclusive late-stamp\n", "as played" },
        { "is cut", "is cut: error stream-cut\n", "the performer ended with status 0 before it gave a verdict" },
        { "says nothing", "says nothing: error stream-cut\n",
                        "the performer ended with status 7 before it gave a verdict" },
        { "aborts", "aborts: error stream-cut\n",
                        "was killed by SIGABRT before it gave a verdict; it said: player.c:1: assertion failed" },
        { "talks nonsense", "talks nonsense: error stream-cut\n", "its stream broke: line 2: " },
        { "contradicts itself", "contradicts itself: fail wrong-value\n", "as played" },
        { "has no verdict", "has no verdict: error stream-cut\n", "the performer says pass, its 0 verdicts say" },
        { "goes on after verdicts", "goes on after verdicts: error stream-cut\n",
                        "an entry came behind the verdicts" },
        { "ends badly", "ends badly: error stage\n", "after its verdicts the performer ended with status 3" },
        { "looks around", "looks around: pass held\n", "as played" },
};

START_TEST(every_end_has_its_verdict) {
        CLEANUP(notes_done) Notes notes = { 0 };
        CLEANUP(run_summary_done)
        RunSummary summary = run_plays(NAMES(rows[_i].player), (ScheduleOptions){ .n_jobs = 1 }, &notes);

        ck_assert_str_eq(text_get(&notes.text), rows[_i].noted);
        ck_assert_msg(strstr(notes.sentence, rows[_i].sentence), "%s", notes.sentence);
        ck_assert_uint_eq(summary.n_not_played, 0);
        ck_assert_ptr_null(summary.broken);
}
END_TEST

START_TEST(the_stream_is_stored_as_it_came) {
        CLEANUP(notes_done) Notes notes = { 0 };
        CLEANUP_FREE char *timeline = NULL, *verdicts = NULL;
        CLEANUP(run_summary_done)
        RunSummary summary = run_plays(NAMES("fails"), (ScheduleOptions){ .n_jobs = 1 }, &notes);

        ck_assert_uint_eq(summary.n_with[OUTCOME_FAIL], 1);
        ck_assert_uint_eq(notes.n_entries, 1);
        ck_assert_ptr_nonnull(strstr(notes.evidence_path, "/out/01-fails"));
        timeline = get_file("out/01-fails/timeline.ndjson");
        ck_assert_ptr_nonnull(strstr(timeline, "start: a.service"));
        verdicts = get_file("out/01-fails/verdicts.ndjson");
        ck_assert_int_eq(strncmp(verdicts, "{\"verdict\":\"fail\"", 17), 0);
        ck_assert(!is_there("out/01-fails/performer.txt"));
}
END_TEST

START_TEST(the_narrowest_margin_is_kept) {
        CLEANUP(notes_done) Notes notes = { 0 };
        CLEANUP(run_summary_done)
        RunSummary summary = run_plays(NAMES("fails", "passes"), (ScheduleOptions){ .n_jobs = 1 }, &notes);

        ck_assert_uint_eq(summary.margin_usec, 1500000);
        ck_assert_str_eq(summary.margin_of, "passes: steps[0]");
}
END_TEST

START_TEST(no_more_than_jobs_side_by_side) {
        CLEANUP(notes_done) Notes notes = { 0 };
        CLEANUP(run_summary_done)
        RunSummary summary = run_plays(NAMES("passes", "passes", "fails", "passes", "is cut", "passes", "passes"),
                        (ScheduleOptions){ .n_jobs = 3 }, &notes);

        ck_assert_uint_eq(notes.n_running_max, 3);
        ck_assert_uint_eq(summary.n_with[OUTCOME_PASS], 5);
        ck_assert_uint_eq(summary.n_with[OUTCOME_FAIL], 1);
        ck_assert_uint_eq(summary.n_with[OUTCOME_ERROR], 1);
}
END_TEST

/* Alone wherever it stands; the others are side by side all the same. */
START_TEST(an_exclusive_one_is_played_alone) {
        CLEANUP(notes_done) Notes notes = { 0 };
        CLEANUP(run_summary_done)
        RunSummary summary = run_plays(NAMES("passes alone", "passes", "passes", "passes", "passes alone",
                                                       "passes alone", "passes", "passes", "passes alone"),
                        (ScheduleOptions){ .n_jobs = 3 }, &notes);

        ck_assert_uint_eq(notes.n_disturbed, 0);
        ck_assert_uint_eq(notes.n_running_max, 3);
        ck_assert_uint_eq(summary.n_with[OUTCOME_PASS], 9);
}
END_TEST

/* What has begun is played to its end, what has not is skipped: by the number of jobs one or three are played. */
START_TEST(fail_fast_begins_nothing_more) {
        CLEANUP(notes_done) Notes notes = { 0 };
        ScheduleOptions options = { .n_jobs = 1, .is_fail_fast = true };
        CLEANUP(run_summary_done)
        RunSummary summary = run_plays(NAMES("passes", "fails", "passes", "is cut"), options, &notes);

        ck_assert_str_eq(text_get(&notes.text), "passes: pass held\nfails: fail wrong-value\n"
                                                "passes: skip not-run\nis cut: skip not-run\n");
        ck_assert_str_eq(notes.sentence, "not run: --fail-fast, and fails did not pass");
        ck_assert_uint_eq(summary.n_with[OUTCOME_SKIP], 2);
        ck_assert_uint_eq(summary.n_not_played, 0);
}
END_TEST

START_TEST(fail_fast_asks_what_inconclusive_counts_as) {
        CLEANUP(notes_done) Notes notes = { 0 };
        ScheduleOptions options = {
                .n_jobs = 1,
                .is_fail_fast = true,
                .inconclusive_as = _i == 0 ? OUTCOME_PASS : OUTCOME_INCONCLUSIVE,
        };
        CLEANUP(run_summary_done)
        RunSummary summary = run_plays(NAMES("is inconclusive", "passes"), options, &notes);

        ck_assert_uint_eq(summary.n_with[OUTCOME_PASS], _i == 0 ? 1 : 0);
        ck_assert_uint_eq(summary.n_with[OUTCOME_SKIP], _i == 0 ? 0 : 1);
}
END_TEST

START_TEST(who_overstays_is_ended) {
        CLEANUP(notes_done) Notes notes = { 0 };
        ScheduleOptions options = { .n_jobs = 2, .overstay_usec = 1, .stop_usec = 100 * USEC_PER_MSEC };
        CLEANUP(run_summary_done) RunSummary summary = { 0 };

        scenario_timeout_usec = 50 * USEC_PER_MSEC;
        summary = run_plays(NAMES("overstays"), options, &notes);
        ck_assert_str_eq(text_get(&notes.text), "overstays: error timeout\n");
        ck_assert_ptr_nonnull(strstr(notes.sentence, "was killed by SIGTERM"));
}
END_TEST

START_TEST(who_ignores_that_is_killed) {
        CLEANUP(notes_done) Notes notes = { 0 };
        ScheduleOptions options = { .n_jobs = 2, .overstay_usec = 1, .stop_usec = 100 * USEC_PER_MSEC };
        CLEANUP(run_summary_done) RunSummary summary = { 0 };

        scenario_timeout_usec = 50 * USEC_PER_MSEC;
        summary = run_plays(NAMES("is stubborn"), options, &notes);
        ck_assert_str_eq(text_get(&notes.text), "is stubborn: error timeout\n");
        ck_assert_ptr_nonnull(strstr(notes.sentence, "was killed by SIGKILL"));
}
END_TEST

START_TEST(without_a_stage_every_play_is_an_error) {
        CLEANUP(notes_done) Notes notes = { 0 };
        ScheduleOptions options = { .n_jobs = 1, .stage_problem = "the sandbox needs root" };
        CLEANUP(run_summary_done) RunSummary summary = run_plays(NAMES("passes", "fails"), options, &notes);

        ck_assert_str_eq(text_get(&notes.text), "passes: error stage\nfails: error stage\n");
        ck_assert_str_eq(notes.sentence, "the sandbox needs root");
        ck_assert_uint_eq(summary.n_with[OUTCOME_ERROR], 2);
}
END_TEST

Suite *schedule_suite(void) {
        Suite *suite = suite_create("schedule");
        TCase *cases = tcase_create("schedule");

        tcase_add_checked_fixture(cases, enter_folder, leave_folder);
        tcase_add_loop_test(cases, every_end_has_its_verdict, 0, ELEMENTS_OF(rows));
        tcase_add_test(cases, the_stream_is_stored_as_it_came);
        tcase_add_test(cases, the_narrowest_margin_is_kept);
        tcase_add_test(cases, no_more_than_jobs_side_by_side);
        tcase_add_test(cases, an_exclusive_one_is_played_alone);
        tcase_add_test(cases, fail_fast_begins_nothing_more);
        tcase_add_loop_test(cases, fail_fast_asks_what_inconclusive_counts_as, 0, 2);
        tcase_add_test(cases, who_overstays_is_ended);
        tcase_add_test(cases, who_ignores_that_is_killed);
        tcase_add_test(cases, without_a_stage_every_play_is_an_error);
        suite_add_tcase(suite, cases);
        return suite;
}
