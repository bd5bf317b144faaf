/* SPDX-License-Identifier: MIT */

/* What is measured of a timeline made by hand: moments in milliseconds from T0. */

#include "reports/measures.h"

#include <string.h>

#include "base/quantity.h"
#include "judge/exits.h"
#include "suites.h"

#define T0        (1000 * USEC_PER_SEC)
#define UNIT      "x.service"
#define MOMENT(m) (T0 + (m) *USEC_PER_MSEC)

typedef struct Made {
        Timeline *timeline;
        Judgement judgement;
        Measures measures;
} Made;

static Made made;

static void make(void) {
        made = (Made){ .timeline = timeline_new() };
}

static void release(void) {
        measures_done(&made.measures);
        judgement_done(&made.judgement);
        timeline_free(made.timeline);
}

static void append(Entry *entry) {
        ck_assert_int_eq(timeline_append(made.timeline, entry), 0);
}

static Entry *new_entry(EntrySource source, EntryKind kind, unsigned msec) {
        return entry_new(source, kind, MOMENT(msec), MOMENT(msec), UNIT);
}

static void job(unsigned msec, const char *verb) {
        Entry *entry = new_entry(SOURCE_HARNESS, ENTRY_JOB_ACTION, msec);

        entry_set(entry, "verb", verb);
        entry_set_usec(entry, "asked", MOMENT(msec));
        append(entry);
}

static void signal_main(unsigned msec, const char *number) {
        Entry *entry = new_entry(SOURCE_HARNESS, ENTRY_SIGNAL_ACTION, msec);

        entry_set(entry, "signal", number);
        entry_set(entry, "errno", "0");
        entry_set(entry, "pid", "7");
        entry_set_usec(entry, "asked", MOMENT(msec));
        append(entry);
}

/* A snapshot: process @pid of invocation @id, started and (0: not) ended at these moments. */
static void snapshot(unsigned msec, const char *pid, const char *id, unsigned started_msec, unsigned ended_msec) {
        Entry *entry = new_entry(SOURCE_BUS, ENTRY_PROPERTIES, msec);

        entry_set(entry, "errno", "0");
        entry_set_usec(entry, "asked", MOMENT(msec));
        entry_set(entry, "InvocationID", id);
        entry_set(entry, "ActiveState", ended_msec > 0 ? "inactive" : "active");
        entry_set(entry, "ExecMainPID", pid);
        entry_set(entry, "MainPID", ended_msec > 0 ? "0" : pid);
        entry_set_usec(entry, "ExecMainStartTimestampMonotonic", MOMENT(started_msec));
        entry_set_usec(entry, "ExecMainExitTimestampMonotonic", ended_msec > 0 ? MOMENT(ended_msec) : 0);
        entry_set(entry, "ExecMainCode", ended_msec > 0 ? "1" : "0");
        entry_set(entry, "ExecMainStatus", "0");
        entry_set(entry, "Result", "success");
        append(entry);
}

static void restart_scheduled(unsigned msec) {
        Entry *entry = new_entry(SOURCE_JOURNAL, ENTRY_MANAGER_LINE, msec);

        entry_set(entry, "MESSAGE_ID", MESSAGE_RESTART_SCHEDULED);
        append(entry);
}

static void counter(unsigned msec, const char *name, const char *number, const char *error) {
        Entry *entry = new_entry(SOURCE_CGROUP, ENTRY_COUNTER, msec);

        entry_set(entry, "counter", name);
        entry_set(entry, "errno", error);
        entry_set(entry, "text", number);
        append(entry);
}

static const char *measure(const char *name) {
        Scenario scenario = { .path = (char *) "x.yaml", .name = (char *) "x.yaml" };
        Play play = { .scenario = &scenario, .name = scenario.name };
        PlayResult result = { .play = &play, .judgement = made.judgement, .timeline = made.timeline };

        measures_done(&made.measures);
        ck_assert_int_eq(measures_collect(&result, &made.measures), 0);
        FOREACH_ARRAY (item, made.measures.items, made.measures.n_items)
                if (strcmp(item->name, name) == 0)
                        return item->value;
        return "none";
}

START_TEST(a_stop_is_measured_from_its_job) {
        job(0, "start");
        snapshot(10, "7", "aa", 5, 0);
        job(100, "stop");
        snapshot(160, "7", "aa", 5, 142);
        ck_assert_str_eq(measure("stop_latency_ms"), "42.000");
        ck_assert_str_eq(measure("invocation_id:" UNIT), "aa");
        ck_assert_str_eq(measure("restart_delay_min_ms"), "none");
}
END_TEST

START_TEST(so_is_sigterm_and_the_longest_counts) {
        job(0, "start");
        snapshot(10, "7", "aa", 5, 0);
        signal_main(100, "15");
        snapshot(160, "7", "aa", 5, 150);
        job(200, "start");
        snapshot(210, "8", "bb", 205, 0);
        job(300, "stop");
        snapshot(320, "8", "bb", 205, 310);
        ck_assert_str_eq(measure("stop_latency_ms"), "50.000");
        ck_assert_str_eq(measure("invocation_id:" UNIT), "aa bb");
}
END_TEST

START_TEST(an_end_by_the_next_action_is_none_of_the_first) {
        job(0, "start");
        snapshot(10, "7", "aa", 5, 0);
        signal_main(100, "15");
        signal_main(500, "9");
        snapshot(520, "7", "aa", 5, 510);
        ck_assert_str_eq(measure("stop_latency_ms"), "none");
}
END_TEST

START_TEST(a_restart_is_measured_between_two_processes) {
        job(0, "start");
        snapshot(10, "7", "aa", 5, 0);
        signal_main(100, "9");
        snapshot(120, "7", "aa", 5, 110);
        restart_scheduled(810);
        snapshot(830, "8", "bb", 820, 0);
        ck_assert_str_eq(measure("restart_delay_min_ms"), "710.000");
        ck_assert_str_eq(measure("restart_delay_max_ms"), "710.000");
        ck_assert_str_eq(measure("stop_latency_ms"), "none");
}
END_TEST

START_TEST(peaks_are_the_highest_that_was_read) {
        counter(10, "memory.peak", "1000\n", "0");
        counter(20, "memory.peak", "3000\n", "0");
        counter(30, "memory.peak", "", "19");
        counter(40, "memory.current", "9000\n", "0");
        ck_assert_str_eq(measure("memory_peak_bytes"), "3000");
        ck_assert_str_eq(measure("pids_peak"), "none");
}
END_TEST

START_TEST(cards_and_lateness_are_told) {
        Entry *entry = new_entry(SOURCE_HARNESS, ENTRY_LATENESS, 50);

        counter(10, "pids.max", "10\n", "0");
        counter(20, "pids.peak", "4\n", "0");
        entry_set_usec(entry, "worst", 12500);
        append(entry);
        ck_assert_str_eq(measure("card." UNIT ".tasks-max"), "10");
        ck_assert_str_eq(measure("card." UNIT ".tasks-headroom"), "60%");
        ck_assert_str_eq(measure("pids_peak"), "4");
        ck_assert_str_eq(measure("harness_lateness_ms"), "12.500");
}
END_TEST

START_TEST(the_narrowest_margin_names_its_expectation) {
        for (unsigned i = 0; i < 3; i++) {
                Verdict verdict = { .reason = REASON_HELD,
                        .outcome = i == 2 ? OUTCOME_FAIL : OUTCOME_PASS,
                        .id = strdup(i == 0      ? "first"
                                        : i == 1 ? "second"
                                                 : "third"),
                        .margin_usec = i == 0   ? 2500
                                       : i == 1 ? 1250
                                                : 1 };
                ck_assert_int_eq(judgement_take(&made.judgement, &verdict), 0);
        }
        ck_assert_str_eq(measure("narrowest_margin_ms"), "1.250");
        ck_assert_str_eq(measure("narrowest_margin_of"), "second");
}
END_TEST

START_TEST(versions_are_told) {
        Entry *entry = new_entry(SOURCE_HARNESS, ENTRY_VERSIONS, 0);

        entry_set(entry, "systemd", "252");
        entry_set(entry, "cgroup", "v2");
        append(entry);
        ck_assert_str_eq(measure("systemd_version"), "252");
        ck_assert_str_eq(measure("cgroup"), "v2");
        ck_assert_str_eq(measure("kernel"), "none");
}
END_TEST

Suite *measures_suite(void) {
        Suite *suite = suite_create("measures");
        TCase *cases = tcase_create("measures");

        tcase_add_checked_fixture(cases, make, release);
        tcase_add_test(cases, a_stop_is_measured_from_its_job);
        tcase_add_test(cases, so_is_sigterm_and_the_longest_counts);
        tcase_add_test(cases, an_end_by_the_next_action_is_none_of_the_first);
        tcase_add_test(cases, a_restart_is_measured_between_two_processes);
        tcase_add_test(cases, peaks_are_the_highest_that_was_read);
        tcase_add_test(cases, cards_and_lateness_are_told);
        tcase_add_test(cases, the_narrowest_margin_names_its_expectation);
        tcase_add_test(cases, versions_are_told);
        suite_add_tcase(suite, cases);
        return suite;
}
