/* SPDX-License-Identifier: MIT */

/* Records of runs, whole and damaged: what is not known is not green. */

#include <string.h>

#include "schedule/merge.h"
#include "suites.h"

#define BEGIN_WITH(id, n_plays, more)                                                                                \
        "{\"run\":2,\"agenttest\":\"0.1.0\",\"id\":\"" id "\",\"stage\":\"sandbox\",\"plays\":" n_plays              \
        ",\"begin\":100,\"wall\":1000" more "}\n"
#define BEGIN(n_plays) BEGIN_WITH("abc", n_plays, "")
/* Part @number of two, of a suite of two scenarios. */
#define PART(number, hash)                                                                                           \
        BEGIN_WITH("abc" number, "1", ",\"shard\":" number ",\"shards\":2,\"scenarios\":2,\"suite\":\"" hash "\"")
#define VERDICT(outcome, reason)                                                                                     \
        "{\"verdict\":\"" outcome "\",\"reason\":\"" reason "\",\"id\":\"steps[0]\",\"line\":4,\"column\":5,"        \
        "\"sentence\":\"as told\",\"near\":[],\"evidence\":[],\"at\":0,\"margin\":\"infinity\"}\n"
#define HELD  VERDICT("pass", "held")
#define BROKE VERDICT("fail", "wrong-value")
#define SCENARIO(index)                                                                                              \
        ":\"a.yaml#" index "\",\"path\":\"a.yaml\",\"scenario\":\"a.yaml#" index                                     \
        "\",\"document\":0,\"line\":4,\"index\":" index
#define RESULT(index, outcome) "{\"play\"" SCENARIO(index) ",\"outcome\":\"" outcome "\",\"begin\":110,\"end\":120}\n"
#define PASSED(index)          HELD RESULT(index, "pass")
#define FAILED(index)          HELD BROKE RESULT(index, "fail")
#define PERFORMED(index, outcome)                                                                                    \
        "{\"play\"" SCENARIO(index) ",\"outcome\":\"" outcome "\",\"folder\":\"0" index                              \
                                    "\",\"performed\":1,\"begin\":110,\"end\":120}\n"
#define ENTRY          "{\"i\":0,\"source\":\"harness\",\"kind\":\"deadline\",\"at\":1,\"seen\":1,\"f\":{}}\n"
#define NOT_RUN(index) "{\"not-run\"" SCENARIO(index) "}\n"
#define END            "{\"end\":130,\"signal\":0}\n"

/* Writes each record to a folder of its own, "0", "1", ..., and merges them in this order. */
static int merge_told(const char *const *records, size_t n_records, Report *report, RunSummary *ret_summary,
                Error *reterr) {
        CLEANUP(merge_free_p) Merge *merge = NULL;
        int r = 0;

        *ret_summary = (RunSummary){ 0 };
        ck_assert_int_eq(merge_new(&merge), 0);
        for (size_t i = 0; i < n_records; i++) {
                char path[64];

                (void) snprintf(path, sizeof(path), "%zu/" RECORD_FILE_NAME, i);
                put_file(path, records[i]);
                *strchr(path, '/') = '\0';
                if (r >= 0)
                        r = merge_add(merge, path, reterr);
        }
        return r < 0 ? r : merge_report(merge, &report, report ? 1 : 0, ret_summary, reterr);
}

static int merge_records(const char *const *records, size_t n_records, RunSummary *ret_summary, Error *reterr) {
        return merge_told(records, n_records, NULL, ret_summary, reterr);
}

#define MERGE(summary, error, ...)                                                                                   \
        merge_records((const char *const[]){ __VA_ARGS__ },                                                          \
                        sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), summary, error)

/* "2 1 0": passed, failed, not run. */
static void assert_merged(
                int r, const RunSummary *summary, const Error *error, const char *counts, const char *broken) {
        char found[64];

        ck_assert_msg(r == 0, "%s", error_text(error));
        (void) snprintf(found, sizeof(found), "%zu %zu %zu", summary->n_with[OUTCOME_PASS],
                        summary->n_with[OUTCOME_FAIL], summary->n_not_played);
        ck_assert_str_eq(found, counts);
        if (broken)
                ck_assert_msg(summary->broken && strstr(summary->broken, broken), "%s", summary->broken ?: "whole");
        else
                ck_assert_msg(!summary->broken, "%s", summary->broken);
}

static const struct {
        const char *record;
        const char *counts;
        const char *broken; /* part of it; NULL: it is whole */
} rows[] = {
        { BEGIN("2") PASSED("0") PASSED("1") END, "2 0 0", NULL },
        { BEGIN("2") PASSED("1") FAILED("0") END, "1 1 0", NULL },
        { BEGIN("2") PASSED("0") END, "1 0 1", "says what became of 1 scenarios, its run began with 2" },
        { BEGIN("1") PASSED("0") PASSED("1") END, "2 0 0", "says what became of 2 scenarios, its run began with 1" },
        { BEGIN("2") PASSED("0") NOT_RUN("1") END, "1 0 1", NULL },
        { BEGIN("2") PASSED("0") PASSED("1"), "2 0 0", "died before its end" },
        { "", "0 0 0", "died before it began" },
        { "{\"run\":2,\"agentt", "0 0 0", "died before it began" },
        { BEGIN("2") PASSED("0") "{\"verdict\":\"pa", "1 0 1", "died before its end" },
};

START_TEST(what_is_not_known_is_not_green) {
        CLEANUP(run_summary_done) RunSummary summary = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r = MERGE(&summary, &error, rows[_i].record);

        assert_merged(r, &summary, &error, rows[_i].counts, rows[_i].broken);
}
END_TEST

static const struct {
        const char *record, *message;
} damages[] = {
        { BEGIN("1") HELD BROKE RESULT("0", "pass") END,
                        "0/run.ndjson:4: the outcome is pass, the verdicts before it "
                        "say fail" },
        { BEGIN("1") VERDICT("pass", "wrong-value") RESULT("0", "pass") END,
                        "0/run.ndjson:2: no verdict is pass for wrong-value" },
        { BEGIN("1") RESULT("0", "pass") END, "0/run.ndjson:2: the outcome is pass, the verdicts before it say " },
        { BEGIN("1") BROKE END, "0/run.ndjson:3: 1 verdicts before it belong to no scenario" },
        { BEGIN("1") BROKE NOT_RUN("0") END, "0/run.ndjson:3: 1 verdicts before it belong to no scenario" },
        { "{\"run\":3,\"agenttest\":\"9.0\"}\n", "0/run.ndjson:1: format 3, of agenttest 9.0; this is agenttest " },
        { BEGIN_WITH("abc", "0", ",\"shard\":1,\"shards\":2") END, "0/run.ndjson:1: not as agenttest writes it" },
        { BROKE BEGIN("0") END, "0/run.ndjson:1: not as agenttest writes it" },
        { BEGIN("0") END "nonsense\n", "0/run.ndjson:3: " },
};

START_TEST(damage_is_told) {
        CLEANUP(run_summary_done) RunSummary summary = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_lt(MERGE(&summary, &error, damages[_i].record), 0);
        ck_assert_msg(strstr(error_text(&error), damages[_i].message), "%s", error_text(&error));
}
END_TEST

START_TEST(parts_are_of_one_suite) {
        CLEANUP(run_summary_done) RunSummary summary = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r = MERGE(&summary, &error, PART("2", "00000000000000ff") PASSED("1") END,
                        PART("1", "00000000000000ff") PASSED("0") END);

        assert_merged(r, &summary, &error, "2 0 0", NULL);
}
END_TEST

START_TEST(a_part_of_another_suite_is_none) {
        CLEANUP(run_summary_done) RunSummary summary = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r = MERGE(&summary, &error, PART("1", "00000000000000ff") PASSED("0") END,
                        PART("2", "00000000000000fe") PASSED("1") END);

        assert_merged(r, &summary, &error, "2 0 0", "is of another suite (2 scenarios) than part 1 in ");
}
END_TEST

/* A report that keeps what it is told. */
typedef struct Listener {
        Report report; /* first */
        Text heard;
} Listener;

static void hear_begin(Report *base, const RunFacts *facts) {
        text_printf(&((Listener *) base)->heard, "%s\n", facts->lateness_note ?: "on time");
}

static void hear_play(Report *base, const Play *play, uint64_t now_usec) {
        text_printf(&((Listener *) base)->heard, "%s in %s\n", play->name, play->scenario->path);
}

static void hear_result(Report *base, const PlayResult *result) {
}

static void hear_end(Report *base, const RunSummary *summary) {
}

static char *listen(const char *const *records, size_t n_records) {
        Listener listener = {
                .report = { .begin = hear_begin, .play_begin = hear_play, .play_end = hear_result, .end = hear_end }
        };
        CLEANUP(run_summary_done) RunSummary summary = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r = merge_told(records, n_records, &listener.report, &summary, &error);

        ck_assert_msg(r == 0, "%s", error_text(&error));
        return text_take(&listener.heard);
}

START_TEST(notes_about_lateness_are_told) {
        CLEANUP_FREE char *heard =
                        listen((const char *const[]){ BEGIN_WITH("a", "0", ",\"lateness\":\"3 times\"") END,
                                               BEGIN_WITH("b", "0", ",\"lateness\":\"3 times\"") END,
                                               BEGIN_WITH("c", "0", ",\"lateness\":\"9 times\"") END,
                                               BEGIN_WITH("d", "0", "") END },
                                        4);

        ck_assert_str_eq(heard, "3 times; 9 times\n");
}
END_TEST

/* The record of a play whose file, for the run called a.yaml, was @file. */
static char *hear_of_file(const char *file) {
        CLEANUP_FREE char *record = NULL;

        ck_assert_int_gt(asprintf(&record,
                                         BEGIN("1") HELD
                                         "{\"play\":\"a.yaml #2\",\"path\":\"a.yaml\",\"file\":\"%s\","
                                         "\"scenario\":\"a.yaml\",\"document\":0,\"line\":4,\"index\":0,"
                                         "\"outcome\":\"pass\",\"begin\":110,\"end\":120}\n" END,
                                         file),
                        0);
        return listen((const char *const[]){ record }, 1);
}

START_TEST(files_are_named_where_they_are) {
        CLEANUP_FREE char *here = NULL, *there = NULL, *elsewhere = NULL, *wanted = NULL;
        char folder[64];

        put_file("a.yaml", "");
        put_file("there/a.yaml", "");
        ck_assert_ptr_nonnull(getcwd(folder, sizeof(folder) - sizeof("/there/a.yaml")));
        here = hear_of_file(strcat(folder, "/a.yaml"));
        ck_assert_str_eq(here, "on time\na.yaml #2 in a.yaml\n");
        strcpy(strrchr(folder, '/'), "/there/a.yaml");
        there = hear_of_file(folder);
        ck_assert_int_gt(asprintf(&wanted, "on time\n%s #2 in %s\n", folder, folder), 0);
        ck_assert_str_eq(there, wanted);
        /* Of another machine. */
        elsewhere = hear_of_file("/no/such/a.yaml");
        ck_assert_str_eq(elsewhere, here);
}
END_TEST

START_TEST(a_missing_part_is_told) {
        CLEANUP(run_summary_done) RunSummary summary = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r = MERGE(&summary, &error, PART("1", "00000000000000ff") PASSED("0") END);

        assert_merged(r, &summary, &error, "1 0 0", "part 2 of 2 is missing");
}
END_TEST

START_TEST(a_copy_counts_once) {
        CLEANUP(run_summary_done) RunSummary summary = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_eq(MERGE(&summary, &error, BEGIN("1") PASSED("0") END, BEGIN("1") PASSED("0") END), -EINVAL);
        ck_assert_msg(strstr(error_text(&error), "/1 are the same run: one is a copy"), "%s", error_text(&error));
}
END_TEST

/* One lost timeline, one cut, one emptied, one whole: the others are told all the same, and none of them passed. */
START_TEST(damaged_evidence_is_an_error_of_its_play) {
        CLEANUP(run_summary_done) RunSummary summary = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        put_file("0/00/resolved.json", "{}");
        put_file("0/01/timeline.ndjson", "{\"i\":0,");
        put_file("0/02/timeline.ndjson", "");
        put_file("0/03/timeline.ndjson", "{\"i\":0,");
        put_file("0/04/timeline.ndjson", ENTRY);
        r = MERGE(&summary, &error,
                        BEGIN("5") HELD PERFORMED("0", "pass") HELD PERFORMED("1", "pass") HELD PERFORMED("2", "pass")
                                        HELD BROKE PERFORMED("3", "fail") HELD PERFORMED("4", "pass") END);
        assert_merged(r, &summary, &error, "1 1 0", NULL);
        ck_assert_uint_eq(summary.n_with[OUTCOME_ERROR], 3);
}
END_TEST

/* Killed while it wrote down which scenario that was. */
START_TEST(a_run_may_die_at_any_moment) {
        CLEANUP(run_summary_done) RunSummary summary = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        put_file("0/02-a/resolved.json", "{\"pa");
        r = MERGE(&summary, &error, BEGIN("2") PASSED("0"));
        assert_merged(r, &summary, &error, "1 0 1", "died before its end");
}
END_TEST

Suite *merge_suite(void) {
        Suite *suite = suite_create("merge");
        TCase *cases = tcase_create("merge");

        tcase_add_checked_fixture(cases, enter_folder, leave_folder);
        tcase_add_loop_test(cases, what_is_not_known_is_not_green, 0, (int) ELEMENTS_OF(rows));
        tcase_add_loop_test(cases, damage_is_told, 0, (int) ELEMENTS_OF(damages));
        tcase_add_test(cases, parts_are_of_one_suite);
        tcase_add_test(cases, a_part_of_another_suite_is_none);
        tcase_add_test(cases, notes_about_lateness_are_told);
        tcase_add_test(cases, files_are_named_where_they_are);
        tcase_add_test(cases, a_missing_part_is_told);
        tcase_add_test(cases, damaged_evidence_is_an_error_of_its_play);
        tcase_add_test(cases, a_run_may_die_at_any_moment);
        tcase_add_test(cases, a_copy_counts_once);
        suite_add_tcase(suite, cases);
        return suite;
}
