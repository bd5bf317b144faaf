/* SPDX-License-Identifier: MIT */
#pragma once

/* What /proc tells about a process and its children: one ENTRY_PROCESS each. Immediate. Source: proc(5). */

#include <sys/types.h>

#include "observe/observer.h"

/* A process that is gone gives an entry with its `errno`; so does @main_pid 0, a unit without one: ESRCH. */
int process_probe(Observer *observer, const char *unit, pid_t main_pid);
