/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The service manager over D-Bus: unit properties, jobs and main processes -> entries; jobs and signals <- the
 * performer.
 *
 * Order of use: bus_watch_new() installs the matches, then units are added, then jobs are queued; everything after
 * bus_watch_new() is asynchronous and shows in the timeline. The manager answers one connection's questions in the
 * order they were asked, so a unit that was added before it is started has its first snapshot from before the start.
 *
 * Snapshots come two ways. The first of a unit, those of bus_watch_ask() and those of a barrier are questions for all
 * properties of all interfaces, which the manager answers at one moment. Between them its PropertiesChanged signals
 * carry all properties that it announces at all, both halves of which become one entry: every state is seen, however
 * short, and nothing is asked. (One question a signal was tried: it takes the manager 0.3 ms and us 0.2 ms, at three
 * a cycle 1.6 to 2 times a bare start and stop.) A signal that never comes is made up for by the next barrier.
 *
 * `asked` of a signal's entry is when the latest question was sent that had been answered before it: the manager
 * speaks in order on one connection, so the signal was composed later.
 *
 * Properties always repeated, the exit facts: ActiveState, SubState, Result, MainPID, ExecMainPID, ExecMainCode,
 * ExecMainStatus, ExecMainStartTimestampMonotonic, ExecMainExitTimestampMonotonic, InvocationID, NRestarts.
 *
 * A lost connection is an ENTRY_CHANNEL "bus" "closed", once; questions on the way end with an error.
 */

#include <sys/types.h>

#include <stdbool.h>

#include "observe/observer.h"

typedef struct BusWatch BusWatch;

/**
 * bus_watch_new() - connect, subscribe, attach to the loop
 * @address: of the manager ("unix:path=/run/systemd/private", peer to peer) or of a bus it is on
 *
 * Waits for the connection and the answer to Subscribe, at most 10 s.
 * Errors: no connection; the message names the address.
 */
int bus_watch_new(Observer *observer, const char *address, BusWatch **ret_watch, Error *reterr);
BusWatch *bus_watch_free(BusWatch *watch);

/* Watches @unit; its first ENTRY_PROPERTIES, with all properties, follows. Twice is the same as once. */
int bus_watch_add_unit(BusWatch *watch, const char *unit, Error *reterr);

/* Takes a snapshot of @unit (known or not): one ENTRY_PROPERTIES whose `asked` is not before this call. */
int bus_watch_ask(BusWatch *watch, const char *unit);

/**
 * bus_watch_job() - queue a job
 * @verb: "start", "stop", "restart", "try-restart", "reload", "reload-or-restart"; also "daemon-reload" (@unit NULL)
 * "reset-failed", "freeze" and "thaw", which are no jobs: their ENTRY_JOB_ACTION has no `job`
 * @mode: "replace", "fail", ...; NULL: "replace"
 *
 * The answer is an ENTRY_JOB_ACTION. Errors: -EINVAL for an unknown verb; the connection is gone.
 */
int bus_watch_job(BusWatch *watch, const char *unit, const char *verb, const char *mode, Error *reterr);

/* KillUnit; @who: "main", "control", "all". The answer is an ENTRY_SIGNAL_ACTION. */
int bus_watch_kill(BusWatch *watch, const char *unit, const char *who, int signal, Error *reterr);

/*
 * The same to the main process alone, by the pidfd taken when its MainPID was first seen, so that no other process
 * can be hit. Immediate: the ENTRY_SIGNAL_ACTION is in on return; its `errno` is ESRCH where there is no main
 * process.
 */
int bus_watch_signal_main(BusWatch *watch, const char *unit, int signal);

/* ENTRY_MAIN_ALIVE where the main process of @unit lives; nothing where it does not (then ENTRY_MAIN_GONE says so).
 */
int bus_watch_check_alive(BusWatch *watch, const char *unit);

/* Has the manager said anything about the unit yet? */
bool bus_watch_knows(const BusWatch *watch, const char *unit);
/* Has bus_watch_control_group() know the cgroup of a unit that was started a moment ago: may wait for the manager. */
void bus_watch_fetch_control_group(BusWatch *watch, const char *unit);

/* The main process as last seen, 0 where none; and the ControlGroup as last seen, NULL where none; borrowed. */
pid_t bus_watch_main_pid(const BusWatch *watch, const char *unit);
const char *bus_watch_control_group(const BusWatch *watch, const char *unit);

/**
 * bus_watch_barrier() - drain the channel
 *
 * A round trip and a fresh snapshot of every watched unit. The manager handles SIGCHLD before it reads from us, so a
 * process that was dead when the barrier was asked for is reflected in the snapshot.
 * Errors: -EBUSY where a barrier is under way; -ENOTCONN.
 */
int bus_watch_barrier(BusWatch *watch, BarrierCallback callback, void *userdata);

/* The manager's version ("252.39-1~deb12u2"), asked for in bus_watch_new(); borrowed. */
const char *bus_watch_version(const BusWatch *watch);

DEFINE_CLEANUP(BusWatch, bus_watch_free)
