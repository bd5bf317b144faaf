/* SPDX-License-Identifier: MIT */
#pragma once

/* What the channel tests share: a stage with some units on it and all observers running there, as the performer has
 * them. */

#include "observe/acct-watch.h"
#include "observe/bus-watch.h"
#include "observe/cgroup-reader.h"
#include "observe/journal-watch.h"
#include "observe/kmsg-watch.h"
#include "observe/left-behind.h"
#include "sandbox-rig.h"

Suite *channel_bus_suite(void);
Suite *channel_journal_suite(void);
Suite *channel_process_suite(void);

/* On the stage. */
#define EVIDENCE_FOLDER "/run/evidence"

typedef struct Channels {
        const StageContext *stage;
        Observer observer;
        BusWatch *bus;
        JournalWatch *journal;
        AcctWatch *acct;
        KmsgWatch *kmsg;
        CgroupReader *cgroups;
        LeftBehind *left_behind;
        uint64_t n_lines;  /* of the journal, so far */
        uint64_t n_marked; /* of these, whose MESSAGE begins with "mark " */
        uint64_t n_gaps;   /* in their sequence numbers */
        uint64_t last_seqnum;
        size_t n_longest_marked_bytes;
} Channels;

typedef struct ChannelUnit {
        const char *name;
        const char *text; /* of the unit file */
} ChannelUnit;

/* Plays @test on a fresh stage with up to 4 units; it ends with success or by channels_fail(). */
void channels_play(const ChannelUnit *units, size_t n_units, void (*test)(Channels *));

/* Ends the process that plays the test, with a message and the end of the timeline. */
_Noreturn void channels_fail(Channels *channels, const char *file, int line, const char *what);

#define HOLDS(channels, condition)                                                                                   \
        do {                                                                                                         \
                if (!(condition))                                                                                    \
                        channels_fail(channels, __FILE__, __LINE__, #condition);                                     \
        } while (0)

/* The first entry of @kind (of @unit, unless NULL) at or behind @from whose @key is @value; runs the loop until then.
 */
const Entry *channels_await(Channels *channels, size_t from, EntryKind kind, const char *unit, const char *key,
                const char *value);

/* All barriers, each by its callback; the sum of their errors. */
int channels_barrier(Channels *channels);
int channels_bus_barrier(Channels *channels);
int channels_journal_barrier(Channels *channels);
int channels_acct_barrier(Channels *channels);

/* Queues the job and waits until it was removed; its result. */
const char *channels_job(Channels *channels, const char *unit, const char *verb);

/* A property as last seen; "" where never. */
const char *channels_property(const Channels *channels, const char *unit, const char *name);
