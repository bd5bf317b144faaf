/* SPDX-License-Identifier: MIT */
#include "observe/command-spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

typedef struct Pipe {
        int read_fd;
        int write_fd;
} Pipe;

static int pipe_open(Pipe *pipe) {
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        *pipe = (Pipe){ fds[0], fds[1] };
        return fcntl(pipe->read_fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static void pipe_done(Pipe *pipe) {
        close_p(&pipe->read_fd);
        close_p(&pipe->write_fd);
}

/* What a program may expect to find: no signal blocked or ignored. The harness's loop blocks those it listens to. */
static void reset_signals(void) {
        sigset_t none;

        for (int i = 1; i < _NSIG; i++)
                (void) signal(i, SIG_DFL); /* fails for SIGKILL, SIGSTOP and glibc's own: these are right anyway */
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * By the child itself, before it becomes the program: all it ever costs is charged there. v2 moves a process only
 * between cgroups that are both seen in the namespace it is moved from, and we are in none of the stage's. Source:
 * cgroups(7), "nsdelegate".
 */
static int enter_cgroups(int ns_fd, const char *const *paths) {
        if (paths && ns_fd > 0 && setns(ns_fd, CLONE_NEWCGROUP) < 0)
                return -errno;
        for (; paths && *paths; paths++) {
                CLEANUP_CLOSE int fd = open(*paths, O_WRONLY | O_CLOEXEC);

                if (fd < 0 || write(fd, "0", 1) < 0)
                        return -errno;
        }
        return 0;
}

static int child_prepare(const CommandRequest *request, int stdout_fd, int stderr_fd) {
        int null_fd;

        if (setsid() < 0)
                return -errno;
        null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(stdout_fd, STDOUT_FILENO) < 0 ||
                        dup2(stderr_fd, STDERR_FILENO) < 0)
                return -errno;
        /* What agenttest was started with (a make's job server, a CI runner's pipes) is not the command's. */
        if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return -errno;
        if (request->folder && chdir(request->folder) < 0)
                return -errno;
        return enter_cgroups(request->cgroup_ns_fd, request->enter_paths);
}

_Noreturn static void child_run(const CommandRequest *request, int stdout_fd, int stderr_fd, int error_fd) {
        const char *const shell[] = { "/bin/sh", "-c", request->line, NULL };
        const char *const *argv = request->line ? shell : request->argv;
        int error;

        reset_signals();
        error = -child_prepare(request, stdout_fd, stderr_fd);
        if (error == 0) {
                if (request->environment)
                        environ = (char **) request->environment; /* execvp looks for PATH in it */
                (void) execvp(argv[0], (char **) argv);
                error = errno;
        }
        /* Where this cannot be written the exit status is left: 127, as a shell says it. */
        if (write(error_fd, &error, sizeof(error)) < 0)
                _exit(126);
        _exit(127);
}

static int spawn(const CommandRequest *request, Pipe *out, Pipe *err, Pipe *error, SpawnedCommand *ret_command) {
        int pidfd;
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0)
                child_run(request, out->write_fd, err->write_fd, error->write_fd);

        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0) {
                int r = -errno;

                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
                return r;
        }
        *ret_command = (SpawnedCommand){
                .pid = pid,
                .pidfd = pidfd,
                .stdout_fd = TAKE_FD(out->read_fd),
                .stderr_fd = TAKE_FD(err->read_fd),
                .error_fd = TAKE_FD(error->read_fd),
        };
        return 0;
}

int command_spawn(const CommandRequest *request, SpawnedCommand *ret_command) {
        CLEANUP(pipe_done) Pipe out = { -EBADF, -EBADF }, err = { -EBADF, -EBADF }, error = { -EBADF, -EBADF };
        int r;

        r = pipe_open(&out);
        if (r >= 0)
                r = pipe_open(&err);
        if (r >= 0)
                r = pipe_open(&error);
        return r < 0 ? r : spawn(request, &out, &err, &error, ret_command);
}

void spawned_command_close(SpawnedCommand *command) {
        close_p(&command->pidfd);
        close_p(&command->stdout_fd);
        close_p(&command->stderr_fd);
        close_p(&command->error_fd);
        *command = SPAWNED_COMMAND_INIT;
}
