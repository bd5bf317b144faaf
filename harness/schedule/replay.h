/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Judges recorded evidence again, with the code that judged it live. For the scenario as it was played the verdicts
 * must be the same bytes; for an edited one they say what the recorded run would have been worth.
 */

#include <stdbool.h>

#include "judge/judge.h"
#include "schedule/load.h"

typedef struct Replay {
        Library library;          /* the scenario's file, one file */
        const Scenario *scenario; /* in it; borrowed */
        char *play_name;          /* as it was called in its run */
        Timeline *timeline;
        Judgement judgement;
        char *recorded; /* verdicts.ndjson */
        size_t n_recorded_bytes;
        Text verdicts; /* what was judged now, in the same form */
        Text problems; /* what is wrong with the scenario's file, rendered; then nothing was judged */
} Replay;

void replay_done(Replay *replay);

/**
 * replay_evidence() - judge one play's evidence
 * @folder:        the play's folder
 * @scenario_path: an edited scenario file to judge by; NULL: the recorded one
 * @ret_replay:    to be released in every case
 *
 * Errors: -ENOENT, -EBADMSG, ...: the folder holds no evidence that can be judged, with the file and why in @reterr;
 * -EINVAL with `problems` filled where the scenario file is invalid.
 */
int replay_evidence(const char *folder, const char *scenario_path, const Language *language, Replay *ret_replay,
                Error *reterr);

/* Does the recording end before the scenario does? Then its performer was killed, and the scheduler said what is in
 * verdicts.ndjson, if anything: judging has no part in it. */
bool replay_is_cut(const Replay *replay);
/* Are the verdicts of now those that were recorded, byte for byte? */
bool replay_is_same(const Replay *replay);
