/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One scenario, one process, one machine of its own: brings the stage up, plays the steps on it, writes the timeline
 * to the stream as it grows, judges it and writes the verdicts.
 *
 * The stream, one JSON value a line: entries (timeline/codec.h), then verdicts (judge/verdict.h), then
 * {"end":"<outcome>"}. A stream without that last line was cut.
 */

#include "scenario/scenario.h"
#include "stage/stage.h"

/* How many times budgets for lateness count (judge/lateness-scale.h). */
typedef struct LatenessScale {
        unsigned scale;      /* 0 is 1 */
        uint64_t probe_usec; /* what it was measured by; 0: it was given, not measured */
} LatenessScale;

typedef struct PerformRequest {
        const Scenario *scenario;
        const StageKind *stage;
        const char *run_id;
        unsigned scenario_index;
        int stream_fd;
        int evidence_fd;        /* this scenario's evidence folder, on the host */
        bool is_observing;      /* the scenario only looks; nothing is changed on the machine */
        const char *build_path; /* folder of the programs under test, in PATH of the scenario's commands */
        LatenessScale lateness;
} PerformRequest;

/**
 * perform_check() - would the stage take the scenario?
 *
 * To be asked for all scenarios before the first one is played. Of @request only scenario, stage and is_observing
 * count. Errors: what is refused, and why.
 */
int perform_check(const PerformRequest *request, Error *reterr);

/* In a forked child: returns its exit status, 0 whenever the stream was ended in order. */
int perform_scenario(const PerformRequest *request);
