/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/quantity.h"
#include "bench.h"
#include "observe/command.h"
#include "observe/proc-text.h"
#include "suites.h"

static const Entry *run(Bench *bench, const CommandRequest *request, Command **ret_command) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        CommandRequest filled = *request;
        size_t from = timeline_length(bench->observer.timeline);

        filled.owner = "step-1";
        if (filled.deadline_usec == 0)
                filled.deadline_usec = clock_now_usec() + 10 * USEC_PER_SEC;
        ck_assert_msg(command_start(&bench->observer, &filled, NULL, NULL, ret_command, &error) == 0, "%s",
                        error_text(&error));
        return bench_await(bench, from, ENTRY_COMMAND);
}

START_TEST(both_outputs_and_the_status_are_recorded) {
        Bench *bench = bench_new();
        CLEANUP(command_free_p) Command *command = NULL;
        const Entry *entry;

        entry = run(bench, &(CommandRequest){ .line = "echo out; echo err >&2; exit 3" }, &command);
        ck_assert_str_eq(entry_get(entry, "stdout"), "out\n");
        ck_assert_str_eq(entry_get(entry, "stderr"), "err\n");
        ck_assert_int_eq(WEXITSTATUS((int) entry_get_number(entry, "status", -1)), 3);
        ck_assert_int_eq(entry_get_number(entry, "errno", -1), 0);
        ck_assert_str_eq(entry_get(entry, "owner"), "step-1");
        ck_assert_ptr_null(entry_get(entry, "timed-out"));
        command = command_free(command);
        bench_free(bench);
}
END_TEST

START_TEST(death_by_signal_is_recorded) {
        Bench *bench = bench_new();
        CLEANUP(command_free_p) Command *command = NULL;
        const Entry *entry = run(bench, &(CommandRequest){ .line = "kill -USR1 $$" }, &command);
        int status = (int) entry_get_number(entry, "status", -1);

        ck_assert(WIFSIGNALED(status));
        ck_assert_int_eq(WTERMSIG(status), SIGUSR1);
        command = command_free(command);
        bench_free(bench);
}
END_TEST

START_TEST(a_program_that_is_not_there_is_no_exit_127) {
        Bench *bench = bench_new();
        const char *const argv[] = { "/no/such/program", "argument", NULL };
        CLEANUP(command_free_p) Command *command = NULL;
        const Entry *entry = run(bench, &(CommandRequest){ .argv = argv }, &command);

        ck_assert_int_eq(entry_get_number(entry, "errno", -1), ENOENT);
        ck_assert_str_eq(entry_get(entry, "command"), "/no/such/program argument");
        command = command_free(command);
        bench_free(bench);
}
END_TEST

START_TEST(environment_and_folder_are_those_asked_for) {
        Bench *bench = bench_new();
        const char *const environment[] = { "PATH=/usr/bin:/bin", "COLOUR=green", NULL };
        const char *const argv[] = { "sh", "-c", "echo $COLOUR $HOME; pwd", NULL };
        CLEANUP(command_free_p) Command *command = NULL;
        const Entry *entry;

        entry = run(bench, &(CommandRequest){ .argv = argv, .environment = environment, .folder = "/usr" }, &command);
        ck_assert_str_eq(entry_get(entry, "stdout"), "green\n/usr\n");
        command = command_free(command);
        bench_free(bench);
}
END_TEST

START_TEST(no_descriptor_of_the_caller_is_inherited) {
        Bench *bench = bench_new();
        CLEANUP(command_free_p) Command *command = NULL;
        const Entry *entry;
        int fds[2];

        ck_assert_int_eq(pipe(fds), 0); /* not close-on-exec: as agenttest may have been given some */
        entry = run(bench, &(CommandRequest){ .line = "ls /proc/self/fd" }, &command);
        ck_assert_str_eq(entry_get(entry, "stdout"), "0\n1\n2\n3\n"); /* 3 is the folder ls reads */
        command = command_free(command);
        bench_free(bench);
        (void) close(fds[0]);
        (void) close(fds[1]);
}
END_TEST

START_TEST(output_over_the_limit_is_cut_and_said_so) {
        Bench *bench = bench_new();
        CLEANUP(command_free_p) Command *command = NULL;
        const Entry *entry =
                        run(bench, &(CommandRequest){ .line = "head -c 3000000 /dev/zero; echo end >&2" }, &command);

        ck_assert_uint_eq(entry_find(entry, "stdout")->n_bytes, COMMAND_MAX_OUTPUT);
        ck_assert_str_eq(entry_get(entry, "truncated"), "stdout");
        ck_assert_str_eq(entry_get(entry, "stderr"), "end\n");
        ck_assert_int_eq(entry_get_number(entry, "status", -1), 0);
        command = command_free(command);
        bench_free(bench);
}
END_TEST

START_TEST(the_deadline_kills_the_whole_session) {
        Bench *bench = bench_new();
        CLEANUP(command_free_p) Command *command = NULL;
        const Entry *entry;

        entry = run(bench,
                        &(CommandRequest){ .line = "sleep 100 | sleep 100; echo never",
                                        .deadline_usec = clock_now_usec() + 200 * USEC_PER_MSEC },
                        &command);
        ck_assert_str_eq(entry_get(entry, "timed-out"), "yes");
        ck_assert_int_eq(WTERMSIG((int) entry_get_number(entry, "status", 0)), SIGKILL);
        ck_assert_str_eq(entry_get(entry, "stdout"), "");
        ck_assert_uint_lt(entry->at_usec - entry_get_usec(entry, "asked", 0), 5 * USEC_PER_SEC);
        command = command_free(command);
        bench_free(bench);
}
END_TEST

/* Job control gives the second one a process group of its own: the session is what holds them together. */
START_TEST(background_processes_live_until_the_command_is_freed) {
        Bench *bench = bench_new();
        CLEANUP(command_free_p) Command *command = NULL;
        const Entry *entry = run(bench,
                        &(CommandRequest){ .line = "sleep 1000 & echo $!; set -m; sleep 1000 & echo $!" }, &command);
        char *second;
        pid_t pids[2];

        pids[0] = (pid_t) strtol(entry_get(entry, "stdout"), &second, 10);
        pids[1] = (pid_t) strtol(second, NULL, 10);
        for (size_t i = 0; i < 2; i++)
                ck_assert_int_eq(kill(pids[i], 0), 0);
        command = command_free(command);
        for (size_t i = 0; i < 2; i++) {
                ProcessBrief brief;

                /* A foreign PID 1 may reap it later. */
                ck_assert(process_brief(pids[i], &brief) < 0 || brief.process_state == 'Z');
        }
        bench_free(bench);
}
END_TEST

Suite *command_suite(void) {
        Suite *suite = suite_create("command");
        TCase *cases = tcase_create("command");

        tcase_add_test(cases, both_outputs_and_the_status_are_recorded);
        tcase_add_test(cases, death_by_signal_is_recorded);
        tcase_add_test(cases, a_program_that_is_not_there_is_no_exit_127);
        tcase_add_test(cases, environment_and_folder_are_those_asked_for);
        tcase_add_test(cases, no_descriptor_of_the_caller_is_inherited);
        tcase_add_test(cases, output_over_the_limit_is_cut_and_said_so);
        tcase_add_test(cases, the_deadline_kills_the_whole_session);
        tcase_add_test(cases, background_processes_live_until_the_command_is_freed);
        tcase_set_timeout(cases, 30);
        suite_add_tcase(suite, cases);
        return suite;
}
