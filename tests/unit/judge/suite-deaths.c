/* SPDX-License-Identifier: MIT */

/* Rule 6: no unexplained deaths; each cause with it and without it. */

#include "play.h"
#include "suites.h"

#define START_ONLY       "- start: agent.service\n"
#define END_OF(step, at) at " step-end - step=" step " run=0 how=done\n"
#define GONE(at, asked, state, result, code, status, exit)                                                           \
        at " properties " UNIT " asked=" asked " errno=0" FACTS(                                                     \
                        state, "dead", result, "0", code, status, "1050ms", exit, "aa", "0") " ExecMainPID=100\n"
#define EXITED(code, status) GONE("3000", "2990ms", "inactive", "success", code, status, "2900ms")
#define LINE(at, id, rest)   at " manager-line " UNIT " MESSAGE_ID=" id " INVOCATION_ID=aa " rest "\n"
#define STOPPING             "de5b426a63be47a7b6ac3eaac82e2f6f"
#define PROCESS_EXIT         "98e322203f7a4ed290d09fe03c09fe15"
#define ACTION(kind)         "2000 step-begin - step=steps[1] run=0 kind=" kind " quote=*\n"
#define SIGNALLED(who, pid, number)                                                                                  \
        ACTION("signal")                                                                                             \
        "2004 signal-action " UNIT " who=" who " pid=" pid " signal=" number                                         \
        " errno=0 asked=2003ms\n" END_OF("steps[1]", "2005")
#define STOP_JOB(verb)                     ACTION(verb) "2004 job-action " UNIT " verb=" verb " asked=2003ms job=/job/2\n"
#define JOB_DONE                           "3010 job-removed " UNIT " job=/job/2 result=done\n" END_OF("steps[1]", "3020")
#define STOPPED_UNIT                       STOP_JOB("stop") EXITED("1", "0") JOB_DONE
#define DEATH(at, pid, ppid, comm, status) at " death - pid=" pid " ppid=" ppid " comm=" comm " status=" status "\n"
#define SEGV                               "139"
#define ONE                                "steps[0]:held deaths:"
#define TWO                                "steps[0]:held steps[1]:held deaths:"
#define SIGNAL_STEP                        START_ONLY "- signal: SIGTERM\n"
#define STOP_STEP                          START_ONLY "- stop: agent.service\n"

#define TWO_OF(kind) "steps[0]:held steps[1]:held steps[2].expect." kind ":held deaths:"
#define RUNS_AGAIN   "3100 properties " UNIT " asked=3090ms errno=0" RUNNING("101", "3050ms", "bb", "1") "\n"
#define DIED_AGAIN                                                                                                   \
        "4000 properties " UNIT " asked=3990ms errno=0" FACTS("failed", "failed", "exit-code", "0", "1", "1",        \
                        "3050ms", "3500ms", "bb", "1") " ExecMainPID=101\n"
#define JOB_DONE_EARLY "2006 job-removed " UNIT " job=/job/2 result=done\n" END_OF("steps[1]", "2007")

#define FOREIGN_JOB  "2880 job-new " UNIT " id=7 job=/job/7\n"
#define FOREIGN_DONE "3010 job-removed " UNIT " id=7 job=/job/7 result=done\n"
#define STOPPING_STATE(result, invocation)                                                                           \
        "2890 properties " UNIT " asked=2880ms errno=0" FACTS("deactivating", "stop-sigterm", result, "100", "0",    \
                        "0", "1050ms", "0", invocation, "0") "\n"

#define HOG_KILLED(pid)                                                                                              \
        "2500 host-pid " UNIT " pid=300 host-pid=9300 role=hog\n"                                                    \
        "2800 kernel - MESSAGE='Memory cgroup out of memory: Killed process " pid " (x) total-vm:1kB'\n"
#define OOM_STOPPED(signal) GONE("3000", "2990ms", "failed", "oom-kill", "2", signal, "2900ms")

static const Sample main_samples[] = {
        { START_ONLY, UP ENDED, ONE "held" },
        /* Nobody asked for it: also a clean exit is one. */
        { START_ONLY, UP EXITED("1", "0") ENDED, ONE "unexplained-death" },
        { START_ONLY, UP EXITED("2", "9") ENDED, ONE "unexplained-death" },
        { START_ONLY, UP "3000 main-gone " UNIT " pid=100\n" ENDED, ONE "unexplained-death" },
        { START_ONLY, UP LINE("3000", PROCESS_EXIT, "COMMAND=ExecStart EXIT_CODE=killed EXIT_STATUS=6") ENDED,
                        ONE "unexplained-death" },
        /* A watchdog's kill is none that was asked for. */
        { START_ONLY, UP GONE("3000", "2990ms", "failed", "watchdog", "2", "6", "2900ms") ENDED,
                        ONE "unexplained-death" },
        /* A restart hides nothing. */
        { START_ONLY,
                        UP GONE("3000", "2990ms", "activating", "signal", "2", "11",
                                        "2900ms") "8000 properties " UNIT " asked=7990ms errno=0" RUNNING("101",
                                        "7900ms", "bb", "1") "\n" ENDED,
                        ONE "unexplained-death" },
        /* Jobs of ours. */
        { STOP_STEP, UP STOPPED_UNIT ENDED, TWO "held" },
        { START_ONLY "- restart: agent.service\n",
                        UP STOP_JOB("restart")
                                        EXITED("1", "0") "3005 properties " UNIT " asked=3002ms errno=0" RUNNING(
                                                        "101", "2950ms", "bb", "0") "\n" JOB_DONE ENDED,
                        TWO "held" },
        /* One job, one exit: what it started is not explained by it. */
        { START_ONLY "- restart: agent.service\n",
                        UP STOP_JOB("restart") EXITED("1",
                                        "0") "3005 properties " UNIT " asked=3002ms errno=0" RUNNING("101", "2950ms",
                                        "bb", "0") "\n" JOB_DONE "4000 properties " UNIT
                                                   " asked=3990ms errno=0" FACTS("failed", "failed", "exit-code", "0",
                                                                   "1", "1", "2950ms", "3500ms", "bb",
                                                                   "0") " ExecMainPID=101\n" ENDED,
                        TWO "unexplained-death" },
        /* A stop asks for no crash, unless the unit is stopped by that very signal. */
        { STOP_STEP, UP STOP_JOB("stop") EXITED("2", "11") JOB_DONE ENDED, TWO "unexplained-death" },
        { STOP_STEP, UP STOP_JOB("stop") EXITED("3", "6") JOB_DONE ENDED, TWO "unexplained-death" },
        { STOP_STEP, UP STOP_JOB("stop") EXITED("2", "9") JOB_DONE ENDED, TWO "held" },
        { STOP_STEP, UP STOP_JOB("stop") EXITED("1", "11") JOB_DONE ENDED, TWO "held" },
        { STOP_STEP,
                        UP "1990 properties " UNIT " asked=1980ms KillSignal=6\n" STOP_JOB("stop") EXITED("3", "6")
                                        JOB_DONE ENDED,
                        TWO "held" },
        { STOP_STEP,
                        UP "1990 properties " UNIT
                           " asked=1980ms TimeoutStopFailureMode=abort WatchdogSignal=6\n" STOP_JOB("stop")
                                           EXITED("3", "6") JOB_DONE ENDED,
                        TWO "held" },
        { STOP_STEP,
                        UP "1990 properties " UNIT
                           " asked=1980ms TimeoutStopFailureMode=terminate WatchdogSignal=6\n" STOP_JOB("stop")
                                           EXITED("3", "6") JOB_DONE ENDED,
                        TWO "unexplained-death" },
        /* The stop came after the crash. */
        { STOP_STEP,
                        UP GONE("1500", "1490ms", "failed", "signal", "2", "11", "1400ms") STOP_JOB("stop")
                                        JOB_DONE ENDED,
                        TWO "unexplained-death" },
        /* The manager stopped it, for a dependency's sake: the order of its lines tells. */
        { START_ONLY,
                        UP LINE("2950", STOPPING, "seqnum=7 JOB_TYPE=stop") LINE("2960", PROCESS_EXIT,
                                        "seqnum=8 COMMAND=ExecStart EXIT_CODE=exited EXIT_STATUS=0") EXITED("1", "0")
                                        ENDED,
                        ONE "held" },
        { START_ONLY,
                        UP LINE("2950", PROCESS_EXIT, "seqnum=7 COMMAND=ExecStart EXIT_CODE=exited EXIT_STATUS=1")
                                        LINE("2960", STOPPING, "seqnum=8 JOB_TYPE=stop") EXITED("1", "1") ENDED,
                        ONE "unexplained-death" },
        { START_ONLY,
                        UP "2850 manager-line " UNIT " MESSAGE_ID=" STOPPING
                           " INVOCATION_ID=zz seqnum=7\n" EXITED("1", "0") ENDED,
                        ONE "unexplained-death" },
        /* No line about the exit, and the other one's stamp is behind it: PID 1's own stamps tell. */
        { START_ONLY,
                        UP LINE("2950", STOPPING, "seqnum=7 JOB_TYPE=stop") GONE("3000", "2990ms", "inactive",
                                        "success", "1", "0", "2900ms ActiveExitTimestampMonotonic=2899ms") ENDED,
                        ONE "held" },
        { START_ONLY,
                        UP LINE("2950", STOPPING, "seqnum=7 JOB_TYPE=stop") GONE("3000", "2990ms", "inactive",
                                        "success", "1", "0", "2900ms ActiveExitTimestampMonotonic=2901ms") ENDED,
                        ONE "unexplained-death" },
        { START_ONLY,
                        UP GONE("3000", "2990ms", "inactive", "success", "1", "0",
                                        "2900ms ActiveExitTimestampMonotonic=2899ms") ENDED,
                        ONE "unexplained-death" },
        /* No line at all (LogLevelMax=): the states on the bus and a job tell. */
        { START_ONLY, UP FOREIGN_JOB STOPPING_STATE("success", "aa") EXITED("2", "15") FOREIGN_DONE ENDED,
                        ONE "held" },
        /* The daemon went by itself and said so; a job that came behind that, or was over before. */
        { START_ONLY, UP STOPPING_STATE("success", "aa") FOREIGN_JOB EXITED("2", "15") FOREIGN_DONE ENDED,
                        ONE "unexplained-death" },
        { START_ONLY, UP STOPPING_STATE("success", "aa") EXITED("2", "15") ENDED, ONE "unexplained-death" },
        { START_ONLY, UP STOPPING_STATE("success", "aa") EXITED("2", "15") FOREIGN_JOB FOREIGN_DONE ENDED,
                        ONE "unexplained-death" },
        { START_ONLY, UP FOREIGN_JOB FOREIGN_DONE STOPPING_STATE("success", "aa") EXITED("2", "15") ENDED,
                        ONE "unexplained-death" },
        /* A time-out's kill; another invocation's stop; no stop, but a crash while another job ran. */
        { START_ONLY, UP FOREIGN_JOB STOPPING_STATE("timeout", "aa") EXITED("2", "15") FOREIGN_DONE ENDED,
                        ONE "unexplained-death" },
        { START_ONLY, UP FOREIGN_JOB STOPPING_STATE("success", "zz") EXITED("2", "15") FOREIGN_DONE ENDED,
                        ONE "unexplained-death" },
        { START_ONLY, UP FOREIGN_JOB EXITED("2", "15") FOREIGN_DONE ENDED, ONE "unexplained-death" },
        { START_ONLY, UP FOREIGN_JOB STOPPING_STATE("success", "aa") EXITED("2", "11") FOREIGN_DONE ENDED,
                        ONE "unexplained-death" },
        /* A hog of ours was killed, and OOMPolicy= stopped the unit for it; a main process that the kernel killed was
           not. */
        { START_ONLY, UP HOG_KILLED("9300") OOM_STOPPED("15") ENDED, ONE "held" },
        { START_ONLY, UP HOG_KILLED("9301") OOM_STOPPED("15") ENDED, ONE "unexplained-death" },
        { START_ONLY, UP HOG_KILLED("9300") OOM_STOPPED("9") ENDED, ONE "unexplained-death" },
        { START_ONLY, UP HOG_KILLED("9300") EXITED("2", "15") ENDED, ONE "unexplained-death" },
        /* Signals of ours: of the right process, of a kind that ends, one exit each. */
        { SIGNAL_STEP, UP SIGNALLED("main", "100", "15") EXITED("1", "0") ENDED, TWO "held" },
        { SIGNAL_STEP, UP SIGNALLED("main", "100", "15") EXITED("2", "15") ENDED, TWO "held" },
        { SIGNAL_STEP, UP SIGNALLED("all", "0", "15") EXITED("2", "15") ENDED, TWO "held" },
        { SIGNAL_STEP, UP SIGNALLED("main", "99", "15") EXITED("1", "0") ENDED, TWO "unexplained-death" },
        { SIGNAL_STEP, UP SIGNALLED("main", "100", "28") EXITED("1", "0") ENDED, TWO "unexplained-death" },
        { SIGNAL_STEP, UP SIGNALLED("main", "100", "15") EXITED("2", "11") ENDED, TWO "unexplained-death" },
        { SIGNAL_STEP,
                        UP SIGNALLED("main", "100", "15") EXITED("1",
                                        "0") "3100 properties " UNIT " asked=3090ms errno=0" RUNNING("101", "3050ms",
                                        "bb", "1") "\n"
                                                   "4000 properties " UNIT " asked=3990ms errno=0" FACTS("failed",
                                                                   "failed", "exit-code", "0", "1", "1", "3050ms",
                                                                   "3500ms", "bb", "1") " ExecMainPID=101\n" ENDED,
                        TWO "unexplained-death" },
        /* By design: oneshot, RemainAfterExit=. */
        { START_ONLY, UP "2000 properties " UNIT " asked=1999ms Type=oneshot\n" EXITED("1", "0") ENDED, ONE "held" },
        { START_ONLY, UP "2000 properties " UNIT " asked=1999ms Type=oneshot\n" EXITED("2", "11") ENDED,
                        ONE "unexplained-death" },
        { START_ONLY, UP "2000 properties " UNIT " asked=1999ms RemainAfterExit=yes\n" EXITED("1", "0") ENDED,
                        ONE "held" },
        /* Expected: the window covers it, while its step ran. */
        { START_ONLY "- run: x\n- expect: { exit: 0 }\n  within: 5s\n",
                        UP ACTION("run") "2001 command - owner=steps[1] status=0\n" END_OF("steps[1]", "2005")
                                        EXPECT("steps[2]") EXITED("1", "0") END_OF("steps[2]", "3001") ENDED,
                        "steps[0]:held steps[1]:held steps[2].expect.exit:held deaths:held" },
        { START_ONLY "- run: x\n- expect: { exit: 0 }\n  within: 5s\n",
                        UP ACTION("run") "2001 command - owner=steps[1] status=0\n" END_OF("steps[1]", "2005") EXPECT(
                                        "steps[2]") EXITED("1", "0") END_OF("steps[2]",
                                        "3001") "3100 properties " UNIT " asked=3090ms errno=0" RUNNING("101",
                                        "3050ms", "bb",
                                        "1") "\n"
                                             "4000 properties " UNIT " asked=3990ms errno=0" FACTS("failed", "failed",
                                                             "exit-code", "0", "1", "1", "3050ms", "3500ms", "bb",
                                                             "1") " ExecMainPID=101\n" ENDED,
                        "steps[0]:held steps[1]:held steps[2].expect.exit:held deaths:unexplained-death" },
        /* One expected exit explains one, also within its step. */
        { START_ONLY "- run: x\n- expect: { exit: 0 }\n  within: 5s\n",
                        UP ACTION("run") "2001 command - owner=steps[1] status=0\n" END_OF("steps[1]", "2005")
                                        EXPECT("steps[2]") EXITED("1", "0") ENDED,
                        "steps[0]:held steps[1]:held steps[2].expect.exit:held deaths:held" },
        { START_ONLY "- run: x\n- expect: { exit: 0 }\n  within: 5s\n",
                        UP ACTION("run") "2001 command - owner=steps[1] status=0\n" END_OF("steps[1]", "2005") EXPECT(
                                        "steps[2]") EXITED("1", "0") END_OF("steps[2]",
                                        "3001") "3100 properties " UNIT " asked=3090ms errno=0" RUNNING("101",
                                        "3050ms", "bb",
                                        "1") "\n"
                                             "4000 properties " UNIT " asked=3990ms errno=0" FACTS("failed", "failed",
                                                             "exit-code", "0", "1", "1", "3050ms", "3500ms", "bb",
                                                             "1") " ExecMainPID=101\n" END_OF("steps[2]", "4500")
                                                             ENDED,
                        "steps[0]:held steps[1]:held steps[2].expect.exit:held deaths:unexplained-death" },
        { START_ONLY "- run: x\n- expect: { state: { ActiveState: inactive } }\n  within: 5s\n",
                        UP ACTION("run") "2001 command - owner=steps[1] status=0\n" END_OF("steps[1]", "2005")
                                        EXPECT("steps[2]") EXITED("1", "0") END_OF("steps[2]", "3001") ENDED,
                        "steps[0]:held steps[1]:held steps[2].expect.state:held deaths:unexplained-death" },
        { START_ONLY "- run: x\n- expect: { state: { ActiveState: [active, inactive] } }\n  within: 5s\n",
                        UP ACTION("run") "2001 command - owner=steps[1] status=0\n" END_OF("steps[1]", "2005")
                                        EXPECT("steps[2]") EXITED("1", "0") END_OF("steps[2]", "3001") ENDED,
                        "steps[0]:held steps[1]:held steps[2].expect.state:held deaths:unexplained-death" },
        /* An expected end that a signal of ours explains is used up by it: what dies behind it nobody expected. */
        { SIGNAL_STEP "- expect: { exit: 0 }\n  within: 5s\n",
                        UP SENT("15") EXPECT("steps[2]") EXITED("1", "0")
                                        RUNS_AGAIN DIED_AGAIN END_OF("steps[2]", "4500") ENDED,
                        TWO_OF("exit") "unexplained-death" },
        { SIGNAL_STEP "- expect: { restart: {} }\n  within: 5s\n",
                        UP SENT("15") EXPECT("steps[2]") EXITED("1", "0")
                                        RUNS_AGAIN DIED_AGAIN END_OF("steps[2]", "4500") ENDED,
                        TWO_OF("restart") "unexplained-death" },
        { SIGNAL_STEP "- expect: { restart: { count: '>= 1' } }\n  within: 5s\n",
                        UP SENT("15") EXPECT("steps[2]") EXITED("1", "0")
                                        RUNS_AGAIN DIED_AGAIN END_OF("steps[2]", "4500") ENDED,
                        TWO_OF("restart") "held" },
        /* What a stop ends is not restarted: the restart that is expected is another one's. */
        { START_ONLY "- restart: agent.service\n- expect: { exit: 0 }\n  within: 5s\n",
                        UP STOP_JOB("restart") JOB_DONE_EARLY EXPECT("steps[2]") EXITED("1", "0")
                                        RUNS_AGAIN DIED_AGAIN END_OF("steps[2]", "4500") ENDED,
                        TWO_OF("exit") "unexplained-death" },
        { START_ONLY "- restart: agent.service\n- expect: { restart: {} }\n  within: 5s\n",
                        UP STOP_JOB("restart") JOB_DONE_EARLY EXPECT("steps[2]") EXITED("1", "0")
                                        RUNS_AGAIN DIED_AGAIN "4100 properties " UNIT " asked=4090ms errno=0" RUNNING(
                                                        "102", "4050ms", "cc", "1") "\n" END_OF("steps[2]", "4500")
                                                        ENDED,
                        TWO_OF("restart") "held" },
        /* A new main process took over (MAINPID=): no exit of the service. */
        { START_ONLY,
                        UP "3000 properties " UNIT " asked=2990ms errno=0" RUNNING(
                                        "101", "2950ms", "aa", "0") "\n"
                                                                    "3100 main-gone " UNIT " pid=100\n" ENDED,
                        ONE "held" },
        /* An exit from before the recording. */
        { START_ONLY,
                        "900 versions - performer=50\n"
                        "950 properties " UNIT " asked=940ms errno=0" FACTS("failed", "failed", "signal", "0", "2",
                                        "11", "100ms", "200ms", "zz", "0") " ExecMainPID=7\n" UP ENDED,
                        ONE "held" },
        /* What explains it may have been lost; so may the exit itself. */
        { START_ONLY, UP "2000 journal-loss - MESSAGE=missed\n" EXITED("1", "0") ENDED, ONE "channel-lost" },
        { START_ONLY, UP "2000 channel - channel=bus health=closed\n" ENDED, ONE "channel-lost" },
        { START_ONLY, UP "2000 scenario-end - how=done\n", ONE "not-recorded" },
};

#define MARKED         "800 versions - performer=50 cgroup-mark=agenttest-ab-1\n"
#define OOM_KILL(path) "3001 kernel - MESSAGE='oom-kill:constraint=X,task_memcg=" path ",task=hog,pid=31200,uid=0'\n"

static const Sample other_samples[] = {
        /* By an exit: none of our business. */
        { START_ONLY, UP DEATH("3000", "200", "100", "worker", "256") ENDED, ONE "held" },
        { START_ONLY, UP DEATH("3000", "200", "100", "worker", SEGV) ENDED, ONE "unexplained-death" },
        /* Was it the OOM killer? Only the kernel's log could tell. */
        { START_ONLY,
                        UP "1200 channel - channel=kmsg health=absent text='no /dev/kmsg'\n" DEATH(
                                        "3000", "200", "100", "worker", "9") ENDED,
                        ONE "channel-lost" },
        { START_ONLY,
                        UP "1200 channel - channel=kmsg health=absent text='no /dev/kmsg'\n" DEATH(
                                        "3000", "200", "100", "worker", SEGV) ENDED,
                        ONE "unexplained-death" },
        { START_ONLY, UP DEATH("3000", "200", "1", "worker", "9") ENDED, ONE "unexplained-death" },
        /* The main process is judged as such, once. */
        { START_ONLY, UP DEATH("2950", "100", "1", "agentd", "9") EXITED("2", "9") ENDED, ONE "unexplained-death" },
        /* The harness's own, and theirs; systemd's own. */
        { START_ONLY, UP DEATH("3000", "200", "50", "sleep", "9") ENDED, ONE "held" },
        { START_ONLY, UP DEATH("3000", "300", "200", "yes", "13") DEATH("3001", "200", "50", "sh", "0") ENDED,
                        ONE "held" },
        { START_ONLY, UP DEATH("3000", "300", "201", "yes", "13") DEATH("3001", "200", "50", "sh", "0") ENDED,
                        ONE "unexplained-death" },
        { START_ONLY, UP DEATH("3000", "200", "1", "(agentd)", "9") ENDED, ONE "held" },
        { START_ONLY, UP DEATH("3000", "200", "1", "systemd-tmpfile", "15") ENDED, ONE "held" },
        /* A signal of ours to all, and none to it. */
        { SIGNAL_STEP,
                        UP SIGNALLED("all", "0", "15") EXITED("2", "15") DEATH("2500", "200", "100", "worker", "15")
                                        ENDED,
                        TWO "held" },
        { SIGNAL_STEP,
                        UP DEATH("1999", "200", "100", "worker", "15") SIGNALLED("all", "0", "15") EXITED("2", "15")
                                        ENDED,
                        TWO "unexplained-death" },
        { SIGNAL_STEP,
                        UP SIGNALLED("main", "100", "15") DEATH("2500", "200", "100", "worker", "15") EXITED("1", "0")
                                        ENDED,
                        TWO "unexplained-death" },
        /* The stop phase; not for faults, not before it, not once accounting was drained behind it. */
        { STOP_STEP, UP STOP_JOB("stop") DEATH("2500", "200", "100", "worker", "15") EXITED("1", "0") JOB_DONE ENDED,
                        TWO "held" },
        { STOP_STEP, UP STOP_JOB("stop") DEATH("2500", "200", "1", "orphan", "9") EXITED("1", "0") JOB_DONE ENDED,
                        TWO "held" },
        { STOP_STEP, UP STOP_JOB("stop") DEATH("2500", "200", "100", "worker", SEGV) EXITED("1", "0") JOB_DONE ENDED,
                        TWO "unexplained-death" },
        { STOP_STEP, UP DEATH("1990", "200", "100", "worker", "15") STOP_JOB("stop") EXITED("1", "0") JOB_DONE ENDED,
                        TWO "unexplained-death" },
        { STOP_STEP, UP STOPPED_UNIT DEATH("3100", "200", "100", "worker", "9") ENDED, TWO "held" },
        { START_ONLY,
                        UP LINE("2850", STOPPING, "seqnum=7") DEATH("2890", "200", "100", "worker", "15")
                                        EXITED("1", "0") ENDED,
                        ONE "held" },
        /* The manager ends the rest of a unit whose main process crashed: one verdict, on the main process. */
        { START_ONLY, UP EXITED("2", "11") DEATH("3100", "200", "100", "worker", "15") ENDED,
                        ONE "unexplained-death" },
        /* Time-outs and the watchdog kill the whole unit. */
        { START_ONLY,
                        UP DEATH("2500", "200", "100", "worker", "6")
                                        GONE("3000", "2990ms", "failed", "watchdog", "2", "6", "2900ms") ENDED,
                        ONE "unexplained-death" },
        /* The kernel's record names the victim, by the name where its pid is that of another namespace; one record,
           one death. */
        { START_ONLY,
                        UP DEATH("3000", "200", "100", "hog", "9") "3001 kernel - "
                                                                   "MESSAGE='oom-kill:constraint=CONSTRAINT_MEMCG,"
                                                                   "task_memcg=/x,task=hog,pid=200,uid=0'\n" ENDED,
                        ONE "held" },
        { START_ONLY,
                        UP DEATH("3000", "200", "100", "hog", "9") "3001 kernel - "
                                                                   "MESSAGE='oom-kill:constraint=CONSTRAINT_MEMCG,"
                                                                   "task_memcg=/x,task=hog,pid=31200,uid=0'\n" ENDED,
                        ONE "held" },
        { START_ONLY,
                        UP DEATH("3000", "200", "100", "hog", "9") DEATH("3000", "201", "100", "hog",
                                        "9") "3001 kernel - "
                                             "MESSAGE='oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/"
                                             "x,task=hog,pid=31200,uid=0'\n" ENDED,
                        ONE "unexplained-death" },
        { START_ONLY,
                        UP DEATH("3000", "200", "100", "hog",
                                        "9") "3001 kernel - "
                                             "MESSAGE='oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/"
                                             "x,task=other,pid=31200,uid=0'\n" ENDED,
                        ONE "unexplained-death" },
        /* Of this stage, and not of the one beside it or of the machine. */
        { START_ONLY,
                        MARKED UP DEATH("3000", "200", "100", "hog", "9") OOM_KILL("/agenttest-ab-1/system.slice/x")
                                        ENDED,
                        ONE "held" },
        { START_ONLY,
                        MARKED UP DEATH("3000", "200", "100", "hog", "9") OOM_KILL("/agenttest-ab-12/system.slice/x")
                                        ENDED,
                        ONE "unexplained-death" },
        { START_ONLY, MARKED UP DEATH("3000", "200", "100", "hog", "9") OOM_KILL("/user.slice") ENDED,
                        ONE "unexplained-death" },
        { START_ONLY, MARKED UP DEATH("3000", "200", "100", "hog", "9") OOM_KILL("/") ENDED, ONE "held" },
        /* Its parent's signal, where the scenario allows it. */
        { START_ONLY "allow: [child-signals]\n", UP DEATH("3000", "200", "100", "worker", "9") ENDED, ONE "held" },
        { START_ONLY "allow: [child-signals]\n", UP DEATH("3000", "200", "1", "orphan", "9") ENDED,
                        ONE "unexplained-death" },
};

START_TEST(main_processes_need_a_cause) {
        assert_sample(&main_samples[_i]);
}
END_TEST

START_TEST(other_processes_need_a_cause) {
        assert_sample(&other_samples[_i]);
}
END_TEST

START_TEST(a_machine_without_accounting_is_told_of) {
        CLEANUP(verdict_done) Verdict verdict = { 0 };
        Play play;

        play_init(&play, START_ONLY,
                        UP "1200 channel - channel=acct health=absent text='no CAP_SYS_PACCT'\n"
                           "90000 barrier - since=90000ms channels='bus journal kmsg'\n"
                           "90001 scenario-end - how=done\n");
        play_verdict(&play, "deaths", &verdict);
        ck_assert_int_eq(verdict.outcome, OUTCOME_PASS);
        ck_assert_str_eq(verdict.sentence,
                        "no unexplained deaths of main processes; deaths of children were not observed: process "
                        "accounting is absent (no CAP_SYS_PACCT)");
        play_done(&play);
}
END_TEST

START_TEST(the_sentence_names_the_process) {
        CLEANUP(verdict_done) Verdict verdict = { 0 };
        Play play;

        play_init(&play, START_ONLY, UP DEATH("3000", "200", "100", "worker", SEGV) ENDED);
        play_verdict(&play, "deaths", &verdict);
        ck_assert_str_eq(verdict.sentence,
                        "process 200 (worker), a child of 100, was killed by SIGSEGV, noticed 2.100s after the "
                        "scenario began, and nothing explains it");
        ck_assert_uint_eq(verdict.n_evidence, 1);
        play_done(&play);
}
END_TEST

Suite *deaths_suite(void) {
        Suite *suite = suite_create("deaths");
        TCase *tcase = tcase_create("deaths");

        tcase_add_loop_test(tcase, main_processes_need_a_cause, 0, ELEMENTS_OF(main_samples));
        tcase_add_loop_test(tcase, other_processes_need_a_cause, 0, ELEMENTS_OF(other_samples));
        tcase_add_test(tcase, a_machine_without_accounting_is_told_of);
        tcase_add_test(tcase, the_sentence_names_the_process);
        suite_add_tcase(suite, tcase);
        return suite;
}
