/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the text of a cgroup's file says, the same for v1 and v2, and what is known of the portable names of
 * observe/cgroup-reader.h.
 *
 * On v1 every automatic restart has a cgroup of its own, whose counters begin at 0 and vanish with it, some
 * milliseconds after an OOM kill. So what was read of a cgroup that is gone is "at least so much".
 */

#include "judge/expect.h"

typedef enum CounterNature {
        COUNTER_COUNT, /* only grows; what counts is how much it grew in the window */
        COUNTER_PEAK,  /* only grows; of the whole life of the cgroup, nobody resets it */
        COUNTER_GAUGE, /* goes up and down */
        COUNTER_LOAD,  /* made of two readings of cpu.usage: percent of one processor */
} CounterNature;

typedef struct CounterKind {
        const char *name;
        CounterNature nature;
        const char *limit;    /* the counter that tells the limit it belongs to; NULL: none */
        const char *property; /* systemd's name of that limit */
        bool is_of_quota;     /* it says nothing where the limit is not in force (rule 7) */
        bool is_bounded;      /* the kernel never lets it exceed the limit */
        bool is_of_kills;     /* the kernel's records tell whose limit it was */
        const char *peak;     /* the counter that tells whether the unit's own limit was reached; NULL: none */
} CounterKind;

/* NULL for a name there is no such counter of. "file:NAME" is a gauge. */
const CounterKind *counter_kind(const char *name);

#define COUNTER_LIMIT_PROPERTIES                                                                                     \
        "MemoryMax|MemoryHigh|TasksMax|CPUQuota|LimitNOFILE|LimitNPROC|LimitFSIZE|LimitAS|LimitCORE"

/* Where a limit is read back: a counter, or a line of /proc/PID/limits. NULL, NULL for another property. */
typedef struct LimitPlace {
        const char *property;
        const char *counter;
        const char *line;
} LimitPlace;
const LimitPlace *limit_place(const char *property);

/* Every counter that has to be read for the expectation; "limits" stands for the main process's /proc/PID/limits. */
void expectation_counters(
                const Expectation *expectation, void (*visit)(const char *counter, void *userdata), void *userdata);

/**
 * counter_number() - the number that an ENTRY_COUNTER holds
 * @ret_number: INFINITY where the file says there is no limit; cpu.max in percent of one processor
 *
 * False where it could not be read, or is no number.
 */
bool counter_number(const Entry *entry, double *ret_number);

/* The kernel rounds a limit down to a page, or to a microsecond of the period: to what, in the reading's own unit. 0:
 * it does not. */
double counter_grain(const Entry *entry);

/* A number as a scenario writes it: "42", "33.33", "infinity"; into @buffer, which is returned. */
#define COUNTER_TEXT_MAX 32
const char *counter_text(double number, char buffer[static COUNTER_TEXT_MAX]);

/* The soft limit on the line "Max open files ..." of an ENTRY_PROCESS, INFINITY for unlimited. */
bool process_limit(const Entry *entry, const char *line, double *ret_number);

/* Is @entry a reading of @counter of the unit's own cgroup? */
bool is_reading(const Entry *entry, const char *unit, const char *counter);

/**
 * counter_latest() - the last reading of @counter that has a number
 * @from, @end: among entries [from, end)
 */
const Entry *counter_latest(const Timeline *timeline, const char *unit, const char *counter, size_t from, size_t end);
