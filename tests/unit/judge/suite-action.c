/* SPDX-License-Identifier: MIT */

/* Steps that act, and the expectation on the job that one of them queued. */

#include "play.h"
#include "suites.h"

#define BEGIN(step, kind)   "1000 step-begin - step=" step " run=0 kind=" kind " quote=*\n"
#define END(how)            "3000 step-end - step=steps[0] run=0 how=" how "\n"
#define QUEUED              "1010 job-action " UNIT " verb=start asked=1005ms job=/org/freedesktop/systemd1/job/7\n"
#define REMOVED(result)     "2000 job-removed " UNIT " job=/org/freedesktop/systemd1/job/7 result=" result "\n"
#define RAN(fields)         "2000 command - owner=steps[0] run=0 command=x asked=1001ms " fields "\n"
#define CLOSED(since)       "9000 barrier - step=steps[1] run=0 since=" since " channels='bus journal acct kmsg'\n"
#define SECOND              "3010 step-begin - step=steps[1] run=0 kind=expect quote=*\n"
#define SECOND_END          "9001 step-end - step=steps[1] run=0 how=done\n"
#define STATE_NEXT          "- start: agent.service\n- expect: { state: { ActiveState: active } }\n"
#define JOB(job)            "- start: agent.service\n- expect: { job: " job " }\n  within: 5s\n"
#define JOB_VERDICT(reason) "steps[0]:held steps[1].expect.job:" reason " deaths:held"

static const Sample action_samples[] = {
        { "- start: agent.service\n", BEGIN("steps[0]", "start") QUEUED REMOVED("done") END("done") ENDED,
                        "steps[0]:held deaths:held" },
        /* The signal may overtake the reply that names the job. */
        { "- start: agent.service\n",
                        BEGIN("steps[0]", "start") "1009 job-removed " UNIT
                                                   " job=/org/freedesktop/systemd1/job/7 result=done\n" QUEUED END(
                                                                   "done") ENDED,
                        "steps[0]:held deaths:held" },
        { "- start: agent.service\n", BEGIN("steps[0]", "start") QUEUED REMOVED("failed") END("failed") STOPPED,
                        "steps[0]:job-failed deaths:held" },
        { "- start: agent.service\n", BEGIN("steps[0]", "start") QUEUED REMOVED("timeout") END("failed") STOPPED,
                        "steps[0]:job-failed deaths:held" },
        { "- start: agent.service\n",
                        BEGIN("steps[0]", "start") QUEUED "2000 deadline - step=steps[0] run=0\n" END("failed")
                                        STOPPED,
                        "steps[0]:step-deadline deaths:held" },
        { "- start: agent.service\n", BEGIN("steps[0]", "start") QUEUED END("done") ENDED,
                        "steps[0]:not-recorded deaths:held" },
        { "- start: agent.service\n", BEGIN("steps[0]", "start") END("done") ENDED,
                        "steps[0]:not-recorded deaths:held" },
        { "- start: { no-block: yes }\n", BEGIN("steps[0]", "start") QUEUED END("done") ENDED,
                        "steps[0]:held deaths:held" },
        { "- start: agent.service\n",
                        BEGIN("steps[0]", "start") "1010 job-action " UNIT
                                                   " verb=start error=org.freedesktop.systemd1.NoSuchUnit text='Unit "
                                                   "agent.service not found.'\n" END("failed") STOPPED,
                        "steps[0]:unit-refused deaths:held" },
        /* Another job of the same unit is not this one. */
        { "- start: agent.service\n",
                        BEGIN("steps[0]", "start") QUEUED
                        "1500 job-removed " UNIT
                        " job=/org/freedesktop/systemd1/job/77 result=failed\n" REMOVED("done") END("done") ENDED,
                        "steps[0]:held deaths:held" },
        /* A failed job is left to the next step, where that looks at it. */
        { STATE_NEXT,
                        BEGIN("steps[0]", "start") QUEUED REMOVED("failed") END("done") SECOND
                        "3020 properties " UNIT " asked=3015ms ActiveState=failed\n" CLOSED("3500ms")
                                        SECOND_END STOPPED,
                        "steps[0]:held steps[1].expect.state:wrong-value deaths:held" },
        { "- start: agent.service\n- expect: { socket: /x }\n",
                        BEGIN("steps[0]", "start") QUEUED REMOVED("failed") END("failed") STOPPED,
                        "steps[0]:job-failed steps[1].expect.socket:not-reached deaths:held" },
        /* Signals. */
        { "- signal: SIGTERM\n",
                        BEGIN("steps[0]", "signal") "1010 signal-action " UNIT
                                                    " who=main pid=5 signal=15 errno=0 asked=1005ms\n" END("done")
                                                                    ENDED,
                        "steps[0]:held deaths:held" },
        { "- signal: SIGTERM\n",
                        BEGIN("steps[0]", "signal") "1010 signal-action " UNIT
                                                    " who=main pid=0 signal=15 errno=0 asked=1005ms\n" END("failed")
                                                                    STOPPED,
                        "steps[0]:no-main-process deaths:held" },
        { "- signal: SIGTERM\n",
                        BEGIN("steps[0]", "signal") "1010 signal-action " UNIT
                                                    " who=main pid=0 signal=15 errno=3 asked=1005ms\n" END("failed")
                                                                    STOPPED,
                        "steps[0]:no-main-process deaths:held" },
        { "- signal: { signal: SIGTERM, who: all }\n",
                        BEGIN("steps[0]", "signal") "1010 signal-action " UNIT
                                                    " who=all pid=0 signal=15 errno=0 asked=1005ms\n" END("done")
                                                                    ENDED,
                        "steps[0]:held deaths:held" },
        { "- signal: SIGTERM\n",
                        BEGIN("steps[0]", "signal") "1010 signal-action " UNIT
                                                    " who=main pid=5 signal=15 errno=1 asked=1005ms\n" END("failed")
                                                                    STOPPED,
                        "steps[0]:step-broken deaths:held" },
        { "- crash: SIGKILL\n",
                        BEGIN("steps[0]", "crash") "1010 signal-action " UNIT
                                                   " who=main pid=5 signal=9 errno=0 asked=1005ms\n"
                                                   "2000 deadline - step=steps[0] run=0\n" END("failed") STOPPED,
                        "steps[0]:step-deadline deaths:held" },
        { "- crash: SIGKILL\n",
                        BEGIN("steps[0]", "crash") "1010 signal-action " UNIT
                                                   " who=main pid=5 signal=9 errno=0 asked=1005ms\n"
                                                   "1020 main-gone " UNIT " pid=5\n" END("done") ENDED,
                        "steps[0]:held deaths:held" },
        { "- signal: SIGTERM\n", BEGIN("steps[0]", "signal") END("done") ENDED, "steps[0]:not-recorded deaths:held" },
        /* Commands. */
        { "- run: x\n", BEGIN("steps[0]", "run") RAN("status=0 errno=0") END("done") ENDED,
                        "steps[0]:held deaths:held" },
        { "- run: x\n", BEGIN("steps[0]", "run") RAN("status=256 errno=0 stderr=oops") END("failed") STOPPED,
                        "steps[0]:command-failed deaths:held" },
        /* What the manager does not take is no fault of the daemon. */
        { "- set-property: { unit: agent.service, settings: TasksMax=x }\n",
                        BEGIN("steps[0]", "set-property") RAN("status=256 stderr='Invalid unit count: x'")
                                        END("failed") STOPPED,
                        "steps[0]:step-broken deaths:held" },
        { "- run: { command: x, status: 1 }\n", BEGIN("steps[0]", "run") RAN("status=256 errno=0") END("done") ENDED,
                        "steps[0]:held deaths:held" },
        { "- run: { command: x, status: 1 }\n",
                        BEGIN("steps[0]", "run") RAN("status=0 errno=0") END("failed") STOPPED,
                        "steps[0]:command-failed deaths:held" },
        { "- run: { command: x, status: 137 }\n", BEGIN("steps[0]", "run") RAN("status=9 errno=0") END("done") ENDED,
                        "steps[0]:held deaths:held" },
        { "- run: x\n", BEGIN("steps[0]", "run") RAN("status=9 errno=0 timed-out=yes") END("failed") STOPPED,
                        "steps[0]:step-deadline deaths:held" },
        { "- run: x\n", BEGIN("steps[0]", "run") RAN("errno=2") END("failed") STOPPED,
                        "steps[0]:step-broken deaths:held" },
        { "- run: x\n",
                        BEGIN("steps[0]", "run") "2000 command - owner=steps[1].expect.command status=256\n" END(
                                        "done") ENDED,
                        "steps[0]:not-recorded deaths:held" },
        /* Steps that leave no facts. */
        { "- write: x\n", BEGIN("steps[0]", "write") END("done") ENDED, "steps[0]:held deaths:held" },
        { "- write: x\n", BEGIN("steps[0]", "write") "2000 deadline - step=steps[0] run=0\n" END("failed") STOPPED,
                        "steps[0]:step-deadline deaths:held" },
        { "- write: x\n",
                        BEGIN("steps[0]", "write") "3000 step-end - step=steps[0] run=0 how=broken text='No space "
                                                   "left on device'\n"
                                                   "3001 scenario-end - how=broken text='No space left on device'\n",
                        "steps[0]:step-broken deaths:not-recorded scenario:step-broken" },
};

static const Sample job_samples[] = {
        { JOB("done"), BEGIN("steps[0]", "start") QUEUED REMOVED("done") END("done") SECOND SECOND_END ENDED,
                        JOB_VERDICT("held") },
        { JOB("failed"), BEGIN("steps[0]", "start") QUEUED REMOVED("failed") END("done") SECOND SECOND_END ENDED,
                        JOB_VERDICT("held") },
        { JOB("{ type: start }"),
                        BEGIN("steps[0]", "start") QUEUED REMOVED("done") END("done") SECOND SECOND_END ENDED,
                        JOB_VERDICT("held") },
        { JOB("done"), BEGIN("steps[0]", "start") QUEUED REMOVED("timeout") END("done") SECOND SECOND_END STOPPED,
                        JOB_VERDICT("wrong-value") },
        { JOB("[failed, timeout]"),
                        BEGIN("steps[0]", "start") QUEUED REMOVED("timeout") END("done") SECOND SECOND_END ENDED,
                        JOB_VERDICT("held") },
        { JOB("{ type: stop }"),
                        BEGIN("steps[0]", "start") QUEUED REMOVED("done") END("done") SECOND CLOSED("8000ms")
                                        SECOND_END STOPPED,
                        JOB_VERDICT("not-observed") },
        /* Of an anchor step that queued none. */
        { "- write: x\n- expect: { job: done }\n  within: 5s\n",
                        BEGIN("steps[0]", "write") END("done") SECOND CLOSED("8000ms") SECOND_END STOPPED,
                        "steps[0]:held steps[1].expect.job:not-observed deaths:held" },
        /* Still under way. */
        { "- start: { no-block: yes }\n- expect: { job: done }\n  within: 5s\n",
                        BEGIN("steps[0]", "start") QUEUED END("done") SECOND CLOSED("8000ms") SECOND_END STOPPED,
                        JOB_VERDICT("not-observed") },
        { "- start: { no-block: yes }\n- expect: { job: done }\n  within: 5s\n",
                        BEGIN("steps[0]", "start") QUEUED END("done") SECOND
                        "7000 channel - channel=bus health=closed\n" CLOSED("8000ms") SECOND_END ENDED,
                        "steps[0]:held steps[1].expect.job:channel-lost deaths:channel-lost" },
        /* Ended behind the deadline at 6 s: by the news alone nobody knows; a snapshot or the manager's own stamp
           tells. */
        { "- start: { no-block: yes }\n- expect: { job: done }\n  within: 5s\n",
                        BEGIN("steps[0]", "start") QUEUED END("done") SECOND
                        "6100 job-removed " UNIT " job=/org/freedesktop/systemd1/job/7 result=done\n" CLOSED("8000ms")
                                        SECOND_END ENDED,
                        JOB_VERDICT("late-stamp") },
        { "- start: { no-block: yes }\n- expect: { job: done }\n  within: 5s\n",
                        BEGIN("steps[0]", "start") QUEUED END("done") SECOND
                        "6050 properties " UNIT " asked=6040ms ActiveState=activating Job=7\n"
                        "6100 job-removed " UNIT " job=/org/freedesktop/systemd1/job/7 result=done\n" CLOSED("8000ms")
                                        SECOND_END STOPPED,
                        JOB_VERDICT("too-late") },
        { "- start: { no-block: yes }\n- expect: { job: done }\n  within: 5s\n",
                        BEGIN("steps[0]", "start") QUEUED END("done") SECOND
                        "6100 job-removed " UNIT " job=/org/freedesktop/systemd1/job/7 result=done\n"
                        "6200 properties " UNIT
                        " asked=6110ms ActiveState=active ActiveEnterTimestampMonotonic=6090ms Job=0\n" CLOSED(
                                        "8000ms") SECOND_END STOPPED,
                        JOB_VERDICT("too-late") },
};

START_TEST(actions_are_judged) {
        assert_sample(&action_samples[_i]);
}
END_TEST

START_TEST(jobs_are_judged) {
        assert_sample(&job_samples[_i]);
}
END_TEST

/* `since` names a step; without it, the latest one that acts counts, and neither `expect` nor `repeat` does. */
START_TEST(windows_begin_at_their_anchor) {
        static const Sample sample = {
                "- start: agent.service\n  name: go\n- write: x\n- expect: { job: done }\n  within: 5s\n  since: go\n"
                "- expect: { job: { name: none, result: done } }\n  within: 5s\n",
                "1000 step-begin - step=go run=0 kind=start quote=*\n" QUEUED REMOVED(
                                "done") "2001 step-end - step=go run=0 how=done\n"
                                        "2010 step-begin - step=steps[1] run=0 kind=write quote=*\n"
                                        "2011 step-end - step=steps[1] run=0 how=done\n"
                                        "2020 step-begin - step=steps[2] run=0 kind=expect quote=*\n"
                                        "2021 step-end - step=steps[2] run=0 how=done\n"
                                        "2030 step-begin - step=steps[3] run=0 kind=expect quote=*\n"
                                        "7100 barrier - step=steps[3] run=0 since=7050ms channels='bus journal acct "
                                        "kmsg'\n"
                                        "7101 step-end - step=steps[3] run=0 how=done\n" STOPPED,
                "go:held steps[1]:held steps[2].expect.job:held none:not-observed deaths:held",
        };

        assert_sample(&sample);
}
END_TEST

START_TEST(what_a_command_said_is_told) {
        CLEANUP(verdict_done) Verdict verdict = { 0 };
        Play play;

        play_init(&play, "- run: x\n",
                        BEGIN("steps[0]", "run") RAN("status=256 errno=0 stderr='no such task'") END("failed")
                                        STOPPED);
        play_verdict(&play, "steps[0]", &verdict);
        ck_assert_str_eq(verdict.sentence, "the command exited with status 1");
        ck_assert_uint_eq(verdict.n_near_misses, 1);
        ck_assert_str_eq(verdict.near_misses[0], "no such task");
        play_done(&play);
}
END_TEST

Suite *action_suite(void) {
        Suite *suite = suite_create("action");
        TCase *tcase = tcase_create("action");

        tcase_add_loop_test(tcase, actions_are_judged, 0, ELEMENTS_OF(action_samples));
        tcase_add_loop_test(tcase, jobs_are_judged, 0, ELEMENTS_OF(job_samples));
        tcase_add_test(tcase, windows_begin_at_their_anchor);
        tcase_add_test(tcase, what_a_command_said_is_told);
        suite_add_tcase(suite, tcase);
        return suite;
}
