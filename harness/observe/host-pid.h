/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A process's pid as the kernel's own records have it: that of the outermost pid namespace.
 *
 * Translated while the process is there, by a pidfd: its fdinfo, read through the outermost /proc, has the pid of
 * that namespace. Source: pidfd_open(2), proc_pid_fdinfo(5).
 */

#include <sys/types.h>

#include "observe/observer.h"

/* -EOPNOTSUPP without observer->host_proc_fd; -ESRCH where the process is gone. */
int host_pid_of(const Observer *observer, int pidfd, pid_t *ret_host_pid);

/* ENTRY_HOST_PID of @pid, which @pidfd holds; nothing where it cannot be told. -ENOMEM. */
int host_pid_record(Observer *observer, const char *unit, const char *role, pid_t pid, int pidfd);
