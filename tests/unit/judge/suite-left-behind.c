/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "recording.h"
#include "suites-b.h"

#define CLEANUP_RECORDING CLEANUP(recording_done)
#define STATE(second, state)                                                                                         \
        recording_add(&recording, SOURCE_BUS, ENTRY_PROPERTIES, seconds(second), UNIT, "ActiveState=" state)
#define LEFT(second, asked, ...)                                                                                     \
        recording_add(&recording, SOURCE_PROCESS, ENTRY_LEFT_BEHIND, seconds(second), UNIT, "asked=" asked,          \
                        __VA_ARGS__)
#define NOTHING "processes=", "sockets="

START_TEST(nothing_left_passes_at_once) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: {}");
        STATE(11, "inactive");
        LEFT(12, "11900000", NOTHING);
        recording_expect(&recording, REASON_HELD);
        ck_assert_uint_eq(recording.verdict.margin_usec, seconds(3));
        ck_assert_uint_eq(recording.verdict.n_evidence, 1);
        ck_assert_str_eq(recording.verdict.sentence, "nothing was left behind 2.000s after the window began");
        assert_described(&recording, UNIT " leaves behind no processes, cgroup, sockets");
}
END_TEST

START_TEST(what_is_left_is_told) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: { files: /run/agent.pid }");
        STATE(11, "failed");
        recording_add(&recording, SOURCE_FILE, ENTRY_FILE, seconds(15), NULL, "path=/run/agent.pid", "type=regular");
        LEFT(15, "15000000", "processes=77 my worker /system.slice/agent.service\n78 sh /",
                        "cgroup=/system.slice/agent.service", "sockets=unix /run/agent/control");
        recording_expect(&recording, REASON_NONE);
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_LEFT_BEHIND);
        ck_assert_str_eq(recording.verdict.sentence, UNIT " has stopped and left something behind");
        ck_assert_str_eq(recording.verdict.seen, "process 77 my worker /system.slice/agent.service, process 78 sh /, "
                                                 "cgroup /system.slice/agent.service, "
                                                 "socket unix /run/agent/control, file /run/agent.pid");
}
END_TEST

START_TEST(processes_of_other_units_are_not_meant) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: {}");
        STATE(11, "inactive");
        LEFT(12, "12000000",
                        "processes=5 redis /system.slice/redis.service\n6 x /init.scope\n7 sh "
                        "/user.slice/session-1.scope\n8 gone ");
        recording_expect(&recording, REASON_HELD);
}
END_TEST

START_TEST(an_escaped_name_is_still_ours) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: {}");
        STATE(11, "inactive");
        LEFT(15, "15000000", "processes=5 x /system.slice/_agent.service/sub.service");
        recording_close(&recording, 16);
        recording_expect(&recording, REASON_LEFT_BEHIND);
}
END_TEST

START_TEST(what_may_stay_may_stay) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: { processes: yes, sockets: yes }");
        STATE(11, "inactive");
        LEFT(12, "12000000", "processes=5 x /system.slice/agent.service", "sockets=tcp 127.0.0.1:80");
        recording_expect(&recording, REASON_HELD);
        assert_described(&recording, UNIT " leaves behind no cgroup");
}
END_TEST

START_TEST(answers_from_before_the_stop_do_not_count) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: {}");
        STATE(9, "active");
        LEFT(11, "11000000", NOTHING);
        recording_expect(&recording, REASON_NONE);
        recording_close(&recording, 16);
        recording_expect(&recording, REASON_NOT_OBSERVED);
        ck_assert_ptr_nonnull(strstr(recording.verdict.sentence, "had not stopped"));
}
END_TEST

START_TEST(gone_later_in_the_window_is_gone) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: {}");
        STATE(11, "inactive");
        LEFT(12, "12000000", "cgroup=/system.slice/agent.service");
        recording_expect(&recording, REASON_NONE);
        LEFT(14, "14000000", NOTHING);
        recording_expect(&recording, REASON_HELD);
}
END_TEST

START_TEST(a_clean_answer_behind_the_deadline_decides_nothing) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: {}");
        STATE(11, "inactive");
        LEFT(15.5, "14900000", NOTHING);
        recording_close(&recording, 16);
        recording_expect(&recording, REASON_LATE_STAMP);
}
END_TEST

START_TEST(left_beyond_the_deadline_for_certain) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: {}");
        STATE(11, "inactive");
        LEFT(15.5, "15400000", "cgroup=/x");
        LEFT(15.8, "15700000", NOTHING);
        recording_close(&recording, 16);
        recording_expect(&recording, REASON_LEFT_BEHIND);
        ck_assert_ptr_nonnull(strstr(recording.verdict.sentence, "it was gone later"));
}
END_TEST

START_TEST(files_have_to_be_looked_for) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: { files: [/run/a, /run/b] }");
        STATE(11, "inactive");
        recording_add(&recording, SOURCE_FILE, ENTRY_FILE, seconds(12), NULL, "path=/run/a", "errno=2");
        LEFT(12, "12000000", NOTHING);
        recording_close(&recording, 16);
        recording_expect(&recording, REASON_UNREADABLE);
        ck_assert_str_eq(recording.verdict.sentence, "a file was not looked for");
}
END_TEST

START_TEST(files_that_are_gone_pass) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: { files: [/run/a] }");
        recording_add(&recording, SOURCE_FILE, ENTRY_FILE, seconds(10), NULL, "path=/run/a", "type=regular");
        STATE(11, "inactive");
        recording_add(&recording, SOURCE_FILE, ENTRY_FILE, seconds(12), NULL, "path=/run/a", "errno=2");
        LEFT(12, "12000000", NOTHING);
        recording_expect(&recording, REASON_HELD);
}
END_TEST

START_TEST(a_link_that_leads_nowhere_is_left) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: { files: [/run/a] }");
        STATE(11, "inactive");
        recording_add(&recording, SOURCE_FILE, ENTRY_FILE, seconds(15), NULL, "path=/run/a", "errno=2",
                        "type=symlink");
        LEFT(15, "15000000", NOTHING);
        recording_close(&recording, 16);
        recording_expect(&recording, REASON_LEFT_BEHIND);
}
END_TEST

START_TEST(a_file_that_cannot_be_looked_for_is_unreadable) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: { files: [/run/a] }");
        STATE(11, "inactive");
        recording_add(&recording, SOURCE_FILE, ENTRY_FILE, seconds(12), NULL, "path=/run/a", "errno=13");
        LEFT(12, "12000000", NOTHING);
        recording_close(&recording, 16);
        recording_expect(&recording, REASON_UNREADABLE);
}
END_TEST

START_TEST(nothing_recorded_is_no_pass) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: {}");
        STATE(11, "inactive");
        recording_close(&recording, 16);
        recording_expect(&recording, REASON_NOT_RECORDED);
}
END_TEST

START_TEST(a_recording_that_ends_early_is_no_pass) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "left-behind: {}");
        STATE(11, "inactive");
        LEFT(12, "12000000", "cgroup=/x");
        recording_close(&recording, 13);
        recording_expect(&recording, REASON_NOT_RECORDED);
}
END_TEST

START_TEST(mistakes_are_refused) {
        assert_refused("left-behind: { files: run/a }", "paths on the stage");
        assert_refused("left-behind: { processes: yes, cgroup: yes, sockets: yes }", "can never fail");
}
END_TEST

Suite *left_behind_suite(void) {
        Suite *suite = suite_create("expect-left-behind");
        TCase *tests = tcase_create("left-behind");

        tcase_add_test(tests, nothing_left_passes_at_once);
        tcase_add_test(tests, what_is_left_is_told);
        tcase_add_test(tests, processes_of_other_units_are_not_meant);
        tcase_add_test(tests, an_escaped_name_is_still_ours);
        tcase_add_test(tests, what_may_stay_may_stay);
        tcase_add_test(tests, answers_from_before_the_stop_do_not_count);
        tcase_add_test(tests, gone_later_in_the_window_is_gone);
        tcase_add_test(tests, a_clean_answer_behind_the_deadline_decides_nothing);
        tcase_add_test(tests, left_beyond_the_deadline_for_certain);
        tcase_add_test(tests, files_have_to_be_looked_for);
        tcase_add_test(tests, files_that_are_gone_pass);
        tcase_add_test(tests, a_link_that_leads_nowhere_is_left);
        tcase_add_test(tests, a_file_that_cannot_be_looked_for_is_unreadable);
        tcase_add_test(tests, nothing_recorded_is_no_pass);
        tcase_add_test(tests, a_recording_that_ends_early_is_no_pass);
        tcase_add_test(tests, mistakes_are_refused);
        suite_add_tcase(suite, tests);
        return suite;
}
