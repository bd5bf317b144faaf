/* SPDX-License-Identifier: MIT */

/* The judgement of a whole recording: order, what was not reached, edited scenarios, ends, and the same bytes each
 * time. */

#include <string.h>

#include "play.h"
#include "suites.h"

#define THREE "- start: agent.service\n- expect: { state: { ActiveState: failed } }\n  within: 1s\n- write: x\n"
#define ACTIVE(at, asked)                                                                                            \
        at " properties " UNIT " asked=" asked " errno=0 StateChangeTimestampMonotonic=1080ms ActiveState=active\n"
#define WAITED                                                                                                       \
        "1130 step-begin - step=steps[1] run=0 kind=expect quote=*\n" ACTIVE(                                        \
                        "2010", "2005ms") "2030 barrier - step=steps[1] run=0 since=2020ms channels='bus journal'\n"
#define WROTE                                                                                                        \
        "2100 step-begin - step=steps[2] run=0 kind=write quote=*\n"                                                 \
        "2101 step-end - step=steps[2] run=0 how=done\n"
#define ROUND(step, run, at, quote)                                                                                  \
        at " step-begin - step=" step " run=" run " kind=write quote='" quote "'\n" at " step-end - step=" step      \
           " run=" run " how=done\n"

static const Sample samples[] = {
        { THREE, UP WAITED "2040 step-end - step=steps[1] run=0 how=failed reason=wrong-value\n" STOPPED,
                        "steps[0]:held steps[1].expect.state:wrong-value steps[2]:not-reached deaths:held" },
        /* What the recording says of its own verdicts does not count: an inconclusive step goes on, and so does the
           judge. */
        { THREE, UP WAITED "2040 step-end - step=steps[1] run=0 how=done\n" WROTE ENDED,
                        "steps[0]:held steps[1].expect.state:wrong-value steps[2]:held deaths:held" },
        /* Ends. */
        { THREE, UP WAITED "2040 step-end - step=steps[1] run=0 how=done\n",
                        "steps[0]:held steps[1].expect.state:wrong-value steps[2]:not-reached deaths:not-recorded "
                        "scenario:stream-cut" },
        { THREE, UP "2000 barrier - since=2000ms channels='bus journal acct kmsg'\n2001 scenario-end - how=timeout\n",
                        "steps[0]:held steps[1].expect.state:not-reached steps[2]:not-reached deaths:held "
                        "scenario:timeout" },
        { THREE,
                        UP "1130 step-begin - step=steps[1] run=0 kind=expect quote=*\n"
                           "2000 barrier - since=2000ms channels='bus journal acct kmsg'\n2001 scenario-end - "
                           "how=interrupted\n",
                        "steps[0]:held steps[1].expect.state:not-reached steps[2]:not-reached deaths:held "
                        "scenario:interrupted" },
        { THREE,
                        UP "1130 step-begin - step=steps[1] run=0 kind=expect quote=*\n"
                           "1140 step-end - step=steps[1] run=0 how=broken reason=step-broken text='no memory'\n"
                           "2000 barrier - since=2000ms channels='bus journal acct kmsg'\n2001 scenario-end - "
                           "how=broken text='no memory'\n",
                        "steps[0]:held steps[1]:step-broken steps[2]:not-reached deaths:held scenario:step-broken" },
        { THREE,
                        STARTED "2000 barrier - since=2000ms channels='bus journal acct kmsg'\n2001 scenario-end - "
                                "how=interrupted\n",
                        "steps[0]:not-reached steps[1].expect.state:not-reached steps[2]:not-reached deaths:held "
                        "scenario:interrupted" },
        { "- start: agent.service\n", "", "steps[0]:not-reached deaths:not-recorded scenario:stream-cut" },
        /* Edited scenarios: what was not recorded is inconclusive. Another action in the same place; one step more;
           one less. */
        { "- start: { unit: agent.service }\n",
                        "1000 step-begin - step=steps[0] run=0 kind=start quote='start: other.service'\n" ENDED,
                        "steps[0]:not-recorded deaths:held" },
        { "- stop: agent.service\n", UP ENDED, "steps[0]:not-recorded deaths:held" },
        { "- start: agent.service\n- write: x\n", UP ENDED, "steps[0]:held steps[1]:not-recorded deaths:held" },
        { "- start: agent.service\n",
                        UP "2000 step-begin - step=steps[1] run=0 kind=write quote=x\n2001 step-end - step=steps[1] "
                           "run=0 how=done\n" ENDED,
                        "steps[0]:held deaths:held" },
        /* A new expectation on what was observed anyway is judged; on what nobody asked for it is inconclusive. */
        { "- start: agent.service\n- expect: [ state: { ActiveState: active }, file: /x ]\n  within: 500ms\n",
                        UP WAITED "2040 step-end - step=steps[1] run=0 how=failed reason=wrong-value\n" STOPPED,
                        "steps[0]:held steps[1].expect[0].state:held steps[1].expect[1].file:not-recorded "
                        "deaths:held scenario:not-recorded" },
        /* Stopped for a failure that is none any more. */
        { "- start: agent.service\n- expect: { state: { ActiveState: active } }\n  within: 1s\n- write: x\n",
                        UP WAITED "2040 step-end - step=steps[1] run=0 how=failed reason=wrong-value\n" STOPPED,
                        "steps[0]:held steps[1].expect.state:held steps[2]:not-reached deaths:held "
                        "scenario:not-recorded" },
        /* A step that is repeated has a verdict for each time. */
        { "- repeat: { times: 2, steps: [ { write: x }, { write: y } ] }\n",
                        "1000 step-begin - step=steps[0] run=0 kind=repeat quote=*\n1001 step-end - step=steps[0] "
                        "run=0 how=done\n" ROUND("steps[0].repeat[0]", "0", "1002",
                                        "- repeat: { times: 2, steps: [ { write: x }, { write: y } ] }")
                                        ROUND("steps[0].repeat[1]", "0", "1003",
                                                        "- repeat: { times: 2, steps: [ { write: x }, { write: y } ] "
                                                        "}") ROUND("steps[0].repeat[0]", "1", "1004",
                                                        "- repeat: { times: 2, steps: [ { write: x }, { write: y } ] "
                                                        "}") ROUND("steps[0].repeat[1]", "1", "1005",
                                                        "- repeat: { times: 2, steps: [ { write: x }, { write: y } ] "
                                                        "}") ENDED,
                        "steps[0]:held steps[0].repeat[0]:held steps[0].repeat[1]:held steps[0].repeat[0]:held "
                        "steps[0].repeat[1]:held deaths:held" },
        /* Played once, and edited to be played twice. */
        { "- repeat:\n    times: 2\n    steps:\n      - write: x\n",
                        "1000 step-begin - step=steps[0] run=0 kind=repeat quote=*\n1001 step-end - step=steps[0] "
                        "run=0 how=done\n" ROUND("steps[0].repeat[0]", "0", "1002", "- write: x") ENDED,
                        "steps[0]:not-recorded steps[0].repeat[0]:held deaths:held" },
};

START_TEST(scenarios_are_judged) {
        assert_sample(&samples[_i]);
}
END_TEST

static void encode(const Play *play, Text *ret_text) {
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_eq(judge_scenario(&play->facts, &judgement, &error), 0);
        FOREACH_ARRAY (verdict, judgement.verdicts, judgement.n_verdicts)
                verdict_encode(verdict, ret_text);
}

START_TEST(the_same_recording_gives_the_same_bytes) {
        FOREACH_ARRAY (sample, samples, ELEMENTS_OF(samples)) {
                CLEANUP_TEXT Text first = TEXT_INIT, second = TEXT_INIT;
                Play play;

                play_init(&play, sample->scenario, sample->recording);
                encode(&play, &first);
                play_done(&play);
                play_init(&play, sample->scenario, sample->recording);
                encode(&play, &second);
                play_done(&play);
                ck_assert_str_eq(text_get(&first), text_get(&second));
                ck_assert_ptr_nonnull(strstr(text_get(&first), "\"id\":\"deaths\""));
        }
}
END_TEST

/* Live, a step is judged with what is there; at the end it is judged with all, and must come out the same. */
START_TEST(a_step_ends_as_it_was_judged_live) {
        static const char scenario[] =
                        "- start: agent.service\n- expect: { state: { ActiveState: active } }\n  within: 1s\n";
        static const char live[] =
                        UP "1130 step-begin - step=steps[1] run=0 kind=expect quote=*\n" ACTIVE("1140", "1135ms");
        static const char whole[] = UP "1130 step-begin - step=steps[1] run=0 kind=expect quote=*\n" ACTIVE(
                        "1140", "1135ms") "1141 step-end - step=steps[1] run=0 how=done\n"
                                          "1500 properties " UNIT
                                          " asked=1495ms errno=0 StateChangeTimestampMonotonic=1490ms "
                                          "ActiveState=failed\n" ENDED;
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;
        CLEANUP(verdict_done) Verdict verdict = { 0 };
        CLEANUP_TEXT Text before = TEXT_INIT, after = TEXT_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;
        const Entry *begin;
        Play play;

        play_init(&play, scenario, live);
        begin = timeline_last(play.timeline, SIZE_MAX, ENTRY_STEP_BEGIN, NULL);
        ck_assert_int_eq(
                        judge_step(&play.facts, &play.facts.scenario->steps[1], begin->index, &judgement, &error), 0);
        ck_assert_int_eq(judgement.outcome, OUTCOME_PASS);
        verdict_encode(judgement.verdicts, &before);
        play_done(&play);

        play_init(&play, scenario, whole);
        play_verdict(&play, "steps[1].expect.state", &verdict);
        verdict_encode(&verdict, &after);
        play_done(&play);
        ck_assert_str_eq(text_get(&before), text_get(&after));
}
END_TEST

START_TEST(a_step_waits_while_one_expectation_is_open) {
        static const char scenario[] = "- start: agent.service\n- expect: { state: { ActiveState: active }, exit: 0 "
                                       "}\n  within: 1s\n";
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;
        const Entry *begin;
        Play play;

        play_init(&play, scenario,
                        UP "1130 step-begin - step=steps[1] run=0 kind=expect quote=*\n" ACTIVE("1140", "1135ms"));
        begin = timeline_last(play.timeline, SIZE_MAX, ENTRY_STEP_BEGIN, NULL);
        ck_assert_int_eq(
                        judge_step(&play.facts, &play.facts.scenario->steps[1], begin->index, &judgement, &error), 0);
        ck_assert_int_eq(judgement.outcome, OUTCOME_PENDING);
        ck_assert_uint_eq(judgement.n_verdicts, 2);
        ck_assert_uint_eq(judge_step_channels(&play.facts.scenario->steps[1]),
                        CHANNEL_BUS | CHANNEL_JOURNAL | CHANNEL_ACCT);
        play_done(&play);
}
END_TEST

Suite *scenario_suite(void) {
        Suite *suite = suite_create("scenario");
        TCase *tcase = tcase_create("scenario");

        tcase_add_loop_test(tcase, scenarios_are_judged, 0, ELEMENTS_OF(samples));
        tcase_add_test(tcase, the_same_recording_gives_the_same_bytes);
        tcase_add_test(tcase, a_step_ends_as_it_was_judged_live);
        tcase_add_test(tcase, a_step_waits_while_one_expectation_is_open);
        suite_add_tcase(suite, tcase);
        return suite;
}
