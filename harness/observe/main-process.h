/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The main process of a unit, held by a pidfd: its end is an event, and a signal can hit no other process.
 * Source: pidfd_open(2).
 */

#include <sys/types.h>

#include "observe/observer.h"

typedef struct MainProcess MainProcess;

/* A process that is gone already gives its ENTRY_MAIN_GONE at once. -ENOMEM, -EMFILE, ... */
int main_process_new(Observer *observer, const char *unit, pid_t pid, MainProcess **ret_process);
MainProcess *main_process_free(MainProcess *process);

pid_t main_process_pid(const MainProcess *process);
bool main_process_is_gone(const MainProcess *process);

/* ENTRY_MAIN_ALIVE where it lives; its stamp is taken before the look, so it is a lower bound of the death. */
int main_process_check_alive(MainProcess *process);

/* Returns 0 or the errno of the kill as a negative number: -ESRCH where it is gone. */
int main_process_signal(const MainProcess *process, int signal);

DEFINE_CLEANUP(MainProcess, main_process_free)
