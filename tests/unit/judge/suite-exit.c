/* SPDX-License-Identifier: MIT */
#include "play.h"
#include "suites.h"

/* The window is [2 s, 7 s]. */
#define EXPECT_EXIT(exit) "- start: agent.service\n- signal: SIGTERM\n- expect: { exit: " exit " }\n  within: 5s\n"
#define BEFORE            UP SENT("15") EXPECT("steps[2]")
#define GONE(state, sub, result, code, status, exit)                                                                 \
        FACTS(state, sub, result, "0", code, status, "1050ms", exit, "aa", "0") " ExecMainPID=100\n"
#define CLEAN_EXIT          "2500 properties " UNIT " asked=2490ms" GONE("inactive", "dead", "success", "1", "0", "2400ms")
#define SNAPSHOT(at, asked) at " properties " UNIT " asked=" asked
#define DONE                STEP_END("7100", "steps[2]") ENDED
#define HALTED              STEP_END("7100", "steps[2]") STOPPED
#define CLOSE               BARRIER("7080", "steps[2]", "7050ms")
#define ALIVE               "7010 main-alive " UNIT " pid=100\n"
#define LATE_CLEAN          SNAPSHOT("7060", "7055ms") GONE("inactive", "dead", "success", "1", "0", "7020ms")
#define VERDICTS(reason)    "steps[0]:held steps[1]:held steps[2].expect.exit:" reason " deaths:held"
#define PROCESS_EXIT        "98e322203f7a4ed290d09fe03c09fe15"

static const Sample samples[] = {
        /* In time, with the whole triple. */
        { EXPECT_EXIT("{ code: 0 }"), BEFORE CLEAN_EXIT DONE, VERDICTS("held") },
        { EXPECT_EXIT("{ clean: yes }"), BEFORE CLEAN_EXIT DONE, VERDICTS("held") },
        { EXPECT_EXIT("0"), BEFORE CLEAN_EXIT CLOSE DONE, VERDICTS("held") },
        { EXPECT_EXIT("{ clean: no }"), BEFORE CLEAN_EXIT HALTED, VERDICTS("wrong-value") },
        { EXPECT_EXIT("{ code: 1 }"), BEFORE CLEAN_EXIT HALTED, VERDICTS("wrong-value") },
        /* The four traps' first: killed by SIGTERM's default action, Result=success. */
        { EXPECT_EXIT("{ code: 0 }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("inactive", "dead", "success", "2", "15", "2400ms")
                                        HALTED,
                        VERDICTS("not-clean") },
        { EXPECT_EXIT("{ clean: yes }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("inactive", "dead", "success", "2", "15", "2400ms")
                                        HALTED,
                        VERDICTS("not-clean") },
        { EXPECT_EXIT("{ signal: SIGTERM }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("inactive", "dead", "success", "2", "15", "2400ms")
                                        DONE,
                        VERDICTS("held") },
        { EXPECT_EXIT("{ clean: no }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("inactive", "dead", "success", "2", "15", "2400ms")
                                        DONE,
                        VERDICTS("held") },
        { EXPECT_EXIT("{ signal: SIGKILL }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("inactive", "dead", "success", "2", "15", "2400ms")
                                        HALTED,
                        VERDICTS("wrong-value") },
        /* The decoder: 128 + n, exit 0 after a time-out, core dumps. */
        { EXPECT_EXIT("{ code: 0 }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("failed", "failed", "exit-code", "1", "143", "2400ms")
                                        HALTED,
                        VERDICTS("not-clean") },
        { EXPECT_EXIT("{ code: 0 }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("failed", "failed", "timeout", "1", "0", "2400ms")
                                        HALTED,
                        VERDICTS("not-clean") },
        { EXPECT_EXIT("{ code: '>= 100' }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("failed", "failed", "exit-code", "1", "143", "2400ms")
                                        DONE,
                        VERDICTS("held") },
        { EXPECT_EXIT("{ signal: SIGTERM, dumped: yes }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("failed", "failed", "core-dump", "3", "15", "2400ms")
                                        DONE,
                        VERDICTS("held") },
        { EXPECT_EXIT("{ signal: SIGTERM, dumped: no }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("failed", "failed", "core-dump", "3", "15", "2400ms")
                                        HALTED,
                        VERDICTS("wrong-value") },
        /* Result is not final while the unit still stops: the window's end decides, or a later snapshot. */
        { EXPECT_EXIT("{ code: 0 }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("deactivating", "final-sigterm", "success", "1", "0",
                                        "2400ms") SNAPSHOT("4000", "3990ms")
                                        GONE("failed", "failed", "timeout", "1", "0", "2400ms") HALTED,
                        VERDICTS("not-clean") },
        { EXPECT_EXIT("{ code: 0 }"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE(
                                        "deactivating", "final-sigterm", "success", "1", "0", "2400ms") CLOSE DONE,
                        VERDICTS("held") },
        /* No exit stamp: the unit was unloaded, or only the pidfd told of it. */
        { EXPECT_EXIT("{ code: 0 }"),
                        BEFORE SNAPSHOT("2500", "2490ms") FACTS("inactive", "dead", "success", "0", "0", "0", "0",
                                        "0", "", "0") "\n" CLOSE DONE,
                        VERDICTS("no-exit-stamp") },
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "2400 main-gone " UNIT " pid=100\n" CLOSE DONE,
                        VERDICTS("no-exit-stamp") },
        /* The manager's line is a stamp too, and its Result comes by line as well (H-09). */
        { EXPECT_EXIT("{ code: 0 }"),
                        BEFORE "2450 manager-line " UNIT " MESSAGE_ID=" PROCESS_EXIT
                               " seqnum=7 COMMAND=ExecStart EXIT_CODE=exited EXIT_STATUS=0 INVOCATION_ID=aa "
                               "MESSAGE='Main process exited'\n"
                               "2460 manager-line " UNIT
                               " MESSAGE_ID=7ad2d189f7e94e70a38c781354912448 seqnum=8 INVOCATION_ID=aa\n" CLOSE DONE,
                        VERDICTS("held") },
        { EXPECT_EXIT("{ code: 0 }"),
                        BEFORE
                        "2450 manager-line " UNIT " MESSAGE_ID=" PROCESS_EXIT
                        " seqnum=7 COMMAND=ExecStart EXIT_CODE=exited EXIT_STATUS=0 INVOCATION_ID=aa\n" CLOSE DONE,
                        VERDICTS("no-exit-stamp") },
        { EXPECT_EXIT("{ code: 3 }"),
                        BEFORE
                        "2450 manager-line " UNIT " MESSAGE_ID=" PROCESS_EXIT
                        " seqnum=7 COMMAND=ExecStart EXIT_CODE=exited EXIT_STATUS=3 INVOCATION_ID=aa\n" CLOSE DONE,
                        VERDICTS("held") },
        /* A control process's line is none of the main process. */
        { EXPECT_EXIT("{ code: 3 }"),
                        BEFORE
                        "2450 manager-line " UNIT " MESSAGE_ID=" PROCESS_EXIT
                        " seqnum=7 COMMAND=ExecStop EXIT_CODE=exited EXIT_STATUS=3 INVOCATION_ID=aa\n" CLOSE HALTED,
                        VERDICTS("not-observed") },
        { EXPECT_EXIT("{ code: 3 }"),
                        BEFORE "2450 manager-line " UNIT " MESSAGE_ID=" PROCESS_EXIT
                               " seqnum=7 COMMAND=ExecStart EXIT_CODE=exited EXIT_STATUS=3 INVOCATION_ID=aa "
                               "MESSAGE='Control process exited'\n" CLOSE HALTED,
                        VERDICTS("not-observed") },
        /* Two witnesses: one supports, one contradicts. */
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "2410 death - pid=100 ppid=1 comm=agentd status=0\n" CLEAN_EXIT DONE,
                        VERDICTS("held") },
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "2410 death - pid=100 ppid=1 comm=agentd status=15\n" CLEAN_EXIT DONE,
                        VERDICTS("unreadable") },
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "2410 death - pid=100 ppid=1 comm=agentd status=256\n" CLEAN_EXIT DONE,
                        VERDICTS("unreadable") },
        { EXPECT_EXIT("{ signal: SIGSEGV }"),
                        BEFORE "2410 death - pid=100 ppid=1 comm=agentd status=139\n" SNAPSHOT("2500", "2490ms")
                                        GONE("failed", "failed", "core-dump", "3", "11", "2400ms") DONE,
                        "steps[0]:held steps[1]:held steps[2].expect.exit:held deaths:held" },
        /* Late by the stamp: only somebody who saw it alive at the deadline can tell. */
        { EXPECT_EXIT("{ code: 0 }"), BEFORE LATE_CLEAN CLOSE DONE, VERDICTS("late-stamp") },
        { EXPECT_EXIT("{ code: 0 }"), BEFORE ALIVE LATE_CLEAN CLOSE HALTED, VERDICTS("too-late") },
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "6990 main-alive " UNIT " pid=100\n" LATE_CLEAN CLOSE DONE,
                        VERDICTS("late-stamp") },
        /* A second witness saw it gone in time. */
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "6900 main-gone " UNIT " pid=100\n" LATE_CLEAN CLOSE DONE,
                        VERDICTS("held") },
        { EXPECT_EXIT("{ code: 0 }"),
                        BEFORE "6950 death - pid=100 ppid=1 comm=agentd status=0\n" LATE_CLEAN CLOSE DONE,
                        VERDICTS("held") },
        /* It did not come. */
        { EXPECT_EXIT("{ code: 0 }"), BEFORE ALIVE CLOSE HALTED, VERDICTS("not-observed") },
        { EXPECT_EXIT("{ code: 0 }"), BEFORE CLOSE HALTED, VERDICTS("not-observed") },
        /* It did not come, as far as anybody can tell: a loss says nothing, a survivor says all. */
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "3000 channel - channel=bus health=closed text=gone\n" CLOSE DONE,
                        "steps[0]:held steps[1]:held steps[2].expect.exit:channel-lost deaths:channel-lost" },
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "3000 channel - channel=journal health=lost\n" CLOSE DONE,
                        VERDICTS("channel-lost") },
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "3000 journal-loss - MESSAGE='missed 3'\n" CLOSE DONE,
                        VERDICTS("channel-lost") },
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "3000 journal-loss other.service MESSAGE='missed 3'\n" CLOSE HALTED,
                        VERDICTS("not-observed") },
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "3000 journal-loss - MESSAGE='missed 3'\n" ALIVE CLOSE HALTED,
                        VERDICTS("not-observed") },
        { EXPECT_EXIT("{ code: 0 }"), BEFORE "7080 barrier - step=steps[2] run=0 since=7050ms channels=bus\n" DONE,
                        VERDICTS("channel-lost") },
        /* Positive evidence of a break stays fail, whatever was lost. */
        { EXPECT_EXIT("{ code: 0 }"),
                        BEFORE "2100 journal-loss - MESSAGE='missed 3'\n" SNAPSHOT("2500", "2490ms")
                                        GONE("inactive", "dead", "success", "2", "15", "2400ms") HALTED,
                        VERDICTS("not-clean") },
        /* An exit before the window is another one. */
        { EXPECT_EXIT("{ code: 0 }"),
                        UP "1500 properties " UNIT " asked=1490ms" GONE("failed", "failed", "exit-code", "1", "1",
                                        "1400ms") SENT("15") EXPECT("steps[2]") CLOSE HALTED,
                        "steps[0]:held steps[1]:held steps[2].expect.exit:not-observed deaths:unexplained-death" },
        /* Time since the signal, of which 2.003 s is the moment. */
        { EXPECT_EXIT("{ code: 0, after: <= 400ms }"), BEFORE CLEAN_EXIT DONE, VERDICTS("held") },
        { EXPECT_EXIT("{ code: 0, after: <= 300ms }"), BEFORE CLEAN_EXIT DONE, VERDICTS("late-stamp") },
        { EXPECT_EXIT("{ code: 0, after: <= 300ms }"), BEFORE "2350 main-alive " UNIT " pid=100\n" CLEAN_EXIT HALTED,
                        VERDICTS("wrong-value") },
        { EXPECT_EXIT("{ code: 0, after: '>= 200ms' }"), BEFORE CLEAN_EXIT DONE, VERDICTS("late-stamp") },
        { EXPECT_EXIT("{ code: 0, after: '>= 200ms' }"), BEFORE "2350 main-alive " UNIT " pid=100\n" CLEAN_EXIT DONE,
                        VERDICTS("held") },
        { EXPECT_EXIT("{ code: 0, after: '>= 1s' }"), BEFORE CLEAN_EXIT HALTED, VERDICTS("wrong-value") },
};

START_TEST(exits_are_judged) {
        assert_sample(&samples[_i]);
}
END_TEST

START_TEST(the_sentence_names_the_trap) {
        CLEANUP(verdict_done) Verdict verdict = { 0 };
        Play play;

        play_init(&play, EXPECT_EXIT("0"),
                        BEFORE SNAPSHOT("2500", "2490ms") GONE("inactive", "dead", "success", "2", "15", "2400ms")
                                        HALTED);
        play_verdict(&play, "steps[2].expect.exit", &verdict);
        ck_assert_str_eq(verdict.sentence, "the main process was killed by SIGTERM's default action 400ms after "
                                           "steps[1] began: systemd calls "
                                           "that success");
        ck_assert_str_eq(verdict.expected, "exit code equals \"0\"");
        ck_assert_str_eq(verdict.seen, "the main process was killed by SIGTERM, Result was success");
        play_done(&play);
}
END_TEST

START_TEST(the_margin_is_the_time_left) {
        CLEANUP(verdict_done) Verdict verdict = { 0 };
        Play play;

        play_init(&play, EXPECT_EXIT("0"), BEFORE CLEAN_EXIT DONE);
        play_verdict(&play, "steps[2].expect.exit", &verdict);
        ck_assert_uint_eq(verdict.margin_usec, 4600000);
        ck_assert_uint_eq(verdict.at_usec, 2400000);
        ck_assert_uint_ge(verdict.n_evidence, 1);
        play_done(&play);
}
END_TEST

Suite *exit_suite(void) {
        Suite *suite = suite_create("exit");
        TCase *tcase = tcase_create("exit");

        tcase_add_loop_test(tcase, exits_are_judged, 0, ELEMENTS_OF(samples));
        tcase_add_test(tcase, the_sentence_names_the_trap);
        tcase_add_test(tcase, the_margin_is_the_time_left);
        suite_add_tcase(suite, tcase);
        return suite;
}
