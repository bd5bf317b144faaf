/* SPDX-License-Identifier: MIT */
#pragma once

/* Reading /proc. Its files have no size and come as long as one reads; all of it is text of one moment per read. */

#include <sys/types.h>

#include "base/text.h"

/* Appends all of the file at @path (from @at_fd, or AT_FDCWD). A negative errno where it cannot be read. */
int proc_read(int at_fd, const char *path, Text *ret_text);

typedef struct ProcessBrief {
        pid_t pid;
        pid_t parent_pid;
        pid_t session;
        char process_state; /* as in proc(5): R, S, D, Z, ... */
        bool is_kernel_thread;
        bool is_exiting; /* the thread; see process_is_ending() */
        int64_t n_threads;
        uint64_t start_ticks; /* since the boot: with the pid it names one process for good */
        char comm[64];
} ProcessBrief;

/* From /proc/PID/stat. -ENOENT or -ESRCH where it is gone. */
int process_brief(pid_t pid, ProcessBrief *ret_brief);

/* Is all of it dying or dead? On cgroup v1 such a process is in no cgroup any more. A first thread that has ended
 * while others live does not make it so. */
bool process_is_ending(const ProcessBrief *process);

/* All processes, by rising pid; the array is the caller's. */
int process_list(ProcessBrief **ret_processes, size_t *ret_n_processes);
