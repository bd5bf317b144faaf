/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The parts of the sandbox stage, for sandbox-*.c alone; the interface is stage.h, the reasons are in
 * docs/sandbox.md.
 *
 * Four processes: the performer, who called run() and waits; PID 1, which makes the sandbox from inside and becomes
 * systemd; the player, which runs the scenario's function in there; the keeper, which is the player's parent. PID 1
 * dies with the performer (PR_SET_PDEATHSIG), and everything else in the sandbox dies with PID 1 (pid_namespaces(7)).
 */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "stage/cgroup-tree.h"
#include "stage/stage.h"

#define CONSOLE_TAIL_BYTES 4096

typedef struct Sandbox {
        const StageRequest *request; /* borrowed */
        char *mark;                  /* of this scenario; names its cgroups */
        char *run_folder;            /* PID 1 builds the sandbox's root on it, in its own mount namespace */
        const char *systemd_path;    /* static or the environment's */
        CgroupHierarchies *hierarchies;

        int setup_fd;        /* messages of PID 1 until it is systemd */
        int notify_fd;       /* $NOTIFY_SOCKET of systemd; PID 1 binds it */
        int console_fd;      /* master side of /dev/console */
        int console_peer_fd; /* its other side, held so that the master never reads as hung up */
        int signal_fd;
        sigset_t signals_before; /* the performer's mask when it called run() */

        pid_t pid1;
        int pid1_fd;
        uint64_t forked_usec;
        bool is_systemd; /* exec has happened */
        bool is_booted;  /* READY=1 was read */
        uint64_t booted_usec;

        StageFunction function;
        void *userdata;
        StageContext context;  /* its booted_usec is known in the player only */
        int keeper_fd;         /* messages of the keeper */
        int player_fd;         /* pidfd; the keeper sends it */
        bool has_player_ended; /* player_wait_status is there */
        bool is_keeper_gone;   /* it went without a word about the player */
        int player_wait_status;

        int interrupt_signal; /* the last SIGTERM or SIGINT to the performer; 0: none */
        char console_tail[CONSOLE_TAIL_BYTES];
        size_t n_console_tail_bytes;
} Sandbox;

/* sandbox-pid1.c: clones PID 1; on success the performer's ends and pid1, pid1_fd, forked_usec are set. */
int sandbox_clone_pid1(Sandbox *sandbox, Error *reterr);

/* sandbox-player.c: the keeper, from its fork to its end; @performer_fd is its side of keeper_fd. */
_Noreturn void sandbox_keeper_main(Sandbox *sandbox, int performer_fd);

/* sandbox-watch.c: waits until something happens or the deadline passes, and notes it in @sandbox. */
int sandbox_watch(Sandbox *sandbox, uint64_t deadline_usec, Error *reterr);
/* What systemd has printed up to now into console_tail. */
void console_drain(Sandbox *sandbox);
/* Is the process behind @pidfd dead? */
bool pidfd_has_ended(int pidfd, int timeout_msec);
/* What systemd printed last, on lines of their own, into the message of @reterr. Returns @code. */
int sandbox_error_with_console(const Sandbox *sandbox, Error *reterr, int code, const char *what);

/* sandbox-setup.c: what the processes of a sandbox tell each other while they are set up. */
typedef enum SetupKind {
        SETUP_NOTHING, /* no message yet */
        SETUP_OVER,    /* the other end has closed: by exec, by success, by its death */
        SETUP_ERROR,   /* number: negative errno; text: the message */
        SETUP_FD,      /* number: a descriptor that comes with it */
        SETUP_GO,      /* to the keeper. usec: when systemd was ready */
        SETUP_STATUS,  /* number: the player's wait status */
} SetupKind;

typedef struct SetupMessage {
        SetupKind kind;
        int number;
        uint64_t usec;
        char text[4000];
} SetupMessage;

int setup_send(int fd, const SetupMessage *message);
int setup_send_error(int fd, int code, const Error *error);
/* @flags: MSG_DONTWAIT or 0. An error that was sent is returned, with its message. */
int setup_receive(int fd, int flags, SetupMessage *ret_message, Error *reterr);

/* sandbox-root.c: everything the host shows, as an overlay below *ret_root_fd; used by PID 1 before it pivots. */
typedef struct SandboxRoot SandboxRoot;
int sandbox_root_new(const Sandbox *sandbox, SandboxRoot **ret_root, Error *reterr);
SandboxRoot *sandbox_root_free(SandboxRoot *root);
/* The directory starts empty on the stage, where the host has one. To be called before sandbox_root_mount(). */
int sandbox_root_hide(SandboxRoot *root, const char *path, Error *reterr);
/* Of an ordinary user's sandbox: lets @path be made. To be called before sandbox_root_mount(). */
int sandbox_root_open(SandboxRoot *root, const char *path, Error *reterr);
int sandbox_root_mount(SandboxRoot *root, Error *reterr);
/* Shows host folder @path, which something mounted by now covers. */
int sandbox_root_show(SandboxRoot *root, const char *path, Error *reterr);
/* Makes it the root of this mount namespace and lets go of the host's. */
int sandbox_root_enter(SandboxRoot *root, Error *reterr);
int sandbox_root_fd(const SandboxRoot *root);
const char *sandbox_root_path(const SandboxRoot *root);
/* A place in memory outside the root, for what is bind-mounted into it. */
const char *sandbox_root_staging_path(const SandboxRoot *root);

DEFINE_CLEANUP(SandboxRoot, sandbox_root_free)

/* sandbox-api.c: /run, /proc, /sys with the cgroup hierarchies that are ours. */
int sandbox_mount_api(const Sandbox *sandbox, const SandboxRoot *root, Error *reterr);
/* sandbox-dev.c: /dev. *ret_console_fd: the master of /dev/console. */
int sandbox_mount_dev(const SandboxRoot *root, int *ret_console_fd, Error *reterr);

/* sandbox-files.c: puts files on the stage; paths are resolved inside @root_fd. */
int sandbox_place_file(int root_fd, const StageFile *file, Error *reterr);
/* Makes directory @path and its missing parents (0755, root) inside @root_fd. */
int sandbox_make_folders(int root_fd, const char *path, Error *reterr);

/* sandbox-manager-files.c: what systemd is told: our target, the journal's settings, what is hidden from it. */
int sandbox_hide_manager_folders(SandboxRoot *root, Error *reterr);
int sandbox_place_manager_files(const Sandbox *sandbox, int root_fd, Error *reterr);

/* sandbox-settings.c: -EINVAL where systemd has left out one of the request's settings. */
int sandbox_check_settings(Sandbox *sandbox, Error *reterr);

/* sandbox-probe.c */
int sandbox_probe(Error *reterr);
/* The systemd to boot, or NULL where there is none. Static or the environment's. */
const char *sandbox_find_systemd(void);
/* 0, or what is wrong with the hierarchies for a sandbox and how to get them right. */
int sandbox_check_hierarchies(const CgroupHierarchies *hierarchies, Error *reterr);

static inline Sandbox sandbox_init(const StageRequest *request) {
        return (Sandbox){
                .request = request,
                .setup_fd = -EBADF,
                .notify_fd = -EBADF,
                .console_fd = -EBADF,
                .console_peer_fd = -EBADF,
                .signal_fd = -EBADF,
                .pid1_fd = -EBADF,
                .context = { .host_proc_fd = -EBADF, .kmsg_fd = -EBADF },
                .keeper_fd = -EBADF,
                .player_fd = -EBADF,
        };
}
