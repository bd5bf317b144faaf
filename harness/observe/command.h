/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Runs a command in a session of its own and records how it ended and what it said: one ENTRY_COMMAND.
 *
 * The command has ended when its first process has; what that and its children wrote by then is recorded. Children
 * that stay in the background live on until command_free(): it kills and reaps the whole session.
 */

#include "observe/observer.h"

#define COMMAND_MAX_OUTPUT ((size_t) 1024 * 1024) /* of each of stdout and stderr; more is read and dropped */

typedef struct CommandRequest {
        const char *owner;              /* step or expectation id */
        unsigned run;                   /* of the step */
        const char *line;               /* for /bin/sh -c; NULL: argv */
        const char *const *argv;        /* NULL-terminated; argv[0] is looked up in the environment's PATH */
        const char *const *environment; /* NULL-terminated "KEY=value"; NULL: ours */
        const char *folder;             /* working directory; NULL: ours */
        int cgroup_ns_fd;               /* cgroup namespace to enter them from; 0: ours */
        const char *const *enter_paths; /* cgroups to be in, their cgroup.procs, NULL-terminated; NULL: ours */
        uint64_t deadline_usec;         /* of CLOCK_MONOTONIC; the session is killed then and `timed-out` is "yes" */
} CommandRequest;

typedef struct Command Command;
typedef void (*CommandCallback)(const Entry *entry, void *userdata);

/**
 * command_start() - fork, exec and watch
 * @request: copied as far as needed
 * @on_end:  called from the loop once @entry is in the timeline; may be NULL; may free the command
 *
 * A program that cannot be executed is no error of this call: the entry's `errno` says so (a CLOEXEC pipe carries it,
 * so that it is not taken for a program that exits with 127). Errors: fork, pipe, out of memory.
 */
int command_start(Observer *observer, const CommandRequest *request, CommandCallback on_end, void *userdata,
                Command **ret_command, Error *reterr);

/* Kills and reaps what is left of the session; takes NULL. */
Command *command_free(Command *command);

DEFINE_CLEANUP(Command, command_free)
