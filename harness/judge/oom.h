/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel's records of OOM kills, and whose process the victim was.
 *
 * For a kill the kernel writes two lines: "oom-kill:..." with the cgroup's path, of which it writes at most ten in 5
 * s for the whole machine, and "... Killed process PID (comm) ..." always. The pid is that of the outermost
 * namespace. So a kill belongs to a unit
 *   - by the path, which has the stage's mark and the unit's ControlGroup in it,
 *   - or by the pid, where the harness has recorded how its processes are called out there (ENTRY_HOST_PID),
 *   - or, for a process that was not recorded, because the unit's own counter (memory.oom-kills) has counted a kill
 *     that the others do not account for. Where there are more such lines than kills, nobody knows which line it is.
 * The first line also names the cgroup whose limit it was (oom_memcg): it need not be the victim's own.
 * Source: oom_kill_process(), dump_oom_victim(), mem_cgroup_print_oom_context() of the kernel.
 */

#include "judge/expect.h"

typedef enum OomVictim {
        OOM_VICTIM_UNKNOWN, /* nobody can tell which process of the unit */
        OOM_VICTIM_MAIN,
        OOM_VICTIM_CHILD, /* of the unit, neither a main process nor a hog */
        OOM_VICTIM_HOG,
} OomVictim;

typedef enum OomLimit {
        OOM_LIMIT_UNKNOWN, /* the line that names it was held back */
        OOM_LIMIT_OWN,     /* the unit's */
        OOM_LIMIT_OTHER,   /* of a cgroup above or below it, or the machine's end of memory */
} OomLimit;

typedef struct OomKill {
        const Entry *record; /* the last of its lines; where it may be one of several, the counter's reading */
        const Entry *first;  /* the line "oom-kill:"; NULL: held back */
        int64_t host_pid;    /* 0: it may be one of several */
        uint64_t at_usec;    /* it was not later than this */
        OomVictim victim;
        OomLimit limit;
        size_t n_lines; /* "Killed process": two of the victim that a whole group is killed with (OOMPolicy=kill) */
} OomKill;

typedef struct OomKills {
        OomKill *items; /* in the order of the records */
        size_t n_items;
        size_t n_unrecorded; /* so many more the unit's own counter has counted than there are lines of */
} OomKills;

/* The kills of processes of @unit whose records are in the window. -ENOMEM. */
int oom_kills_collect(const Case *facts, const Window *window, const char *unit, OomKills *ret_kills);
void oom_kills_done(OomKills *kills);

/* How many kills of processes of @unit there are records of, by path or pid, all told. */
size_t oom_records_count(const Timeline *timeline, const char *unit);

/* Does this one line tell of the kill of a process of @unit, by path or pid? */
bool oom_record_is_of(const Timeline *timeline, const Entry *record, const char *unit);

/* Is it the second line of a kill whose first was not written, so that no path tells where it was? */
bool oom_record_is_bare(const Timeline *timeline, const Entry *record);

/* Does the line say who was killed ("Killed process PID (comm)")? */
bool oom_record_names(const Entry *record, int64_t *ret_host_pid);

/* The cgroup whose limit it was, by the line "oom-kill:", as the stage knows it; for people. */
void oom_limit_name(const Timeline *timeline, const Entry *first, Text *ret_name);

/**
 * oom_other_limit() - were processes of @unit killed, and never because of its own limit?
 *
 * Gives a record in [begin, end) of a kill by another limit. NULL where there is none, where one was by the unit's
 * own, and where nobody can tell of one.
 */
const Entry *oom_other_limit(const Timeline *timeline, const char *unit, size_t begin, size_t end);

const char *oom_victim_name(OomVictim victim);
