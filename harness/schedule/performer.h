/* SPDX-License-Identifier: MIT */
#pragma once

/* The process that plays one scenario: forked here, watched by its pidfd, ended by its pid and never by a name. */

#include "base/text.h"
#include "perform/perform.h"

typedef struct Performer {
        pid_t pid;
        int pid_fd;
        int stream_fd; /* our end; not blocking */
} Performer;

#define PERFORMER_INIT ((Performer){ .pid_fd = -EBADF, .stream_fd = -EBADF })

typedef struct PerformerSpec {
        int (*perform)(const PerformRequest *request);
        PerformRequest request; /* stream_fd is filled in */
        int output_fd;          /* becomes standard output and error */
        /* Called first in the child: closes what the child must not hold. */
        void (*in_child)(void *userdata);
        void *userdata;
} PerformerSpec;

/**
 * performer_start() - fork the process
 *
 * It is the leader of a session of its own (a terminal's SIGINT reaches only us, who end it in order), it dies by
 * SIGKILL when we do, and reads nothing. Descriptors it does not close in @in_child it keeps, the lock of the run
 * among them: a process that can still make cgroups must hold that (stage/ownership.h).
 *
 * Errors: -EAGAIN where the machine has no room for another process, -EMFILE, ...
 */
int performer_start(const PerformerSpec *spec, Performer *ret_performer, Error *reterr);

/* Sends a signal to the process; one that is gone already is no error. */
void performer_signal(const Performer *performer, int signal_number);

/* Takes the wait status of a performer whose pidfd is readable. */
int performer_reap(Performer *performer, int *ret_wait_status);

/* Releases the descriptors; what still runs is killed and reaped. */
void performer_done(Performer *performer);

/* "ended with status 3", "was killed by SIGKILL"; appended. */
void wait_status_text(int wait_status, Text *ret_text);
