/* SPDX-License-Identifier: MIT */
#include "play.h"
#include "suites.h"

/* The main process is killed at 2.004 s; the window is [2 s, 12 s]. */
#define EXPECT_RESTART(restart)                                                                                      \
        "- start: agent.service\n- crash: SIGKILL\n- expect: { restart: " restart " }\n  within: 10s\n"
#define CRASHED                                                                                                      \
        UP "2000 step-begin - step=steps[1] run=0 kind=crash quote=*\n"                                              \
           "2002 properties " UNIT " asked=2001ms errno=0" RUNNING("100", "1050ms", "aa",                            \
                           "0") "\n"                                                                                 \
                                "2004 signal-action " UNIT " who=main pid=100 signal=9 errno=0 asked=2003ms\n"       \
                                "2010 main-gone " UNIT " pid=100\n"                                                  \
                                "2011 step-end - step=steps[1] run=0 how=done\n" EXPECT(                             \
                                                "steps[2]") "2020 properties " UNIT                                  \
                                                            " asked=2015ms errno=0" FACTS("activating",              \
                                                                            "auto-restart", "signal", "0", "2", "9", \
                                                                            "1050ms", "2008ms", "aa",                \
                                                                            "0") " ExecMainPID=100\n"
#define LINE(at, invocation, n)                                                                                      \
        at " manager-line " UNIT " MESSAGE_ID=5eb03494b6584870a536b337290809b3 seqnum=9 INVOCATION_ID=" invocation   \
           " N_RESTARTS=" n "\n"
#define START(at, asked, pid, start, invocation, n)                                                                  \
        at " properties " UNIT " asked=" asked " errno=0" RUNNING(pid, start, invocation, n) "\n"
#define COUNTED                                                                                                      \
        "2200 properties " UNIT " asked=2190ms errno=0" FACTS("activating", "auto-restart", "signal", "0", "2", "9", \
                        "1050ms", "2008ms", "aa", "1") " ExecMainPID=100\n"
#define REFUSED_AT(n)                                                                                                \
        "2310 properties " UNIT " asked=2305ms errno=0" FACTS("failed", "failed", "signal", "0", "2", "9", "1050ms", \
                        "2008ms", "aa", n) " ExecMainPID=100\n"
#define BB(at, state, sub, n)                                                                                        \
        at " properties " UNIT " asked=2990ms errno=0" FACTS(                                                        \
                        state, sub, "exit-code", "0", "1", "1", "2500ms", "2600ms", "bb", n) " ExecMainPID=102\n"
#define REFUSED REFUSED_AT("1")
#define JOB_FAILED(invocation)                                                                                       \
        "2300 manager-line " UNIT " MESSAGE_ID=be02cf6855d2428ba40df7e9d022f03d seqnum=10 INVOCATION_ID=" invocation \
        " JOB_TYPE=start JOB_RESULT=failed\n"
#define SLOW             "800 versions - lateness-scale=5 lateness-probe=1000\n"
#define RESTARTED        CRASHED LINE("7010", "aa", "1") START("7060", "7055ms", "101", "7050ms", "bb", "1")
#define CLOSE            BARRIER("12080", "steps[2]", "12050ms")
#define DONE             STEP_END("12100", "steps[2]") ENDED
#define HALTED           STEP_END("12100", "steps[2]") STOPPED
#define VERDICTS(reason) "steps[0]:held steps[1]:held steps[2].expect.restart:" reason " deaths:held"

static const Sample samples[] = {
        /* Measured from the manager's exit stamp (2.008 s) to its stamp of the new main process (7.05 s): 5.042 s. */
        { EXPECT_RESTART("{ after: 5s }"), RESTARTED DONE, VERDICTS("held") },
        { EXPECT_RESTART("{ after: 5s, late-by-at-most: 500ms }"), RESTARTED DONE, VERDICTS("held") },
        { EXPECT_RESTART("{}"), RESTARTED DONE, VERDICTS("held") },
        /* Too early, provably: even from the moment before the kill it is shorter. */
        { EXPECT_RESTART("{ after: 6s }"), RESTARTED HALTED, VERDICTS("too-early") },
        /* Shorter by the stamps, but the process may have been dead so much before its stamp. */
        { EXPECT_RESTART("{ after: 5045ms }"), RESTARTED DONE, VERDICTS("late-stamp") },
        { EXPECT_RESTART("{ after: 5045ms }"),
                        CRASHED "2006 main-alive " UNIT
                                " pid=100\n" START("7060", "7055ms", "101", "7050ms", "bb", "1") HALTED,
                        VERDICTS("too-early") },
        /* Too late by the shortest that it can have been. */
        { EXPECT_RESTART("{ after: 5s, late-by-at-most: 40ms }"), RESTARTED HALTED, VERDICTS("too-late") },
        { EXPECT_RESTART("{ after: 5s, late-by-at-most: 42ms }"), RESTARTED DONE, VERDICTS("held") },
        /* On a slow machine the budget counts several times; the time before which is none of that. */
        { EXPECT_RESTART("{ after: 5s, late-by-at-most: 10ms }"), SLOW RESTARTED DONE, VERDICTS("held") },
        { EXPECT_RESTART("{ after: 5s, late-by-at-most: 8ms }"), SLOW RESTARTED HALTED, VERDICTS("too-late") },
        { EXPECT_RESTART("{ after: 6s, late-by-at-most: 1s }"), SLOW RESTARTED HALTED, VERDICTS("too-early") },
        /* A count is known when the window is closed, unless more restarts cannot change it. */
        { EXPECT_RESTART("{ count: 1 }"), RESTARTED CLOSE DONE, VERDICTS("held") },
        { EXPECT_RESTART("{ count: 1 }"), RESTARTED DONE, VERDICTS("not-recorded") },
        { EXPECT_RESTART("{ count: '>= 1' }"), RESTARTED DONE, VERDICTS("held") },
        { EXPECT_RESTART("{ count: 2 }"), RESTARTED CLOSE HALTED, VERDICTS("wrong-value") },
        { EXPECT_RESTART("{ count: <= 0 }"), RESTARTED HALTED, VERDICTS("wrong-value") },
        { EXPECT_RESTART("{ count: 0 }"), CRASHED CLOSE DONE, VERDICTS("held") },
        { EXPECT_RESTART("{ count: 1 }"), CRASHED CLOSE HALTED, VERDICTS("not-observed") },
        { EXPECT_RESTART("{ count: 1 }"), RESTARTED "8000 journal-loss - MESSAGE=missed\n" CLOSE DONE,
                        VERDICTS("channel-lost") },
        { EXPECT_RESTART("{ count: 0 }"), RESTARTED "8000 journal-loss - MESSAGE=missed\n" HALTED,
                        VERDICTS("wrong-value") },
        /* Two, of which no snapshot met the first: its line and the counter tell. */
        { EXPECT_RESTART("{ count: 2 }"),
                        CRASHED LINE("4010", "aa", "1") "4500 manager-line " UNIT
                                                        " MESSAGE_ID=98e322203f7a4ed290d09fe03c09fe15 seqnum=10 "
                                                        "COMMAND=ExecStart "
                                                        "EXIT_CODE=exited EXIT_STATUS=1 INVOCATION_ID=bb\n" LINE(
                                                                        "7010", "bb", "2") START("7060", "7055ms",
                                                                        "102", "7050ms", "cc", "2") CLOSE DONE,
                        VERDICTS("held") },
        { EXPECT_RESTART("{ count: 2 }"), CRASHED START("7060", "7055ms", "102", "7050ms", "cc", "2") CLOSE DONE,
                        VERDICTS("held") },
        /* No restart. */
        { EXPECT_RESTART("{}"), CRASHED CLOSE HALTED, VERDICTS("not-observed") },
        { EXPECT_RESTART("{}"), CRASHED "3000 channel - channel=journal health=lost\n" CLOSE DONE,
                        VERDICTS("channel-lost") },
        { EXPECT_RESTART("{}"), CRASHED LINE("7010", "aa", "1") DONE, VERDICTS("held") },
        { EXPECT_RESTART("{ after: 5s }"), CRASHED LINE("7010", "aa", "1") CLOSE DONE, VERDICTS("not-recorded") },
        /* After the deadline at 12 s. */
        { EXPECT_RESTART("{}"), CRASHED START("12060", "12055ms", "101", "12010ms", "bb", "1") CLOSE DONE,
                        VERDICTS("late-stamp") },
        { EXPECT_RESTART("{}"),
                        CRASHED "12005 properties " UNIT
                                " asked=12001ms errno=0" FACTS("activating", "auto-restart", "signal", "0", "2", "9",
                                                "1050ms", "2008ms", "aa", "0") " ExecMainPID=100\n" START("12060",
                                                "12055ms", "101", "12010ms", "bb", "1") CLOSE HALTED,
                        VERDICTS("too-late") },
        /* A start of ours is no restart. */
        { EXPECT_RESTART("{}"),
                        CRASHED "3000 job-action " UNIT " verb=start asked=2999ms job=/job/2\n" START(
                                        "3060", "3055ms", "101", "3050ms", "bb", "0") CLOSE HALTED,
                        VERDICTS("not-observed") },
        /* A second main process of the same invocation is none either. */
        { EXPECT_RESTART("{}"), CRASHED START("3060", "3055ms", "101", "3050ms", "aa", "0") CLOSE HALTED,
                        VERDICTS("not-observed") },
        /* The start limit. */
        { EXPECT_RESTART("{ start-limit: yes }"),
                        CRASHED LINE("2210", "aa", "3") "2300 properties " UNIT " asked=2290ms errno=0" FACTS(
                                        "failed", "failed", "start-limit-hit", "0", "2", "9", "1050ms", "2008ms",
                                        "aa", "3") " ExecMainPID=100\n" DONE,
                        VERDICTS("held") },
        /* No restart whose delay could be measured. */
        { EXPECT_RESTART("{ start-limit: yes, after: 5s }"),
                        CRASHED LINE("2210", "aa", "3") "2300 manager-line " UNIT
                                                        " MESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c seqnum=10 "
                                                        "INVOCATION_ID=aa "
                                                        "UNIT_RESULT=start-limit-hit\n" CLOSE HALTED,
                        VERDICTS("not-observed") },
        { EXPECT_RESTART("{ start-limit: yes }"), RESTARTED CLOSE HALTED, VERDICTS("not-observed") },
        /* Result stays that of the last run: the restart's start job failed without a new invocation. */
        { EXPECT_RESTART("{ start-limit: yes }"), CRASHED LINE("2210", "aa", "3") JOB_FAILED("aa") DONE,
                        VERDICTS("held") },
        { EXPECT_RESTART("{ start-limit: yes }"), CRASHED LINE("2210", "zz", "3") JOB_FAILED("aa") CLOSE HALTED,
                        VERDICTS("not-observed") },
        /* The line of the schedule is kept back: the counter rose, and the invocation did not change. */
        { EXPECT_RESTART("{ start-limit: yes }"), CRASHED COUNTED JOB_FAILED("aa") REFUSED DONE, VERDICTS("held") },
        { EXPECT_RESTART("{ start-limit: no }"), CRASHED COUNTED JOB_FAILED("aa") REFUSED HALTED,
                        VERDICTS("wrong-value") },
        { EXPECT_RESTART("{ start-limit: yes }"), CRASHED JOB_FAILED("aa") CLOSE HALTED, VERDICTS("not-observed") },
        { EXPECT_RESTART("{ start-limit: yes }"), RESTARTED JOB_FAILED("bb") CLOSE HALTED, VERDICTS("not-observed") },
        /* A start that fails by itself, and is scheduled again: only a second failure without a start is a refusal.
         */
        { EXPECT_RESTART("{ start-limit: yes }"),
                        CRASHED BB("3000", "activating", "start", "1") JOB_FAILED("bb") BB(
                                        "3010", "failed", "failed", "1") BB("3200", "activating", "auto-restart", "2")
                                        START("7060", "7055ms", "101", "7050ms", "cc", "2") CLOSE HALTED,
                        VERDICTS("not-observed") },
        { EXPECT_RESTART("{ start-limit: yes }"),
                        CRASHED BB("3000", "activating", "start", "1") JOB_FAILED("bb") BB(
                                        "3010", "failed", "failed", "1") BB("3200", "activating", "auto-restart", "2")
                                        BB("3210", "failed", "failed", "2") JOB_FAILED("bb") DONE,
                        VERDICTS("held") },
        /* What was refused is no restart. */
        { EXPECT_RESTART("{ start-limit: yes, count: 0 }"),
                        CRASHED LINE("2210", "aa", "1") JOB_FAILED("aa") CLOSE DONE, VERDICTS("held") },
        { EXPECT_RESTART("{ start-limit: yes, count: 1 }"),
                        CRASHED LINE("2210", "aa", "1") JOB_FAILED("aa") CLOSE HALTED, VERDICTS("not-observed") },
        /* Every line is kept back: nobody knows why the restart came to nothing. */
        { EXPECT_RESTART("{ start-limit: yes }"), CRASHED COUNTED REFUSED CLOSE DONE, VERDICTS("channel-lost") },
        { EXPECT_RESTART("{ start-limit: no }"), CRASHED COUNTED REFUSED CLOSE DONE, VERDICTS("channel-lost") },
        { EXPECT_RESTART("{ start-limit: yes }"), CRASHED REFUSED_AT("0") CLOSE HALTED, VERDICTS("not-observed") },
        { EXPECT_RESTART("{ start-limit: yes }"), RESTARTED "8000 channel - channel=bus health=closed\n" CLOSE DONE,
                        "steps[0]:held steps[1]:held steps[2].expect.restart:channel-lost deaths:channel-lost" },
        { EXPECT_RESTART("{ start-limit: no }"), RESTARTED CLOSE DONE, VERDICTS("held") },
        { EXPECT_RESTART("{ start-limit: no }"),
                        CRASHED LINE("2210", "aa", "3") "2300 properties " UNIT " asked=2290ms errno=0" FACTS(
                                        "failed", "failed", "start-limit-hit", "0", "2", "9", "1050ms", "2008ms",
                                        "aa", "3") " ExecMainPID=100\n" HALTED,
                        VERDICTS("wrong-value") },
};

START_TEST(restarts_are_judged) {
        assert_sample(&samples[_i]);
}
END_TEST

START_TEST(the_delay_is_told) {
        CLEANUP(verdict_done) Verdict verdict = { 0 };
        Play play;

        play_init(&play, EXPECT_RESTART("{ after: 5s, late-by-at-most: 500ms }"), RESTARTED DONE);
        play_verdict(&play, "steps[2].expect.restart", &verdict);
        ck_assert_str_eq(verdict.sentence, "restarted once, the first time 5.042s after its exit");
        ck_assert_str_eq(verdict.expected, "restart not before 5.000s and at most 500ms later");
        ck_assert_str_eq(verdict.seen, "restarted once, 5.042s after the exit");
        ck_assert_uint_eq(verdict.margin_usec, 458000);
        play_done(&play);
}
END_TEST

START_TEST(a_scaled_budget_is_told) {
        CLEANUP(verdict_done) Verdict held = { 0 }, late = { 0 };
        Play play;

        play_init(&play, EXPECT_RESTART("{ after: 5s, late-by-at-most: 10ms }"), SLOW RESTARTED DONE);
        play_verdict(&play, "steps[2].expect.restart", &held);
        ck_assert_str_eq(held.sentence,
                        "restarted once, the first time 5.042s after its exit (late-by-at-most counts 5 times here)");
        ck_assert_uint_eq(held.margin_usec, 8000);
        play_done(&play);
        play_init(&play, EXPECT_RESTART("{ after: 5s, late-by-at-most: 8ms }"), SLOW RESTARTED HALTED);
        play_verdict(&play, "steps[2].expect.restart", &late);
        ck_assert_str_eq(late.sentence, "restarted 5.042s after its exit, and at most 5.040s was expected "
                                        "(late-by-at-most counts 5 times here)");
        play_done(&play);
}
END_TEST

Suite *restart_suite(void) {
        Suite *suite = suite_create("restart");
        TCase *tcase = tcase_create("restart");

        tcase_add_loop_test(tcase, restarts_are_judged, 0, ELEMENTS_OF(samples));
        tcase_add_test(tcase, the_delay_is_told);
        tcase_add_test(tcase, a_scaled_budget_is_told);
        suite_add_tcase(suite, tcase);
        return suite;
}
