/* SPDX-License-Identifier: MIT */
#pragma once

/* What the record of a run says, taken apart (merge-read.c) for being told as one with others (merge.c). */

#include "schedule/merge.h"

typedef struct MergedRun {
        char *folder;        /* absolute */
        char *lateness_note; /* NULL: none */
        char *id, *version, *stage_name, *host_name;
        uint64_t n_plays; /* as it meant to play */
        size_t n_known;   /* of which it said what became of them */
        uint64_t begin_usec, wall_usec, end_usec;
        Shard shard;
        bool has_begin, has_end;
        int signal_number;
        char *broken; /* NULL: it was not */
} MergedRun;

typedef struct MergedPlay {
        unsigned run; /* its place among the runs */
        unsigned index;
        Scenario scenario; /* as much of it as reports ask for */
        Step first_step;
        char *name;
        char *folder; /* of its evidence, absolute; NULL: none was kept */
        bool is_run, is_performed;
        Outcome outcome;
        Judgement judgement;
        uint64_t begin_usec, end_usec; /* as its run has them */
} MergedPlay;

struct Merge {
        MergedRun *runs;
        size_t n_runs;
        MergedPlay **plays;
        size_t n_plays;
        Play *told; /* parallel to plays once they are told of: reports may look at them until they are closed */
};

MergedPlay *merged_play_free(MergedPlay *play);
/* Reads @run->folder: the run's own facts into @run, its plays into @merge. */
int merge_read_run(Merge *merge, MergedRun *run, Error *reterr);

DEFINE_CLEANUP(MergedPlay, merged_play_free)
