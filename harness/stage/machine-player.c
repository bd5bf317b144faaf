/* SPDX-License-Identifier: MIT */
/*
 * The process that runs the scenario's function on the machine itself: in a scope of its own, so that all it forks
 * can be ended with it, and in a mount namespace in which nothing can be written but memory of its own, folders of
 * its own, and the cgroups. What the scenario's commands do to files is therefore nothing; what they ask of daemons
 * is the scenario's.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "stage/capabilities.h"
#include "stage/cgroup-tree.h"
#include "stage/deadline.h"
#include "stage/machine.h"
#include "stage/ownership.h"
#include "stage/player-environment.h"

#define SCOPE_LIMIT_USEC (30 * USEC_PER_SEC)
#define GRACE_USEC       (15 * USEC_PER_SEC)

static int set_mount_attributes(const char *path, unsigned flags, const struct mount_attr *attributes) {
        return syscall(SYS_mount_setattr, AT_FDCWD, path, flags, attributes, sizeof(*attributes)) < 0 ? -errno : 0;
}

/* Frozen, filled and limited units are a scenario's business, and gone with the unit. */
static int reopen_cgroups(void) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
        int r = cgroup_hierarchies_read(&hierarchies, NULL);

        for (size_t i = 0; r >= 0 && i < hierarchies->n_items; i++)
                r = set_mount_attributes(hierarchies->items[i].mount_path, 0, &writable);
        return r;
}

/* A process says of itself in /proc what is to become of it (oom_score_adj); what is the machine's in there stays
 * closed. */
static int reopen_proc(void) {
        static const char *const closed[] = { "/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus" };
        struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY }, read_only = { .attr_set = MOUNT_ATTR_RDONLY };

        FOREACH_ARRAY (path, closed, ELEMENTS_OF(closed)) {
                int r;

                if (mount(*path, *path, NULL, MS_BIND | MS_REC, NULL) < 0) {
                        if (errno == ENOENT)
                                continue;
                        return -errno;
                }
                r = set_mount_attributes(*path, AT_RECURSIVE, &read_only);
                if (r < 0)
                        return r;
        }
        return set_mount_attributes("/proc", 0, &writable);
}

/* The scenario's own folders: what is written there goes with them. */
static int show_stand_ins(const Machine *machine) {
        struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < machine->n_stand_ins; i++) {
                const StandIn *stand_in = &machine->stand_ins[i];

                if (mount(stand_in->folder, stand_in->path, NULL, MS_BIND, NULL) < 0)
                        return -errno;
                r = set_mount_attributes(stand_in->path, 0, &writable);
        }
        return r;
}

/* A place for temporary files, in memory: the folder of the run, in this namespace only. */
static int mount_temporary(const Machine *machine) {
        CLEANUP_FREE char *folder = run_folder_path(machine->request->run_id);

        if (!folder)
                return -ENOMEM;
        if (mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=25%") < 0)
                return -errno;
        return setenv("TMPDIR", folder, 1) < 0 ? -errno : 0;
}

static int close_file_systems(const Machine *machine, Error *reterr) {
        struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
        int r;

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot make a mount namespace");
        r = set_mount_attributes("/", AT_RECURSIVE, &read_only);
        if (r >= 0)
                r = reopen_cgroups();
        if (r >= 0)
                r = reopen_proc();
        if (r >= 0)
                r = show_stand_ins(machine);
        if (r >= 0)
                r = mount_temporary(machine);
        return r < 0 ? error_set_errno(reterr, r, "cannot make the file systems read-only to the scenario") : 0;
}

static int player_prepare(const Machine *machine, int go_fd, Error *reterr) {
        char byte;
        int r = 0;

        /* It begins when it is in its scope. */
        if (read(go_fd, &byte, 1) != 1)
                return error_set(reterr, -ECANCELED, "the stage was given up");
        if (chdir("/") < 0)
                return error_set_errno(reterr, -errno, "cannot enter /");
        (void) umask(0022);
        if (machine->is_user)
                return 0; /* it takes privileges to be without any */
        r = player_environment_set();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set the environment");
        r = close_file_systems(machine, reterr);
        /* The player observes with all of them; what it executes for a scenario can neither set the clock nor
         * reboot. */
        return r < 0 ? r : capabilities_drop(reterr);
}

static StageContext player_context(const Machine *machine) {
        int kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        unsigned burst, n_lines;

        if (kmsg_fd >= 0)
                (void) lseek(kmsg_fd, 0, SEEK_END);
        machine_read_journal_limit(&burst, &n_lines);
        return (StageContext){
                .kind_name = machine->kind->name,
                .bus_address = machine->address,
                .journal_folder = machine->journal_folder,
                .is_shared = true,
                .user_manager = machine->user_manager,
                .journal_burst = burst,
                .n_journal_lines_before = n_lines,
                .forked_usec = clock_now_usec(),
                .booted_usec = clock_now_usec(),
                .host_proc_fd = proc_fd >= 0 ? proc_fd : -EBADF,
                .kmsg_fd = kmsg_fd >= 0 ? kmsg_fd : -EBADF,
        };
}

_Noreturn static void player_main(
                Machine *machine, StageFunction function, void *userdata, int go_fd, pid_t performer) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        StageContext context;
        int exit_status;

        (void) prctl(PR_SET_NAME, "agenttest-play");
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != performer)
                _exit(EXIT_FAILURE);
        /* The performer's death lets go of the machine: whoever undoes what it did ends this process's scope first.
         */
        machine->log = undo_log_close(machine->log);
        context = player_context(machine);
        if (player_prepare(machine, go_fd, &error) < 0) {
                /* Standard error is the evidence's: the scheduler shows it with a stream that was cut. */
                (void) dprintf(STDERR_FILENO, "agenttest: %s\n", error_text(&error));
                _exit(EXIT_FAILURE);
        }
        (void) sigprocmask(SIG_SETMASK, &machine->signals_before, NULL);
        exit_status = function(&context, userdata);
        (void) fflush(NULL);
        _exit(exit_status);
}

static int put_into_scope(Machine *machine, Error *reterr) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        /* Who only observes runs no commands, and changes not even the list of units. */
        if (machine->request->is_observing)
                return 0;
        r = undo_log_own_unit(machine->log, "scope", machine->scope, reterr);
        for (size_t i = 0; r >= 0 && i < machine->request->n_signalled_units; i++)
                r = undo_log_signalled(machine->log, machine->request->signalled_units[i], reterr);
        if (r < 0)
                return r;
        r = machine_bus_scope(machine->bus, machine->scope, machine->player, deadline_in(SCOPE_LIMIT_USEC), &error);
        if (r >= 0)
                return 0;
        if (!machine->is_user)
                return error_set(reterr, r, "%s", error_text(&error));
        /* A user's manager may not take a process out of a session; the commands' own deadlines end them then. */
        (void) dprintf(STDERR_FILENO, "agenttest: commands are not bound to a scope: %s\n", error_text(&error));
        return 0;
}

static int player_start(Machine *machine, StageFunction function, void *userdata, Error *reterr) {
        CLEANUP_CLOSE int go_read_fd = -EBADF, go_write_fd = -EBADF;
        pid_t performer = getpid();
        int fds[2], r;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot make a pipe");
        go_read_fd = fds[0];
        go_write_fd = fds[1];
        machine->player = fork();
        if (machine->player < 0)
                return error_set_errno(reterr, -errno, "cannot fork the scenario's process");
        if (machine->player == 0) {
                (void) close(go_write_fd);
                player_main(machine, function, userdata, go_read_fd, performer);
        }
        machine->player_fd = pidfd_open(machine->player, 0);
        if (machine->player_fd < 0)
                return error_set_errno(reterr, -errno, "cannot watch the scenario's process");
        r = put_into_scope(machine, reterr);
        if (r >= 0 && write(go_write_fd, "g", 1) != 1)
                r = error_set_errno(reterr, -errno, "cannot start the scenario's process");
        return r;
}

/* Passes an interrupt on to the player; true where there was one. */
static bool pass_interrupt(const Machine *machine) {
        struct signalfd_siginfo info;

        if (read(machine->signal_fd, &info, sizeof(info)) != sizeof(info))
                return false;
        (void) pidfd_send_signal(machine->player_fd, (int) info.ssi_signo, NULL, 0);
        return true;
}

static int player_wait(Machine *machine, int *ret_wait_status, Error *reterr) {
        uint64_t deadline_usec = USEC_INFINITY; /* none of the stage: a scenario has its own */
        struct pollfd polled[] = {
                { .fd = machine->player_fd, .events = POLLIN },
                { .fd = machine->signal_fd, .events = POLLIN },
        };

        for (;;) {
                int n = poll(polled, ELEMENTS_OF(polled), deadline_poll_msec(deadline_usec));

                if (n < 0 && errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot wait for the scenario's process");
                if (n > 0 && polled[0].revents)
                        break;
                if (n > 0 && polled[1].revents && pass_interrupt(machine) && deadline_usec == USEC_INFINITY)
                        deadline_usec = deadline_in(GRACE_USEC);
                if (deadline_is_past(deadline_usec)) {
                        (void) pidfd_send_signal(machine->player_fd, SIGKILL, NULL, 0);
                        deadline_usec = USEC_INFINITY;
                }
        }
        while (waitpid(machine->player, ret_wait_status, 0) < 0)
                if (errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot wait for the scenario's process");
        machine->player = 0;
        return 0;
}

int machine_play(Machine *machine, StageFunction function, void *userdata, int *ret_wait_status, Error *reterr) {
        int r;

        r = player_start(machine, function, userdata, reterr);
        if (r >= 0)
                return player_wait(machine, ret_wait_status, reterr);
        if (machine->player > 0) {
                int wait_status;

                (void) kill(machine->player, SIGKILL); /* not reaped, so the number is its own */
                (void) waitpid(machine->player, &wait_status, 0);
                machine->player = 0;
        }
        return r;
}
