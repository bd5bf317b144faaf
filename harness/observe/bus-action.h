/* SPDX-License-Identifier: MIT */
#pragma once

/* What the performer has the manager do: one asynchronous call each, whose answer becomes an entry. See bus-watch.h.
 */

#include <sys/types.h>

#include "observe/bus-link.h"

int bus_action_job(BusLink *link, const char *unit, const char *verb, const char *mode, Error *reterr);

/* @pid: for the record only; 0 where several are meant. */
int bus_action_kill(BusLink *link, const char *unit, const char *who, pid_t pid, int signal, Error *reterr);

/* Appends ENTRY_SIGNAL_ACTION; @error is a positive errno or 0. */
int bus_action_record_signal(Observer *observer, const char *unit, const char *who, pid_t pid, int signal, int error,
                uint64_t asked_usec);
