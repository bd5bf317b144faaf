/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A scenario and a recording of it, both as text, and what the judge has to say of them:
 *
 *     { "- start: agent.service\n- signal: SIGTERM\n- expect: { exit: 0 }\n  within: 5s\n",
 *       UP SENT EXITED CLOSED,
 *       "steps[0]:held steps[1]:held steps[2].expect.exit:held deaths:held" }
 *
 * A line of the recording: `MILLISECONDS KIND UNIT KEY=value KEY='some value' ...`. `-` is no unit, a value of digits
 * with `ms` behind them becomes microseconds, `quote=*` is what the scenario says. Entries are seen in the order of
 * the lines.
 */

#include <check.h>

#include "judge/judge.h"
#include "scenario/parse.h"

#define UNIT "agent.service"

typedef struct Sample {
        const char *scenario; /* from its steps on */
        const char *recording;
        const char *verdicts; /* "id:reason ...", all of them, in their order */
} Sample;

typedef struct Play {
        ScenarioList scenarios;
        Timeline *timeline;
        Case facts;
} Play;

void play_init(Play *play, const char *scenario, const char *recording);
void play_done(Play *play);
/* Asserts all verdicts; @name for the message. */
void play_assert(const Play *play, const char *name, const char *verdicts);
/* Judges, and gives the verdict on @id; the caller's. */
void play_verdict(const Play *play, const char *id, Verdict *ret_verdict);

void assert_sample(const Sample *sample);

/* A snapshot's exit facts. Times are in the ms form. */
#define FACTS(state, sub, result, pid, code, status, start, exit, invocation, n_restarts)                            \
        " ActiveState=" state " SubState=" sub " Result=" result " MainPID=" pid " ExecMainPID=" pid                 \
        " ExecMainCode=" code " ExecMainStatus=" status " ExecMainStartTimestampMonotonic=" start                    \
        " ExecMainExitTimestampMonotonic=" exit " InvocationID=" invocation " NRestarts=" n_restarts
#define RUNNING(pid, start, invocation, n_restarts)                                                                  \
        FACTS("active", "running", "success", pid, "0", "0", start, "0", invocation, n_restarts)

/* steps[0] is `start`: the unit is up at 1.12 s, with main process 100 of invocation aa since 1.05 s. */
#define STARTED                                                                                                      \
        "900 versions - performer=50\n"                                                                              \
        "1000 step-begin - step=steps[0] run=0 kind=start quote=*\n"                                                 \
        "1001 properties " UNIT                                                                                      \
        " asked=1000ms errno=0 Type=notify ActiveState=inactive SubState=dead Result=success "                       \
        "MainPID=0 ExecMainPID=0 NRestarts=0\n"                                                                      \
        "1010 job-action " UNIT " verb=start asked=1005ms job=/job/1\n"                                              \
        "1100 properties " UNIT " asked=1090ms errno=0 StateChangeTimestampMonotonic=1080ms" RUNNING(                \
                        "100", "1050ms", "aa", "0") "\n"                                                             \
                                                    "1110 job-removed " UNIT " job=/job/1 result=done\n"
#define UP STARTED "1120 step-end - step=steps[0] run=0 how=done\n"

/* steps[1] sends a signal at 2 s. */
#define SENT(number)                                                                                                 \
        "2000 step-begin - step=steps[1] run=0 kind=signal quote=*\n"                                                \
        "2002 properties " UNIT " asked=2001ms errno=0" RUNNING("100", "1050ms", "aa",                               \
                        "0") "\n"                                                                                    \
                             "2004 signal-action " UNIT " who=main pid=100 signal=" number " errno=0 asked=2003ms\n" \
                             "2005 step-end - step=steps[1] run=0 how=done\n"

#define EXPECT(step) "2010 step-begin - step=" step " run=0 kind=expect quote=*\n"
#define BARRIER(at, step, since)                                                                                     \
        at " barrier - step=" step " run=0 since=" since " channels='bus journal acct kmsg'\n"
#define STEP_END(at, step) at " step-end - step=" step " run=0 how=done\n"
/* The scenario's own end. */
#define ENDED                                                                                                        \
        "90000 barrier - since=90000ms channels='bus journal acct kmsg'\n"                                           \
        "90001 scenario-end - how=done\n"
#define STOPPED                                                                                                      \
        "90000 barrier - since=90000ms channels='bus journal acct kmsg'\n"                                           \
        "90001 scenario-end - how=stopped\n"
