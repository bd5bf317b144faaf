/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/quantity.h"
#include "judge/window.h"
#include "recording.h"
#include "suites-b.h"

#define CLEANUP_RECORDING CLEANUP(recording_done)
#define OURS              "_SYSTEMD_UNIT=" UNIT, "_PID=50"

START_TEST(a_line_in_time_passes_at_once) {
        CLEANUP_RECORDING Recording recording;
        size_t evidence;

        recording_init(&recording, "log: hello");
        recording_feed(&recording, 9.9, OURS, "MESSAGE=hello");
        recording_expect(&recording, REASON_NONE);
        recording_feed(&recording, 11.5, OURS, "MESSAGE=hello");
        evidence = recording_add(&recording, SOURCE_JOURNAL, ENTRY_LOG, seconds(11.5), UNIT, "seqnum=2",
                        "expectation=steps[2].expect.log")
                                   ->index;
        recording_expect(&recording, REASON_HELD);
        ck_assert_int_eq(recording.verdict.outcome, OUTCOME_PASS);
        ck_assert_uint_eq(recording.verdict.at_usec, seconds(11.5));
        ck_assert_uint_eq(recording.verdict.margin_usec, seconds(3.5));
        ck_assert_str_eq(recording.verdict.sentence, "the line came 1.500s after steps[1] began");
        ck_assert_str_eq(recording.verdict.seen, "\"hello\"");
        ck_assert_uint_eq(recording.verdict.n_evidence, 1);
        ck_assert_uint_eq(recording.verdict.evidence[0], evidence);
}
END_TEST

START_TEST(no_line_fails_when_the_window_is_closed) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { json: { event: checkpoint, tasks: 100 } }");
        recording_feed(&recording, 9, OURS, "MESSAGE={\"event\":\"checkpoint\",\"tasks\":100}");
        recording_feed(&recording, 12, OURS, "MESSAGE={\"event\":\"checkpoint\",\"tasks\":98}");
        recording_feed(&recording, 13, "_PID=99", "MESSAGE={\"event\":\"checkpoint\",\"tasks\":97}");
        recording_expect(&recording, REASON_NONE);
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_NOT_OBSERVED);
        ck_assert_str_eq(recording.verdict.sentence, "no such line came within 5.000s");
        ck_assert_uint_eq(recording.verdict.n_near_misses, 2);
        ck_assert_str_eq(recording.verdict.near_misses[0],
                        "1.000s before the window: \"{\\\"event\\\":\\\"checkpoint\\\",\\\"tasks\\\":100}\"");
        ck_assert_str_eq(recording.verdict.near_misses[1],
                        "2.000s after steps[1] began: \"{\\\"event\\\":\\\"checkpoint\\\",\\\"tasks\\\":98}\"");
        assert_described(&recording,
                        "a line of " UNIT " with json.event equals \"checkpoint\", json.tasks equals \"100\"");
}
END_TEST

START_TEST(a_late_stamp_decides_nothing) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: hello");
        recording_feed(&recording, 15.05, OURS, "MESSAGE=hello");
        recording_expect(&recording, REASON_NONE);
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_LATE_STAMP);
        ck_assert_str_eq(recording.verdict.sentence,
                        "journald stamped the line 50ms after the deadline; it may have been written in time");
        ck_assert_int_eq(recording.verdict.outcome, OUTCOME_INCONCLUSIVE);
}
END_TEST

/* The barrier at 15.1 was answered at 15.2: what is stamped later was written behind the deadline. */
START_TEST(lines_behind_the_barrier_are_not_looked_at) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: hello");
        recording_close(&recording, 15.1);
        recording_feed(&recording, 15.3, OURS, "MESSAGE=hello");
        recording_expect(&recording, REASON_NOT_OBSERVED);
        ck_assert_uint_eq(recording.verdict.n_near_misses, 0);
}
END_TEST

START_TEST(a_loss_makes_absence_inconclusive) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: hello");
        recording_add(&recording, SOURCE_JOURNAL, ENTRY_JOURNAL_LOSS, seconds(12), UNIT,
                        "MESSAGE=Suppressed 9 messages");
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_CHANNEL_LOST);
        ck_assert_str_eq(recording.verdict.sentence,
                        "no such line was seen, but journald dropped lines (Suppressed 9 messages)");
}
END_TEST

/* journald tells of it with the next line after the interval of its limit. */
START_TEST(a_loss_told_behind_the_window_counts) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: hello");
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_NOT_OBSERVED); /* as it is judged live */
        recording_add(&recording, SOURCE_JOURNAL, ENTRY_JOURNAL_LOSS, seconds(40), UNIT,
                        "MESSAGE=Suppressed 9 messages");
        recording_expect(&recording, REASON_CHANNEL_LOST);
}
END_TEST

START_TEST(a_loss_of_another_unit_does_not_matter) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: hello");
        recording_add(&recording, SOURCE_JOURNAL, ENTRY_JOURNAL_LOSS, seconds(12), "b.service", "MESSAGE=Suppressed");
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_NOT_OBSERVED);
}
END_TEST

START_TEST(a_gap_makes_absence_inconclusive_but_not_presence) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: hello");
        recording.n_lines = 3;
        recording_feed(&recording, 11, OURS, "MESSAGE=x");
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_CHANNEL_LOST);
        recording_feed(&recording, 11, OURS, "MESSAGE=hello");
        recording_expect(&recording, REASON_HELD);
}
END_TEST

START_TEST(a_lost_channel_makes_absence_inconclusive) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: hello");
        recording_add(&recording, SOURCE_JOURNAL, ENTRY_CHANNEL, seconds(12), NULL, "channel=journal", "health=lost",
                        "text=gone");
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_CHANNEL_LOST);
}
END_TEST

/* On a machine's own journal: as long as all have written less than one may, nothing was dropped. */
START_TEST(silence_is_believed_below_the_machines_limit) {
        static const struct {
                const char *before;
                Reason reason;
        } samples[] = { { "journal-lines-before=7", REASON_NOT_OBSERVED },
                { "journal-lines-before=9", REASON_CHANNEL_LOST } };
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: hello");
        recording_add(&recording, SOURCE_HARNESS, ENTRY_VERSIONS, seconds(10), NULL, "shared=yes", "journal-burst=10",
                        samples[_i].before);
        recording_feed(&recording, 11, "_SYSTEMD_UNIT=other.service", "MESSAGE=noise");
        recording_close(&recording, 15.1);
        recording_expect(&recording, samples[_i].reason);
}
END_TEST

START_TEST(a_recording_that_ends_early_is_no_fail) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: hello");
        recording_close(&recording, 13);
        recording_expect(&recording, REASON_NOT_RECORDED);
}
END_TEST

START_TEST(without_a_deadline_the_facts_of_the_barrier_count) {
        CLEANUP_RECORDING Recording recording, absent;

        recording_init_within(&recording, "log: hello", NULL);
        recording_feed(&recording, 11, OURS, "MESSAGE=hello");
        recording_close(&recording, 12);
        recording_expect(&recording, REASON_HELD);
        ck_assert_uint_eq(recording.verdict.margin_usec, USEC_INFINITY);

        recording_init_within(&absent, "log: hello", NULL);
        recording_close(&absent, 12);
        recording_feed(&absent, 13, OURS, "MESSAGE=hello");
        recording_expect(&absent, REASON_NOT_OBSERVED);
        ck_assert_str_eq(absent.verdict.sentence, "no such line came");
}
END_TEST

START_TEST(last_words_without_a_unit_count_by_their_pid) {
        static const struct {
                EntryKind kind;
                const char *field;
        } witnesses[] = {
                { ENTRY_PROPERTIES, "MainPID=77" },
                { ENTRY_PROPERTIES, "ExecMainPID=77" },
                { ENTRY_PROPERTIES, "ControlPID=77" },
                { ENTRY_PROCESS, "pid=77" },
                { ENTRY_MAIN_GONE, "pid=77" },
                { ENTRY_MAIN_ALIVE, "pid=77" },
        };
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: bye");
        recording_feed(&recording, 11, "_PID=77", "MESSAGE=bye");
        recording_expect(&recording, REASON_NONE);
        recording_add(&recording, SOURCE_BUS, witnesses[_i].kind, seconds(11), "b.service", witnesses[_i].field);
        recording_expect(&recording, REASON_NONE);
        recording_add(&recording, SOURCE_BUS, witnesses[_i].kind, seconds(11), UNIT, witnesses[_i].field);
        recording_expect(&recording, REASON_HELD);
}
END_TEST
#define N_WITNESSES 6

START_TEST(last_words_of_a_child_count) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: bye");
        recording_feed(&recording, 11, "_PID=79", "MESSAGE=bye");
        recording_add(&recording, SOURCE_ACCT, ENTRY_DEATH, seconds(11), NULL, "pid=79", "ppid=78");
        recording_add(&recording, SOURCE_ACCT, ENTRY_DEATH, seconds(11), NULL, "pid=78", "ppid=77");
        recording_expect(&recording, REASON_NONE);
        recording_add(&recording, SOURCE_BUS, ENTRY_PROPERTIES, seconds(11), UNIT, "MainPID=77");
        recording_expect(&recording, REASON_HELD);
}
END_TEST

START_TEST(a_count_that_can_change_is_judged_at_the_end) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { message: hello, count: 2 }");
        recording_feed(&recording, 11, OURS, "MESSAGE=hello");
        recording_feed(&recording, 12, OURS, "MESSAGE=hello");
        recording_expect(&recording, REASON_NONE);
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_HELD);
        recording_feed(&recording, 13, OURS, "MESSAGE=hello");
        recording_expect(&recording, REASON_WRONG_VALUE);
}
END_TEST

START_TEST(a_count_that_is_exceeded_fails_at_once) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { message: hello, count: <= 1 }");
        recording_feed(&recording, 11, OURS, "MESSAGE=hello");
        recording_expect(&recording, REASON_NONE);
        recording_feed(&recording, 12, OURS, "MESSAGE=hello");
        recording_expect(&recording, REASON_WRONG_VALUE);
}
END_TEST

START_TEST(a_count_that_is_reached_passes_at_once) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { message: hello, count: '>= 2' }");
        recording_feed(&recording, 11, OURS, "MESSAGE=hello");
        recording_expect(&recording, REASON_NONE);
        recording_feed(&recording, 12, OURS, "MESSAGE=hello");
        recording_expect(&recording, REASON_HELD);
        ck_assert_str_eq(recording.verdict.sentence, "2 such lines came within 5.000s");
        ck_assert_str_eq(recording.verdict.seen, "count was 2");
        assert_described(&recording, "a line of " UNIT " with message equals \"hello\", count at least 2");
}
END_TEST

static const struct {
        const char *count;
        size_t n_in_time, n_late;
        bool has_loss;
        Reason reason;
} counts[] = {
        { "3", 3, 0, false, REASON_HELD },
        { "3", 2, 0, false, REASON_WRONG_VALUE },
        { "3", 4, 0, false, REASON_WRONG_VALUE },
        { "0", 0, 0, false, REASON_HELD },
        { "0", 1, 0, false, REASON_WRONG_VALUE },
        { "2..4", 1, 0, false, REASON_WRONG_VALUE },
        { "3", 2, 1, false, REASON_LATE_STAMP },
        { "3", 3, 1, false, REASON_LATE_STAMP },
        { "'>= 3'", 3, 1, false, REASON_HELD },
        { "3", 4, 1, false, REASON_WRONG_VALUE },
        { "3", 3, 0, true, REASON_CHANNEL_LOST },
        { "3", 2, 0, true, REASON_CHANNEL_LOST },
        { "3", 4, 0, true, REASON_WRONG_VALUE },
        { "'<= 3'", 4, 0, true, REASON_WRONG_VALUE },
        { "'>= 3'", 3, 0, true, REASON_HELD },
        { "'>= 3'", 2, 0, true, REASON_CHANNEL_LOST },
};

START_TEST(counts_know_what_is_not_known) {
        CLEANUP_RECORDING Recording recording;
        CLEANUP_TEXT Text expect = TEXT_INIT;

        text_printf(&expect, "log: { message: hello, count: %s }", counts[_i].count);
        recording_init(&recording, text_get(&expect));
        for (size_t i = 0; i < counts[_i].n_in_time; i++)
                recording_feed(&recording, 11, OURS, "MESSAGE=hello");
        for (size_t i = 0; i < counts[_i].n_late; i++)
                recording_feed(&recording, 15.05, OURS, "MESSAGE=hello");
        if (counts[_i].has_loss)
                recording_add(&recording, SOURCE_JOURNAL, ENTRY_JOURNAL_LOSS, seconds(12), NULL, "MESSAGE=lost");
        recording_close(&recording, 15.1);
        recording_expect(&recording, counts[_i].reason);
}
END_TEST

START_TEST(order_is_the_journals) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { message: second, after: other }");
        recording_feed(&recording, 11, OURS, "MESSAGE=second");
        recording_feed(&recording, 11, OURS, "MESSAGE=the other");
        recording_expect(&recording, REASON_NONE);
        recording_feed(&recording, 11, OURS, "MESSAGE=second");
        recording_expect(&recording, REASON_HELD);
        assert_described(&recording, "a line of " UNIT " with message equals \"second\", after `other`");
}
END_TEST

START_TEST(the_wrong_order_is_told) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { message: second, after: other }");
        recording_feed(&recording, 11, OURS, "MESSAGE=second");
        recording_feed(&recording, 12, OURS, "MESSAGE=the other");
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_TOO_EARLY);
        ck_assert_str_eq(recording.verdict.sentence,
                        "the line came 1.000s after steps[1] began, but not after `other`");
        ck_assert_uint_eq(recording.verdict.n_near_misses, 1);
}
END_TEST

START_TEST(what_it_has_to_follow_never_came) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { message: second, after: other }");
        recording_feed(&recording, 11, OURS, "MESSAGE=second");
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_TOO_EARLY);
        ck_assert_ptr_nonnull(strstr(recording.verdict.sentence, "which never came"));
}
END_TEST

START_TEST(a_loss_makes_the_order_inconclusive) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { message: second, after: other }");
        recording_feed(&recording, 11, OURS, "MESSAGE=second");
        recording_add(&recording, SOURCE_JOURNAL, ENTRY_JOURNAL_LOSS, seconds(12), NULL, "MESSAGE=lost");
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_CHANNEL_LOST);
}
END_TEST

START_TEST(an_unknown_name_in_after_is_refused) {
        assert_refused("log: { message: second, after: nobody }",
                        "`after` names another `log` expectation, and none is called `nobody`");
}
END_TEST

START_TEST(captures_are_compared_when_judged) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { message: 'task ${id} done' }");
        recording_feed(&recording, 11, OURS, "MESSAGE=task 1 done");
        recording_expect(&recording, REASON_NONE);
        recording_add(&recording, SOURCE_HARNESS, ENTRY_CAPTURE, seconds(11), NULL, "name=id", "value=2");
        recording_expect(&recording, REASON_NONE);
        recording_feed(&recording, 12, OURS, "MESSAGE=task 2 done");
        recording_expect(&recording, REASON_HELD);
        ck_assert_str_eq(recording.verdict.seen, "\"task 2 done\"");
        assert_described(&recording, "a line of " UNIT " with message equals \"task 2 done\"");
}
END_TEST

START_TEST(the_deciding_line_gives_the_captures) {
        CLEANUP_RECORDING Recording recording;
        const char *name, *value;

        recording_init(&recording, "log: { message: '/took (?<msec>\\d+)/', save: yes }");
        recording_feed(&recording, 9, OURS, "MESSAGE=took 1");
        recording_feed(&recording, 11, OURS, "MESSAGE=took 2");
        recording_feed(&recording, 12, OURS, "MESSAGE=took 3");
        recording_expect(&recording, REASON_HELD);
        ck_assert(logbook_capture(recording.logbook, recording.expectation, 0, &name, &value));
        ck_assert_str_eq(name, "msec");
        ck_assert_str_eq(value, "2");
}
END_TEST

START_TEST(captures_that_were_not_kept_are_no_pass) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { message: '/took (?<msec>\\d+)/', save: yes }");
        for (int i = 0; i < 5000; i++)
                recording_feed(&recording, 9, OURS, "MESSAGE=took 1");
        recording_feed(&recording, 11, OURS, "MESSAGE=took 2");
        recording_expect(&recording, REASON_UNREADABLE);
}
END_TEST

START_TEST(a_regex_that_gave_up_is_not_believed) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { message: /^(a+)+$/ }");
        recording_feed(&recording, 11, OURS,
                        "MESSAGE=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_UNREADABLE);
}
END_TEST

START_TEST(mistakes_are_refused) {
        assert_refused("log: { count: 3 }", "says nothing about the line");
        assert_refused("log: {}", "says nothing about the line");
        assert_refused("log: { message: /x/, save: yes }", "named group");
        assert_refused("log: { message: x, priority: <= debug }", "can never fail");
        assert_refused("log: { message: x, priority: < emerg }", "can never hold");
        assert_refused("log: { fields: { uid: 0 } }", "journal fields have names like _UID");
        assert_refused("log: { message: x, count: /3/ }", "`count` takes a number");
        assert_refused("log: { message: x, from: everybody }", "does not know `everybody`");
}
END_TEST

Suite *log_suite(void) {
        Suite *suite = suite_create("expect-log");
        TCase *tests = tcase_create("log");

        tcase_add_test(tests, a_line_in_time_passes_at_once);
        tcase_add_test(tests, no_line_fails_when_the_window_is_closed);
        tcase_add_test(tests, a_late_stamp_decides_nothing);
        tcase_add_test(tests, lines_behind_the_barrier_are_not_looked_at);
        tcase_add_test(tests, a_loss_makes_absence_inconclusive);
        tcase_add_test(tests, a_loss_told_behind_the_window_counts);
        tcase_add_test(tests, a_loss_of_another_unit_does_not_matter);
        tcase_add_test(tests, a_gap_makes_absence_inconclusive_but_not_presence);
        tcase_add_test(tests, a_lost_channel_makes_absence_inconclusive);
        tcase_add_loop_test(tests, silence_is_believed_below_the_machines_limit, 0, 2);
        tcase_add_test(tests, a_recording_that_ends_early_is_no_fail);
        tcase_add_test(tests, without_a_deadline_the_facts_of_the_barrier_count);
        tcase_add_loop_test(tests, last_words_without_a_unit_count_by_their_pid, 0, N_WITNESSES);
        tcase_add_test(tests, last_words_of_a_child_count);
        tcase_add_test(tests, a_count_that_can_change_is_judged_at_the_end);
        tcase_add_test(tests, a_count_that_is_exceeded_fails_at_once);
        tcase_add_test(tests, a_count_that_is_reached_passes_at_once);
        tcase_add_loop_test(tests, counts_know_what_is_not_known, 0, ELEMENTS_OF(counts));
        tcase_add_test(tests, order_is_the_journals);
        tcase_add_test(tests, the_wrong_order_is_told);
        tcase_add_test(tests, what_it_has_to_follow_never_came);
        tcase_add_test(tests, a_loss_makes_the_order_inconclusive);
        tcase_add_test(tests, an_unknown_name_in_after_is_refused);
        tcase_add_test(tests, captures_are_compared_when_judged);
        tcase_add_test(tests, the_deciding_line_gives_the_captures);
        tcase_add_test(tests, captures_that_were_not_kept_are_no_pass);
        tcase_add_test(tests, a_regex_that_gave_up_is_not_believed);
        tcase_add_test(tests, mistakes_are_refused);
        suite_add_tcase(suite, tests);
        return suite;
}
