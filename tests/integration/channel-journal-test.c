/* SPDX-License-Identifier: MIT */
/* The journal channel: completeness, stamps, losses. */
#include <fcntl.h>
#include <string.h>

#include "channel-rig.h"
#include "observe/journal-reader.h"

#define X "x.service"

static void burst(Channels *channels) {
        const Entry *gone;

        HOLDS(channels, strcmp(channels_job(channels, X, "start"), "done") == 0);
        gone = channels_await(channels, 0, ENTRY_MAIN_GONE, X, NULL, NULL);
        HOLDS(channels, channels_journal_barrier(channels) == 0);
        HOLDS(channels, channels->n_marked == 60000);
        HOLDS(channels, channels->n_gaps == 0);
        HOLDS(channels, gone->at_usec > 0);
}

START_TEST(a_burst_is_complete_behind_the_barrier) {
        static const ChannelUnit units[] = { { X, "[Service]\nExecStart=/usr/bin/seq -f 'mark %%g' 60000\n" } };

        channels_play(units, 1, burst);
}
END_TEST

static void rate_limit(Channels *channels) {
        const Entry *loss;

        HOLDS(channels, strcmp(channels_job(channels, X, "start"), "done") == 0);
        /* journald tells of what it dropped with the next line of the unit after the interval. */
        loss = channels_await(channels, 0, ENTRY_JOURNAL_LOSS, NULL, NULL, NULL);
        HOLDS(channels, loss->unit && strcmp(loss->unit, X) == 0);
        HOLDS(channels, strncmp(entry_get(loss, "MESSAGE_ID"), "a596d6fe", 8) == 0);
        HOLDS(channels, channels->n_marked < 10000);
}

/*
 * journald knows a unit's limit by the pid that writes. What it knows of a pid is as old as 1 s, and is not renewed
 * for one that has ended: the main process writes everything itself, not before it is that old, and lives until it
 * was read.
 */
START_TEST(suppression_by_rate_limit_is_recorded_with_its_unit) {
        static const ChannelUnit units[] = {
                { X, "[Service]\nLogRateLimitIntervalSec=1s\nLogRateLimitBurst=10\n"
                     "ExecStart=/bin/sh -c 'sleep 1.5; i=0; while [ $i -lt 10000 ]; do i=$((i+1)); echo mark $i; "
                     "done; "
                     "sleep 1.5; echo mark; exec sleep infinity'\n" },
        };

        channels_play(units, 1, rate_limit);
}
END_TEST

static void manager_lines(Channels *channels) {
        const Entry *exited;

        HOLDS(channels, strcmp(channels_job(channels, X, "start"), "done") == 0);
        channels_await(channels, 0, ENTRY_PROPERTIES, X, "ActiveState", "failed");
        HOLDS(channels, channels_journal_barrier(channels) == 0);
        exited = channels_await(channels, 0, ENTRY_MANAGER_LINE, X, "EXIT_STATUS", "7");
        HOLDS(channels, entry_has(exited, "EXIT_CODE", "exited") && entry_get_number(exited, "seqnum", 0) > 0);
        HOLDS(channels, entry_has(exited, "INVOCATION_ID", channels_property(channels, X, "InvocationID")));
        channels_await(channels, 0, ENTRY_MANAGER_LINE, X, "UNIT_RESULT", "exit-code");
        channels_await(channels, 0, ENTRY_MANAGER_LINE, X, "MESSAGE_ID", "39f53479d3a045ac8e11786248231fbf");
}

START_TEST(the_managers_lines_about_units_are_entries) {
        static const ChannelUnit units[] = { { X, "[Service]\nExecStart=/bin/sh -c 'exit 7'\n" } };

        channels_play(units, 1, manager_lines);
}
END_TEST

static void journald_killed(Channels *channels) {
        const Entry *lost;

        HOLDS(channels, channels_journal_barrier(channels) == 0);
        HOLDS(channels, system("systemctl kill -s KILL systemd-journald.service") == 0);
        lost = channels_await(channels, 0, ENTRY_CHANNEL, NULL, "channel", "journal");
        HOLDS(channels, entry_has(lost, "health", "lost"));
        HOLDS(channels, system("systemctl start systemd-journald.service") == 0);
        HOLDS(channels, channels_journal_barrier(channels) == 0);
        channels_await(channels, lost->index, ENTRY_CHANNEL, NULL, "health", "ok");
}

START_TEST(a_journald_that_dies_is_a_lost_channel) {
        channels_play(NULL, 0, journald_killed);
}
END_TEST

static uint64_t count_recorded(Channels *channels, uint64_t *ret_n_marked) {
        CLEANUP(journal_reader_free_p) JournalReader *reader = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        const LogLine *line;
        uint64_t n_lines = 0;
        int r;

        HOLDS(channels, journal_reader_open(channels->observer.evidence_fd, "journal", &reader, &error) == 0);
        while ((r = journal_reader_next(reader, &line)) > 0) {
                size_t n_bytes;
                const char *message = line->get_field(line, "MESSAGE", &n_bytes);

                n_lines++;
                *ret_n_marked += message && n_bytes >= 5 && memcmp(message, "mark ", 5) == 0;
        }
        HOLDS(channels, r == 0);
        return n_lines;
}

/* The same by somebody else's reader. */
static uint64_t count_by_journalctl(Channels *channels) {
        FILE *pipe = popen("journalctl -q -D " EVIDENCE_FOLDER "/journal -o cat | grep -c '^mark '", "re");
        uint64_t n = 0;

        HOLDS(channels, pipe && fscanf(pipe, "%lu", &n) == 1);
        (void) pclose(pipe);
        return n;
}

static void rotation_and_copy(Channels *channels) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        uint64_t n_marked = 0, n_lines;

        for (unsigned i = 0; i < 3; i++) {
                size_t from = timeline_length(channels->observer.timeline);

                HOLDS(channels, strcmp(channels_job(channels, X, "restart"), "done") == 0);
                HOLDS(channels, system("journalctl --rotate") == 0);
                channels_await(channels, from, ENTRY_MAIN_GONE, X, NULL, NULL);
        }
        HOLDS(channels, channels_barrier(channels) == 0);
        HOLDS(channels, channels->n_gaps == 0);
        HOLDS(channels, channels->n_marked == 3 * 5001);
        HOLDS(channels, channels->n_longest_marked_bytes == 5 + 2000);

        n_lines = channels->n_lines;
        HOLDS(channels, journal_copy(channels->stage->journal_folder, NULL, channels->observer.evidence_fd, &error) ==
                                        0);
        HOLDS(channels, count_recorded(channels, &n_marked) >= n_lines);
        HOLDS(channels, n_marked == channels->n_marked);
        HOLDS(channels, count_by_journalctl(channels) == n_marked);
}

START_TEST(nothing_is_lost_over_rotations_nor_in_the_copy) {
        static const ChannelUnit units[] = {
                { X, "[Service]\nExecStart=/bin/sh -c 'seq -f \"mark %%g\" 5000; "
                     "printf \"mark %%s\\n\" $(head -c 2000 /dev/zero | tr \"\\\\0\" x)'\n" },
        };

        channels_play(units, 1, rotation_and_copy);
}
END_TEST

Suite *channel_journal_suite(void) {
        Suite *suite = suite_create("journal");
        TCase *cases = tcase_create("journal");

        tcase_add_checked_fixture(cases, rig_set_up, rig_tear_down);
        tcase_add_test(cases, a_burst_is_complete_behind_the_barrier);
        tcase_add_test(cases, suppression_by_rate_limit_is_recorded_with_its_unit);
        tcase_add_test(cases, the_managers_lines_about_units_are_entries);
        tcase_add_test(cases, a_journald_that_dies_is_a_lost_channel);
        tcase_add_test(cases, nothing_is_lost_over_rotations_nor_in_the_copy);
        tcase_set_timeout(cases, 90);
        suite_add_tcase(suite, cases);
        return suite;
}
