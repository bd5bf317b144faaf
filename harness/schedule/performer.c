/* SPDX-License-Identifier: MIT */
#include "schedule/performer.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { STATUS_NOT_PERFORMED = 125 };

static void reset_signals(void) {
        sigset_t none;

        for (int number = 1; number < NSIG; number++)
                if (number != SIGKILL && number != SIGSTOP)
                        (void) signal(number, SIG_DFL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

static int redirect(int output_fd) {
        CLEANUP_CLOSE int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0)
                return -errno;
        if (dup2(output_fd, STDOUT_FILENO) < 0 || dup2(output_fd, STDERR_FILENO) < 0)
                return -errno;
        return 0;
}

static int in_child(const PerformerSpec *spec, int stream_fd, pid_t parent) {
        PerformRequest request = spec->request;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return STATUS_NOT_PERFORMED;
        if (getppid() != parent) /* it died before the prctl */
                return STATUS_NOT_PERFORMED;
        reset_signals();
        if (setsid() < 0 || redirect(spec->output_fd) < 0)
                return STATUS_NOT_PERFORMED;
        (void) umask(022);
        if (spec->in_child)
                spec->in_child(spec->userdata);
        request.stream_fd = stream_fd;
        return spec->perform(&request);
}

int performer_start(const PerformerSpec *spec, Performer *ret_performer, Error *reterr) {
        CLEANUP(performer_done) Performer performer = PERFORMER_INIT;
        CLEANUP_CLOSE int write_fd = -EBADF;
        pid_t parent = getpid();
        int pipe_fds[2];

        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "No pipe for another scenario");
        performer.stream_fd = pipe_fds[0];
        write_fd = pipe_fds[1];
        /* Only our end: the flag belongs to the open file description, and the writer wants to wait. */
        if (fcntl(performer.stream_fd, F_SETFL, O_NONBLOCK) < 0)
                return error_set_errno(reterr, -errno, "The stream cannot be read without waiting");

        performer.pid = fork();
        if (performer.pid < 0) {
                performer.pid = 0;
                return error_set_errno(reterr, -errno, "No process for another scenario");
        }
        if (performer.pid == 0)
                _exit(in_child(spec, write_fd, parent));

        performer.pid_fd = pidfd_open(performer.pid, 0);
        if (performer.pid_fd < 0)
                return error_set_errno(reterr, -errno, "The process of a scenario cannot be watched");
        *ret_performer = performer;
        performer = PERFORMER_INIT;
        return 0;
}

void performer_signal(const Performer *performer, int signal_number) {
        /* Not reaped, so the pid is still its own; ESRCH cannot hit a stranger. */
        if (performer->pid > 0)
                (void) kill(performer->pid, signal_number);
}

int performer_reap(Performer *performer, int *ret_wait_status) {
        pid_t pid;

        do
                pid = waitpid(performer->pid, ret_wait_status, WNOHANG);
        while (pid < 0 && errno == EINTR);
        if (pid < 0)
                return -errno;
        if (pid == 0)
                return -EAGAIN;
        performer->pid = 0;
        return 0;
}

void performer_done(Performer *performer) {
        if (performer->pid > 0) {
                int wait_status;

                /* The child cannot outlive SIGKILL for longer than the kernel needs. */
                (void) kill(performer->pid, SIGKILL);
                while (waitpid(performer->pid, &wait_status, 0) < 0 && errno == EINTR)
                        ;
        }
        close_p(&performer->pid_fd);
        close_p(&performer->stream_fd);
        *performer = PERFORMER_INIT;
}

void wait_status_text(int wait_status, Text *ret_text) {
        if (WIFEXITED(wait_status))
                text_printf(ret_text, "ended with status %d", WEXITSTATUS(wait_status));
        else if (WIFSIGNALED(wait_status)) {
                const char *name = sigabbrev_np(WTERMSIG(wait_status));

                text_printf(ret_text, "was killed by %s%s", name ? "SIG" : "signal ", name ?: "");
                if (!name)
                        text_printf(ret_text, "%d", WTERMSIG(wait_status));
        } else
                text_printf(ret_text, "ended with wait status %#x", (unsigned) wait_status);
}
