/* SPDX-License-Identifier: MIT */

/* Runs that are ended: by signals, by a full disk, and by a kill that leaves no time for anything. */

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/quantity.h"
#include "players.h"
#include "suites.h"

START_TEST(a_signal_ends_the_run_in_order) {
        CLEANUP(notes_done) Notes notes = { 0 };
        CLEANUP(run_summary_done)
        RunSummary summary = run_plays(NAMES("ends in order", "interrupts", "passes", "passes"),
                        (ScheduleOptions){ .n_jobs = 2 }, &notes);

        ck_assert_int_eq(summary.signal_number, SIGINT);
        ck_assert_uint_eq(summary.n_not_played, 2);
        ck_assert_uint_eq(summary.n_with[OUTCOME_ERROR], 2);
        ck_assert_ptr_nonnull(strstr(text_get(&notes.text), "ends in order: error interrupted\n"));
        ck_assert_ptr_nonnull(strstr(text_get(&notes.text), "interrupts: error interrupted\n"));
        ck_assert_ptr_null(summary.broken);
}
END_TEST

START_TEST(a_closed_terminal_does_too) {
        CLEANUP(notes_done) Notes notes = { 0 };
        CLEANUP(run_summary_done)
        RunSummary summary = run_plays(NAMES("hangs up"), (ScheduleOptions){ .n_jobs = 1 }, &notes);

        ck_assert_int_eq(summary.signal_number, SIGHUP);
        ck_assert_str_eq(text_get(&notes.text), "hangs up: error interrupted\n");
}
END_TEST

START_TEST(a_second_signal_kills) {
        CLEANUP(notes_done) Notes notes = { 0 };
        CLEANUP(run_summary_done)
        RunSummary summary = run_plays(NAMES("interrupts twice"), (ScheduleOptions){ .n_jobs = 1 }, &notes);

        ck_assert(summary.signal_number == SIGTERM || summary.signal_number == SIGINT);
        ck_assert_str_eq(text_get(&notes.text), "interrupts twice: error interrupted\n");
        ck_assert_ptr_nonnull(
                        strstr(notes.sentence, "the performer was killed by SIGKILL: the run was ended by SIG"));
}
END_TEST

START_TEST(who_does_not_end_in_time_is_killed) {
        CLEANUP(notes_done) Notes notes = { 0 };
        ScheduleOptions options = { .n_jobs = 2, .stop_usec = 100 * USEC_PER_MSEC };
        CLEANUP(run_summary_done) RunSummary summary = run_plays(NAMES("is stubborn", "interrupts"), options, &notes);

        ck_assert_int_eq(summary.signal_number, SIGINT);
        ck_assert_ptr_nonnull(strstr(text_get(&notes.text), "is stubborn: error interrupted\n"));
}
END_TEST

/* A file system of its own with room for next to nothing, which only root can make. */
START_TEST(a_full_disk_ends_the_run_in_order) {
        CLEANUP(notes_done) Notes notes = { 0 };
        CLEANUP(evidence_store_close_p) EvidenceStore *store = NULL;
        CLEANUP(run_summary_done) RunSummary summary = { 0 };

        ck_assert_int_eq(mkdir("small", 0755), 0);
        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        ck_assert_int_eq(mount("tmpfs", "small", "tmpfs", 0, "size=64k,nr_inodes=12"), 0);
        ck_assert_int_eq(evidence_store_open("small/out", "abc", &store, NULL), 0);

        summary = run_plays(NAMES("ends in order", "ends in order", "ends in order", "passes"),
                        (ScheduleOptions){ .n_jobs = 4, .store = store }, &notes);
        ck_assert_ptr_nonnull(summary.broken);
        ck_assert_ptr_nonnull(strstr(summary.broken, "No space left on device"));
        ck_assert_uint_ge(summary.n_not_played, 1);
        /* What had begun was ended in order and told. */
        ck_assert_ptr_nonnull(strstr(text_get(&notes.text), "ends in order: error interrupted\n"));
        store = evidence_store_close(store);
        ck_assert_int_eq(umount2("small", MNT_DETACH), 0);
}
END_TEST

static void tell_pid(void *userdata) {
        int *fd = userdata;
        pid_t pid = getpid();

        if (write(*fd, &pid, sizeof(pid)) != sizeof(pid))
                _exit(97);
}

START_TEST(performers_die_with_the_scheduler) {
        int fds[2];
        pid_t scheduler, performer;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        scheduler = fork();
        if (scheduler == 0) {
                Notes notes = { 0 };
                ScheduleOptions options = { .n_jobs = 1, .in_child = tell_pid, .userdata = &fds[1] };

                (void) run_plays(NAMES("is stubborn"), options, &notes);
                _exit(0);
        }
        ck_assert_int_eq(read(fds[0], &performer, sizeof(performer)), sizeof(performer));
        CLEANUP_CLOSE int pid_fd = pidfd_open(performer, 0);
        ck_assert_int_ge(pid_fd, 0);
        ck_assert_int_eq(kill(scheduler, SIGKILL), 0);
        ck_assert_int_eq(waitpid(scheduler, NULL, 0), scheduler);

        struct pollfd poll_fd = { .fd = pid_fd, .events = POLLIN };
        ck_assert_int_eq(poll(&poll_fd, 1, 2000), 1);
}
END_TEST

Suite *interrupt_suite(void) {
        Suite *suite = suite_create("interrupt");
        TCase *cases = tcase_create("interrupt");

        tcase_add_checked_fixture(cases, enter_folder, leave_folder);
        tcase_add_test(cases, a_signal_ends_the_run_in_order);
        tcase_add_test(cases, a_closed_terminal_does_too);
        tcase_add_test(cases, a_second_signal_kills);
        tcase_add_test(cases, who_does_not_end_in_time_is_killed);
        if (geteuid() == 0)
                tcase_add_test(cases, a_full_disk_ends_the_run_in_order);
        tcase_add_test(cases, performers_die_with_the_scheduler);
        suite_add_tcase(suite, cases);
        return suite;
}
