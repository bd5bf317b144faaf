/* SPDX-License-Identifier: MIT */
#pragma once

/* The child's side of a command: session, descriptors, environment, exec. See command.h. */

#include <sys/types.h>

#include "observe/command.h"

typedef struct SpawnedCommand {
        pid_t pid;
        int pidfd;
        int stdout_fd; /* our ends, non-blocking */
        int stderr_fd;
        int error_fd; /* gives an int, the errno of a failed exec; its end where exec went well */
} SpawnedCommand;

#define SPAWNED_COMMAND_INIT                                                                                         \
        ((SpawnedCommand){ .pidfd = -EBADF, .stdout_fd = -EBADF, .stderr_fd = -EBADF, .error_fd = -EBADF })

int command_spawn(const CommandRequest *request, SpawnedCommand *ret_command);
void spawned_command_close(SpawnedCommand *command);
