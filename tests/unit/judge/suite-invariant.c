/* SPDX-License-Identifier: MIT */

/* always and never, over the whole scenario, for levels and for events. */

#include "play.h"
#include "suites.h"

#define ALWAYS(expectation) "- start: agent.service\n- write: x\nalways:\n  - " expectation "\n"
#define NEVER(expectation)  "- start: agent.service\n- write: x\nnever:\n  - " expectation "\n"
#define WROTE                                                                                                        \
        "2000 step-begin - step=steps[1] run=0 kind=write quote=*\n"                                                 \
        "2005 step-end - step=steps[1] run=0 how=done\n"
#define SEEN(at, asked, field) at " properties " UNIT " asked=" asked " errno=0 " field "\n"
#define UNANSWERED             "3000 properties " UNIT " asked=2990ms errno=110\n"
#define VERDICTS(id, reason)   "steps[0]:held steps[1]:held " id ":" reason " deaths:held"
#define DIED(code, status)                                                                                           \
        "3000 properties " UNIT " asked=2990ms errno=0" FACTS("failed", "failed", "exit-code", "0", code, status,    \
                        "1050ms", "2900ms", "aa", "0") " ExecMainPID=100\n"
#define STATE_ID "always[0].state"

static const Sample samples[] = {
        /* Levels: every observation counts. */
        { ALWAYS("state: { NRestarts: 0 }"), UP WROTE SEEN("3000", "2990ms", "NRestarts=0") ENDED,
                        VERDICTS(STATE_ID, "held") },
        { ALWAYS("state: { NRestarts: 0 }"),
                        UP WROTE SEEN("3000", "2990ms", "NRestarts=1") SEEN("4000", "3990ms", "NRestarts=0") STOPPED,
                        VERDICTS(STATE_ID, "forbidden-seen") },
        { NEVER("state: { NRestarts: '>= 1' }"),
                        UP WROTE SEEN("3000", "2990ms", "NRestarts=1") SEEN("4000", "3990ms", "NRestarts=0") STOPPED,
                        VERDICTS("never[0].state", "forbidden-seen") },
        { NEVER("state: { NRestarts: '>= 1' }"), UP WROTE ENDED, VERDICTS("never[0].state", "held") },
        /* A loss poisons what was not seen, and only that. */
        { NEVER("state: { NRestarts: '>= 1' }"), UP WROTE "2500 channel - channel=bus health=closed\n" ENDED,
                        "steps[0]:held steps[1]:held never[0].state:channel-lost deaths:channel-lost" },
        { NEVER("state: { NRestarts: '>= 1' }"),
                        UP WROTE SEEN("2400", "2390ms",
                                        "NRestarts=1") "2500 channel - channel=bus health=closed\n" STOPPED,
                        "steps[0]:held steps[1]:held never[0].state:forbidden-seen deaths:channel-lost" },
        /* So does a question without an answer. */
        { NEVER("state: { NRestarts: '>= 1' }"), UP WROTE UNANSWERED SEEN("4000", "3990ms", "NRestarts=0") ENDED,
                        VERDICTS("never[0].state", "unreadable") },
        { ALWAYS("state: { NRestarts: 0 }"), UP WROTE UNANSWERED SEEN("4000", "3990ms", "NRestarts=0") ENDED,
                        VERDICTS(STATE_ID, "unreadable") },
        { ALWAYS("state: { NRestarts: 0 }"), UP WROTE UNANSWERED SEEN("4000", "3990ms", "NRestarts=1") STOPPED,
                        VERDICTS(STATE_ID, "forbidden-seen") },
        { NEVER("socket: /x"), UP WROTE ENDED, VERDICTS("never[0].socket", "not-recorded") },
        /* Events: asked whether they happened, and turned round. */
        { NEVER("exit: {}"), UP WROTE ENDED, VERDICTS("never[0].exit", "held") },
        { NEVER("exit: { signal: SIGSEGV }"), UP WROTE DIED("3", "11") STOPPED,
                        "steps[0]:held steps[1]:held never[0].exit:forbidden-seen deaths:unexplained-death" },
        { NEVER("exit: { signal: SIGSEGV }"), UP WROTE DIED("1", "1") STOPPED,
                        "steps[0]:held steps[1]:held never[0].exit:held deaths:unexplained-death" },
        /* Not only the first exit counts. */
        { NEVER("exit: { code: 3 }"),
                        UP WROTE DIED("1", "1") "3100 properties " UNIT " asked=3090ms errno=0" RUNNING("101",
                                        "3050ms", "bb",
                                        "1") "\n"
                                             "4000 properties " UNIT " asked=3990ms errno=0" FACTS("failed", "failed",
                                                             "exit-code", "0", "1", "3", "3050ms", "3500ms", "bb",
                                                             "1") " ExecMainPID=101\n" STOPPED,
                        "steps[0]:held steps[1]:held never[0].exit:forbidden-seen deaths:unexplained-death "
                        "deaths:unexplained-death" },
        { NEVER("exit: { signal: SIGSEGV }"), UP WROTE "2500 journal-loss - MESSAGE=missed\n" ENDED,
                        VERDICTS("never[0].exit", "channel-lost") },
        { NEVER("exit: { signal: SIGSEGV }"), UP WROTE "2500 main-gone " UNIT " pid=100\n" STOPPED,
                        "steps[0]:held steps[1]:held never[0].exit:no-exit-stamp deaths:unexplained-death" },
        { NEVER("restart: {}"), UP WROTE ENDED, VERDICTS("never[0].restart", "held") },
        { NEVER("restart: {}"),
                        UP WROTE DIED("1", "1") "3100 properties " UNIT " asked=3090ms errno=0" RUNNING(
                                        "101", "3050ms", "bb", "1") "\n" STOPPED,
                        "steps[0]:held steps[1]:held never[0].restart:forbidden-seen deaths:unexplained-death" },
        { NEVER("restart: { count: '>= 2' }"),
                        UP WROTE DIED("1", "1") "3100 properties " UNIT " asked=3090ms errno=0" RUNNING(
                                        "101", "3050ms", "bb", "1") "\n" STOPPED,
                        "steps[0]:held steps[1]:held never[0].restart:held deaths:unexplained-death" },
        /* Settings of the unit that keep lines away from the journal that is read. */
        { NEVER("exit: {}"), UP WROTE SEEN("2400", "2390ms", "LogLevelMax=3") ENDED,
                        VERDICTS("never[0].exit", "channel-lost") },
        { NEVER("exit: {}"), UP WROTE SEEN("2400", "2390ms", "LogNamespace=x") ENDED,
                        VERDICTS("never[0].exit", "channel-lost") },
        { NEVER("exit: {}"), UP WROTE SEEN("2400", "2390ms", "LogLevelMax=-1 LogNamespace=''") ENDED,
                        VERDICTS("never[0].exit", "held") },
        { NEVER("exit: {}"), UP WROTE SEEN("2400", "2390ms", "LogLevelMax=7") ENDED,
                        VERDICTS("never[0].exit", "held") },
        { NEVER("job: [failed, timeout]"), UP WROTE ENDED, VERDICTS("never[0].job", "held") },
        { NEVER("job: done"), UP WROTE STOPPED, VERDICTS("never[0].job", "forbidden-seen") },
        /* Without a closing barrier nobody knows. */
        { NEVER("exit: {}"), UP WROTE "3000 scenario-end - how=done\n",
                        "steps[0]:held steps[1]:held never[0].exit:not-recorded deaths:not-recorded" },
};

START_TEST(invariants_are_judged) {
        assert_sample(&samples[_i]);
}
END_TEST

/* While the scenario runs: what is broken is so at once, and nothing else is decided. */
START_TEST(a_broken_invariant_is_known_at_once) {
        static const struct {
                const char *recording;
                Outcome outcome;
        } moments[] = {
                { UP WROTE, OUTCOME_PENDING },
                { UP WROTE DIED("3", "11"), OUTCOME_FAIL },
                { UP WROTE DIED("1", "1"), OUTCOME_PENDING },
        };

        FOREACH_ARRAY (moment, moments, ELEMENTS_OF(moments)) {
                CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;
                CLEANUP_ERROR Error error = ERROR_INIT;
                Play play;

                play_init(&play, NEVER("exit: { signal: SIGSEGV }\n  - restart: {}"), moment->recording);
                ck_assert_int_eq(judge_invariants(&play.facts, &judgement, &error), 0);
                ck_assert_int_eq(judgement.outcome, moment->outcome);
                ck_assert_uint_eq(judgement.n_verdicts, 2);
                ck_assert_int_eq(judgement.verdicts[1].outcome, OUTCOME_PENDING);
                play_done(&play);
        }
}
END_TEST

Suite *invariant_suite(void) {
        Suite *suite = suite_create("invariant");
        TCase *tcase = tcase_create("invariant");

        tcase_add_loop_test(tcase, invariants_are_judged, 0, ELEMENTS_OF(samples));
        tcase_add_test(tcase, a_broken_invariant_is_known_at_once);
        suite_add_tcase(suite, tcase);
        return suite;
}
