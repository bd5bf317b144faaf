/* SPDX-License-Identifier: MIT */
#pragma once

/* One row a command: its name, its help, the options it takes, and the function in its own file cli/command-*.c. */

#include "cli/options.h"

typedef struct Command {
        const char *name;
        const char *arguments; /* "PATH..." */
        const char *about;     /* one line, for the list of commands */
        const char *details;   /* paragraphs, for its own help */
        unsigned options;      /* bits of OptionBit */
        bool takes_paths;
        bool needs_paths;
        int (*run)(const Options *options); /* returns the exit status */
} Command;

/* Ends with a row without name. The first one is meant where none is named. */
extern const Command COMMANDS[];

int command_run(const Options *options);
int command_check(const Options *options);
int command_list(const Options *options);
int command_replay(const Options *options);
int command_merge(const Options *options);
int command_doctor(const Options *options);
int command_observe(const Options *options);
int command_rollback(const Options *options);
int command_schema(const Options *options);
int command_manual(const Options *options);

/* "agenttest: MESSAGE" on standard error. */
void complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* Flushes standard output. Returns @exit_status, or STATUS_ERROR, where that is worse, with a complaint: something
 * was not written. */
int finish_output(int exit_status);
