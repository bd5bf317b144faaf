/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One record of the timeline: a raw observation, never a conclusion.
 *
 * Fields are flat text, as in the journal: KEY -> bytes. The kinds and their fields are the contract between
 * observers, performer and judge; they are listed here and nowhere else.
 *
 * Stamps are microseconds of CLOCK_MONOTONIC. `at` is the source's own stamp and an upper bound of when it happened;
 * `seen` is when the harness recorded it. Where a fact was asked for, "asked" is when the question was sent: what the
 * answer says was true at some moment in [asked, at].
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

typedef enum EntrySource {
        SOURCE_HARNESS,
        SOURCE_BUS,
        SOURCE_JOURNAL,
        SOURCE_ACCT,    /* process accounting, acct(2) */
        SOURCE_PROCESS, /* pidfds and /proc */
        SOURCE_CGROUP,
        SOURCE_KMSG,
        SOURCE_FILE,
        SOURCE_SQLITE,
        SOURCE_SOCKET,
        SOURCE_COMMAND,
        N_SOURCES,
} EntrySource;

typedef enum EntryKind {
        /* harness */
        ENTRY_VERSIONS,      /* agenttest, systemd, kernel, cgroup ("v1 hybrid", "v2"), stage, forked, booted (usec),
                                cgroup-mark (the stage's part of a cgroup's path in the kernel's records),
                                lateness-scale (how many times budgets for lateness count; none: once), lateness-probe
                                (usec: what the measurement of it gave; none: it was not measured) */
        ENTRY_STEP_BEGIN,    /* step, kind, quote, run (number of this execution of the step, from 0) */
        ENTRY_STEP_END,      /* step, run, how: "done", "deadline", "failed", "broken"; reason; text */
        ENTRY_WINDOW,        /* step, run, from, deadline (usec; "infinity"): an expect step's window was opened */
        ENTRY_DEADLINE,      /* step, run: the deadline timer ran */
        ENTRY_BARRIER,       /* step, run, since (usec): all that happened before `since` is in the timeline;
                                channels: "bus journal acct ...", the ones that were drained; the last one, which has no
                                step: lines, how many of the journal's lines had been looked at: the copy in the
                                evidence may hold later ones, which are not for judging */
        ENTRY_JOB_ACTION,    /* unit, verb (start, stop, restart, ...), asked, job (object path) or error (bus error
                                name), text: the harness queued a job; `at` is when the reply came */
        ENTRY_SIGNAL_ACTION, /* unit, who, pid, signal (number), errno; `asked` before, `at` after the kill */
        ENTRY_CAPTURE,       /* name, value */
        ENTRY_CHANNEL,       /* channel, health: "ok", "lost", "late", "closed", "absent"; text */
        ENTRY_HOG, /* unit, resource (memory, cpu, tasks, fds), phase: "begin" (pid, wanted, errno), "report" (what it
                      says: text), "end" (status, a wait status; released: "yes": we ended it) */
        ENTRY_LATENESS, /* worst (usec): how late the harness's own timer ran at most so far; times: how often it ran.
                           A new one where it became worse, and one at the scenario's end */
        ENTRY_SCENARIO_END, /* how: "done", "stopped" (a step failed), "interrupted", "timeout", "broken"; text */
        /* bus */
        ENTRY_PROPERTIES,  /* unit, asked, errno (of the question), then scalar properties of the Unit and the type's
                              interface by systemd's name (ActiveState, ExecMainStatus, InvocationID as hex, booleans
                              "yes"/"no", lists of strings joined by spaces): the first entry of a unit has all, later
                              ones those that changed and always the exit facts; see timeline_property() */
        ENTRY_JOB_NEW,     /* unit, id, job (object path) */
        ENTRY_JOB_REMOVED, /* unit, id, job, result */
        /* journal */
        ENTRY_MANAGER_LINE, /* PID 1 about a unit, with a MESSAGE_ID: unit, MESSAGE_ID, seqnum, and where present
                               MESSAGE, INVOCATION_ID, COMMAND, EXIT_CODE, EXIT_STATUS, N_RESTARTS, JOB_TYPE,
                               JOB_RESULT, UNIT_RESULT */
        ENTRY_LOG, /* a line that a log expectation's pattern matched: seqnum, cursor, expectation, PID, PRIORITY,
                      MESSAGE (at most 256 bytes); for people: the judge asks the log book */
        ENTRY_JOURNAL_LOSS, /* journald says it dropped or missed messages: MESSAGE_ID, MESSAGE, unit where known */
        /* acct */
        ENTRY_DEATH, /* pid, ppid, comm, status (wait status), uid, flags, etime (usec), begin (s, wall clock) */
        /* process */
        ENTRY_MAIN_GONE,   /* unit, pid: the pidfd of a main process became readable */
        ENTRY_HOST_PID,    /* unit, pid, host-pid, role ("main", "hog"): the process as the kernel's records name it.
                              Only    where the machine's outermost pid namespace can be seen */
        ENTRY_MAIN_ALIVE,  /* unit, pid: its pidfd was not readable at `at`, a lower bound of its death */
        ENTRY_PROCESS,     /* unit, pid, role ("main", "child"), errno; stat, status, cmdline, exe, cwd, limits, fds
                              (one "N -> target" a line), n_fds, n_children, n_zombies; asked */
        ENTRY_LEFT_BEHIND, /* unit, asked, processes ("pid comm cgroup" a line), cgroup (path of the unit's cgroup
                              where it still exists), sockets (listening UNIX and IP ones, a line each) */
        /* cgroup */
        ENTRY_COUNTER, /* unit, counter (portable name, "file:NAME"), group (its ControlGroup), path, file, key (the
                          word before the number that is meant), errno, text; asked; cgroup (number of the directory:
                          another one is another cgroup, whose counters begin at 0); period (text of
                          cpu.cfs_period_us, beside cpu.cfs_quota_us); scope ("slice": of the slice the unit's cgroup
                          was in, read when that was gone); moment
                          ("begin": read when a step began, before it did anything) */
        /* kmsg */
        ENTRY_KERNEL, /* seqnum, MESSAGE */
        /* file, sqlite, socket, command: answers to a question the scenario asks */
        ENTRY_FILE,     /* path, errno, asked, type, mode (octal), owner, group, uid, gid, size, mtime (usec), inode,
                           links, target (of a symlink), sha256, bytes (at most 64 KiB), truncated ("yes") */
        ENTRY_DATABASE, /* path, errno, asked, copy (folder in the evidence; holds NAME, NAME-wal), changed ("yes": it
                           changed while it was copied) */
        ENTRY_SOCKET,   /* address, errno (0: accepted), asked */
        ENTRY_COMMAND,  /* owner (step or expectation id), run, command, asked, status (wait status), errno (exec
                           failed),  stdout, stderr, truncated ("stdout stderr"), timed-out ("yes") */
        N_ENTRY_KINDS,
} EntryKind;

typedef struct Field {
        char *key;
        char *bytes; /* NUL behind the last byte, for the common case of text */
        size_t n_bytes;
} Field;

typedef struct Entry {
        size_t index; /* place in the timeline, set by timeline_append() */
        EntrySource source;
        EntryKind kind;
        uint64_t at_usec;
        uint64_t seen_usec;
        char *unit; /* NULL: about no unit */
        Field *fields;
        size_t n_fields;
} Entry;

/* An empty entry to be filled; entry_free() takes NULL and returns NULL. NULL: out of memory. */
Entry *entry_new(EntrySource source, EntryKind kind, uint64_t at_usec, uint64_t seen_usec, const char *unit);
Entry *entry_free(Entry *entry);

/* Add one field (copied). -ENOMEM is remembered in the entry: timeline_append() then refuses it. */
void entry_set(Entry *entry, const char *key, const char *text);
void entry_set_bytes(Entry *entry, const char *key, const void *bytes, size_t n_bytes);
void entry_set_number(Entry *entry, const char *key, int64_t number);
void entry_set_usec(Entry *entry, const char *key, uint64_t usec); /* USEC_INFINITY is "infinity" */

const Field *entry_find(const Entry *entry, const char *key);
/* The field's text, NULL where there is none; borrowed. */
const char *entry_get(const Entry *entry, const char *key);
/* The field as a number; @fallback where there is none or it is no number. */
int64_t entry_get_number(const Entry *entry, const char *key, int64_t fallback);
uint64_t entry_get_usec(const Entry *entry, const char *key, uint64_t fallback);
bool entry_has(const Entry *entry, const char *key, const char *text);

const char *entry_source_name(EntrySource source);
const char *entry_kind_name(EntryKind kind);
/* -EINVAL for an unknown name. */
int entry_source_from_name(const char *name);
int entry_kind_from_name(const char *name);

DEFINE_CLEANUP(Entry, entry_free)
