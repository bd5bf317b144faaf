/* SPDX-License-Identifier: MIT */
/*
 * The process that runs the scenario's function inside the sandbox, and the keeper, its parent.
 *
 * The keeper is forked by PID 1 before that enters the sandbox's cgroups and becomes systemd. So both stay in the
 * performer's cgroups (what they cost is not the daemon's), and every process of the pid namespace has its parent in
 * there: were the player a child of the performer, and the performer killed, PID 1 could not end before the host's
 * PID 1 had reaped the player, which in a container may be never. Source: kernel/pid_namespace.c,
 * zap_pid_ns_processes().
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "stage/capabilities.h"
#include "stage/player-environment.h"
#include "stage/sandbox.h"

/* PID 1 has given itself a new root and a cgroup namespace since the keeper was forked. */
static int keeper_enter(Error *reterr) {
        CLEANUP_CLOSE int pid1_fd = pidfd_open(1, 0);
        int r;

        if (pid1_fd < 0 || setns(pid1_fd, CLONE_NEWNS | CLONE_NEWCGROUP) < 0)
                return error_set_errno(reterr, -errno, "cannot enter the sandbox");
        if (chdir("/") < 0)
                return error_set_errno(reterr, -errno, "cannot enter the root of the sandbox");
        if (player_environment_set() < 0)
                return error_set(reterr, -ENOMEM, "out of memory");
        (void) umask(0022);
        /* The player observes with all its capabilities; what it executes for a scenario is without these. */
        r = capabilities_drop(reterr);
        if (r < 0)
                return r;
        /* journald makes it when it starts, and systemd reports READY=1 whether or not that went well. */
        if (access("/run/log/journal", F_OK) < 0)
                return error_set(reterr, -ENOENT, "systemd-journald did not start in the sandbox");
        return 0;
}

_Noreturn static void player_main(const Sandbox *sandbox) {
        int exit_status;

        (void) prctl(PR_SET_NAME, "agenttest-play");
        (void) sigprocmask(SIG_SETMASK, &sandbox->signals_before, NULL);
        exit_status = sandbox->function(&sandbox->context, sandbox->userdata);
        (void) fflush(NULL);
        _exit(exit_status);
}

/* Starts the player and hands its pidfd over; the performer passes signals on through it. */
static int keeper_play(const Sandbox *sandbox, int performer_fd, pid_t *ret_player, Error *reterr) {
        SetupMessage message = { .kind = SETUP_FD };
        CLEANUP_CLOSE int player_fd = -EBADF;
        pid_t player;
        int r;

        player = fork();
        if (player < 0)
                return error_set_errno(reterr, -errno, "cannot fork the scenario's process");
        if (player == 0) {
                (void) close(performer_fd);
                player_main(sandbox);
        }
        player_fd = pidfd_open(player, 0);
        if (player_fd < 0)
                return error_set_errno(reterr, -errno, "cannot watch the scenario's process");
        message.number = player_fd;
        r = setup_send(performer_fd, &message);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot hand the scenario's process over");
        *ret_player = player;
        return 0;
}

static int keeper_run(Sandbox *sandbox, int performer_fd, Error *reterr) {
        SetupMessage message;
        pid_t player = -1;
        int r;

        r = setup_receive(performer_fd, 0, &message, reterr);
        if (r < 0 || message.kind != SETUP_GO)
                return r; /* there will be nothing to play */
        sandbox->context.booted_usec = message.usec;

        r = keeper_enter(reterr);
        if (r >= 0)
                r = keeper_play(sandbox, performer_fd, &player, reterr);
        if (r < 0)
                return r;

        message = (SetupMessage){ .kind = SETUP_STATUS };
        while (waitpid(player, &message.number, 0) < 0)
                if (errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot wait for the scenario's process");
        (void) setup_send(performer_fd, &message);
        return 0;
}

_Noreturn void sandbox_keeper_main(Sandbox *sandbox, int performer_fd) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        (void) prctl(PR_SET_NAME, "agenttest-keep");
        r = keeper_run(sandbox, performer_fd, &error);
        if (r < 0)
                (void) setup_send_error(performer_fd, r, &error);
        _exit(EXIT_SUCCESS);
}
