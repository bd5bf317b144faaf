/* SPDX-License-Identifier: MIT */
#include "recording.h"
#include "suites-b.h"

#define CLEANUP_RECORDING CLEANUP(recording_done)

/* A look at the main process each half second of the window's five. */
static void look(Recording *recording, const int fds[static 10], const char *pid) {
        for (int i = 0; i < 10; i++) {
                char n_fds[32], own_pid[32];

                (void) snprintf(n_fds, sizeof(n_fds), "n_fds=%d", fds[i]);
                (void) snprintf(own_pid, sizeof(own_pid), "pid=%s", i < 9 ? "50" : pid);
                recording_add(recording, SOURCE_PROCESS, ENTRY_PROCESS, seconds(10.2 + 0.5 * i), UNIT, "role=main",
                                own_pid, n_fds, "status=Threads:\t4\nRssAnon:\t 100 kB\n", "n_children=0");
        }
        recording_close(recording, 15.1);
}

static const struct {
        const char *expect;
        int fds[10];
        Reason reason;
} courses[] = {
        { "fds: 0", { 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 }, REASON_HELD },
        { "fds: 0", { 9, 12, 9, 12, 9, 12, 9, 12, 9, 12 }, REASON_HELD },
        { "fds: 0", { 9, 9, 9, 20, 20, 20, 9, 9, 9, 9 }, REASON_HELD },
        { "fds: 0", { 9, 10, 11, 12, 13, 14, 15, 16, 17, 18 }, REASON_WRONG_VALUE },
        /* A leak beside what comes and goes. */
        { "fds: 0", { 9, 12, 10, 13, 12, 16, 15, 19, 16, 20 }, REASON_WRONG_VALUE },
        { "fds: 8", { 9, 10, 11, 12, 13, 14, 15, 16, 17, 18 }, REASON_HELD },
        { "fds: 8", { 9, 19, 29, 39, 49, 59, 69, 79, 89, 99 }, REASON_WRONG_VALUE },
        { "threads: 0, memory: 0, children: 0", { 9, 19, 29, 39, 49, 59, 69, 79, 89, 99 }, REASON_HELD },
};

START_TEST(what_grows_for_good_is_told) {
        CLEANUP_RECORDING Recording recording;
        CLEANUP_TEXT Text expect = TEXT_INIT;

        text_printf(&expect, "trend: { %s }", courses[_i].expect);
        recording_init(&recording, text_get(&expect));
        recording_expect(&recording, REASON_NONE);
        look(&recording, courses[_i].fds, "50");
        recording_expect(&recording, courses[_i].reason);
}
END_TEST

START_TEST(another_process_has_another_course) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "trend: { fds: 0 }");
        look(&recording, courses[0].fds, "51");
        recording_expect(&recording, REASON_UNREADABLE);
}
END_TEST

START_TEST(few_looks_tell_nothing) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "trend: { fds: 0 }");
        recording_add(&recording, SOURCE_PROCESS, ENTRY_PROCESS, seconds(11), UNIT, "role=main", "pid=50", "n_fds=9");
        recording_add(&recording, SOURCE_PROCESS, ENTRY_PROCESS, seconds(14), UNIT, "role=main", "pid=50", "n_fds=9");
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_UNREADABLE);
}
END_TEST

START_TEST(no_process_is_a_failure) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "trend: { fds: 0 }");
        recording_add(&recording, SOURCE_PROCESS, ENTRY_PROCESS, seconds(11), UNIT, "role=main", "pid=0", "errno=3");
        recording_close(&recording, 15.1);
        recording_expect(&recording, REASON_NOT_OBSERVED);
}
END_TEST

START_TEST(a_trend_of_nothing_is_refused) {
        assert_refused("trend: {}", "`trend` of what?");
}
END_TEST

Suite *trend_suite(void) {
        Suite *suite = suite_create("trend");
        TCase *tests = tcase_create("trend");

        tcase_add_loop_test(tests, what_grows_for_good_is_told, 0, ELEMENTS_OF(courses));
        tcase_add_test(tests, another_process_has_another_course);
        tcase_add_test(tests, few_looks_tell_nothing);
        tcase_add_test(tests, no_process_is_a_failure);
        tcase_add_test(tests, a_trend_of_nothing_is_refused);
        suite_add_tcase(suite, tests);
        return suite;
}
