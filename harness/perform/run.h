/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the steps of one running scenario share: the loop, the timeline, the observers. Made on the stage by
 * perform/perform.c, moved by perform/player.c.
 */

#include <systemd/sd-event.h>

#include "judge/judge.h"
#include "observe/acct-watch.h"
#include "observe/bus-watch.h"
#include "observe/cgroup-reader.h"
#include "observe/command.h"
#include "observe/journal-watch.h"
#include "observe/kmsg-watch.h"
#include "observe/left-behind.h"
#include "observe/observer.h"
#include "observe/sqlite-probe.h"
#include "perform/perform.h"
#include "perform/step.h"
#include "perform/stream.h"

typedef struct Player Player;
typedef struct Barrier Barrier;
typedef struct Hogs Hogs;         /* perform/hogs.h */
typedef struct Lateness Lateness; /* perform/lateness.h */

struct Run {
        const PerformRequest *request;
        const Scenario *scenario;
        const StageContext *stage;
        int cgroup_ns_fd;  /* the cgroup namespace outside the stage, in which the harness is; 0: not to be had */
        int hog_fd;        /* the program of the hogs; -EBADF where it is not beside agenttest */
        Observer observer; /* loop, timeline, evidence folder */
        Stream *stream;    /* of its entries, to the scheduler */
        LogBook *logbook;
        BusWatch *bus;
        JournalWatch *journal;
        AcctWatch *acct;
        KmsgWatch *kmsg;
        CgroupReader *cgroups;
        LeftBehind *left_behind;
        SqliteProbe *databases;
        Hogs *hogs;       /* NULL: none was started yet */
        Command *command; /* of the current `run` step; at most one */
        Barrier *barrier;
        Lateness *lateness;
        Player *player;
        const char *const *environment; /* of the scenario's commands, NULL-terminated */
        const char *folder;             /* the scenario file's, absolute: where commands run */
        bool is_about_quotas;
        int broken;  /* first error met in a callback, negative errno; ends the run */
        Error error; /* with its message */
};

/* What a judgement rests on right now. */
Case run_case(const Run *run);

/* A new entry of the harness about now; NULL: out of memory, which run_append() then reports. */
Entry *run_note(Run *run, EntryKind kind, const char *unit);

/* Takes an entry in. On error the run is marked broken; the entry is consumed either way. */
void run_append(Run *run, Entry *entry);

/* Remembers the first thing that went wrong in a callback. Returns 0, so that the loop goes on to end in order. */
int run_break(Run *run, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* The text with ${captures} put in, as they stand now. */
int run_resolve(const Run *run, const char *text, char **ret_text, Error *reterr);

/* Does the scenario expect something of limits or counters, or drive a load? */
bool run_is_about_quotas(const Run *run);

/* Reads the counters of every unit's cgroup into the timeline: while the cgroups are there, with the stage they go.
 * @moment: for the entries, may be NULL. */
void run_sample_counters(Run *run, const char *moment);

/* Reads one counter of @unit ("limits": looks at its main process), and that of its slice where the unit's cgroup is
 * gone and the slice's tells something.
 */
void run_sample_counter(Run *run, const char *unit, const char *counter, const char *moment);
