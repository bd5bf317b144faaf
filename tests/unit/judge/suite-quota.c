/* SPDX-License-Identifier: MIT */

/* cgroup, limit, oom-kill and the hog: rule 7 on recordings of both hierarchies. */

#include <math.h>

#include "base/json.h"
#include "judge/card.h"
#include "judge/counters.h"
#include "play.h"
#include "suites-b.h"

#define QUOTA(expect)     "- start: agent.service\n- expect: { " expect " }\n  within: 5s\n"
#define CLOSED(at)        BARRIER(at, "steps[1]", "7000ms") STEP_END("7001", "steps[1]") ENDED
#define ONE(kind, reason) "steps[0]:held steps[1].expect." kind ":" reason " deaths:held"

#define COUNTER(at, asked, name, cgroup, rest)                                                                       \
        at " counter " UNIT " counter=" name " group=/system.slice/agent.service errno=0 cgroup=" cgroup             \
           " asked=" asked " " rest "\n"
#define GONE(at, asked, name, error) at " counter " UNIT " counter=" name " errno=" error " asked=" asked " text=\n"
#define NO_CGROUP(name)              "1001 counter " UNIT " counter=" name " errno=2 asked=1001ms moment=begin text=\n"
#define BASE(name, text)             COUNTER("1001", "1001ms", name, "7", "moment=begin text=" text)

#define TASKS_LIMIT                  COUNTER("2500", "2500ms", "pids.max", "7", "text=10")
#define NO_TASKS_LIMIT               COUNTER("2500", "2500ms", "pids.max", "7", "text=max")
#define DENIED(at, asked, cgroup, n) COUNTER(at, asked, "pids.denied", cgroup, "key=max text='max " n "'")
#define BASE_DENIED(n)               COUNTER("1001", "1001ms", "pids.denied", "7", "key=max moment=begin text='max " n "'")

#define DENIALS(match, rest) QUOTA("cgroup: { pids.denied: '" match "' }"), UP rest
#define PIDS_PEAK(at, n)     COUNTER(at, at "ms", "pids.peak", "7", "text=" n)
#define BUS_LOST             "2600 channel - channel=bus health=lost text=x\n"
#define LIMIT_AWAY           COUNTER("2200", "2200ms", "pids.max", "7", "text=max")
#define PEAKS(match, rest)   QUOTA("cgroup: { memory.peak: '" match "' }"), UP rest
#define PEAK(at, asked, n)   COUNTER(at, asked, "memory.peak", "7", "text=" n)
#define SLICE_PEAK(n)                                                                                                \
        "6600 counter " UNIT " counter=memory.peak scope=slice errno=0 cgroup=1 asked=6500ms text=" n "\n"

static const Sample counter_samples[] = {
        { DENIALS(">= 1", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT DENIED("3000", "3000ms", "7", "3")
                                          STEP_END("3001", "steps[1]") ENDED),
                        ONE("cgroup", "held") },
        /* Rule 7: not in force, before and behind the fact; in force and never reached. */
        { DENIALS(">= 1", NO_CGROUP("pids.denied") EXPECT("steps[1]")
                                          NO_TASKS_LIMIT DENIED("6600", "6500ms", "7", "0") CLOSED("7000")),
                        ONE("cgroup", "limit-not-in-force") },
        { DENIALS(">= 1", NO_CGROUP("pids.denied") EXPECT("steps[1]") NO_TASKS_LIMIT DENIED(
                                          "3000", "3000ms", "7", "3") STEP_END("3001", "steps[1]") ENDED),
                        ONE("cgroup", "limit-not-in-force") },
        { DENIALS(">= 1", NO_CGROUP("pids.denied") EXPECT("steps[1]") DENIED("6600", "6500ms", "7", "0")
                                          CLOSED("7000")),
                        ONE("cgroup", "limit-not-in-force") },
        { DENIALS(">= 1", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT DENIED("6600", "6500ms", "7", "0")
                                          CLOSED("7000")),
                        ONE("cgroup", "load-too-low") },
        /* "None" needs the limit, too: where there is none, nobody can be denied. */
        { DENIALS("0", NO_CGROUP("pids.denied") EXPECT("steps[1]") NO_TASKS_LIMIT DENIED("6600", "6500ms", "7", "0")
                                          CLOSED("7000")),
                        ONE("cgroup", "limit-not-in-force") },
        { DENIALS("0", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT DENIED("6600", "6500ms", "7", "0")
                                          CLOSED("7000")),
                        ONE("cgroup", "held") },
        /* "None" needs it all the time; of the unit before it was there nobody asks. */
        { DENIALS("0", NO_CGROUP("pids.denied") EXPECT("steps[1]")
                                          LIMIT_AWAY TASKS_LIMIT DENIED("6600", "6500ms", "7", "0") CLOSED("7000")),
                        ONE("cgroup", "limit-not-in-force") },
        { DENIALS(">= 1", NO_CGROUP("pids.denied") EXPECT("steps[1]") LIMIT_AWAY TASKS_LIMIT DENIED(
                                          "3000", "3000ms", "7", "3") STEP_END("3001", "steps[1]") ENDED),
                        ONE("cgroup", "held") },
        /* It was the unit's own limit only where the unit had as many as it may. */
        { DENIALS(">= 1", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT DENIED("3000", "3000ms", "7", "3")
                                          PIDS_PEAK("3001", "10") STEP_END("3002", "steps[1]") ENDED),
                        ONE("cgroup", "held") },
        { DENIALS(">= 1", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT DENIED("3000", "3000ms", "7", "3")
                                          PIDS_PEAK("3001", "9") STEP_END("3002", "steps[1]") ENDED),
                        ONE("cgroup", "load-too-low") },
        { DENIALS(">= 1", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT PIDS_PEAK("2900", "9")
                                          DENIED("3000", "3000ms", "7", "3") GONE("3001", "3001ms", "pids.peak", "2")
                                                          STEP_END("3002", "steps[1]") ENDED),
                        ONE("cgroup", "held") },
        { DENIALS("3", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT DENIED("4000", "4000ms", "7", "3")
                                          DENIED("6600", "6500ms", "7", "3") PIDS_PEAK("6601", "9") CLOSED("7000")),
                        ONE("cgroup", "load-too-low") },
        /* Whether there was another cgroup only the manager tells. */
        { DENIALS("0", NO_CGROUP("pids.denied") EXPECT("steps[1]")
                                          TASKS_LIMIT BUS_LOST DENIED("6600", "6500ms", "7", "0") CLOSED("7000")),
                        "steps[0]:held steps[1].expect.cgroup:channel-lost deaths:channel-lost" },
        { DENIALS("<= 1", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT DENIED("3000", "3000ms", "7", "3")
                                          STEP_END("3001", "steps[1]") ENDED),
                        ONE("cgroup", "wrong-value") },
        /* Counted from the window's beginning, not from the cgroup's. */
        { DENIALS(">= 3", BASE_DENIED("5") EXPECT("steps[1]") TASKS_LIMIT DENIED("6600", "6500ms", "7", "7")
                                          CLOSED("7000")),
                        ONE("cgroup", "load-too-low") },
        { DENIALS("2", BASE_DENIED("5") EXPECT("steps[1]") TASKS_LIMIT DENIED("3000", "3000ms", "7", "7")
                                          DENIED("6600", "6500ms", "7", "7") CLOSED("7000")),
                        ONE("cgroup", "held") },
        /* A restart takes the cgroup and its counters along: the sum is "at least". */
        { DENIALS(">= 5", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT DENIED("3000", "3000ms", "7", "3")
                                          DENIED("4000", "4000ms", "8", "2") STEP_END("4001", "steps[1]") ENDED),
                        ONE("cgroup", "held") },
        { DENIALS("5", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT DENIED("3000", "3000ms", "7", "3")
                                          DENIED("6600", "6500ms", "8", "2") CLOSED("7000")),
                        ONE("cgroup", "unreadable") },
        /* Nothing of the kind could be read, or no longer. */
        { DENIALS(">= 1", EXPECT("steps[1]") TASKS_LIMIT GONE("3000", "3000ms", "pids.denied", "19")
                                          GONE("6600", "6500ms", "pids.denied", "2") CLOSED("7000")),
                        ONE("cgroup", "unreadable") },
        { DENIALS("0", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT DENIED("3000", "3000ms", "7", "0")
                                          GONE("6600", "6500ms", "pids.denied", "19") CLOSED("7000")),
                        ONE("cgroup", "unreadable") },
        /* Read only behind the deadline: when it happened nobody knows. */
        { DENIALS(">= 1", NO_CGROUP("pids.denied") EXPECT("steps[1]") TASKS_LIMIT DENIED("5000", "5000ms", "7", "0")
                                          DENIED("6600", "6500ms", "7", "3") CLOSED("7000")),
                        ONE("cgroup", "late-stamp") },
        /* A peak is of the cgroup's whole life; behind its end the slice's is an upper bound. */
        { PEAKS("<= 50", BASE("memory.peak", "40") EXPECT("steps[1]") PEAK("6600", "6500ms", "45") CLOSED("7000")),
                        ONE("cgroup", "held") },
        { PEAKS("<= 50", BASE("memory.peak", "40") EXPECT("steps[1]") PEAK("3000", "3000ms", "60")
                                          STEP_END("3001", "steps[1]") ENDED),
                        ONE("cgroup", "wrong-value") },
        { PEAKS("<= 50", BASE("memory.peak", "40") EXPECT("steps[1]") GONE("6600", "6500ms", "memory.peak", "2")
                                          SLICE_PEAK("48") CLOSED("7000")),
                        ONE("cgroup", "held") },
        { PEAKS("<= 50", BASE("memory.peak", "40") EXPECT("steps[1]") GONE("6600", "6500ms", "memory.peak", "2")
                                          SLICE_PEAK("60") CLOSED("7000")),
                        ONE("cgroup", "unreadable") },
        /* What goes up and down has to be so once; a raw file is compared as it is. */
        { QUOTA("cgroup: { pids.current: 1 }"),
                        UP EXPECT("steps[1]") COUNTER("3000", "3000ms", "pids.current", "7", "text=2") COUNTER("4000",
                                        "4000ms", "pids.current", "7", "text=1") STEP_END("4001", "steps[1]") ENDED,
                        ONE("cgroup", "held") },
        { QUOTA("cgroup: { pids.current: 1 }"),
                        UP EXPECT("steps[1]") COUNTER("3000", "3000ms", "pids.current", "7", "text=2") CLOSED("7000"),
                        ONE("cgroup", "wrong-value") },
        { QUOTA("cgroup: { 'file:pids.max': max }"),
                        UP EXPECT("steps[1]") COUNTER("3000", "3000ms", "file:pids.max", "7", "text=max")
                                        STEP_END("3001", "steps[1]") ENDED,
                        ONE("cgroup", "held") },
        { QUOTA("cgroup: { 'file:pids.max': max }"),
                        UP EXPECT("steps[1]") GONE("3000", "3000ms", "file:pids.max", "13") CLOSED("7000"),
                        ONE("cgroup", "unreadable") },
};

#define CPU_LIMIT        COUNTER("2500", "2500ms", "cpu.max", "7", "text='50000 100000'")
#define USAGE(at, n)     COUNTER(at, at "ms", "cpu.usage", "7", "key=usage_usec text='usage_usec " n "'")
#define THROTTLED(at, n) COUNTER(at, at "ms", "cpu.throttled", "7", "key=nr_throttled text='nr_throttled " n "'")
#define LOAD(rest)                                                                                                   \
        QUOTA("cgroup: { cpu.load: '<= 55%' }"), UP NO_CGROUP("cpu.throttled") EXPECT("steps[1]") rest CLOSED("700"  \
                                                                                                              "0")

static const Sample load_samples[] = {
        { LOAD(CPU_LIMIT USAGE("2600", "0") THROTTLED("6500", "20") USAGE("6600", "2000000")),
                        ONE("cgroup", "held") },
        { LOAD(CPU_LIMIT USAGE("2600", "0") THROTTLED("6500", "20") USAGE("6600", "3000000")),
                        ONE("cgroup", "wrong-value") },
        { LOAD(CPU_LIMIT USAGE("2600", "0") THROTTLED("6500", "0") USAGE("6600", "2000000")),
                        ONE("cgroup", "load-too-low") },
        { LOAD(USAGE("2600", "0") THROTTLED("6500", "20") USAGE("6600", "2000000")),
                        ONE("cgroup", "limit-not-in-force") },
        { LOAD(CPU_LIMIT USAGE("6000", "0") THROTTLED("6500", "20") USAGE("6600", "300000")),
                        ONE("cgroup", "unreadable") },
        { LOAD(CPU_LIMIT THROTTLED("6500", "20") USAGE("6600", "300000")), ONE("cgroup", "unreadable") },
};

#define LIMIT(match, rest) QUOTA("limit: { " match " }"), UP EXPECT("steps[1]") rest
#define LIMITS(number)                                                                                               \
        "3000 process " UNIT " role=main pid=100 errno=0 asked=3000ms limits='Max open files   " number              \
        "   4096   files'\n"

static const Sample limit_samples[] = {
        { LIMIT("MemoryMax: 64M", COUNTER("3000", "3000ms", "memory.max", "7", "text=67108864")
                                                  STEP_END("3001", "steps[1]") ENDED),
                        ONE("limit", "held") },
        { LIMIT("MemoryMax: 64M",
                          COUNTER("3000", "3000ms", "memory.max", "7", "text=9223372036854771712") CLOSED("7000")),
                        ONE("limit", "limit-not-in-force") },
        { LIMIT("MemoryMax: 64M", COUNTER("3000", "3000ms", "memory.max", "7", "text=max") CLOSED("7000")),
                        ONE("limit", "limit-not-in-force") },
        { LIMIT("MemoryMax: infinity", COUNTER("3000", "3000ms", "memory.max", "7", "text=max")
                                                       STEP_END("3001", "steps[1]") ENDED),
                        ONE("limit", "held") },
        { LIMIT("CPUQuota: 50%", COUNTER("3000", "3000ms", "cpu.max", "7", "text='50000 100000'")
                                                 STEP_END("3001", "steps[1]") ENDED),
                        ONE("limit", "held") },
        { LIMIT("CPUQuota: 50%", COUNTER("3000", "3000ms", "cpu.max", "7", "text=50000 period=100000")
                                                 STEP_END("3001", "steps[1]") ENDED),
                        ONE("limit", "held") },
        { LIMIT("CPUQuota: 50%", COUNTER("3000", "3000ms", "cpu.max", "7", "text=-1 period=100000") CLOSED("7000")),
                        ONE("limit", "limit-not-in-force") },
        /* What the kernel made of it: a quota in microseconds, bytes in whole pages. */
        { LIMIT("CPUQuota: 58%", COUNTER("3000", "3000ms", "cpu.max", "7", "text=58000 period=100000")
                                                 STEP_END("3001", "steps[1]") ENDED),
                        ONE("limit", "held") },
        { LIMIT("CPUQuota: 33.33%", COUNTER("3000", "3000ms", "cpu.max", "7", "text='33330 100000'")
                                                    STEP_END("3001", "steps[1]") ENDED),
                        ONE("limit", "held") },
        { LIMIT("CPUQuota: 33.33%", COUNTER("3000", "3000ms", "cpu.max", "7", "text='4999 15000'")
                                                    STEP_END("3001", "steps[1]") ENDED),
                        ONE("limit", "held") },
        { LIMIT("CPUQuota: 33.33%", COUNTER("3000", "3000ms", "cpu.max", "7", "text='33000 100000'") CLOSED("7000")),
                        ONE("limit", "limit-not-in-force") },
        { LIMIT("MemoryMax: 50000000", COUNTER("3000", "3000ms", "memory.max", "7", "text=49999872")
                                                       STEP_END("3001", "steps[1]") ENDED),
                        ONE("limit", "held") },
        { LIMIT("MemoryMax: [1G, 50000000]", COUNTER("3000", "3000ms", "memory.max", "7", "text=49999872")
                                                             STEP_END("3001", "steps[1]") ENDED),
                        ONE("limit", "held") },
        { LIMIT("MemoryMax: 50000000", COUNTER("3000", "3000ms", "memory.max", "7", "text=49995776") CLOSED("7000")),
                        ONE("limit", "limit-not-in-force") },
        { LIMIT("TasksMax: 10", GONE("3000", "3000ms", "pids.max", "2") CLOSED("7000")), ONE("limit", "unreadable") },
        { LIMIT("TasksMax: 10", CLOSED("7000")), ONE("limit", "unreadable") },
        { LIMIT("LimitNOFILE: 32", LIMITS("32") STEP_END("3001", "steps[1]") ENDED), ONE("limit", "held") },
        { LIMIT("LimitNOFILE: 32", LIMITS("1024") CLOSED("7000")), ONE("limit", "limit-not-in-force") },
        /* One of two. */
        { LIMIT("MemoryMax: 64M, TasksMax: 10", COUNTER("3000", "3000ms", "memory.max", "7", "text=67108864")
                                                                NO_TASKS_LIMIT CLOSED("7000")),
                        ONE("limit", "limit-not-in-force") },
};

#define ALWAYS(expect, rest)     "- start: agent.service\nalways:\n  - " expect "\n", UP rest ENDED
#define THROUGHOUT(kind, reason) "steps[0]:held always[0]." kind ":" reason " deaths:held"
#define TASKS(at, text)          COUNTER(at, at "ms", "pids.max", "7", "text=" text)
#define RUNNING_TASKS(at, n)     COUNTER(at, at "ms", "pids.current", "7", "text=" n)
#define DOWN(at)                 at " properties " UNIT " asked=" at "ms errno=0 ActiveState=inactive MainPID=0\n"

static const Sample always_samples[] = {
        { ALWAYS("limit: { TasksMax: 10 }", TASKS("1500", "10") TASKS("2500", "10")), THROUGHOUT("limit", "held") },
        { ALWAYS("limit: { TasksMax: 10 }", TASKS("1500", "10") TASKS("2000", "max") TASKS("2500", "10")),
                        THROUGHOUT("limit", "limit-not-in-force") },
        { ALWAYS("limit: { TasksMax: 10 }",
                          TASKS("1500", "10") GONE("2000", "2000ms", "pids.max", "13") TASKS("2500", "10")),
                        THROUGHOUT("limit", "unreadable") },
        /* Where there is no unit there is no limit; a cgroup without a process may not have its limits yet. */
        { ALWAYS("limit: { TasksMax: 10 }", TASKS("1500", "10") GONE("2000", "2000ms", "pids.max", "2") DOWN("2100")
                                                            TASKS("2200", "max")),
                        "steps[0]:held always[0].limit:held deaths:unexplained-death" },
        { ALWAYS("limit: { TasksMax: 10 }", ""), THROUGHOUT("limit", "unreadable") },
        { ALWAYS("cgroup: { pids.denied: 0 }",
                          NO_CGROUP("pids.denied") TASKS("1500", "10") TASKS("2000", "max") TASKS("2500", "10")
                                          DENIED("90000", "90000ms", "7", "0")),
                        THROUGHOUT("cgroup", "limit-not-in-force") },
        { ALWAYS("cgroup: { pids.current: 1 }", GONE("1050", "1050ms", "pids.current", "2") RUNNING_TASKS("1500", "1")
                                                                RUNNING_TASKS("2500", "1")),
                        THROUGHOUT("cgroup", "held") },
        { ALWAYS("cgroup: { pids.current: 1 }", RUNNING_TASKS("1500", "1") GONE("2000", "2000ms", "pids.current", "2")
                                                                RUNNING_TASKS("2500", "1")),
                        THROUGHOUT("cgroup", "unreadable") },
        { ALWAYS("cgroup: { pids.current: 1 }", RUNNING_TASKS("1500", "1") GONE("2000", "2000ms", "pids.current", "2")
                                                                RUNNING_TASKS("2500", "2")),
                        THROUGHOUT("cgroup", "forbidden-seen") },
};

#define OOM(expect, rest)                                                                                            \
        QUOTA("oom-kill: { " expect " }"), MARKED UP HOST("100", "9100", "main") GROUP EXPECT("steps[1]") rest
#define MARKED                "800 versions - performer=50 cgroup-mark=agenttest-ab-1\n"
#define HOST(pid, host, role) "1060 host-pid " UNIT " pid=" pid " host-pid=" host " role=" role "\n"
#define GROUP                 COUNTER("1100", "1100ms", "populated", "7", "key=populated text='populated 1'")
#define MEMORY_LIMIT          COUNTER("2500", "2500ms", "memory.max", "7", "text=67108864")
#define LIMITED(at, limit, path, pid)                                                                                \
        at " kernel - MESSAGE='oom-kill:constraint=X," limit ",task_memcg=" path ",task=x,pid=" pid ",uid=0'\n"
#define FULL(at, path, pid) LIMITED(at, "oom_memcg=" path, path, pid)
#define BARE(at, pid)       at " kernel - MESSAGE='Memory cgroup out of memory: Killed process " pid " (x) total-vm:1kB'\n"
#define OURS                "/agenttest-ab-1/system.slice/agent.service"
#define BY_SLICE(pid)       LIMITED("3000", "oom_memcg=/agenttest-ab-1/system.slice", OURS, pid) BARE("3000", pid)
#define KILLS(at, n)        COUNTER(at, at "ms", "memory.oom-kills", "7", "key=oom_kill text='oom_kill " n "'")
#define DECIDED             STEP_END("5000", "steps[1]") ENDED

static const Sample oom_samples[] = {
        { OOM("victim: main", MEMORY_LIMIT FULL("3000", OURS, "9100") BARE("3000", "9100") DECIDED),
                        ONE("oom-kill", "held") },
        { OOM("victim: child", MEMORY_LIMIT FULL("3000", OURS, "9200") BARE("3000", "9200") DECIDED),
                        ONE("oom-kill", "held") },
        { OOM("victim: child", MEMORY_LIMIT LIMITED("3000", "oom_memcg=" OURS, OURS "/sub", "9200") DECIDED),
                        ONE("oom-kill", "held") },
        { OOM("victim: hog", HOST("300", "9300", "hog") MEMORY_LIMIT BARE("3000", "9300") DECIDED),
                        ONE("oom-kill", "held") },
        /* Both lines are one kill. */
        { OOM("count: 1", MEMORY_LIMIT FULL("3000", OURS, "9100") BARE("3000", "9100") KILLS("6500", "1")
                                          CLOSED("7000")),
                        ONE("oom-kill", "held") },
        { OOM("count: 1", MEMORY_LIMIT FULL("3000", OURS, "9100") BARE("3000", "9100") FULL("3500", OURS, "9200")
                                          BARE("3500", "9200") CLOSED("7000")),
                        ONE("oom-kill", "wrong-value") },
        /* Somebody else: another victim, another unit, another stage. */
        { OOM("victim: child", MEMORY_LIMIT FULL("3000", OURS, "9100") CLOSED("7000")),
                        ONE("oom-kill", "wrong-value") },
        { OOM("victim: main",
                          MEMORY_LIMIT FULL("3000", "/agenttest-ab-1/system.slice/b.service", "9400") CLOSED("7000")),
                        ONE("oom-kill", "load-too-low") },
        { OOM("victim: main", MEMORY_LIMIT FULL("3000", "/agenttest-ab-12/system.slice/agent.service", "9400")
                                              CLOSED("7000")),
                        ONE("oom-kill", "load-too-low") },
        { OOM("victim: main", MEMORY_LIMIT FULL("3000", OURS "2", "9400") CLOSED("7000")),
                        ONE("oom-kill", "load-too-low") },
        /* The first line was held back: the unit's own counter says that the kill was in it, or does not. */
        { OOM("victim: child", NO_CGROUP("memory.oom-kills") MEMORY_LIMIT BARE("3000", "9200") KILLS("3100", "1")
                                               CLOSED("7000")),
                        ONE("oom-kill", "held") },
        { OOM("victim: child", NO_CGROUP("memory.oom-kills") MEMORY_LIMIT BARE("3000", "9200") KILLS("3100", "0")
                                               CLOSED("7000")),
                        ONE("oom-kill", "load-too-low") },
        { OOM("victim: child", NO_CGROUP("memory.oom-kills") MEMORY_LIMIT FULL("3000", "/x", "9200")
                                               BARE("3000", "9200") KILLS("3100", "1") CLOSED("7000")),
                        ONE("oom-kill", "channel-lost") },
        /* The counter knows of more kills than the log. */
        { OOM("count: 0", NO_CGROUP("memory.oom-kills") MEMORY_LIMIT KILLS("6500", "1") CLOSED("7000")),
                        ONE("oom-kill", "channel-lost") },
        { OOM("count: 1", NO_CGROUP("memory.oom-kills") MEMORY_LIMIT FULL("3000", OURS, "9100") BARE("3000", "9100")
                                          KILLS("6500", "2") CLOSED("7000")),
                        ONE("oom-kill", "channel-lost") },
        /* More lines than kills: it was one of them, and by the counter's reading, not by a line's stamp. */
        { OOM("victim: child", NO_CGROUP("memory.oom-kills") MEMORY_LIMIT BARE("3000", "9200") BARE("3001", "9400")
                                               KILLS("3100", "1") KILLS("6500", "1") CLOSED("7000")),
                        ONE("oom-kill", "held") },
        /* While the window is open, the line about the unit's own victim may still be to come. */
        { OOM("victim: child", NO_CGROUP("memory.oom-kills") MEMORY_LIMIT BARE("3000", "9200") KILLS("3100", "1")
                                               BARE("3200", "9100") CLOSED("7000")),
                        ONE("oom-kill", "wrong-value") },
        { OOM("victim: child",
                          NO_CGROUP("memory.oom-kills") MEMORY_LIMIT BARE("3000", "9200") KILLS("3100", "1") DECIDED),
                        ONE("oom-kill", "not-recorded") },
        { OOM("victim: any",
                          NO_CGROUP("memory.oom-kills") MEMORY_LIMIT BARE("3000", "9200") KILLS("3100", "1") DECIDED),
                        ONE("oom-kill", "held") },
        { OOM("victim: child, count: 1", NO_CGROUP("memory.oom-kills") MEMORY_LIMIT BARE("3000", "9200")
                                                         BARE("6400", "9400") KILLS("6500", "1") CLOSED("7000")),
                        ONE("oom-kill", "late-stamp") },
        { OOM("victim: child, count: 1",
                          NO_CGROUP("memory.oom-kills") MEMORY_LIMIT BARE("3000", "9200") BARE("6400", "9400")
                                          KILLS("3100", "1") KILLS("6500", "1") CLOSED("7000")),
                        ONE("oom-kill", "held") },
        /* A group is killed with its first victim, which is told of twice, and counted twice. */
        { OOM("victim: main, count: 1", NO_CGROUP("memory.oom-kills") MEMORY_LIMIT FULL("3000", OURS, "9100")
                                                        BARE("3000", "9100") BARE("3000", "9200") BARE("3000", "9100")
                                                                        KILLS("6500", "3") CLOSED("7000")),
                        ONE("oom-kill", "held") },
        { OOM("count: 2", NO_CGROUP("memory.oom-kills") MEMORY_LIMIT FULL("3000", OURS, "9100") BARE("3000", "9100")
                                          BARE("3000", "9200") BARE("3000", "9100") KILLS("6500", "3")
                                                          CLOSED("7000")),
                        ONE("oom-kill", "held") },
        /* The limit of the slice, or the machine's end, is not the unit's. */
        { OOM("victim: main", MEMORY_LIMIT BY_SLICE("9100") CLOSED("7000")), ONE("oom-kill", "load-too-low") },
        { OOM("victim: main", MEMORY_LIMIT LIMITED("3000", "global_oom", OURS, "9100") CLOSED("7000")),
                        ONE("oom-kill", "load-too-low") },
        { OOM("victim: main", MEMORY_LIMIT BY_SLICE("9100") FULL("3500", OURS, "9100") BARE("3500", "9100") DECIDED),
                        ONE("oom-kill", "held") },
        { OOM("count: 0", MEMORY_LIMIT BY_SLICE("9100") CLOSED("7000")), ONE("oom-kill", "wrong-value") },
        /* Rule 7, and a log that cannot be read. */
        { OOM("victim: main", CLOSED("7000")), ONE("oom-kill", "limit-not-in-force") },
        { OOM("victim: main", MEMORY_LIMIT CLOSED("7000")), ONE("oom-kill", "load-too-low") },
        { OOM("victim: main", MEMORY_LIMIT "3000 channel - channel=kmsg health=lost text=overrun\n" CLOSED("7000")),
                        ONE("oom-kill", "channel-lost") },
        { OOM("count: 0", MEMORY_LIMIT "3000 channel - channel=kmsg health=absent text=none\n" CLOSED("7000")),
                        ONE("oom-kill", "channel-lost") },
        { OOM("count: 0", MEMORY_LIMIT CLOSED("7000")), ONE("oom-kill", "held") },
        { OOM("victim: main", MEMORY_LIMIT FULL("6500", OURS, "9100") CLOSED("7000")),
                        ONE("oom-kill", "late-stamp") },
        /* A main process that was never translated: who knows which one it was. */
        { QUOTA("oom-kill: { victim: child }"),
                        MARKED UP GROUP EXPECT("steps[1]") MEMORY_LIMIT FULL("3000", OURS, "9200") CLOSED("7000"),
                        ONE("oom-kill", "unreadable") },
};

#define HOG(resource, amount, rest)                                                                                  \
        "- start: agent.service\n- hog: { " resource ": " amount " }\n",                                             \
                        MARKED UP GROUP "2000 step-begin - step=steps[1] run=0 kind=hog quote=*\n"                   \
                                        "2005 hog " UNIT " phase=begin resource=" resource " pid=300\n" rest         \
                                        "2900 hog " UNIT " phase=report resource=" resource                          \
                                        " pid=300 text='took'\n" STEP_END("3100", "steps[1]") ENDED
#define HOGGED(reason)     "steps[0]:held steps[1]:" reason " deaths:held"
#define HIGH_LIMIT(text)   COUNTER("2001", "2001ms", "memory.high", "7", "text=" text)
#define MAX_LIMIT(text)    COUNTER("2001", "2001ms", "memory.max", "7", "text=" text)
#define HIGH_HITS(at, n)   COUNTER(at, at "ms", "memory.high-hits", "7", "key=high text='high " n "'")
#define DENIALS_FROM_TO(n) DENIED("2001", "2001ms", "7", "0") DENIED("2500", "2500ms", "7", n)

static const Sample hog_samples[] = {
        { HOG("tasks", "50", TASKS_LIMIT DENIALS_FROM_TO("3") PIDS_PEAK("2501", "10")), HOGGED("held") },
        { HOG("tasks", "50", TASKS_LIMIT DENIALS_FROM_TO("3") PIDS_PEAK("2501", "9")), HOGGED("load-too-low") },
        { HOG("tasks", "50", TASKS_LIMIT DENIALS_FROM_TO("3")), HOGGED("held") },
        { HOG("tasks", "50", TASKS_LIMIT DENIALS_FROM_TO("0") PIDS_PEAK("2501", "9")), HOGGED("load-too-low") },
        { HOG("tasks", "50", NO_TASKS_LIMIT DENIALS_FROM_TO("0")), HOGGED("limit-not-in-force") },
        /* Whose limit it was says the kernel's record. */
        { HOG("memory", "200M", MEMORY_LIMIT KILLS("2002", "0") KILLS("2500", "1") FULL("2600", OURS, "9300")),
                        HOGGED("held") },
        { HOG("memory", "200M",
                          MEMORY_LIMIT KILLS("2002", "0") KILLS("2500", "1")
                                          LIMITED("2600", "oom_memcg=/agenttest-ab-1/q.slice", OURS, "9300")),
                        HOGGED("load-too-low") },
        /* With both limits, MemoryHigh= is on the way to the other one. */
        { HOG("memory", "200M",
                          HIGH_LIMIT("41943040") MAX_LIMIT("max") HIGH_HITS("2002", "0") HIGH_HITS("2500", "7")),
                        HOGGED("held") },
        { HOG("memory", "200M",
                          HIGH_LIMIT("41943040") MAX_LIMIT("50331648") HIGH_HITS("2002", "0") HIGH_HITS("2500", "7")),
                        HOGGED("load-too-low") },
        { HOG("memory", "10M", HIGH_LIMIT("41943040") MAX_LIMIT("max") HIGH_HITS("2002", "0")),
                        HOGGED("load-too-low") },
        { HOG("memory", "10M", HIGH_LIMIT("max") MAX_LIMIT("max") HIGH_HITS("2002", "0")),
                        HOGGED("limit-not-in-force") },
};

START_TEST(a_hog_reaches_the_limit_of_its_unit) {
        assert_sample(&hog_samples[_i]);
}
END_TEST

START_TEST(counters_are_ranges) {
        assert_sample(&counter_samples[_i]);
}
END_TEST

START_TEST(a_load_needs_a_quota_that_holds) {
        assert_sample(&load_samples[_i]);
}
END_TEST

START_TEST(limits_are_read_back) {
        assert_sample(&limit_samples[_i]);
}
END_TEST

START_TEST(an_invariant_rests_on_every_look) {
        assert_sample(&always_samples[_i]);
}
END_TEST

START_TEST(victims_are_told_by_the_record) {
        assert_sample(&oom_samples[_i]);
}
END_TEST

static const struct {
        const char *counter, *key, *text, *period;
        double number;
} texts[] = {
        { "memory.max", NULL, "9223372036854771712\n", NULL, INFINITY }, /* v1 */
        { "memory.max", NULL, "max\n", NULL, INFINITY },                 /* v2 */
        { "memory.max", NULL, "50331648\n", NULL, 50331648 },
        { "memory.oom-kills", "oom_kill", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", NULL, 3 },
        { "memory.oom-kills", "oom_kill", "low 0\nhigh 0\nmax 40\noom 2\noom_kill 1\noom_group_kill 0\n", NULL, 1 },
        { "memory.high-hits", "high", "low 0\nhigh 17\nmax 0\n", NULL, 17 },
        { "pids.denied", "max", "max 965\n", NULL, 965 },
        { "cpu.max", NULL, "-1\n", "100000\n", INFINITY },
        { "cpu.max", NULL, "25000\n", "100000\n", 25 },
        { "cpu.max", NULL, "max 100000\n", NULL, INFINITY },
        { "cpu.max", NULL, "150000 100000\n", NULL, 150 },
        { "cpu.usage", "usage_usec", "usage_usec 21466\nuser_usec 10733\n", NULL, 21466 },
        { "cpu.throttled", "nr_throttled", "nr_periods 9\nnr_throttled 4\nthrottled_time 1\n", NULL, 4 },
        { "cpu.throttled", "nr_throttled", "usage_usec 1\nnr_periods 9\nnr_throttled 4\nthrottled_usec 1\n", NULL,
                        4 },
        { "populated", "populated", "populated 1\nfrozen 0\n", NULL, 1 },
        /* Not known: the word is not there, no number, a quota without its period. */
        { "memory.high-hits", "high", "low 0\n", NULL, NAN },
        { "memory.max", NULL, "", NULL, NAN },
        { "cpu.max", NULL, "25000\n", NULL, NAN },
};

START_TEST(texts_of_both_hierarchies_are_numbers) {
        CLEANUP(entry_free_p) Entry *entry = entry_new(SOURCE_CGROUP, ENTRY_COUNTER, 1, 1, UNIT);
        double number = 0;

        entry_set(entry, "counter", texts[_i].counter);
        if (texts[_i].key)
                entry_set(entry, "key", texts[_i].key);
        if (texts[_i].period)
                entry_set(entry, "period", texts[_i].period);
        entry_set(entry, "text", texts[_i].text);
        ck_assert(counter_number(entry, &number) == !isnan(texts[_i].number));
        if (!isnan(texts[_i].number))
                ck_assert_msg(number == texts[_i].number, "%s: %f", texts[_i].text, number);
}
END_TEST

START_TEST(the_card_says_how_far_it_got) {
        CLEANUP(cards_done) Cards cards = { 0 };
        CLEANUP_TEXT Text text = TEXT_INIT;
        Play play;

        play_init(&play, QUOTA("cgroup: { pids.denied: '>= 1' }"),
                        UP BASE("memory.max", "100") BASE("memory.peak", "40") TASKS_LIMIT DENIED(
                                        "3000", "3000ms", "7", "3") DENIED("4000", "4000ms", "8", "2") COUNTER("4000",
                                        "4000ms", "memory.peak", "7", "text=75") CPU_LIMIT THROTTLED("4000", "5")
                                        COUNTER("4000", "4000ms", "cpu.periods", "7", "text=20"));
        ck_assert_int_eq(cards_make(play.timeline, &cards), 0);
        ck_assert_uint_eq(cards.n_items, 1);
        ck_assert(cards.items[0].is_about_quotas);
        ck_assert_str_eq(card_value(&cards.items[0], "memory-headroom"), "25%");
        ck_assert_str_eq(card_value(&cards.items[0], "tasks-denied"), ">= 5");
        ck_assert_str_eq(card_value(&cards.items[0], "cpu-quota"), "50%");
        ck_assert_str_eq(card_value(&cards.items[0], "cpu-throttled"), "25%");
        ck_assert_ptr_null(card_value(&cards.items[0], "oom-kills"));
        cards_encode(&cards, &text);
        ck_assert_str_eq(text_get(&text),
                        "{\"agent.service\":{\"memory-max\":\"100\",\"memory-peak\":\"75\","
                        "\"memory-headroom\":\"25%\",\"tasks-max\":\"10\",\"tasks-denied\":\">= 5\","
                        "\"cpu-quota\":\"50%\",\"cpu-throttled\":\"25%\"}}\n");
        text_truncate(&text, 0);
        card_line(&cards.items[0], &text);
        ck_assert_str_eq(text_get(&text), "memory-max 100, memory-peak 75, memory-headroom 25%, tasks-max 10, "
                                          "tasks-denied >= 5, cpu-quota 50%, cpu-throttled 25%");
        play_done(&play);
}
END_TEST

#define AGAIN "2000 properties " UNIT " asked=2000ms errno=0" RUNNING("200", "1900ms", "bb", "1") "\n"

/* Of what ran before the first reading the card knows only what the kernel wrote. */
START_TEST(the_card_does_not_speak_for_the_cgroup_that_was_not_read) {
        CLEANUP(cards_done) Cards cards = { 0 };
        CLEANUP_TEXT Text text = TEXT_INIT;
        Play play;

        play_init(&play, QUOTA("cgroup: { pids.denied: '>= 1' }"),
                        MARKED UP FULL("1500", OURS, "9100") BARE("1500", "9100")
                                        AGAIN TASKS_LIMIT PIDS_PEAK("3000", "1") KILLS("3001", "0")
                                                        COUNTER("3002", "3002ms", "memory.max", "7", "text=100"));
        ck_assert_int_eq(cards_make(play.timeline, &cards), 0);
        cards_encode(&cards, &text);
        ck_assert_str_eq(text_get(&text), "{\"agent.service\":{\"memory-max\":\"100\",\"oom-kills\":\">= 1\","
                                          "\"tasks-max\":\"10\",\"tasks-peak\":\">= 1\"}}\n");
        play_done(&play);
}
END_TEST

Suite *quota_suite(void) {
        Suite *suite = suite_create("quota");
        TCase *tcase = tcase_create("quota");

        tcase_add_loop_test(tcase, counters_are_ranges, 0, (int) ELEMENTS_OF(counter_samples));
        tcase_add_loop_test(tcase, a_load_needs_a_quota_that_holds, 0, (int) ELEMENTS_OF(load_samples));
        tcase_add_loop_test(tcase, limits_are_read_back, 0, (int) ELEMENTS_OF(limit_samples));
        tcase_add_loop_test(tcase, an_invariant_rests_on_every_look, 0, (int) ELEMENTS_OF(always_samples));
        tcase_add_loop_test(tcase, a_hog_reaches_the_limit_of_its_unit, 0, (int) ELEMENTS_OF(hog_samples));
        tcase_add_loop_test(tcase, victims_are_told_by_the_record, 0, (int) ELEMENTS_OF(oom_samples));
        tcase_add_loop_test(tcase, texts_of_both_hierarchies_are_numbers, 0, (int) ELEMENTS_OF(texts));
        tcase_add_test(tcase, the_card_says_how_far_it_got);
        tcase_add_test(tcase, the_card_does_not_speak_for_the_cgroup_that_was_not_read);
        suite_add_tcase(suite, tcase);
        return suite;
}
