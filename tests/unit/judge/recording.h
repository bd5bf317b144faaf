/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A scenario with two `run` steps, which save `acked` and `id`, and an expect step; and a recording of it made by
 * hand. The expect step's window begins at second 10 and is 5s long unless the text says otherwise.
 *
 *     CLEANUP(recording_done) Recording recording;
 *     recording_init(&recording, "log: { message: hello }");
 *     recording_feed(&recording, 11, "_SYSTEMD_UNIT=agent.service", "MESSAGE=hello");
 *     recording_close(&recording, 16);
 *     recording_expect(&recording, REASON_HELD);
 */

#include <check.h>

#include "judge/expect-kinds.h"
#include "scenario/parse.h"

#define UNIT  "agent.service"
#define BEGIN (10 * 1000000)

typedef struct Recording {
        ScenarioList scenarios;
        DiagnosticList diagnostics;
        const Scenario *scenario;
        const Expectation *expectation; /* the first of the expect step */
        Timeline *timeline;
        LogBook *logbook;
        Case facts;
        size_t begin_index; /* of the expect step */
        uint64_t n_lines;
        Verdict verdict; /* of the last recording_expect() */
} Recording;

/* @expect: what stands below `expect:`, one line; the scenario has to be valid. */
void recording_init(Recording *recording, const char *expect);
/* As recording_init() with lines of its own behind the step: "within: 1s". NULL: none, that is no deadline. */
void recording_init_within(Recording *recording, const char *expect, const char *step_keys);
void recording_done(Recording *recording);

/* Asserts that the text is refused, once, with @part in the message. */
void assert_refused(const char *expect, const char *part);

/* A new entry; recording_add() takes it in. "KEY=value", ... */
#define recording_add(recording, source, kind, at_usec, unit, ...)                                                   \
        recording_add_fields(recording, source, kind, at_usec, unit, (const char *const[]){ __VA_ARGS__, NULL })
const Entry *recording_add_fields(Recording *recording, EntrySource source, EntryKind kind, uint64_t at_usec,
                const char *unit, const char *const *fields);
/* A line of the journal, @second after boot. */
#define recording_feed(recording, second, ...)                                                                       \
        recording_feed_fields(recording, second, (const char *const[]){ __VA_ARGS__, NULL })
void recording_feed_fields(Recording *recording, double second, const char *const *fields);
/* The barrier that closes the window: everything up to @second is in. */
void recording_close(Recording *recording, double second);

/* Evaluates (or examines the last entry that says something) and asserts the reason; keeps the verdict. */
void recording_expect(Recording *recording, Reason reason);
/* Examines @entry and asserts the truth and that @part is in what was seen. */
void assert_examined(const Recording *recording, const Entry *entry, Truth truth, const char *part);
/* Asserts what is expected, for people. */
void assert_described(const Recording *recording, const char *description);

static inline uint64_t seconds(double second) {
        return (uint64_t) (second * 1e6 + 0.5);
}
