/* SPDX-License-Identifier: MIT */
/* The sandbox stage, seen from the performer: boot, play, take down. */
#include "stage/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "stage/deadline.h"
#include "stage/delegation.h"
#include "stage/ownership.h"
#include "stage/rootless.h"

#define BOOT_LIMIT_USEC   (30 * USEC_PER_SEC)
#define GRACE_USEC        (15 * USEC_PER_SEC) /* for the scenario to end in order once it is interrupted */
#define DEATH_LIMIT_USEC  (10 * USEC_PER_SEC)
#define CGROUP_LIMIT_USEC (10 * USEC_PER_SEC)
/* Makes systemd log at level debug. Source: systemd(1), "Signals". */
#define SIGNAL_LOG_DEBUG  (SIGRTMIN + 22)

static void sandbox_done(Sandbox *sandbox) {
        cgroup_hierarchies_free(sandbox->hierarchies);
        free(sandbox->mark);
        free(sandbox->run_folder);
        close_p(&sandbox->setup_fd);
        close_p(&sandbox->notify_fd);
        close_p(&sandbox->console_fd);
        close_p(&sandbox->console_peer_fd);
        close_p(&sandbox->signal_fd);
        close_p(&sandbox->pid1_fd);
        close_p(&sandbox->context.host_proc_fd);
        close_p(&sandbox->context.kmsg_fd);
        close_p(&sandbox->keeper_fd);
        close_p(&sandbox->player_fd);
}

/* Where PID 1 builds the root. One for all scenarios of the run: each mounts over it in a namespace of its own. */
static int prepare_folder(Sandbox *sandbox, Error *reterr) {
        CLEANUP_FREE char *run_folder = run_folder_path(sandbox->request->run_id);

        sandbox->mark = scenario_mark(sandbox->request->run_id, sandbox->request->scenario_index);
        if (!run_folder || !sandbox->mark)
                return error_set(reterr, -ENOMEM, "out of memory");
        if (asprintf(&sandbox->run_folder, "%s/stage", run_folder) < 0) {
                sandbox->run_folder = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        if (mkdir(sandbox->run_folder, 0700) < 0 && errno != EEXIST)
                return error_set_errno(
                                reterr, -errno, "cannot make %s in the folder of the run", sandbox->run_folder);
        return 0;
}

static int prepare_signals(Sandbox *sandbox, Error *reterr) {
        sigset_t handled;

        (void) sigemptyset(&handled);
        (void) sigaddset(&handled, SIGTERM);
        (void) sigaddset(&handled, SIGINT);
        sandbox->signal_fd = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
        if (sandbox->signal_fd < 0 || sigprocmask(SIG_BLOCK, &handled, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot take signals");
        return 0;
}

static int sandbox_prepare(Sandbox *sandbox, Error *reterr) {
        int r;

        sandbox->systemd_path = sandbox_find_systemd();
        if (!sandbox->systemd_path || geteuid() != 0) {
                r = sandbox_probe(reterr);
                return r < 0 ? r : error_set(reterr, -ENOENT, "there is no systemd to boot");
        }
        r = run_hierarchies_read(sandbox->request->run_id, &sandbox->hierarchies, reterr);
        if (r >= 0)
                r = sandbox_check_hierarchies(sandbox->hierarchies, reterr);
        if (r >= 0)
                r = prepare_folder(sandbox, reterr);
        if (r >= 0)
                r = prepare_signals(sandbox, reterr);
        return r;
}

static int error_pid1_ended(Sandbox *sandbox, Error *reterr) {
        siginfo_t ended = { 0 };
        char what[128];

        /* What it said last may have come after the poll that saw it end. */
        if (sandbox_watch(sandbox, clock_now_usec(), reterr) < 0)
                return reterr ? reterr->code : -ECHILD;
        (void) waitid(P_PIDFD, (id_t) sandbox->pid1_fd, &ended, WEXITED | WNOHANG | WNOWAIT);
        (void) snprintf(what, sizeof(what), "PID 1 of the sandbox (%s) %s %d %s",
                        sandbox->is_systemd ? "systemd" : "its set-up",
                        ended.si_code == CLD_EXITED ? "ended with status" : "was ended by signal", ended.si_status,
                        sandbox->is_booted ? "while the scenario ran" : "during the boot");
        return sandbox_error_with_console(sandbox, reterr, -ECHILD, what);
}

static int sandbox_boot(Sandbox *sandbox, Error *reterr) {
        uint64_t deadline_usec;
        int r;

        r = cgroup_trees_create(sandbox->hierarchies, sandbox->mark, reterr);
        if (r < 0)
                return r;
        (void) cgroup_trees_forbid_sysctls(sandbox->hierarchies, sandbox->mark); /* where it can be had */
        if (sandbox->request->is_exclusive)
                cgroup_trees_favour(sandbox->hierarchies, sandbox->mark);
        r = sandbox_clone_pid1(sandbox, reterr);
        if (r < 0)
                return r;

        deadline_usec = usec_add(sandbox->forked_usec, BOOT_LIMIT_USEC);
        while (!sandbox->is_booted) {
                r = sandbox_watch(sandbox, deadline_usec, reterr);
                if (r < 0)
                        return r;
                if (sandbox->interrupt_signal != 0)
                        return error_set(reterr, -EINTR, "interrupted by signal %d during the boot of the sandbox",
                                        sandbox->interrupt_signal);
                if (!sandbox->is_booted && pidfd_has_ended(sandbox->pid1_fd, 0))
                        return error_pid1_ended(sandbox, reterr);
                if (!sandbox->is_booted && deadline_is_past(deadline_usec))
                        return sandbox_error_with_console(sandbox, reterr, -ETIMEDOUT,
                                        "systemd did not get ready in the sandbox within 30 s");
        }

        r = sandbox_check_settings(sandbox, reterr);
        if (r < 0)
                return r;

        /* Only now: before journald is there every debug line would go to the console. The signal is handled before
         * any message of the player, which does not exist yet (systemd, manager_setup_signals(): signals come first).
         */
        if (pidfd_send_signal(sandbox->pid1_fd, SIGNAL_LOG_DEBUG, NULL, 0) < 0)
                return error_set_errno(reterr, -errno, "cannot set the log level of systemd in the sandbox");
        return 0;
}

/* Passes an interrupt on to the player, and kills it where it does not end in time after that. */
static void player_interrupt(Sandbox *sandbox, uint64_t *deadline_usec) {
        if (sandbox->player_fd < 0)
                return; /* about to start; the signal is kept until then */
        if (sandbox->interrupt_signal != 0) {
                (void) pidfd_send_signal(sandbox->player_fd, sandbox->interrupt_signal, NULL, 0);
                sandbox->interrupt_signal = 0;
                if (*deadline_usec == USEC_INFINITY)
                        *deadline_usec = deadline_in(GRACE_USEC);
        }
        if (deadline_is_past(*deadline_usec)) {
                (void) pidfd_send_signal(sandbox->player_fd, SIGKILL, NULL, 0);
                *deadline_usec = USEC_INFINITY;
        }
}

/* The keeper went without a word about the player: the kernel kills all of the pid namespace when PID 1 dies. */
static int error_play_cut_short(Sandbox *sandbox, Error *reterr) {
        if (pidfd_has_ended(sandbox->pid1_fd, 1000))
                return error_pid1_ended(sandbox, reterr);
        return error_set(reterr, -ECHILD, "the parent of the scenario's process was killed from outside");
}

static int sandbox_play(Sandbox *sandbox, int *ret_wait_status, Error *reterr) {
        const SetupMessage go = { .kind = SETUP_GO, .usec = sandbox->booted_usec };
        uint64_t deadline_usec = USEC_INFINITY; /* none of the stage: a scenario has its own */
        int r;

        r = setup_send(sandbox->keeper_fd, &go);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot start the scenario in the sandbox");
        while (!sandbox->has_player_ended) {
                r = sandbox_watch(sandbox, deadline_usec, reterr);
                if (r < 0)
                        return r;
                if (!sandbox->has_player_ended && (sandbox->is_keeper_gone || pidfd_has_ended(sandbox->pid1_fd, 0)))
                        return error_play_cut_short(sandbox, reterr);
                player_interrupt(sandbox, &deadline_usec);
        }
        *ret_wait_status = sandbox->player_wait_status;
        return 0;
}

static int pid1_end(Sandbox *sandbox, Error *reterr) {
        siginfo_t ended;

        if (sandbox->pid1 <= 0)
                return 0;
        (void) pidfd_send_signal(sandbox->pid1_fd, SIGKILL, NULL, 0);
        if (!pidfd_has_ended(sandbox->pid1_fd, DEATH_LIMIT_USEC / USEC_PER_MSEC))
                return error_set(reterr, -ETIMEDOUT, "PID 1 of the sandbox (pid %d) does not die",
                                (int) sandbox->pid1);
        if (waitid(P_PIDFD, (id_t) sandbox->pid1_fd, &ended, WEXITED) < 0)
                return error_set_errno(reterr, -errno, "cannot wait for PID 1 of the sandbox");
        return 0;
}

/* All that is left after whatever happened; the kernel takes the mounts and the network with the last process. */
static int sandbox_take_down(Sandbox *sandbox, Error *reterr) {
        int r;

        r = pid1_end(sandbox, reterr);
        if (r >= 0 && sandbox->hierarchies && sandbox->mark)
                r = cgroup_trees_destroy(sandbox->hierarchies, sandbox->mark, deadline_in(CGROUP_LIMIT_USEC), reterr);
        (void) sigprocmask(SIG_SETMASK, &sandbox->signals_before, NULL);
        return r;
}

/*
 * The /proc in which processes are called as in the kernel's records: that of the outermost pid namespace, whose
 * number is fixed. In a container there is none. Source: PROC_PID_INIT_INO in linux/proc_ns.h of the kernel.
 */
static int open_outermost_proc(void) {
        char name[64];
        ssize_t n = readlink("/proc/self/ns/pid", name, sizeof(name) - 1);

        name[n > 0 ? n : 0] = '\0';
        if (strcmp(name, "pid:[4026531836]") != 0)
                return -EBADF;
        return open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* What is to be had of the host inside. The kernel log from before the boot on: no record of the stage is missed. */
static void prepare_context(Sandbox *sandbox) {
        int proc_fd, kmsg_fd;

        proc_fd = open_outermost_proc();
        kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (kmsg_fd >= 0)
                (void) lseek(kmsg_fd, 0, SEEK_END);
        sandbox->context = (StageContext){
                .kind_name = sandbox_stage.name,
                .bus_address = "unix:path=/run/systemd/private",
                .journal_folder = "/run/log/journal",
                .cgroup_mark = sandbox->mark,
                .host_proc_fd = proc_fd >= 0 ? proc_fd : -EBADF,
                .kmsg_fd = kmsg_fd >= 0 ? kmsg_fd : -EBADF,
        };
}

static int sandbox_run(const StageRequest *request, StageFunction function, void *userdata, int *ret_wait_status,
                Error *reterr) {
        CLEANUP(sandbox_done) Sandbox sandbox = sandbox_init(request);
        int r, q;

        sandbox.function = function;
        sandbox.userdata = userdata;
        (void) sigprocmask(SIG_SETMASK, NULL, &sandbox.signals_before);
        r = sandbox_prepare(&sandbox, reterr);
        if (r < 0)
                return r;
        prepare_context(&sandbox);

        r = sandbox_boot(&sandbox, reterr);
        if (r >= 0)
                r = sandbox_play(&sandbox, ret_wait_status, reterr);
        q = sandbox_take_down(&sandbox, reterr);
        return r < 0 ? r : q;
}

static char *sandbox_unit_folder(void) {
        return strdup("/etc/systemd/system");
}

static int sandbox_enter(Error *reterr) {
        return geteuid() == 0 ? 0 : rootless_enter(true, reterr);
}

const StageKind sandbox_stage = {
        .name = "sandbox",
        .doc = "a private systemd as PID 1 of fresh namespaces, over a copy of this machine that keeps no change",
        .enter = sandbox_enter,
        .leave = delegation_leave,
        .find_unit_folder = sandbox_unit_folder,
        .check_controller = delegation_check_controller,
        .run = sandbox_run,
        .probe = sandbox_probe,
};
