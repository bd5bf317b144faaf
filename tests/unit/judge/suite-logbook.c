/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "recording.h"
#include "suites-b.h"

#define CLEANUP_RECORDING CLEANUP(recording_done)
#define OURS              "_SYSTEMD_UNIT=" UNIT, "_PID=50"

static size_t n_hits(const Recording *recording) {
        size_t n;

        (void) logbook_hits(recording->logbook, recording->expectation, &n);
        return n;
}

static const struct {
        const char *expect;
        const char *fields[6];
        size_t n_hits;
} samples[] = {
        { "message: hello", { OURS, "MESSAGE=hello" }, 1 },
        { "message: hello", { OURS, "MESSAGE=hello " }, 0 },
        { "message: hello", { OURS }, 0 },
        { "message: /el+/", { OURS, "MESSAGE=hello" }, 1 },
        { "message: { not: /el+/ }", { OURS, "MESSAGE=hello" }, 0 },
        { "message: [a, b]", { OURS, "MESSAGE=b" }, 1 },
        { "message: '42'", { OURS, "MESSAGE=42" }, 1 },
        { "message: '${given}'", { OURS, "MESSAGE=42" }, 1 },
        { "identifier: agentd", { OURS, "SYSLOG_IDENTIFIER=agentd" }, 1 },
        { "identifier: agentd", { OURS, "SYSLOG_IDENTIFIER=agent" }, 0 },
        { "priority: <= err", { OURS, "PRIORITY=3" }, 1 },
        { "priority: <= err", { OURS, "PRIORITY=0" }, 1 },
        { "priority: <= err", { OURS, "PRIORITY=4" }, 0 },
        { "priority: <= err", { OURS }, 0 },
        { "priority: <= err", { OURS, "PRIORITY=33" }, 0 },
        { "priority: warning", { OURS, "PRIORITY=4" }, 1 },
        { "priority: [err, 6]", { OURS, "PRIORITY=6" }, 1 },
        { "fields: { _UID: 0, CODE_LINE: '> 3' }", { OURS, "_UID=0", "CODE_LINE=4" }, 1 },
        { "fields: { _UID: 0, CODE_LINE: '> 3' }", { OURS, "_UID=0", "CODE_LINE=3" }, 0 },
        { "json: { event: health }", { OURS, "MESSAGE={\"event\":\"health\",\"n\":1}" }, 1 },
        { "json: { event: health }", { OURS, "MESSAGE= {\"event\": \"h\\u0065alth\"}" }, 1 },
        { "json: { event: health }", { OURS, "MESSAGE={\"health\":\"event\"}" }, 0 },
        { "json: { event: health }", { OURS, "MESSAGE=[\"event\",\"health\"]" }, 0 },
        { "json: { event: health }", { OURS, "MESSAGE={\"event\":\"health\"" }, 0 },
        { "json: { event: health }", { OURS, "MESSAGE=event health" }, 0 },
        { "json: { event: health, tasks: '>= 3' }", { OURS, "MESSAGE={\"event\":\"health\",\"tasks\":3}" }, 1 },
        { "json: { event: health, tasks: '>= 3' }", { OURS, "MESSAGE={\"event\":\"health\",\"tasks\":2}" }, 0 },
        { "json: { tasks: 100 }", { OURS, "MESSAGE={\"tasks\":1e2}" }, 1 },
        { "json: { ok: 'true' }", { OURS, "MESSAGE={\"ok\":true}" }, 1 },
        { "json: { ok: 'null' }", { OURS, "MESSAGE={\"ok\":null}" }, 0 },
        { "json: { a: { b: x } }", { OURS, "MESSAGE={\"a\":{\"b\":\"x\"}}" }, 1 },
        { "json: { version: /^\\d+\\.\\d+$/ }", { OURS, "MESSAGE={\"version\":\"1.2\"}" }, 1 },
        { "json: { name: Käse }", { OURS, "MESSAGE={\"name\":\"K\\u00e4se\"}" }, 1 },
        { "json: { name: { not: x } }", { OURS, "MESSAGE={\"name\":\"y\"}" }, 1 },
        { "json: { name: { not: x } }", { OURS, "MESSAGE={}" }, 0 },
        { "message: /health/, json: { event: health }", { OURS, "MESSAGE={\"event\":\"health\"}" }, 1 },
        { "message: /x/, json: { event: health }", { OURS, "MESSAGE={\"event\":\"health\"}" }, 0 },
        { "message: hello", { "_SYSTEMD_UNIT=b.service", "_PID=50", "MESSAGE=hello" }, 0 },
        { "message: hello", { "_PID=50", "MESSAGE=hello" }, 1 }, /* the judge decides by the pid */
        /* PID 1's child before the exec is no process of the daemon, whatever journald says of it. */
        { "message: /x/", { "_PID=50", "SYSLOG_IDENTIFIER=(x)", "CODE_FILE=src/core/execute.c", "MESSAGE=x" }, 0 },
        { "message: /x/", { OURS, "SYSLOG_IDENTIFIER=(x)", "CODE_FILE=src/core/execute.c", "MESSAGE=x" }, 0 },
        { "message: /x/", { OURS, "SYSLOG_IDENTIFIER=(x)", "CODE_FILE=x.c", "MESSAGE=x" }, 1 },
        { "message: /x/", { OURS, "SYSLOG_IDENTIFIER=x", "CODE_FILE=src/core/x.c", "_COMM=(x)", "MESSAGE=x" }, 1 },
        { "message: hello", { "_TRANSPORT=kernel", "MESSAGE=hello" }, 0 },
        { "message: hello, from: any", { "_SYSTEMD_UNIT=b.service", "MESSAGE=hello" }, 1 },
        { "message: hello, from: any", { "MESSAGE=hello" }, 1 },
        { "message: /Started/, from: manager", { "_PID=1", "UNIT=" UNIT, "MESSAGE=Started it" }, 1 },
        { "message: /Started/, from: manager", { "_PID=7", "UNIT=" UNIT, "MESSAGE=Started it" }, 0 },
        { "message: /Started/, from: manager", { "_PID=1", "UNIT=b.service", "MESSAGE=Started it" }, 0 },
        { "message: /Started/, from: manager", { OURS, "MESSAGE=Started it" }, 0 },
};

START_TEST(a_line_is_a_hit_or_not) {
        CLEANUP_RECORDING Recording recording;
        CLEANUP_TEXT Text expect = TEXT_INIT;

        text_printf(&expect, "log: { %s }", samples[_i].expect);
        recording_init(&recording, text_get(&expect));
        recording_feed_fields(&recording, 11, samples[_i].fields);
        ck_assert_msg(n_hits(&recording) == samples[_i].n_hits, "%s: %zu hits", samples[_i].expect,
                        n_hits(&recording));
}
END_TEST

START_TEST(a_hit_says_where_it_is) {
        CLEANUP_RECORDING Recording recording;
        const LogHit *hits;
        size_t n;

        recording_init(&recording, "log: { message: /hello/ }");
        recording_feed(&recording, 11, OURS, "MESSAGE=no");
        recording_feed(&recording, 12, OURS, "MESSAGE=hello you");
        recording_feed(&recording, 13, "_PID=51", "MESSAGE=hello me");
        hits = logbook_hits(recording.logbook, recording.expectation, &n);
        ck_assert_uint_eq(n, 2);
        ck_assert_uint_eq(hits[0].seqnum, 2);
        ck_assert_uint_eq(hits[0].at_usec, seconds(12));
        ck_assert_int_eq(hits[0].pid, 50);
        ck_assert(!hits[0].lacks_unit);
        ck_assert_str_eq(hits[0].excerpt, "hello you");
        ck_assert(hits[1].lacks_unit);
        ck_assert_int_eq(hits[1].pid, 51);
        ck_assert_uint_eq(logbook_n_lines(recording.logbook), 3);
        ck_assert(!logbook_has_gap(recording.logbook));
}
END_TEST

START_TEST(excerpts_are_few_short_and_whole_characters) {
        CLEANUP_RECORDING Recording recording;
        CLEANUP_TEXT Text message = TEXT_INIT;
        const LogHit *hits;
        size_t n;

        recording_init(&recording, "log: { message: /x/ }");
        text_append(&message, "MESSAGE=x");
        for (int i = 0; i < 300; i++)
                text_append(&message, "ü");
        for (int i = 0; i < 100; i++)
                recording_feed(&recording, 11, OURS, text_get(&message));
        hits = logbook_hits(recording.logbook, recording.expectation, &n);
        ck_assert_uint_eq(n, 100);
        ck_assert_uint_eq(strlen(hits[0].excerpt), 255);
        ck_assert_ptr_nonnull(hits[7].excerpt);
        ck_assert_ptr_null(hits[8].excerpt);
}
END_TEST

START_TEST(gaps_are_seen) {
        CLEANUP_RECORDING Recording recording, late;

        recording_init(&recording, "log: hello");
        recording_feed(&recording, 11, OURS, "MESSAGE=a");
        recording.n_lines = 7;
        ck_assert(!logbook_has_gap(recording.logbook));
        recording_feed(&recording, 11, OURS, "MESSAGE=a");
        ck_assert(logbook_has_gap(recording.logbook));

        recording_init(&late, "log: hello");
        late.n_lines = 1;
        recording_feed(&late, 11, OURS, "MESSAGE=a");
        ck_assert(logbook_has_gap(late.logbook));
}
END_TEST

START_TEST(near_misses_are_the_best_and_the_newest) {
        CLEANUP_RECORDING Recording recording;
        const LogHit *near_misses;
        size_t n;

        recording_init(&recording, "log: { json: { event: checkpoint, tasks: 100, done: 'true' } }");
        recording_feed(&recording, 11, OURS, "MESSAGE=plain");
        recording_feed(&recording, 11, OURS, "MESSAGE={\"event\":\"other\",\"tasks\":1,\"done\":false}");
        (void) logbook_near_misses(recording.logbook, recording.expectation, &n);
        ck_assert_uint_eq(n, 0);

        recording_feed(&recording, 11, OURS, "MESSAGE={\"event\":\"checkpoint\",\"tasks\":1,\"done\":false}");
        recording_feed(&recording, 12, OURS, "MESSAGE={\"event\":\"checkpoint\",\"tasks\":2,\"done\":true}");
        recording_feed(&recording, 13, OURS, "MESSAGE={\"event\":\"checkpoint\",\"tasks\":3,\"done\":true}");
        recording_feed(&recording, 14, OURS, "MESSAGE={\"event\":\"checkpoint\",\"tasks\":4,\"done\":false}");
        recording_feed(&recording, 15, OURS, "MESSAGE={\"event\":\"other\",\"tasks\":100,\"done\":false}");
        recording_feed(&recording, 15, "_SYSTEMD_UNIT=b.service",
                        "MESSAGE={\"event\":\"checkpoint\",\"tasks\":5,\"done\":true}");
        near_misses = logbook_near_misses(recording.logbook, recording.expectation, &n);
        ck_assert_uint_eq(n, 3);
        ck_assert_uint_eq(near_misses[0].seqnum, 5);
        ck_assert_uint_eq(near_misses[1].seqnum, 4);
        ck_assert_uint_eq(near_misses[2].seqnum, 7);
        ck_assert_str_eq(near_misses[0].excerpt, "{\"event\":\"checkpoint\",\"tasks\":3,\"done\":true}");
        ck_assert_str_eq(near_misses[2].excerpt, "{\"event\":\"other\",\"tasks\":100,\"done\":false}");
}
END_TEST

START_TEST(the_right_priority_alone_is_no_near_miss) {
        CLEANUP_RECORDING Recording recording;
        size_t n;

        recording_init(&recording, "log: { message: hello, priority: info }");
        recording_feed(&recording, 11, OURS, "MESSAGE=x", "PRIORITY=6");
        (void) logbook_near_misses(recording.logbook, recording.expectation, &n);
        ck_assert_uint_eq(n, 0);
        recording_feed(&recording, 11, OURS, "MESSAGE=hello", "PRIORITY=4");
        (void) logbook_near_misses(recording.logbook, recording.expectation, &n);
        ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(all_expectations_share_one_look_at_a_line) {
        CLEANUP_RECORDING Recording recording;
        size_t n_other;

        recording_init(&recording, "log: { message: /the/, priority: warning }");
        recording_feed(&recording, 11, OURS, "MESSAGE=the other", "PRIORITY=4");
        (void) logbook_hits(recording.logbook, recording.scenario->never, &n_other);
        ck_assert_uint_eq(n_other, 1);
        ck_assert_uint_eq(n_hits(&recording), 1);
}
END_TEST

START_TEST(captures_wait_for_the_judge) {
        CLEANUP_RECORDING Recording recording;
        CaptureScope scope = { .before = SIZE_MAX };
        TemplateLookup lookup;
        const LogHit *hits;
        size_t n;

        recording_init(&recording, "log: { json: { event: done, id: '${id}' }, message: /done/ }");
        recording_feed(&recording, 11, OURS, "MESSAGE={\"event\":\"done\",\"id\":1}");
        recording_feed(&recording, 11, OURS, "MESSAGE={\"event\":\"done\",\"id\":2}");
        recording_feed(&recording, 11, OURS, "MESSAGE={\"event\":\"done\"}");
        hits = logbook_hits(recording.logbook, recording.expectation, &n);
        ck_assert_uint_eq(n, 2);

        recording_add(&recording, SOURCE_HARNESS, ENTRY_CAPTURE, BEGIN, NULL, "name=id", "value=2");
        scope.facts = &recording.facts;
        lookup = capture_lookup(&scope);
        ck_assert(!logbook_holds(recording.logbook, recording.expectation, &hits[0], &lookup));
        ck_assert(logbook_holds(recording.logbook, recording.expectation, &hits[1], &lookup));
}
END_TEST

START_TEST(what_stands_before_a_capture_is_asked_at_once) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "log: { message: 'task ${id} done' }");
        recording_feed(&recording, 11, OURS, "MESSAGE=nothing");
        recording_feed(&recording, 11, OURS, "MESSAGE=task 7 done");
        recording_feed(&recording, 11, OURS, "MESSAGE=tas");
        ck_assert_uint_eq(n_hits(&recording), 1);
}
END_TEST

START_TEST(candidates_for_captures_are_bounded) {
        CLEANUP_RECORDING Recording recording;
        CLEANUP_TEXT Text message = TEXT_INIT;

        recording_init(&recording, "log: { message: 'task ${id}' }");
        text_append(&message, "MESSAGE=task ");
        for (int i = 0; i < 100000; i++)
                text_append(&message, "0");
        ck_assert_ptr_null(logbook_doubt(recording.logbook, recording.expectation));
        for (int i = 0; i < 60; i++)
                recording_feed(&recording, 11, OURS, text_get(&message));
        ck_assert_uint_lt(n_hits(&recording), 60);
        ck_assert_ptr_nonnull(logbook_doubt(recording.logbook, recording.expectation));
}
END_TEST

START_TEST(groups_are_kept_where_they_are_saved) {
        CLEANUP_RECORDING Recording recording;
        const char *name, *value;
        const LogHit *hits;
        size_t n;

        recording_init(&recording, "log: { message: '/pid (?<pid>\\d+)(?<rest> .*)?/', json: { v: "
                                   "'/^(?<major>\\d+)/' }, save: yes }");
        recording_feed(&recording, 11, OURS, "MESSAGE={\"v\":\"3.1\",\"text\":\"pid 77\"}");
        hits = logbook_hits(recording.logbook, recording.expectation, &n);
        ck_assert_uint_eq(n, 1);
        ck_assert(!logbook_capture(recording.logbook, recording.expectation, 0, &name, &value));

        logbook_choose(recording.logbook, recording.expectation, hits);
        ck_assert(logbook_capture(recording.logbook, recording.expectation, 0, &name, &value));
        ck_assert_str_eq(name, "pid");
        ck_assert_str_eq(value, "77");
        ck_assert(logbook_capture(recording.logbook, recording.expectation, 1, &name, &value));
        ck_assert_str_eq(name, "rest");
        ck_assert_str_eq(value, "");
        ck_assert(logbook_capture(recording.logbook, recording.expectation, 2, &name, &value));
        ck_assert_str_eq(name, "major");
        ck_assert_str_eq(value, "3");
        ck_assert(!logbook_capture(recording.logbook, recording.expectation, 3, &name, &value));

        logbook_choose(recording.logbook, recording.expectation, NULL);
        ck_assert(!logbook_capture(recording.logbook, recording.expectation, 0, &name, &value));
}
END_TEST

static void count_hit(const Expectation *expectation, const LogHit *hit, void *userdata) {
        ck_assert_uint_eq(hit->seqnum, 1);
        ck_assert_str_eq(expectation->kind->name, "log");
        (*(size_t *) userdata)++;
}

static const char *only_message(const LogLine *line, const char *name, size_t *ret_n_bytes) {
        *ret_n_bytes = strlen("the other");
        return strcmp(name, "MESSAGE") == 0 ? "the other" : NULL;
}

START_TEST(the_performer_is_told) {
        const LogLine line = { .seqnum = 1, .at_usec = 5, .get_field = only_message };
        CLEANUP_RECORDING Recording recording;
        size_t n = 0;

        recording_init(&recording, "log: { message: /other/, from: any }");
        ck_assert_int_eq(logbook_feed(recording.logbook, &line, count_hit, &n), 0);
        ck_assert_uint_eq(n, 2);
}
END_TEST

Suite *logbook_suite(void) {
        Suite *suite = suite_create("logbook");
        TCase *tests = tcase_create("logbook");

        tcase_add_loop_test(tests, a_line_is_a_hit_or_not, 0, ELEMENTS_OF(samples));
        tcase_add_test(tests, a_hit_says_where_it_is);
        tcase_add_test(tests, excerpts_are_few_short_and_whole_characters);
        tcase_add_test(tests, gaps_are_seen);
        tcase_add_test(tests, near_misses_are_the_best_and_the_newest);
        tcase_add_test(tests, the_right_priority_alone_is_no_near_miss);
        tcase_add_test(tests, all_expectations_share_one_look_at_a_line);
        tcase_add_test(tests, captures_wait_for_the_judge);
        tcase_add_test(tests, what_stands_before_a_capture_is_asked_at_once);
        tcase_add_test(tests, candidates_for_captures_are_bounded);
        tcase_add_test(tests, groups_are_kept_where_they_are_saved);
        tcase_add_test(tests, the_performer_is_told);
        suite_add_tcase(suite, tests);
        return suite;
}
