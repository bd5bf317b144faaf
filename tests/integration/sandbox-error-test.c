/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/quantity.h"
#include "sandbox-rig.h"
#include "stage/cgroup-tree.h"

static int do_nothing(const StageContext *context, void *userdata) {
        return 0;
}

static void write_program(char path[static 32], const char *text) {
        int fd;

        strcpy(path, "/tmp/agenttest-init-XXXXXX");
        fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        ck_assert_int_eq(fchmod(fd, 0755), 0);
        ck_assert_int_eq(close(fd), 0);
}

static void assert_refused(int code, const char *message_part, StageRequest request) {
        Played played = rig_play(request, do_nothing, NULL);

        ck_assert_msg(played.r == code, "expected %d, got %d: %s", code, played.r, played.message);
        ck_assert_msg(strstr(played.message, message_part), "\"%s\" is not in: %s", message_part, played.message);
}

START_TEST(no_systemd) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_eq(setenv("AGENTTEST_SYSTEMD", "/no/such/systemd", 1), 0);
        ck_assert_int_eq(sandbox_stage.probe(&error), -ENOENT);
        ck_assert_str_eq(
                        error_text(&error), "there is no executable /no/such/systemd, which AGENTTEST_SYSTEMD names");
        assert_refused(-ENOENT, "there is no executable /no/such/systemd", (StageRequest){ 0 });
}
END_TEST

START_TEST(a_systemd_that_ends) {
        ck_assert_int_eq(setenv("AGENTTEST_SYSTEMD", "/bin/false", 1), 0);
        assert_refused(-ECHILD,
                        "PID 1 of the sandbox (systemd) ended with status 1 during the boot; systemd printed nothing",
                        (StageRequest){ 0 });
}
END_TEST

START_TEST(what_systemd_printed_last_is_quoted) {
        char program[32];

        write_program(program, "#!/bin/sh\necho Cannot go on: the moon is full >/dev/console\nexit 3\n");
        ck_assert_int_eq(setenv("AGENTTEST_SYSTEMD", program, 1), 0);
        assert_refused(-ECHILD,
                        "ended with status 3 during the boot; systemd printed last:\nCannot go on: the moon is full",
                        (StageRequest){ 0 });
        (void) unlink(program);
}
END_TEST

START_TEST(a_systemd_that_cannot_be_executed) {
        char program[32];

        write_program(program, "#!/no/such/interpreter\n");
        ck_assert_int_eq(setenv("AGENTTEST_SYSTEMD", program, 1), 0);
        assert_refused(-ENOENT, "cannot execute /tmp/agenttest-init-", (StageRequest){ 0 });
        (void) unlink(program);
}
END_TEST

START_TEST(files_that_cannot_be_placed) {
        const StageFile no_source = { .path = "/x", .source_path = "/no/such/binary" };
        const StageFile no_owner = { .path = "/x", .content = "", .owner = "nosuchuser" };
        const char *const shown[] = { "/no/such/folder" };

        assert_refused(-ENOENT, "cannot read /no/such/binary, which is to become /x on the stage",
                        (StageRequest){ .files = &no_source, .n_files = 1 });
        assert_refused(-ENOENT, "there is no user \"nosuchuser\" on the stage",
                        (StageRequest){ .files = &no_owner, .n_files = 1 });
        assert_refused(-ENOENT, "cannot show /no/such/folder on the stage",
                        (StageRequest){ .shown_paths = shown, .n_shown_paths = 1 });
}
END_TEST

START_TEST(a_run_nobody_has_begun) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        const StageRequest request = { .run_id = "nosuchrun" };
        int wait_status;

        ck_assert_int_eq(sandbox_stage.run(&request, do_nothing, NULL, &wait_status, &error), -ENOENT);
        ck_assert_str_eq(error_text(&error), "cannot make /run/agenttest/nosuchrun/stage in the folder of the run: "
                                             "No such file or directory");
}
END_TEST

START_TEST(not_root) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        int refused;

        /* What nobody has in any case is a cgroup of his own; that, and nothing else, is told. */
        ck_assert_int_eq(cgroup_hierarchies_read(&hierarchies, NULL), 0);
        refused = cgroup_hierarchies_has_legacy(hierarchies) ? -EOPNOTSUPP : -EACCES;
        ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
        ck_assert_int_eq(sandbox_stage.probe(&error), refused);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "delegated"));
        ck_assert_ptr_null(strchr(error_text(&error), '\n'));
        assert_refused(refused, "delegated", (StageRequest){ 0 });
}
END_TEST

START_TEST(no_cgroups) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        /* In a mount namespace of the test's own, where nothing is left of /sys. */
        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        ck_assert_int_eq(umount2("/sys", MNT_DETACH), 0);
        ck_assert_int_eq(sandbox_stage.probe(&error), -ENOENT);
        ck_assert_str_eq(error_text(&error),
                        "no cgroup file system is mounted: `mount -t cgroup2 none /sys/fs/cgroup`");
        assert_refused(-ENOENT, "no cgroup file system is mounted", (StageRequest){ 0 });
}
END_TEST

static void drop_sys_admin(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct sets[2];

        ck_assert_int_eq(syscall(SYS_capget, &header, sets), 0);
        sets[0].effective &= ~(1U << CAP_SYS_ADMIN);
        sets[0].permitted &= ~(1U << CAP_SYS_ADMIN);
        ck_assert_int_eq(syscall(SYS_capset, &header, sets), 0);
}

START_TEST(no_capability) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        drop_sys_admin();
        ck_assert_int_eq(sandbox_stage.probe(&error), -EPERM);
        ck_assert_msg(strstr(error_text(&error), "agenttest needs CAP_SYS_ADMIN"), "%s", error_text(&error));
        assert_refused(-EPERM, "agenttest needs CAP_SYS_ADMIN; run it as root", (StageRequest){ 0 });
}
END_TEST

static int wait_for_signal(const StageContext *context, void *userdata) {
        (void) poll(NULL, 0, 20000);
        return 7;
}

/* PID 1 of the sandbox is the first child the performer has. */
static void kill_first_child_of(pid_t performer) {
        char path[64];
        int child = 0;

        for (int i = 0; i < 1000 && child == 0; i++) {
                FILE *file;

                (void) snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int) performer, (int) performer);
                file = fopen(path, "re");
                if (file && fscanf(file, "%d %*d", &child) != 1)
                        child = 0;
                if (file)
                        (void) fclose(file);
                (void) poll(NULL, 0, 5);
        }
        ck_assert_int_gt(child, 0);
        ck_assert_int_eq(kill(child, SIGKILL), 0);
}

typedef struct Pipe {
        int read_fd, write_fd;
} Pipe;

static int tell_and_wait(const StageContext *context, void *userdata) {
        const Pipe *pipe_fds = userdata;

        (void) !write(pipe_fds->write_fd, "x", 1);
        return wait_for_signal(context, NULL);
}

static volatile sig_atomic_t n_signals;

static void on_signal(int number) {
        n_signals++;
}

static int tell_and_end_in_order(const StageContext *context, void *userdata) {
        const Pipe *pipe_fds = userdata;
        struct sigaction action = { .sa_handler = on_signal };
        sigset_t term, before;

        (void) sigemptyset(&term);
        (void) sigaddset(&term, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &term, &before);
        (void) sigaction(SIGTERM, &action, NULL);
        (void) !write(pipe_fds->write_fd, "x", 1);
        (void) ppoll(NULL, 0, &(struct timespec){ .tv_sec = 20 }, &before);
        return n_signals == 1 ? 9 : 8;
}

/* A performer that plays @function; its exit status is what the test looks at. */
static pid_t fork_performer(StageFunction function, Pipe *pipe_fds) {
        pid_t performer;
        char byte;
        int fds[2];

        ck_assert_int_eq(pipe(fds), 0);
        *pipe_fds = (Pipe){ fds[0], fds[1] };
        performer = fork();
        if (performer == 0) {
                Played played = rig_play((StageRequest){ 0 }, function, pipe_fds);

                (void) fprintf(stderr, "%s", played.message);
                if (played.r < 0)
                        _exit(strstr(played.message, "while the scenario ran") ? 100 : 101);
                _exit(WIFEXITED(played.wait_status) ? WEXITSTATUS(played.wait_status) : 102);
        }
        (void) close(fds[1]);
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        (void) close(fds[0]);
        return performer;
}

static int reap(pid_t performer) {
        int wait_status;

        ck_assert_int_eq(waitpid(performer, &wait_status, 0), performer);
        return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
}

START_TEST(pid1_dies_under_the_scenario) {
        Pipe pipe_fds;
        pid_t performer = fork_performer(tell_and_wait, &pipe_fds);

        kill_first_child_of(performer);
        ck_assert_int_eq(reap(performer), 100);
}
END_TEST

START_TEST(a_signal_is_passed_on) {
        Pipe pipe_fds;
        pid_t performer = fork_performer(tell_and_end_in_order, &pipe_fds);

        ck_assert_int_eq(kill(performer, SIGTERM), 0);
        ck_assert_int_eq(reap(performer), 9);
}
END_TEST

START_TEST(a_signal_ends_the_boot) {
        char program[32];
        Played played;
        pid_t killer;

        write_program(program, "#!/bin/sh\nexec sleep 1000\n");
        ck_assert_int_eq(setenv("AGENTTEST_SYSTEMD", program, 1), 0);
        killer = fork();
        if (killer == 0) {
                (void) poll(NULL, 0, 300);
                _exit(kill(getppid(), SIGINT));
        }
        played = rig_play((StageRequest){ 0 }, do_nothing, NULL);
        ck_assert_int_eq(played.r, -EINTR);
        ck_assert_str_eq(played.message, "interrupted by signal 2 during the boot of the sandbox");
        ck_assert_int_eq(reap(killer), 0);
        (void) unlink(program);
}
END_TEST

Suite *sandbox_error_suite(void) {
        Suite *suite = suite_create("sandbox errors");
        TCase *tests = tcase_create("errors");

        tcase_add_checked_fixture(tests, rig_set_up, rig_tear_down);
        tcase_set_timeout(tests, 60);
        tcase_add_test(tests, no_systemd);
        tcase_add_test(tests, a_systemd_that_ends);
        tcase_add_test(tests, what_systemd_printed_last_is_quoted);
        tcase_add_test(tests, a_systemd_that_cannot_be_executed);
        tcase_add_test(tests, files_that_cannot_be_placed);
        tcase_add_test(tests, a_run_nobody_has_begun);
        tcase_add_test(tests, not_root);
        tcase_add_test(tests, no_cgroups);
        tcase_add_test(tests, no_capability);
        tcase_add_test(tests, pid1_dies_under_the_scenario);
        tcase_add_test(tests, a_signal_is_passed_on);
        tcase_add_test(tests, a_signal_ends_the_boot);
        suite_add_tcase(suite, tests);
        return suite;
}
