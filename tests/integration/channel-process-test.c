/* SPDX-License-Identifier: MIT */
/* Process accounting, the kernel log, cgroup counters, /proc, and what a stop leaves behind. */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "channel-rig.h"
#include "observe/process-probe.h"

#define X "x.service"

static void child_death(Channels *channels) {
        const Entry *death;
        int status;

        HOLDS(channels, strcmp(channels_job(channels, X, "start"), "done") == 0);
        channels_await(channels, 0, ENTRY_MAIN_GONE, X, NULL, NULL);
        HOLDS(channels, channels_acct_barrier(channels) == 0);
        death = channels_await(channels, 0, ENTRY_DEATH, NULL, "status", "10");
        status = (int) entry_get_number(death, "status", 0);
        HOLDS(channels, WIFSIGNALED(status) && WTERMSIG(status) == 10);
        HOLDS(channels, entry_get_number(death, "pid", 0) > 1 && entry_get_number(death, "ppid", 0) > 0);
        HOLDS(channels, !timeline_next(channels->observer.timeline, 0, ENTRY_CHANNEL, NULL));
}

/* The daemon reaps it itself and exits 0: neither the bus nor the journal knows of it. */
START_TEST(accounting_sees_the_death_of_a_child) {
        static const ChannelUnit units[] = {
                { X, "[Service]\nExecStart=/bin/sh -c 'sleep 1000 & kill -USR1 $$!; wait; exit 0'\n" },
        };

        channels_play(units, 1, child_death);
}
END_TEST

static void accounting_switched_off(Channels *channels) {
        const Entry *lost;

        HOLDS(channels, channels_acct_barrier(channels) == 0);
        HOLDS(channels, acct(NULL) == 0);
        HOLDS(channels, channels_acct_barrier(channels) == -ENODATA);
        lost = channels_await(channels, 0, ENTRY_CHANNEL, NULL, "channel", "acct");
        HOLDS(channels, entry_has(lost, "health", "lost"));
}

START_TEST(accounting_that_somebody_switched_off_is_lost) {
        channels_play(NULL, 0, accounting_switched_off);
}
END_TEST

static void oom_kill(Channels *channels) {
        const Entry *kernel;

        HOLDS(channels, channels->stage->kmsg_fd >= 0);
        HOLDS(channels, strcmp(channels_job(channels, X, "start"), "done") == 0);
        channels_await(channels, 0, ENTRY_MAIN_GONE, X, NULL, NULL);
        HOLDS(channels, kmsg_watch_drain(channels->kmsg) == 0);
        /* The log is the whole machine's: records of others are in it, too. */
        kernel = timeline_next(channels->observer.timeline, 0, ENTRY_KERNEL, NULL);
        while (kernel && !(strstr(entry_get(kernel, "MESSAGE"), "task_memcg=") &&
                                         strstr(entry_get(kernel, "MESSAGE"), channels->stage->cgroup_mark)))
                kernel = timeline_next(channels->observer.timeline, kernel->index + 1, ENTRY_KERNEL, NULL);
        HOLDS(channels, kernel && strstr(entry_get(kernel, "MESSAGE"), "/x.service,task=tail"));
}

START_TEST(the_kernel_tells_of_an_oom_kill) {
        static const ChannelUnit units[] = {
                { X, "[Service]\nMemoryMax=20M\nMemorySwapMax=0\nExecStart=/usr/bin/tail /dev/zero\n" },
        };

        channels_play(units, 1, oom_kill);
}
END_TEST

static const Entry *sample(Channels *channels, const char *control_group, const char *counter) {
        HOLDS(channels, cgroup_reader_sample(channels->cgroups, X, control_group, counter, NULL) == 0);
        return timeline_last(channels->observer.timeline, SIZE_MAX, ENTRY_COUNTER, X);
}

static void counters(Channels *channels) {
        static const char *const names[] = {
                "memory.peak",
                "memory.current",
                "memory.oom-kills",
                "pids.current",
                "pids.denied",
                "cpu.throttled",
                "cpu.usage",
                "populated",
                "procs",
                "file:cgroup.procs",
        };
        const char *group;
        const Entry *entry;

        HOLDS(channels, strcmp(channels_job(channels, X, "start"), "done") == 0);
        HOLDS(channels, channels_bus_barrier(channels) == 0);
        group = bus_watch_control_group(channels->bus, X);
        HOLDS(channels, group);
        for (size_t i = 0; i < ELEMENTS_OF(names); i++) {
                entry = sample(channels, group, names[i]);
                if (!entry_has(entry, "errno", "0") || entry_get(entry, "text")[0] == '\0')
                        channels_fail(channels, __FILE__, __LINE__, names[i]);
        }
        HOLDS(channels, strtol(entry_get(sample(channels, group, "memory.max"), "text"), NULL, 10) == 64 << 20);
        HOLDS(channels, strtol(entry_get(sample(channels, group, "pids.max"), "text"), NULL, 10) == 7);
        HOLDS(channels, cgroup_reader_sample(channels->cgroups, X, group, "no.such", NULL) == -EINVAL);
        entry = sample(channels, "/system.slice/none.service", "memory.peak");
        HOLDS(channels, entry_get_number(entry, "errno", 0) == ENOENT);
}

START_TEST(counters_are_read_by_their_portable_names) {
        static const ChannelUnit units[] = {
                { X, "[Service]\nType=exec\nMemoryMax=64M\nTasksMax=7\nExecStart=/bin/sleep 1000\n" },
        };

        channels_play(units, 1, counters);
}
END_TEST

static void proc(Channels *channels) {
        const Entry *entry;
        size_t from;

        HOLDS(channels, strcmp(channels_job(channels, X, "start"), "done") == 0);
        channels_await(channels, 0, ENTRY_PROPERTIES, X, "SubState", "running");
        from = timeline_length(channels->observer.timeline);
        HOLDS(channels, process_probe(&channels->observer, X, bus_watch_main_pid(channels->bus, X)) == 0);
        entry = channels_await(channels, from, ENTRY_PROCESS, X, "role", "main");
        HOLDS(channels, entry_has(entry, "errno", "0") && entry_has(entry, "cwd", "/usr"));
        HOLDS(channels, strstr(entry_get(entry, "status"), "Name:\tsh") &&
                                        strstr(entry_get(entry, "limits"), "Max open files"));
        /* One, and perhaps systemd-notify on its way out. */
        HOLDS(channels, entry_get_number(entry, "n_children", 0) >= 1 && entry_get(entry, "n_zombies"));
        HOLDS(channels, strstr(entry_get(entry, "fds"), "0 -> /dev/null\n") &&
                                        entry_get_number(entry, "n_fds", 0) >= 3);
        entry = channels_await(channels, from, ENTRY_PROCESS, X, "role", "child");
        HOLDS(channels, strstr(entry_get(entry, "status"), "Name:\tsleep"));
        HOLDS(channels, process_probe(&channels->observer, X, 4000000) == 0);
        entry = timeline_last(channels->observer.timeline, SIZE_MAX, ENTRY_PROCESS, X);
        HOLDS(channels, entry_get_number(entry, "errno", 0) == ENOENT);
}

/* Type=notify: once it is active, the child is there. */
START_TEST(proc_tells_of_the_main_process_and_its_children) {
        static const ChannelUnit units[] = {
                { X, "[Service]\nType=notify\nNotifyAccess=all\nWorkingDirectory=/usr\n"
                     "ExecStart=/bin/sh -c 'sleep 1000 & until grep -q sleep /proc/$$!/comm; do :; done; "
                     "systemd-notify --ready; wait'\n" },
        };

        channels_play(units, 1, proc);
}
END_TEST

static void orphan(Channels *channels) {
        const Entry *entry;

        HOLDS(channels, left_behind_probe(channels->left_behind, X, NULL) == 0);
        entry = timeline_last(channels->observer.timeline, SIZE_MAX, ENTRY_LEFT_BEHIND, X);
        HOLDS(channels, entry_has(entry, "processes", "") && entry_has(entry, "sockets", ""));

        HOLDS(channels, strcmp(channels_job(channels, X, "start"), "done") == 0);
        HOLDS(channels, channels_bus_barrier(channels) == 0);
        HOLDS(channels, strcmp(channels_job(channels, X, "stop"), "done") == 0);
        HOLDS(channels, left_behind_probe(channels->left_behind, X, bus_watch_control_group(channels->bus, X)) == 0);
        entry = timeline_last(channels->observer.timeline, SIZE_MAX, ENTRY_LEFT_BEHIND, X);
        HOLDS(channels, strstr(entry_get(entry, "processes"), " sleep /system.slice/x.service\n"));
        HOLDS(channels, entry_get(entry, "cgroup") && strstr(entry_get(entry, "cgroup"), "/system.slice/x.service"));
}

START_TEST(an_orphan_of_a_stopped_unit_is_left_behind) {
        static const ChannelUnit units[] = {
                { X, "[Service]\nType=notify\nNotifyAccess=all\nKillMode=process\n"
                     "ExecStart=/bin/sh -c 'sleep 1000 & until grep -q sleep /proc/$$!/comm; do :; done; "
                     "systemd-notify --ready; wait'\n" },
        };

        channels_play(units, 1, orphan);
}
END_TEST

Suite *channel_process_suite(void) {
        Suite *suite = suite_create("process");
        TCase *cases = tcase_create("process");

        tcase_add_checked_fixture(cases, rig_set_up, rig_tear_down);
        tcase_add_test(cases, accounting_sees_the_death_of_a_child);
        tcase_add_test(cases, accounting_that_somebody_switched_off_is_lost);
        tcase_add_test(cases, the_kernel_tells_of_an_oom_kill);
        tcase_add_test(cases, counters_are_read_by_their_portable_names);
        tcase_add_test(cases, proc_tells_of_the_main_process_and_its_children);
        tcase_add_test(cases, an_orphan_of_a_stopped_unit_is_left_behind);
        tcase_set_timeout(cases, 90);
        suite_add_tcase(suite, cases);
        return suite;
}
