/* SPDX-License-Identifier: MIT */
/* PID 1 of the sandbox: from clone to the exec of systemd. */
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "stage/capabilities.h"
#include "stage/deadline.h"
#include "stage/sandbox.h"

/* Below /run of the sandbox. Not an abstract address: those belong to a network namespace, and ours is another. */
#define NOTIFY_FOLDER "/run/agenttest"
#define NOTIFY_PATH   NOTIFY_FOLDER "/notify"

static pid_t clone_pid1(int *ret_pidfd) {
        struct clone_args arguments = {
                /* The cgroup namespace comes later, when the process is in the cgroups it is to be rooted at. */
                .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_PIDFD,
                .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
                .exit_signal = SIGCHLD,
        };

        return (pid_t) syscall(SYS_clone3, &arguments, sizeof(arguments));
}

/*
 * Dies with the performer. The performer may be dead before the call takes effect, and getppid() says nothing across
 * pid namespaces: but then the other end of the set-up socket, which nobody else holds, is closed.
 */
static int follow_performer(int setup_fd, Error *reterr) {
        struct pollfd poll_fd = { .fd = setup_fd };

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return error_set_errno(reterr, -errno, "cannot tie the sandbox to its performer");
        if (poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLHUP))
                _exit(EXIT_FAILURE);
        return 0;
}

static int enter_cgroups(const Sandbox *sandbox, Error *reterr) {
        int r;

        r = cgroup_trees_enter(sandbox->hierarchies, sandbox->mark, reterr);
        if (r < 0)
                return r;
        if (unshare(CLONE_NEWCGROUP) < 0)
                return error_set_errno(reterr, -errno, "cannot make a cgroup namespace");
        return 0;
}

static int raise_loopback(Error *reterr) {
        CLEANUP_CLOSE int fd = -EBADF;
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                return error_set_errno(reterr, -errno, "cannot bring up the loopback interface of the sandbox");
        return 0;
}

/* What a shell or a CI runner has set must not decide what a unit may do: systemd gets what a kernel gives PID 1. */
static void reset_limits(void) {
        static const struct {
                int resource;
                struct rlimit limit;
        } limits[] = {
                { RLIMIT_CPU, { RLIM_INFINITY, RLIM_INFINITY } },
                { RLIMIT_FSIZE, { RLIM_INFINITY, RLIM_INFINITY } },
                { RLIMIT_DATA, { RLIM_INFINITY, RLIM_INFINITY } },
                { RLIMIT_STACK, { 8 << 20, RLIM_INFINITY } },
                { RLIMIT_CORE, { 0, RLIM_INFINITY } },
                { RLIMIT_AS, { RLIM_INFINITY, RLIM_INFINITY } },
                { RLIMIT_NOFILE, { 1024, 512 << 10 } },
                { RLIMIT_NICE, { 0, 0 } },
                { RLIMIT_RTPRIO, { 0, 0 } },
                { RLIMIT_RTTIME, { RLIM_INFINITY, RLIM_INFINITY } },
        };

        FOREACH_ARRAY (item, limits, ELEMENTS_OF(limits)) {
                struct rlimit limit = item->limit, own;

                /* Without CAP_SYS_RESOURCE there is no way above the hard limit agenttest was started with. */
                if (setrlimit(item->resource, &limit) >= 0 || getrlimit(item->resource, &own) < 0)
                        continue;
                limit.rlim_max = own.rlim_max;
                limit.rlim_cur = limit.rlim_cur < own.rlim_max ? limit.rlim_cur : own.rlim_max;
                (void) setrlimit(item->resource, &limit);
        }
        (void) setpriority(PRIO_PROCESS, 0, 0);
        (void) umask(0022);
}

static void reset_signals(void) {
        struct sigaction action = { .sa_handler = SIG_DFL };
        sigset_t none;

        for (int number = 1; number < NSIG; number++)
                (void) sigaction(number, &action, NULL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

static int bind_notify_socket(const Sandbox *sandbox, const SandboxRoot *root, Error *reterr) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int r;

        r = sandbox_make_folders(sandbox_root_fd(root), NOTIFY_FOLDER, reterr);
        if (r < 0)
                return r;
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s%s", sandbox_root_path(root), NOTIFY_PATH);
        if (bind(sandbox->notify_fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return error_set_errno(reterr, -errno, "cannot bind %s", address.sun_path);
        return 0;
}

/* What a directory held on the host is gone on the stage: asked for, and known to be in the way. */
static int hide_folders(const Sandbox *sandbox, SandboxRoot *root, Error *reterr) {
        const StageRequest *request = sandbox->request;
        int r;

        r = sandbox_hide_manager_folders(root, reterr);
        FOREACH_ARRAY (file, request->files, request->n_files)
                if (r >= 0 && file->is_directory)
                        r = sandbox_root_hide(root, file->path, reterr);
        FOREACH_ARRAY (file, request->files, request->n_files)
                if (r >= 0)
                        r = sandbox_root_open(root, file->path, reterr);
        return r;
}

static int place_files(const Sandbox *sandbox, const SandboxRoot *root, Error *reterr) {
        const StageRequest *request = sandbox->request;
        int r;

        r = sandbox_place_manager_files(sandbox, sandbox_root_fd(root), reterr);
        FOREACH_ARRAY (file, request->files, request->n_files)
                if (r >= 0)
                        r = sandbox_place_file(sandbox_root_fd(root), file, reterr);
        return r;
}

static int build_root(const Sandbox *sandbox, SandboxRoot *root, int *ret_console_fd, Error *reterr) {
        const StageRequest *request = sandbox->request;
        int r;

        r = hide_folders(sandbox, root, reterr);
        if (r >= 0)
                r = sandbox_root_mount(root, reterr);
        if (r >= 0)
                r = sandbox_mount_api(sandbox, root, reterr);
        if (r >= 0)
                r = sandbox_mount_dev(root, ret_console_fd, reterr);
        FOREACH_ARRAY (path, request->shown_paths, request->n_shown_paths)
                if (r >= 0)
                        r = sandbox_root_show(root, *path, reterr);
        if (r >= 0)
                r = place_files(sandbox, root, reterr);
        if (r >= 0)
                r = bind_notify_socket(sandbox, root, reterr);
        if (r >= 0)
                r = sandbox_root_enter(root, reterr);
        return r;
}

/*
 * Runs the tmpfiles.d lines for /run, before anything else is there: packages count on them (/run/postgresql), and as
 * a unit it would cost a service start. A line that fails is the host's affair, as it is on a real boot.
 */
static void create_run_files(void) {
        static char *const arguments[] = { (char *) "systemd-tmpfiles", (char *) "--create", (char *) "--boot",
                (char *) "--prefix=/run", (char *) "--exclude-prefix=/run/log",
                (char *) "--exclude-prefix=/run/nologin", NULL };
        static char *const environment[] = { NULL };
        pid_t child;
        int null_fd;

        child = vfork();
        if (child == 0) {
                null_fd = open("/dev/null", O_RDWR);
                for (int fd = 0; fd < 3; fd++)
                        (void) dup2(null_fd, fd);
                (void) execve("/bin/systemd-tmpfiles", arguments, environment);
                _exit(EXIT_FAILURE);
        }
        if (child > 0)
                (void) waitpid(child, NULL, 0);
}

static int exec_systemd(const Sandbox *sandbox, Error *reterr) {
        char *const arguments[] = {
                (char *) sandbox->systemd_path,
                (char *) "--unit=agenttest.target",
                (char *) "--log-target=journal",
                (char *) "--log-level=info", /* raised to debug once it is up; see sandbox.c */
                (char *) "--show-status=no",
                (char *) "--dump-core=no",
                (char *) "--crash-shell=no",
                (char *) "--crash-reboot=no",
                NULL,
        };
        char *const environment[] = { (char *) "container=agenttest", (char *) "NOTIFY_SOCKET=" NOTIFY_PATH, NULL };

        (void) execve(sandbox->systemd_path, arguments, environment);
        return error_set_errno(reterr, -errno, "cannot execute %s", sandbox->systemd_path);
}

/* The sockets' ends in this process. */
typedef struct ChildEnds {
        int setup_fd;
        int keeper_fd;
} ChildEnds;

static int fork_keeper(Sandbox *sandbox, ChildEnds *ends, Error *reterr) {
        pid_t keeper;

        keeper = fork();
        if (keeper < 0)
                return error_set_errno(reterr, -errno, "cannot fork in the sandbox");
        if (keeper == 0) {
                (void) close(ends->setup_fd); /* its end means the start of systemd */
                (void) close(sandbox->notify_fd);
                sandbox_keeper_main(sandbox, ends->keeper_fd);
        }
        (void) close(ends->keeper_fd);
        return 0;
}

static int become_systemd(Sandbox *sandbox, ChildEnds *ends, Error *reterr) {
        CLEANUP(sandbox_root_free_p) SandboxRoot *root = NULL;
        SetupMessage console = { .kind = SETUP_FD };
        int null_fd, r;

        r = follow_performer(ends->setup_fd, reterr);
        if (r >= 0)
                r = fork_keeper(sandbox, ends, reterr);
        if (r >= 0)
                r = enter_cgroups(sandbox, reterr);
        if (r >= 0)
                r = raise_loopback(reterr);
        if (r >= 0)
                r = sandbox_root_new(sandbox, &root, reterr);
        if (r >= 0)
                r = build_root(sandbox, root, &console.number, reterr);
        if (r < 0)
                return r;
        r = setup_send(ends->setup_fd, &console);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot hand the console over");

        reset_limits();
        reset_signals();
        create_run_files();
        r = capabilities_drop(reterr);
        if (r < 0)
                return r;

        null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = 0; fd < 3; fd++)
                if (null_fd < 0 || dup2(null_fd, fd) < 0)
                        return error_set_errno(reterr, -errno, "cannot open /dev/null of the sandbox");
        (void) close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        return exec_systemd(sandbox, reterr);
}

_Noreturn static void pid1_main(Sandbox *sandbox, ChildEnds *ends) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        /* The performer's ends: while a copy of them is open here, its death goes unnoticed. */
        close_p(&sandbox->setup_fd);
        close_p(&sandbox->keeper_fd);
        close_p(&sandbox->signal_fd);
        r = become_systemd(sandbox, ends, &error);
        (void) setup_send_error(ends->setup_fd, r, &error);
        _exit(EXIT_FAILURE);
}

static int error_clone(int code, Error *reterr) {
        if (code == -EPERM)
                return error_set(reterr, code,
                                "the kernel refused new namespaces: agenttest needs CAP_SYS_ADMIN; run it as root "
                                "(in a "
                                "container: --privileged, or --cap-add=SYS_ADMIN with a seccomp profile that allows "
                                "clone3)");
        if (code == -ENOSPC)
                return error_set(reterr, code,
                                "the limit of namespaces is reached: raise /proc/sys/user/max_*_namespaces, or lower "
                                "--jobs");
        return error_set_errno(reterr, code, "cannot clone PID 1 of the sandbox");
}

static int make_sockets(Sandbox *sandbox, ChildEnds *ends, Error *reterr) {
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                return error_set_errno(reterr, -errno, "cannot make a socket");
        sandbox->setup_fd = fds[0];
        ends->setup_fd = fds[1];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                return error_set_errno(reterr, -errno, "cannot make a socket");
        sandbox->keeper_fd = fds[0];
        ends->keeper_fd = fds[1];
        sandbox->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (sandbox->notify_fd < 0)
                return error_set_errno(reterr, -errno, "cannot make a socket");
        return 0;
}

static void child_ends_done(ChildEnds *ends) {
        close_p(&ends->setup_fd);
        close_p(&ends->keeper_fd);
}

int sandbox_clone_pid1(Sandbox *sandbox, Error *reterr) {
        CLEANUP(child_ends_done) ChildEnds ends = { -EBADF, -EBADF };
        int r;

        r = make_sockets(sandbox, &ends, reterr);
        if (r < 0)
                return r;
        (void) fflush(NULL); /* or the player would write it once more */

        sandbox->forked_usec = sandbox->context.forked_usec = clock_now_usec();
        sandbox->pid1 = clone_pid1(&sandbox->pid1_fd);
        if (sandbox->pid1 < 0)
                return error_clone(-errno, reterr);
        if (sandbox->pid1 == 0)
                pid1_main(sandbox, &ends);
        return 0;
}
