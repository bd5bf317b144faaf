/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A stage is the place a scenario is played on: a service manager, its journal and its cgroups. This header knows no
 * scenario and no timeline; it puts files in place, brings the manager up, runs a function where the manager can be
 * talked to, and takes everything down again.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* One file, directory or unit file that must be on the stage before the manager starts. All pointers are borrowed. */
typedef struct StageFile {
        const char *path;        /* absolute, on the stage */
        const char *source_path; /* host file to copy (its mode is kept where mode is 0); NULL: take content */
        const char *content;     /* where source_path is NULL; NULL for a directory */
        size_t n_content_bytes;
        const char *owner; /* user name or uid as text, resolved on the stage; NULL: root */
        const char *group; /* NULL: the owner's primary group where an owner is named, else root */
        mode_t mode;       /* 0: 0644 for files without a source, 0755 for directories */
        bool is_settings;  /* settings of a unit that the manager has to take, all of them */
        bool is_directory; /* with its missing parents; hides what the host has there (it starts empty) */
} StageFile;

typedef struct StageRequest {
        const char *run_id;      /* mark of the whole run, [a-z0-9]+; see stage/ownership.h */
        unsigned scenario_index; /* unique within the run; with run_id the mark of this stage */
        const StageFile *files;
        size_t n_files;
        bool is_exclusive;               /* its processes are given the processor before others on the machine */
        const char *const *pinned_units; /* kept loaded after they stop, so that their exit facts can be read */
        size_t n_pinned_units;
        const char *const
                        *signalled_units; /* those that are sent signals: what they make of them may take its time */
        size_t n_signalled_units;
        const char *const *shown_paths; /* host folders that must be visible although something hides them */
        size_t n_shown_paths;
        const char *scenario_name; /* for people, in the undo log */
        bool is_observing;         /* nothing is to be changed; for stages on the machine itself */
        bool has_to_reload;        /* for the same: undoing what it does has the manager read all its files again */
} StageRequest;

/* What the function that runs on the stage is told. */
typedef struct StageContext {
        const char *kind_name;      /* "sandbox" */
        const char *bus_address;    /* D-Bus address of the manager, e.g. "unix:path=/run/systemd/private" */
        const char *journal_folder; /* e.g. "/run/log/journal" */
        const char *cgroup_mark;    /* part of every host cgroup path of this stage; NULL: it is the machine itself */
        bool is_shared;     /* manager, journal, kernel and process numbers are the machine's: others use them too */
        pid_t user_manager; /* process of the manager, where it is a user's; else 0 */
        unsigned journal_burst; /* is_shared: lines of a unit beyond which journald drops; 0: it never does */
        unsigned n_journal_lines_before; /* is_shared: lines that count into that by when the scenario begins */
        uint64_t forked_usec;            /* CLOCK_MONOTONIC: PID 1 was forked */
        uint64_t booted_usec;            /* CLOCK_MONOTONIC: the manager said READY=1 */
        int host_proc_fd; /* the outermost /proc, to translate pids of kernel records; -EBADF where not to be had */
        int kmsg_fd;      /* /dev/kmsg, opened before the boot and at its end; -EBADF where not to be had */
} StageContext;

/* Runs in a process of its own, inside the stage's namespaces; what it returns becomes that process's exit status. */
typedef int (*StageFunction)(const StageContext *context, void *userdata);

typedef struct StageKind {
        const char *name; /* as in --stage */
        const char *doc;
        bool is_shared; /* it is the machine itself: one scenario at a time, and only what can be undone */

        /*
         * Makes of the calling process, which has one thread, one that can play the stage: once, before anything else
         * is asked of it. The processes it forks are like it from then on. NULL: there is nothing to do. Errors:
         * what is missing, and how to get it.
         */
        int (*enter)(Error *reterr);
        /* At the end, when nothing of the stage is left: gives back what enter() has taken. NULL: nothing. */
        void (*leave)(void);

        /* Where the scenario's unit files and drop-ins go. NULL: there is no such folder, or out of memory. */
        char *(*find_unit_folder)(void);

        /**
         * check() - would run() take @request? Asked for all scenarios before the first one runs; changes nothing
         *
         * NULL: it takes all. Errors: -EPERM, -EBUSY, -EEXIST, ... with what is refused and why.
         */
        int (*check)(const StageRequest *request, Error *reterr);

        /**
         * run() - bring the stage up, run @function on it, take it down
         * @ret_wait_status: wait status of the process that ran @function
         *
         * To be called in a single-threaded process that exists for this one scenario and has SIGCHLD at its
         * default. Its death by SIGKILL takes the stage with it (the kernel does, by PR_SET_PDEATHSIG); that it dies
         * with the scheduler is the scheduler's to arrange, in the same way. The run @request names is begun
         * (ownership_new()), and a guard stands by for what a killed process cannot remove.
         *
         * SIGTERM and SIGINT to this process are passed on to the one that runs @function, which then has 15 s to
         * end in order before it is killed; during the boot they end the stage with -EINTR. @function finds the
         * environment and the working directory of a system service, the signal mask of the caller, all capabilities
         * (a command it executes for a scenario drops them first: stage/capabilities.h), and the caller's cgroups.
         *
         * Errors: the stage could not be brought up or taken down; the message says what is missing and how to get
         * it. -ECHILD where the manager ended, with what it printed last.
         */
        int (*run)(const StageRequest *request, StageFunction function, void *userdata, int *ret_wait_status,
                        Error *reterr);

        /* 0 where limits of cgroup controller @name can be in force on the stage, else the reason. NULL: where the
         * machine has it. */
        int (*check_controller)(const char *name, Error *reterr);

        /* 0 where this machine can play the stage, else the reason in @reterr with the way to get there. */
        int (*probe)(Error *reterr);
} StageKind;

extern const StageKind sandbox_stage, system_stage, user_stage;

/* The stages there are, the default first. */
extern const StageKind *const stage_kinds[];
extern const size_t n_stage_kinds;
