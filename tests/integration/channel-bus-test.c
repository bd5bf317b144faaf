/* SPDX-License-Identifier: MIT */
/* The bus channel and the exit facts: what evidence.md says of them, seen on a real systemd. */
#include <signal.h>
#include <string.h>

#include "channel-rig.h"

#define X "x.service"

static bool has_triple(const Channels *channels, const char *outcome, const char *code, const char *status) {
        return strcmp(channels_property(channels, X, "Result"), outcome) == 0 &&
               strcmp(channels_property(channels, X, "ExecMainCode"), code) == 0 &&
               strcmp(channels_property(channels, X, "ExecMainStatus"), status) == 0;
}

static void start_x(Channels *channels) {
        HOLDS(channels, strcmp(channels_job(channels, X, "start"), "done") == 0);
        channels_await(channels, 0, ENTRY_PROPERTIES, X, "ActiveState", "active");
}

static void stop_clean(Channels *channels) {
        const Entry *active, *removed;
        size_t from;

        /* The first snapshot has everything, and is from before the start. */
        HOLDS(channels, strcmp(channels_property(channels, X, "LoadState"), "loaded") == 0);
        HOLDS(channels, strcmp(channels_property(channels, X, "RestartUSec"), "5000000") == 0);
        HOLDS(channels, strcmp(channels_property(channels, X, "ActiveState"), "inactive") == 0);
        start_x(channels);
        channels_await(channels, 0, ENTRY_PROPERTIES, X, "SubState", "running");
        HOLDS(channels, bus_watch_main_pid(channels->bus, X) > 0);
        HOLDS(channels, channels_bus_barrier(channels) == 0);
        HOLDS(channels, strcmp(bus_watch_control_group(channels->bus, X), "/system.slice/x.service") == 0);

        from = timeline_length(channels->observer.timeline);
        HOLDS(channels, bus_watch_check_alive(channels->bus, X) == 0);
        HOLDS(channels, timeline_next(channels->observer.timeline, from, ENTRY_MAIN_ALIVE, X));
        HOLDS(channels, strcmp(channels_job(channels, X, "stop"), "done") == 0);
        channels_await(channels, from, ENTRY_MAIN_GONE, X, NULL, NULL);
        channels_await(channels, from, ENTRY_PROPERTIES, X, "ActiveState", "inactive");
        HOLDS(channels, has_triple(channels, "success", "1", "0"));
        HOLDS(channels, strcmp(channels_property(channels, X, "ExecMainExitTimestampMonotonic"), "0") != 0);

        from = timeline_length(channels->observer.timeline);
        HOLDS(channels, bus_watch_check_alive(channels->bus, X) == 0);
        HOLDS(channels, timeline_length(channels->observer.timeline) == from);

        /* A change is known before the job is removed. */
        active = channels_await(channels, 0, ENTRY_PROPERTIES, X, "ActiveState", "active");
        removed = channels_await(channels, 0, ENTRY_JOB_REMOVED, X, NULL, NULL);
        HOLDS(channels, active->index < removed->index);
        HOLDS(channels, entry_get_usec(active, "asked", 0) <= active->at_usec);
}

START_TEST(a_clean_stop_shows_its_triple) {
        static const ChannelUnit units[] = {
                { X, "[Service]\nType=notify\nNotifyAccess=all\nRestartSec=5s\n"
                     "ExecStart=/bin/sh -c 'trap \"exit 0\" TERM; systemd-notify --ready; sleep 1000 & wait'\n" },
        };

        channels_play(units, 1, stop_clean);
}
END_TEST

static void stop_by_default_action(Channels *channels) {
        start_x(channels);
        HOLDS(channels, strcmp(channels_job(channels, X, "stop"), "done") == 0);
        HOLDS(channels, channels_bus_barrier(channels) == 0);
        HOLDS(channels, has_triple(channels, "success", "2", "15"));
        HOLDS(channels, strcmp(channels_property(channels, X, "ExecMainExitTimestampMonotonic"), "0") != 0);
}

/* Without the pin the unit would be unloaded and read as (success, 0, 0): the same as a clean stop. */
START_TEST(a_stop_by_the_default_action_can_be_told_from_a_clean_one) {
        static const ChannelUnit units[] = { { X, "[Service]\nExecStart=/bin/sleep 1000\n" } };

        channels_play(units, 1, stop_by_default_action);
}
END_TEST

static void crash_and_restart(Channels *channels) {
        const Entry *action, *gone;
        CLEANUP_FREE char *pid = NULL;

        start_x(channels);
        HOLDS(channels, asprintf(&pid, "%d", bus_watch_main_pid(channels->bus, X)) > 0);
        HOLDS(channels, bus_watch_signal_main(channels->bus, X, SIGSEGV) == 0);
        action = timeline_last(channels->observer.timeline, SIZE_MAX, ENTRY_SIGNAL_ACTION, X);
        HOLDS(channels, entry_has(action, "pid", pid) && entry_has(action, "errno", "0") &&
                                        entry_has(action, "signal", "11"));
        gone = channels_await(channels, action->index, ENTRY_MAIN_GONE, X, "pid", pid);
        HOLDS(channels, gone->at_usec >= entry_get_usec(action, "asked", UINT64_MAX));
        /* Nobody asks, and a state of 300 ms is seen all the same. */
        channels_await(channels, action->index, ENTRY_PROPERTIES, X, "SubState", "auto-restart");
        HOLDS(channels, strcmp(channels_property(channels, X, "Result"), "signal") == 0 ||
                                        strcmp(channels_property(channels, X, "Result"), "core-dump") == 0);
        HOLDS(channels, strcmp(channels_property(channels, X, "ExecMainStatus"), "11") == 0);
        channels_await(channels, gone->index, ENTRY_PROPERTIES, X, "NRestarts", "1");
        channels_await(channels, gone->index, ENTRY_PROPERTIES, X, "ActiveState", "active");
        HOLDS(channels, bus_watch_main_pid(channels->bus, X) != strtol(pid, NULL, 10));
}

/* Type=exec: a "simple" service is active before its program runs, and a signal then hits systemd's own child (H-42).
 */
START_TEST(a_crash_and_its_restart_are_seen_without_asking) {
        static const ChannelUnit units[] = {
                { X, "[Service]\nType=exec\nExecStart=/bin/sleep 1000\nRestart=on-failure\nRestartSec=300ms\n" },
        };

        channels_play(units, 1, crash_and_restart);
}
END_TEST

static void refusals(Channels *channels) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        const Entry *entry;

        HOLDS(channels, bus_watch_job(channels->bus, "no-such.service", "start", NULL, &error) == 0);
        entry = channels_await(channels, 0, ENTRY_JOB_ACTION, "no-such.service", NULL, NULL);
        HOLDS(channels, entry_has(entry, "error", "org.freedesktop.systemd1.NoSuchUnit"));
        HOLDS(channels, !entry_get(entry, "job") && entry_get(entry, "text"));
        HOLDS(channels, bus_watch_job(channels->bus, X, "explode", NULL, &error) == -EINVAL);

        HOLDS(channels, bus_watch_signal_main(channels->bus, X, SIGTERM) == 0);
        entry = timeline_last(channels->observer.timeline, SIZE_MAX, ENTRY_SIGNAL_ACTION, X);
        HOLDS(channels, entry_get_number(entry, "errno", 0) == ESRCH);
        HOLDS(channels, bus_watch_kill(channels->bus, X, "main", SIGTERM, &error) == 0);
        entry = channels_await(channels, entry->index + 1, ENTRY_SIGNAL_ACTION, X, NULL, NULL);
        HOLDS(channels, entry_get_number(entry, "errno", 0) != 0);
        HOLDS(channels, strcmp(channels_job(channels, X, "start"), "done") == 0);
        HOLDS(channels, bus_watch_kill(channels->bus, X, "all", SIGTERM, &error) == 0);
        entry = channels_await(channels, entry->index + 1, ENTRY_SIGNAL_ACTION, X, NULL, NULL);
        HOLDS(channels, entry_has(entry, "errno", "0") && entry_has(entry, "who", "all"));
        channels_await(channels, entry->index, ENTRY_PROPERTIES, X, "ExecMainStatus", "15");
}

START_TEST(what_the_manager_refuses_is_recorded_with_its_words) {
        static const ChannelUnit units[] = { { X, "[Service]\nExecStart=/bin/sleep 1000\n" } };

        channels_play(units, 1, refusals);
}
END_TEST

static void reload_and_lose(Channels *channels) {
        size_t from = timeline_length(channels->observer.timeline);
        const Entry *entry;

        start_x(channels);
        HOLDS(channels, system("printf '[Unit]\\nDescription=changed\\n' | install -D /dev/stdin "
                               "/run/systemd/system/x.service.d/a.conf") == 0);
        HOLDS(channels, bus_watch_job(channels->bus, NULL, "daemon-reload", NULL, NULL) == 0);
        entry = channels_await(channels, from, ENTRY_JOB_ACTION, NULL, "verb", "daemon-reload");
        HOLDS(channels, !entry_get(entry, "error"));
        channels_await(channels, from, ENTRY_PROPERTIES, X, "Description", "changed");

        /* Executing itself anew, the manager drops its peers. */
        HOLDS(channels, !timeline_next(channels->observer.timeline, 0, ENTRY_CHANNEL, NULL));
        (void) system("systemctl daemon-reexec");
        entry = channels_await(channels, 0, ENTRY_CHANNEL, NULL, "channel", "bus");
        HOLDS(channels, entry_has(entry, "health", "closed"));
        HOLDS(channels, channels_bus_barrier(channels) == -ENOTCONN);
        HOLDS(channels, !timeline_next(channels->observer.timeline, entry->index + 1, ENTRY_CHANNEL, NULL));
}

START_TEST(a_reload_is_followed_and_a_lost_connection_is_said) {
        static const ChannelUnit units[] = { { X, "[Service]\nExecStart=/bin/sleep 1000\n" } };

        channels_play(units, 1, reload_and_lose);
}
END_TEST

Suite *channel_bus_suite(void) {
        Suite *suite = suite_create("bus");
        TCase *cases = tcase_create("bus");

        tcase_add_checked_fixture(cases, rig_set_up, rig_tear_down);
        tcase_add_test(cases, a_clean_stop_shows_its_triple);
        tcase_add_test(cases, a_stop_by_the_default_action_can_be_told_from_a_clean_one);
        tcase_add_test(cases, a_crash_and_its_restart_are_seen_without_asking);
        tcase_add_test(cases, what_the_manager_refuses_is_recorded_with_its_words);
        tcase_add_test(cases, a_reload_is_followed_and_a_lost_connection_is_said);
        tcase_set_timeout(cases, 90);
        suite_add_tcase(suite, cases);
        return suite;
}
