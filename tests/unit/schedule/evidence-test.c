/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/json.h"
#include "schedule/evidence.h"
#include "suites.h"

static Setting defines[] = { { .name = (char *) "fault", .value = (char *) "a \"quoted\"\nvalue" } };

static Scenario scenario = {
        .path = (char *) "s/crash.yaml", .name = (char *) "s/crash.yaml [signal=SIGKILL]", .n_document = 2
};

static const Play play = {
        .scenario = &scenario,
        .name = (char *) "s/crash.yaml [signal=SIGKILL] #2",
        .index = 6,
        .source = "steps: []\n",
        .n_source_bytes = 10,
        .defines = defines,
        .n_defines = 1,
};

static void play_once(EvidenceStore *store, bool is_wanted, bool is_kept) {
        CLEANUP(play_evidence_done) PlayEvidence evidence = PLAY_EVIDENCE_INIT;

        ck_assert_int_eq(play_evidence_begin(store, &play, &evidence, NULL), 0);
        ck_assert_int_eq(
                        play_evidence_append(&evidence, evidence.timeline_fd, "timeline.ndjson", "{}\n", 3, NULL), 0);
        ck_assert_int_eq(play_evidence_end(store, &evidence, is_wanted), is_kept);
}

START_TEST(a_named_folder_keeps_all) {
        EvidenceStore *store;
        CLEANUP_FREE char *source = NULL, *timeline = NULL;

        ck_assert_int_eq(evidence_store_open("out/here", "abc", &store, NULL), 0);
        play_once(store, false, true);
        ck_assert(evidence_store_has_kept(store));
        evidence_store_close(store);

        source = get_file("out/here/07-s-crash.yaml-signal=SIGKILL-2/scenario.yaml");
        ck_assert_str_eq(source, "steps: []\n");
        timeline = get_file("out/here/07-s-crash.yaml-signal=SIGKILL-2/timeline.ndjson");
        ck_assert_str_eq(timeline, "{}\n");
        ck_assert(is_there("out/here/07-s-crash.yaml-signal=SIGKILL-2/verdicts.ndjson"));
        ck_assert(!is_there("out/here/07-s-crash.yaml-signal=SIGKILL-2/performer.txt"));
}
END_TEST

START_TEST(resolved_says_which_scenario_it_is) {
        CLEANUP(json_free_p) Json *json = NULL;
        CLEANUP_FREE char *text = NULL;
        EvidenceStore *store;
        int64_t document;
        size_t n_bytes;

        ck_assert_int_eq(evidence_store_open("out", "abc", &store, NULL), 0);
        play_once(store, false, true);
        evidence_store_close(store);
        text = get_file("out/07-s-crash.yaml-signal=SIGKILL-2/resolved.json");
        ck_assert_int_eq(json_parse(text, strlen(text), &json, NULL), 0);
        ck_assert_str_eq(json_get_string(json_member(json, "path"), &n_bytes), "s/crash.yaml");
        ck_assert_str_eq(json_get_string(json_member(json, "name"), &n_bytes), "s/crash.yaml [signal=SIGKILL]");
        ck_assert_str_eq(json_get_string(json_member(json, "defines.fault"), &n_bytes), "a \"quoted\"\nvalue");
        ck_assert_int_eq(json_get_integer(json_member(json, "document"), &document), 0);
        ck_assert_int_eq(document, 2);
}
END_TEST

START_TEST(a_folder_in_use_is_refused) {
        CLEANUP_ERROR Error error = ERROR_INIT, error_full = ERROR_INIT;
        EvidenceStore *store, *other;

        put_file("full/something", "");
        ck_assert_int_eq(evidence_store_open("full", "abc", &other, &error_full), -ENOTEMPTY);
        ck_assert_str_eq(error_text(&error_full), "Evidence folder full is not empty: name a new one, or remove what "
                                                  "an earlier run left in it");
        ck_assert_int_eq(evidence_store_open("out", "abc", &store, NULL), 0);
        ck_assert_int_eq(evidence_store_open("out", "def", &other, &error), -EWOULDBLOCK);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "in use by another run"));
        evidence_store_close(store);
}
END_TEST

START_TEST(the_state_folder_keeps_what_did_not_pass) {
        EvidenceStore *store;

        ck_assert_int_eq(evidence_store_open(NULL, "abc", &store, NULL), 0);
        play_once(store, false, false);
        ck_assert(!evidence_store_has_kept(store));
        play_once(store, true, true);
        evidence_store_close(store);
        ck_assert(is_there("agenttest/abc/07-s-crash.yaml-signal=SIGKILL-2/resolved.json"));

        ck_assert_int_eq(evidence_store_open(NULL, "def", &store, NULL), 0);
        play_once(store, false, false);
        evidence_store_close(store);
        ck_assert(!is_there("agenttest/def"));
}
END_TEST

static void run_and_keep(const char *run_id) {
        EvidenceStore *store;

        ck_assert_int_eq(evidence_store_open(NULL, run_id, &store, NULL), 0);
        play_once(store, true, true);
        evidence_store_close(store);
}

START_TEST(old_runs_go_unless_they_live) {
        CLEANUP_CLOSE int locked_fd = -EBADF;
        char path[64];

        put_file("agenttest/foreign/file", "not ours");
        run_and_keep("living");
        locked_fd = open("agenttest/living", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(flock(locked_fd, LOCK_EX), 0);
        for (unsigned i = 0; i < EVIDENCE_RUNS_KEPT + 2; i++) {
                struct timespec times[2] = { { .tv_sec = 1000 + i }, { .tv_sec = 1000 + i } };

                (void) snprintf(path, sizeof(path), "run%u", i);
                run_and_keep(path);
                (void) snprintf(path, sizeof(path), "agenttest/run%u", i);
                ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
        }
        run_and_keep("last");

        ck_assert(is_there("agenttest/living"));
        ck_assert(is_there("agenttest/foreign/file"));
        ck_assert(is_there("agenttest/last"));
        for (unsigned i = 0; i < EVIDENCE_RUNS_KEPT + 2; i++) {
                (void) snprintf(path, sizeof(path), "agenttest/run%u", i);
                ck_assert_int_eq(is_there(path), i >= 3);
        }
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_is_told) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        EvidenceStore *store;

        ck_assert_int_lt(evidence_store_open("/proc/evidence", "abc", &store, &error), 0);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "Evidence folder /proc/evidence cannot be made"));
        ck_assert_ptr_nonnull(strstr(error_text(&error), "--evidence"));
}
END_TEST

START_TEST(a_full_disk_is_told) {
        CLEANUP(play_evidence_done) PlayEvidence evidence = PLAY_EVIDENCE_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP_CLOSE int full_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        EvidenceStore *store;

        ck_assert_int_eq(evidence_store_open("out", "abc", &store, NULL), 0);
        ck_assert_int_eq(play_evidence_begin(store, &play, &evidence, NULL), 0);
        ck_assert_int_eq(play_evidence_append(&evidence, full_fd, "timeline.ndjson", "{}\n", 3, &error), -ENOSPC);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "timeline.ndjson: No space left on device"));
        evidence_store_close(store);
}
END_TEST

Suite *evidence_suite(void) {
        Suite *suite = suite_create("evidence");
        TCase *cases = tcase_create("evidence");

        tcase_add_checked_fixture(cases, enter_folder, leave_folder);
        tcase_add_test(cases, a_named_folder_keeps_all);
        tcase_add_test(cases, resolved_says_which_scenario_it_is);
        tcase_add_test(cases, a_folder_in_use_is_refused);
        tcase_add_test(cases, the_state_folder_keeps_what_did_not_pass);
        tcase_add_test(cases, old_runs_go_unless_they_live);
        tcase_add_test(cases, a_folder_that_cannot_be_written_is_told);
        tcase_add_test(cases, a_full_disk_is_told);
        suite_add_tcase(suite, cases);
        return suite;
}
