/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where scenarios leave their evidence: one folder a play, FOLDER/<NN>-<name>/ with
 *
 *     scenario.yaml     the file the scenario stands in, as it was
 *     resolved.json     which scenario of the file it is and with what its variables were resolved
 *     timeline.ndjson   entries as the performer sent them (timeline/codec.h)
 *     verdicts.ndjson   verdicts as the performer sent them (judge/verdict.h)
 *     performer.txt     what the performer or a sanitizer in it had to say; normally empty, then removed
 *     card.json         limits, peaks, kills and denials of each unit (judge/card.h); put there by the performer, as
 * are journal/ databases/ ...
 *
 * and beside them run.ndjson, what the run reported (reports/record.c), for `agenttest merge`.
 *
 * With --evidence FOLDER everything is kept there. Without, evidence goes to $XDG_STATE_HOME/agenttest/<run id>/ and
 * only what did not pass is kept, of the last runs. A run owns its folder there by an flock on it: a folder that is
 * locked is never removed, one that is not is a finished run's, whatever its age.
 */

#include "reports/report.h"

enum { EVIDENCE_RUNS_KEPT = 5 };

typedef struct EvidenceStore EvidenceStore;

/**
 * evidence_store_open() - make the run's folder
 * @folder: of --evidence, must be empty or missing; NULL: the state folder
 *
 * Errors: -ENOTEMPTY; -EACCES, -EROFS, -ENOSPC, ...: with what to do in @reterr.
 */
int evidence_store_open(const char *folder, const char *run_id, EvidenceStore **ret_store, Error *reterr);

/* Removes the folder where nothing was kept in it, and of earlier runs all but the last ones. Returns NULL. */
EvidenceStore *evidence_store_close(EvidenceStore *store);

/* The run's folder, absolute; borrowed. */
const char *evidence_store_path(const EvidenceStore *store);
/* Has any play's evidence been kept so far? */
bool evidence_store_has_kept(const EvidenceStore *store);

/* The folder of one play, while it is played. */
typedef struct PlayEvidence {
        char *path; /* absolute */
        int folder_fd;
        int timeline_fd;
        int verdicts_fd;
        int output_fd; /* performer.txt */
} PlayEvidence;

#define PLAY_EVIDENCE_INIT                                                                                           \
        ((PlayEvidence){ .folder_fd = -EBADF, .timeline_fd = -EBADF, .verdicts_fd = -EBADF, .output_fd = -EBADF })

/* Makes the folder and writes what is known before the play. Errors: as of the system calls, with the file's path. */
int play_evidence_begin(EvidenceStore *store, const Play *play, PlayEvidence *ret_evidence, Error *reterr);

/* Appends to one of the files; @name is for the message. -ENOSPC and the like name the folder. */
int play_evidence_append(const PlayEvidence *evidence, int fd, const char *name, const char *bytes, size_t n_bytes,
                Error *reterr);

/* Closes the files, and removes the folder unless it @is_wanted or all is kept. Returns whether it is still there. */
bool play_evidence_end(EvidenceStore *store, PlayEvidence *evidence, bool is_wanted);
/* Releases what is still held, files stay. */
void play_evidence_done(PlayEvidence *evidence);

DEFINE_CLEANUP(EvidenceStore, evidence_store_close)
