/* SPDX-License-Identifier: MIT */
#include "recording.h"
#include "suites-b.h"

#define CLEANUP_RECORDING CLEANUP(recording_done)
#define STATUS                                                                                                       \
        "status=Name:\tagent)d\nUmask:\t0022\nPid:\t50\nPPid:\t1\nUid:\t0\t997\t0\t997\nThreads:\t4\n"               \
        "SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000004002\n"
#define MAIN(stat)                                                                                                   \
        "role=main", "pid=50", STATUS, "stat=" stat, "exe=/usr/bin/agentd", "cwd=/", "n_fds=9", "n_children=2",      \
                        "n_zombies=1"
#define ZOMBIE(n_threads)  "50 (agent) d) Z 1 50 50 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 " n_threads " 0 9"
#define PROCESS_ENTRY(...) recording_add(&recording, SOURCE_PROCESS, ENTRY_PROCESS, BEGIN, UNIT, __VA_ARGS__)

static const struct {
        const char *expect, *seen;
        Truth truth;
} samples[] = {
        { "executable: '/usr/bin/agentd'", "executable was \"/usr/bin/agentd\"", TRUTH_TRUE },
        { "cwd: '/var'", "cwd was \"/\"", TRUTH_FALSE },
        { "parent: 1", "parent was \"1\"", TRUTH_TRUE },
        { "session: own", "session was \"own\"", TRUTH_TRUE },
        { "tty: none", "tty was \"none\"", TRUTH_TRUE },
        { "umask: '0027'", "umask was \"0022\"", TRUTH_FALSE },
        { "uid: 997", "uid was \"997\"", TRUTH_TRUE },
        { "threads: '<= 4'", "threads was \"4\"", TRUTH_TRUE },
        { "fds: '< 9'", "fds was \"9\"", TRUTH_FALSE },
        { "children: 2", "children was \"2\"", TRUTH_TRUE },
        { "zombies: 0", "zombies was \"1\"", TRUTH_FALSE },
        { "caught: [SIGTERM, INT]", "SIGTERM was caught, SIGINT was caught", TRUTH_TRUE },
        { "caught: [SIGTERM, SIGHUP]", "SIGHUP was not caught", TRUTH_FALSE },
        { "ignored: SIGPIPE", "SIGPIPE was ignored", TRUTH_TRUE },
        { "blocked: SIGHUP", "SIGHUP was blocked", TRUTH_TRUE },
        { "blocked: SIGTERM", "SIGTERM was not blocked", TRUTH_FALSE },
        { "role: main", "process 50 was there", TRUTH_TRUE },
};

START_TEST(every_fact_is_compared) {
        CLEANUP_RECORDING Recording recording;
        CLEANUP_TEXT Text expect = TEXT_INIT;

        text_printf(&expect, "process: { %s }", samples[_i].expect);
        recording_init(&recording, text_get(&expect));
        assert_examined(&recording, PROCESS_ENTRY(MAIN("50 (agent) d) S 1 50 50 0 -1")), samples[_i].truth,
                        samples[_i].seen);
}
END_TEST

START_TEST(a_terminal_and_a_foreign_session_are_told) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "process: { session: own, tty: none }");
        assert_examined(&recording, PROCESS_ENTRY(MAIN("50 (agentd) S 1 50 7 34817 -1")), TRUTH_FALSE,
                        "session was \"7\", tty was \"136:1\"");
        assert_examined(&recording, PROCESS_ENTRY("role=main", "pid=50"), TRUTH_UNKNOWN, "session is not known");
        assert_described(&recording, "main process of " UNIT ": session equals \"own\", tty equals \"none\"");
}
END_TEST

START_TEST(no_process_is_false_and_no_permission_is_unknown) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "process: { threads: 1 }");
        assert_examined(&recording, PROCESS_ENTRY("role=main", "pid=0", "errno=3"), TRUTH_FALSE,
                        "there was no such process");
        assert_examined(&recording, PROCESS_ENTRY("role=main", "pid=50", "errno=13"), TRUTH_UNKNOWN,
                        "Permission denied");
        assert_examined(&recording, PROCESS_ENTRY("role=main", "pid=50"), TRUTH_UNKNOWN, "threads is not known");
        assert_examined(&recording, PROCESS_ENTRY("role=child", "pid=51", "errno=3"), TRUTH_IRRELEVANT, "");
        /* It ended, and was not reaped yet; or its first thread alone did. */
        assert_examined(&recording, PROCESS_ENTRY(MAIN(ZOMBIE("1"))), TRUTH_FALSE, "the process had ended");
        assert_examined(&recording, PROCESS_ENTRY(MAIN(ZOMBIE("3"))), TRUTH_FALSE, "threads was \"4\"");
        assert_examined(&recording,
                        recording_add(&recording, SOURCE_PROCESS, ENTRY_PROCESS, BEGIN, "b.service", "role=main",
                                        "errno=3"),
                        TRUTH_IRRELEVANT, "");
}
END_TEST

START_TEST(one_child_of_a_look_is_enough) {
        CLEANUP_RECORDING Recording recording;
        const Entry *main_process, *first, *second, *lone;

        recording_init(&recording, "process: { role: any-child, executable: '/bin/worker' }");
        main_process = PROCESS_ENTRY("role=main", "pid=50", "exe=/bin/worker", "n_children=2");
        first = PROCESS_ENTRY("role=child", "pid=51", "exe=/bin/worker");
        second = PROCESS_ENTRY("role=child", "pid=52", "exe=/bin/other");
        lone = PROCESS_ENTRY("role=main", "pid=50", "n_children=0");

        assert_examined(&recording, main_process, TRUTH_IRRELEVANT, "");
        assert_examined(&recording, first, TRUTH_IRRELEVANT, "");
        assert_examined(&recording, second, TRUTH_TRUE, "/bin/worker");
        assert_examined(&recording, lone, TRUTH_FALSE, "there was no child");
        first = PROCESS_ENTRY("role=child", "pid=53", "exe=/bin/x");
        assert_examined(&recording, first, TRUTH_FALSE, "/bin/x");
        assert_examined(&recording, PROCESS_ENTRY("role=child", "pid=54", "errno=13"), TRUTH_UNKNOWN,
                        "Permission denied");
        assert_described(&recording, "a child of " UNIT ": executable equals \"/bin/worker\"");
}
END_TEST

START_TEST(without_a_main_process_there_is_no_child) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "process: { role: any-child }");
        PROCESS_ENTRY("role=main", "pid=0", "errno=2");
        assert_examined(&recording, PROCESS_ENTRY("role=child", "pid=1"), TRUTH_FALSE, "there was no child");
}
END_TEST

START_TEST(signals_are_checked) {
        assert_refused("process: { caught: SIGTREM }", "there is no `SIGTREM`");
}
END_TEST

Suite *process_suite(void) {
        Suite *suite = suite_create("expect-process");
        TCase *tests = tcase_create("process");

        tcase_add_loop_test(tests, every_fact_is_compared, 0, ELEMENTS_OF(samples));
        tcase_add_test(tests, a_terminal_and_a_foreign_session_are_told);
        tcase_add_test(tests, no_process_is_false_and_no_permission_is_unknown);
        tcase_add_test(tests, one_child_of_a_look_is_enough);
        tcase_add_test(tests, without_a_main_process_there_is_no_child);
        tcase_add_test(tests, signals_are_checked);
        suite_add_tcase(suite, tests);
        return suite;
}
