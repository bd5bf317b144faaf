/* SPDX-License-Identifier: MIT */

/* within, for and the stamps of levels, told of `state`. */

#include "play.h"
#include "suites.h"

/* The window is [2 s, 7 s]; steps[1] writes a file, which has no bearing on the unit. */
#define EXPECT_STATE(state, keys) "- start: agent.service\n- write: x\n- expect: { state: " state " }\n" keys
#define IN_5S                     "  within: 5s\n"
#define FOR_3S                    "  within: 5s\n  for: 3s\n"
#define WROTE                                                                                                        \
        "2000 step-begin - step=steps[1] run=0 kind=write quote=*\n"                                                 \
        "2005 step-end - step=steps[1] run=0 how=done\n"
#define BEFORE    UP WROTE EXPECT("steps[2]")
#define CLOSE     BARRIER("7080", "steps[2]", "7050ms")
#define CLOSE_10S BARRIER("10080", "steps[2]", "10050ms")
#define DONE      STEP_END("10100", "steps[2]") ENDED
#define HALTED    STEP_END("10100", "steps[2]") STOPPED
#define SEEN(at, asked, changed, state)                                                                              \
        at " properties " UNIT " asked=" asked " errno=0 StateChangeTimestampMonotonic=" changed                     \
           " ActiveState=" state "\n"
#define VERDICTS(reason)    "steps[0]:held steps[1]:held steps[2].expect.state:" reason " deaths:held"
/* Something the manager has no stamp for. */
#define TASKS(at, asked, n) at " properties " UNIT " asked=" asked " errno=0 TasksCurrent=" n "\n"

static const Sample within_samples[] = {
        /* True already, since before the window: then it was so at its beginning. */
        { EXPECT_STATE("{ ActiveState: active }", IN_5S), BEFORE SEEN("2020", "2015ms", "1080ms", "active") DONE,
                        VERDICTS("held") },
        /* An answer to a question from before the window tells nothing of it, unless it became so in it. */
        { EXPECT_STATE("{ ActiveState: active }", IN_5S),
                        BEFORE SEEN("2020", "1999ms", "1080ms", "active") CLOSE DONE, VERDICTS("not-recorded") },
        { EXPECT_STATE("{ ActiveState: reloading }", IN_5S),
                        BEFORE SEEN("2020", "1999ms", "2001ms", "reloading") DONE, VERDICTS("held") },
        /* In time by the manager's stamp, though noticed late: the harness may be late, but not wrong. */
        { EXPECT_STATE("{ ActiveState: failed }", IN_5S),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") SEEN("9000", "8990ms", "6999ms", "failed")
                                        CLOSE_10S DONE,
                        VERDICTS("held") },
        /* Late: provably only with a witness at the deadline. */
        { EXPECT_STATE("{ ActiveState: failed }", IN_5S),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") SEEN("9000", "8990ms", "7001ms", "failed")
                                        CLOSE_10S DONE,
                        VERDICTS("late-stamp") },
        { EXPECT_STATE("{ ActiveState: failed }", IN_5S),
                        BEFORE SEEN("7020", "7001ms", "1080ms", "active") SEEN("9000", "8990ms", "7500ms", "failed")
                                        CLOSE_10S HALTED,
                        VERDICTS("too-late") },
        { EXPECT_STATE("{ ActiveState: failed }", IN_5S),
                        BEFORE SEEN("7020", "6999ms", "1080ms", "active") SEEN("9000", "8990ms", "7500ms", "failed")
                                        CLOSE_10S DONE,
                        VERDICTS("late-stamp") },
        /* Without a stamp of the manager's, the answer's time counts. */
        { EXPECT_STATE("{ TasksCurrent: 3 }", IN_5S), BEFORE TASKS("6990", "6980ms", "3") DONE, VERDICTS("held") },
        { EXPECT_STATE("{ TasksCurrent: 3 }", IN_5S),
                        BEFORE TASKS("2020", "2015ms", "1") TASKS("7010", "6980ms", "3") CLOSE DONE,
                        VERDICTS("late-stamp") },
        /* NRestarts is counted before the state changes: the state's stamp is not its own. */
        { EXPECT_STATE("{ ActiveState: activating, NRestarts: 1 }", IN_5S),
                        BEFORE "8000 properties " UNIT " asked=7990ms errno=0 StateChangeTimestampMonotonic=3000ms "
                               "ActiveState=activating NRestarts=1\n" CLOSE_10S DONE,
                        VERDICTS("late-stamp") },
        /* It did not come. */
        { EXPECT_STATE("{ ActiveState: failed }", IN_5S),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") SEEN("7020", "7010ms", "1080ms", "active")
                                        CLOSE HALTED,
                        VERDICTS("wrong-value") },
        { EXPECT_STATE("{ ActiveState: failed }", IN_5S),
                        BEFORE SEEN("7020", "7010ms", "1080ms",
                                        "active") "7030 channel - channel=bus health=closed\n" CLOSE DONE,
                        "steps[0]:held steps[1]:held steps[2].expect.state:channel-lost deaths:channel-lost" },
        { EXPECT_STATE("{ ActiveState: failed }", IN_5S),
                        BEFORE "2020 properties " UNIT " asked=2015ms errno=5\n" CLOSE DONE, VERDICTS("unreadable") },
        { EXPECT_STATE("{ ActiveState: failed }", IN_5S), BEFORE CLOSE DONE, VERDICTS("not-recorded") },
        { EXPECT_STATE("{ NextElapseUSecMonotonic: 1 }", IN_5S),
                        BEFORE SEEN("7020", "7010ms", "1080ms", "active") CLOSE HALTED, VERDICTS("wrong-value") },
        /* The last observation while the anchor step ran counts, those before it are history. */
        { EXPECT_STATE("{ ActiveState: reloading }", IN_5S),
                        UP "2000 step-begin - step=steps[1] run=0 kind=write quote=*\n" SEEN(
                                        "2001", "2001ms", "2000ms", "reloading") SEEN("2003", "2002ms", "2001ms",
                                        "active") "2005 step-end - step=steps[1] run=0 how=done\n" EXPECT("steps[2]")
                                        SEEN("7020", "7010ms", "2001ms", "active") CLOSE HALTED,
                        VERDICTS("wrong-value") },
        { EXPECT_STATE("{ ActiveState: active }", IN_5S),
                        UP
                        "2000 step-begin - step=steps[1] run=0 kind=write quote=*\n" SEEN("2003", "2002ms", "2001ms",
                                        "active") "2005 step-end - step=steps[1] run=0 how=done\n" EXPECT("steps[2]")
                                        DONE,
                        VERDICTS("held") },
        /* Without `within`: the newest answer of this very step. */
        { EXPECT_STATE("{ ActiveState: active }", ""),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") BARRIER("2030", "steps[2]", "2025ms") DONE,
                        VERDICTS("held") },
        { EXPECT_STATE("{ ActiveState: active }", ""),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") SEEN("2025", "2021ms", "2020ms", "failed")
                                        BARRIER("2030", "steps[2]", "2025ms") HALTED,
                        VERDICTS("wrong-value") },
        { EXPECT_STATE("{ ActiveState: active }", ""),
                        BEFORE SEEN("2020", "2005ms", "1080ms", "active") BARRIER("2030", "steps[2]", "2025ms") DONE,
                        VERDICTS("not-recorded") },
        { EXPECT_STATE("{ ActiveState: active }", ""),
                        BEFORE "2020 properties " UNIT " asked=2015ms errno=5\n" BARRIER("2030", "steps[2]", "2025ms")
                                        DONE,
                        VERDICTS("unreadable") },
        /* What was recorded does not reach an edited, longer deadline; a shorter one is judged. */
        { EXPECT_STATE("{ ActiveState: failed }", "  within: 1h\n"),
                        BEFORE SEEN("7020", "7010ms", "1080ms", "active") CLOSE DONE, VERDICTS("not-recorded") },
        { EXPECT_STATE("{ ActiveState: failed }", "  within: 1s\n"),
                        BEFORE SEEN("3020", "3010ms", "1080ms", "active") SEEN("4020", "4010ms", "4000ms", "failed")
                                        CLOSE HALTED,
                        VERDICTS("too-late") },
        /* The window never closed, because the scenario ended. */
        { EXPECT_STATE("{ ActiveState: failed }", IN_5S),
                        BEFORE SEEN("2020", "2015ms", "1080ms",
                                        "active") "3000 barrier - since=3000ms channels='bus journal acct kmsg'\n"
                                                  "3001 scenario-end - how=interrupted\n",
                        "steps[0]:held steps[1]:held steps[2].expect.state:not-reached deaths:held "
                        "scenario:interrupted" },
};

static const Sample for_samples[] = {
        { EXPECT_STATE("{ ActiveState: active }", FOR_3S),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") SEEN("6000", "5990ms", "1080ms", "active")
                                        DONE,
                        VERDICTS("held") },
        /* The manager tells of every change: silence is enough once the window is closed. */
        { EXPECT_STATE("{ ActiveState: active }", FOR_3S),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") CLOSE_10S DONE, VERDICTS("held") },
        { EXPECT_STATE("{ ActiveState: active }", FOR_3S),
                        BEFORE SEEN("2020", "2015ms", "1080ms",
                                        "active") "4000 channel - channel=bus health=closed\n" CLOSE_10S DONE,
                        "steps[0]:held steps[1]:held steps[2].expect.state:channel-lost deaths:channel-lost" },
        { EXPECT_STATE("{ ActiveState: active }", FOR_3S),
                        BEFORE SEEN("2020", "2015ms", "1080ms",
                                        "active") "4000 channel - channel=bus health=lost\n"
                                                  "4001 channel - channel=bus health=ok\n" SEEN(
                                                                  "6000", "5990ms", "1080ms", "active") DONE,
                        "steps[0]:held steps[1]:held steps[2].expect.state:channel-lost deaths:channel-lost" },
        /* No longer so before `for` was over, after it, and nobody knows when. */
        { EXPECT_STATE("{ ActiveState: active }", FOR_3S),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") SEEN("4000", "3990ms", "3980ms", "failed")
                                        HALTED,
                        VERDICTS("not-kept") },
        { EXPECT_STATE("{ ActiveState: active }", FOR_3S),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") SEEN("6000", "5990ms", "5980ms", "failed")
                                        DONE,
                        VERDICTS("held") },
        { EXPECT_STATE("{ TasksCurrent: 1 }", FOR_3S),
                        BEFORE TASKS("2020", "2015ms", "1") TASKS("5500", "2100ms", "3") DONE,
                        VERDICTS("late-stamp") },
        { EXPECT_STATE("{ TasksCurrent: 1 }", FOR_3S),
                        BEFORE TASKS("2020", "2015ms", "1") TASKS("5500", "5400ms", "1") DONE, VERDICTS("held") },
        /* Became so in time, and is so again: the first time counts. */
        { EXPECT_STATE("{ ActiveState: active }", FOR_3S),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") SEEN("4000", "3990ms", "3980ms", "failed")
                                        SEEN("4100", "4090ms", "4080ms", "active") CLOSE_10S HALTED,
                        VERDICTS("not-kept") },
        /* `for` begins where it became true, which may be just in time. */
        { EXPECT_STATE("{ ActiveState: failed }", FOR_3S),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") SEEN("6900", "6890ms", "6880ms", "failed")
                                        CLOSE_10S DONE,
                        VERDICTS("held") },
        { EXPECT_STATE("{ ActiveState: failed }", FOR_3S),
                        BEFORE SEEN("2020", "2015ms", "1080ms", "active") SEEN("6900", "6890ms", "6880ms", "failed")
                                        CLOSE DONE,
                        VERDICTS("not-recorded") },
};

START_TEST(levels_become_true_in_their_window) {
        assert_sample(&within_samples[_i]);
}
END_TEST

START_TEST(levels_stay_true) {
        assert_sample(&for_samples[_i]);
}
END_TEST

/* Behind `crash`, an "active" that was asked for before the kill, or before the process was gone, says nothing. */
START_TEST(an_answer_from_before_the_kill_does_not_count) {
        static const char scenario[] =
                        "- start: agent.service\n- crash: SIGKILL\n- expect: { state: { ActiveState: active } }\n"
                        "  within: 5s\n";
        static const char killed[] = UP
                        "2000 step-begin - step=steps[1] run=0 kind=crash quote=*\n"
                        "2002 properties " UNIT " asked=2001ms errno=0" RUNNING("100", "1050ms", "aa",
                                        "0") "\n"
                                             "2004 signal-action " UNIT
                                             " who=main pid=100 signal=9 errno=0 asked=2003ms\n"
                                             "2006 properties " UNIT " asked=2005ms errno=0" RUNNING("100", "1050ms",
                                                             "aa", "0") "\n"
                                                                        "2010 main-gone " UNIT " pid=100\n"
                                                                        "2011 step-end - step=steps[1] run=0 "
                                                                        "how=done\n" EXPECT("steps[2]");
        CLEANUP_TEXT Text recording = TEXT_INIT;
        Sample sample = { .scenario = scenario };

        text_printf(&recording, "%s%s", killed, SEEN("7020", "7010ms", "2012ms", "failed") CLOSE HALTED);
        sample.recording = text_get(&recording);
        sample.verdicts = VERDICTS("wrong-value");
        assert_sample(&sample);

        text_truncate(&recording, 0);
        text_printf(&recording, "%s%s", killed,
                        SEEN("2020", "2015ms", "2012ms", "failed") SEEN("4000", "3990ms", "3980ms", "active") DONE);
        sample.recording = text_get(&recording);
        sample.verdicts = VERDICTS("held");
        assert_sample(&sample);
}
END_TEST

START_TEST(what_was_seen_is_told) {
        CLEANUP(verdict_done) Verdict verdict = { 0 };
        Play play;

        play_init(&play, EXPECT_STATE("{ ActiveState: failed, SubState: running }", IN_5S),
                        BEFORE SEEN("7020", "7010ms", "1080ms", "active") CLOSE HALTED);
        play_verdict(&play, "steps[2].expect.state", &verdict);
        ck_assert_str_eq(verdict.expected, "ActiveState equals \"failed\", SubState equals \"running\"");
        ck_assert_str_eq(verdict.seen, "ActiveState was \"active\"");
        play_done(&play);
}
END_TEST

Suite *level_suite(void) {
        Suite *suite = suite_create("level");
        TCase *tcase = tcase_create("level");

        tcase_add_loop_test(tcase, levels_become_true_in_their_window, 0, ELEMENTS_OF(within_samples));
        tcase_add_loop_test(tcase, levels_stay_true, 0, ELEMENTS_OF(for_samples));
        tcase_add_test(tcase, an_answer_from_before_the_kill_does_not_count);
        tcase_add_test(tcase, what_was_seen_is_told);
        suite_add_tcase(suite, tcase);
        return suite;
}
