/* SPDX-License-Identifier: MIT */
#include "stage/guard.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "stage/deadline.h"
#include "stage/delegation.h"
#include "stage/run-folder.h"
#include "stage/undo.h"

#define REMOVE_LIMIT_USEC (10 * USEC_PER_SEC)

struct Guard {
        pid_t pid;
        int pidfd;
        int run_fd; /* the run's end of the death socket */
        char *run_id;
};

static Guard *guard_free(Guard *guard) {
        if (!guard)
                return NULL;

        close_p(&guard->pidfd);
        close_p(&guard->run_fd);
        free(guard->run_id);
        free(guard);
        return NULL;
}

DEFINE_CLEANUP(Guard, guard_free)

Guard *guard_forget(Guard *guard) {
        return guard_free(guard);
}

pid_t guard_pid(const Guard *guard) {
        return guard->pid;
}

/* What is sent to a whole terminal, process group or service is meant for the run; the guard outlives it. */
static void guard_ignore_signals(void) {
        static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN,
                SIGTTOU };
        sigset_t none;

        FOREACH_ARRAY (number, ignored, ELEMENTS_OF(ignored))
                (void) signal(*number, SIG_IGN);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Keeps nothing of the run but the death socket, which becomes descriptor 3: no pipe, no lock, no terminal. */
static int guard_keep_only(int death_fd) {
        int null_fd;

        if (dup2(death_fd, 3) < 0)
                return -errno;
        null_fd = open("/dev/null", O_RDWR);
        if (null_fd < 0)
                return -errno;
        for (int fd = 0; fd < 3; fd++)
                if (dup2(null_fd, fd) < 0)
                        return -errno;
        return close_range(4, ~0U, 0) < 0 ? -errno : 0;
}

/*
 * Waits until no process holds the lock of the run. On 1 it is ours and released by the end of this process; on 0 the
 * run was cleaned by somebody else. A performer that lives on without its scheduler, against the rules, does not keep
 * the guard: it goes on without the lock, and the next run takes what such a performer makes afterwards.
 */
static int guard_take_lock(const char *run_id) {
        CLEANUP_FREE char *path = run_folder_path(run_id);
        int fd;

        fd = path ? open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC) : -1;
        if (fd < 0)
                return errno == ENOENT ? 0 : 1;
        return run_folder_wait(fd, RUN_DEATH_LIMIT_SEC) == -ENOENT ? 0 : 1;
}

/* What a killed run, or a killed performer, has left changed on the machine itself. It stays in the log on errors. */
static void guard_undo(const char *run_id) {
        (void) undo_stale(false, run_id, NULL, NULL);
        (void) undo_stale(true, run_id, NULL, NULL);
}

static int guard_main(const char *run_id) {
        ssize_t n;
        char byte;

        do
                n = read(3, &byte, 1);
        while (n < 0 && errno == EINTR);

        /* One byte: the run ends in order and holds the lock for us. None: it is dead. */
        if (n != 1) {
                run_kill(run_id);
                if (guard_take_lock(run_id) == 0)
                        return EXIT_SUCCESS;
        }
        if (run_remove_cgroups(run_id, deadline_in(REMOVE_LIMIT_USEC), NULL) < 0)
                return EXIT_FAILURE;
        guard_undo(run_id);
        if (run_remove_folder(run_id, NULL) < 0)
                return EXIT_FAILURE;
        if (n != 1)
                delegation_leave(); /* else the scheduler does, which outlives us */
        return EXIT_SUCCESS;
}

_Noreturn static void guard_child(const char *run_id, int death_fd) {
        (void) setsid();
        guard_ignore_signals();
        (void) prctl(PR_SET_NAME, "agenttest-guard");
        if (chdir("/") < 0 || guard_keep_only(death_fd) < 0 || write(3, "R", 1) != 1)
                _exit(EXIT_FAILURE);
        _exit(guard_main(run_id));
}

/* Until then it has no session of its own, and holds the run's locks, as any child that was forked a moment ago. */
static int guard_wait_ready(const Guard *guard) {
        ssize_t n;
        char byte;

        do
                n = read(guard->run_fd, &byte, 1);
        while (n < 0 && errno == EINTR);
        return n == 1 ? 0 : n < 0 ? -errno : -ECHILD;
}

int guard_start(const Ownership *ownership, Guard **ret_guard, Error *reterr) {
        CLEANUP(guard_free_p) Guard *guard = NULL;
        CLEANUP_CLOSE int death_fd = -EBADF;
        sigset_t all, before;
        int fds[2], r;

        guard = calloc(1, sizeof(Guard));
        if (!guard)
                return error_set(reterr, -ENOMEM, "out of memory");
        guard->pidfd = guard->run_fd = -EBADF;
        guard->run_id = strdup(ownership_run_id(ownership));
        if (!guard->run_id)
                return error_set(reterr, -ENOMEM, "out of memory");

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return error_set_errno(reterr, -errno, "cannot make a socket for the guard process");
        guard->run_fd = fds[0];
        death_fd = fds[1];

        /* Blocked until the guard ignores them: an interrupt right now must not end it. */
        (void) sigfillset(&all);
        (void) sigprocmask(SIG_BLOCK, &all, &before);
        guard->pid = fork();
        if (guard->pid == 0)
                guard_child(guard->run_id, death_fd);
        r = -errno;
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        if (guard->pid < 0)
                return error_set_errno(reterr, r, "cannot fork the guard process");

        guard->pidfd = pidfd_open(guard->pid, 0);
        if (guard->pidfd < 0)
                return error_set_errno(reterr, -errno, "cannot watch the guard process");
        close_p(&death_fd); /* or the guard's death would not be read as the end */
        death_fd = -EBADF;
        r = guard_wait_ready(guard);
        if (r < 0)
                return error_set_errno(reterr, r, "the guard process does not start");

        *ret_guard = TAKE_PTR(guard);
        return 0;
}

/* 0 where the guard ended with success, else why not. Reaps it. */
static int guard_wait(Guard *guard, uint64_t deadline_usec) {
        struct pollfd poll_fd = { .fd = guard->pidfd, .events = POLLIN };
        siginfo_t ended = { 0 };
        bool is_late = false;

        while (poll(&poll_fd, 1, deadline_poll_msec(deadline_usec)) <= 0 && !is_late)
                is_late = deadline_is_past(deadline_usec);
        if (is_late)
                (void) pidfd_send_signal(guard->pidfd, SIGKILL, NULL, 0);
        if (waitid(P_PIDFD, (id_t) guard->pidfd, &ended, WEXITED) < 0)
                return -errno;
        if (is_late)
                return -ETIMEDOUT;
        return ended.si_code == CLD_EXITED && ended.si_status == EXIT_SUCCESS ? 0 : -ECHILD;
}

int guard_finish(Guard *guard, uint64_t deadline_usec, Error *reterr) {
        CLEANUP(guard_free_p) Guard *finished = guard;
        int r;

        (void) send(finished->run_fd, "F", 1, MSG_NOSIGNAL);
        r = guard_wait(finished, deadline_usec);
        if (r >= 0)
                return 0;
        if (r == -ETIMEDOUT)
                return error_set(reterr, r, "the guard process of run %s did not end in time", finished->run_id);

        /* It was killed, or could not remove something: do it here, and say what is in the way. */
        r = run_remove_cgroups(finished->run_id, deadline_usec, reterr);
        return r < 0 ? r : run_remove_folder(finished->run_id, reterr);
}
