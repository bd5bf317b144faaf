/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What comes over a performer's stream: stored as it is, and taken apart for the reports. The order is entries,
 * verdicts, the end; anything else means that the stream cannot be believed.
 */

#include "judge/verdict.h"
#include "schedule/evidence.h"
#include "timeline/timeline.h"

typedef struct Collection {
        const PlayEvidence *evidence; /* borrowed */
        Timeline *timeline;
        Judgement judgement; /* outcome: the worst verdict so far */
        bool has_end;
        Outcome end;              /* as the performer says */
        bool is_evidence_failing; /* the error was ours: evidence could not be written */
        void (*on_entry)(const Entry *entry, void *userdata);
        void *userdata;
} Collection;

int collection_init(Collection *collection, const PlayEvidence *evidence);
void collection_done(Collection *collection);

/* A LineFunction; @userdata is the Collection. Errors: -EBADMSG with what is wrong; those of writing evidence.
 */
int collect_line(const char *line, size_t n_bytes, void *userdata, Error *reterr);

/* Appends a verdict of the scheduler's own, about the whole play. @sentence is taken over. */
int judgement_add(Judgement *judgement, Reason reason, Mark mark, char *sentence);
