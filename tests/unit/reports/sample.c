/* SPDX-License-Identifier: MIT */

/* Hand-made results that all formats are tested with. */

#include <signal.h>
#include <string.h>

#include "base/quantity.h"
#include "suites.h"

#define T0 (1000 * USEC_PER_SEC)

static const char SOURCE[] = "about: SIGTERM saves the checkpoint\n"
                             "units: { agent.service: ../agent.service }\n"
                             "steps:\n"
                             "  - start: agent.service\n"
                             "  - signal: SIGTERM\n"
                             "  - expect: { exit: { code: 0 } }\n"
                             "    within: 5s\n";

static Scenario sample_scenario = { .path = (char *) "scenarios/signal.yaml",
        .name = (char *) "scenarios/signal.yaml" };

static const char *const NAMES[] = { "scenarios/start #1.yaml", "scenarios/signal.yaml", "scenarios/real.yaml",
        "scenarios/a.yaml [signal=SIGKILL]", "scenarios/late.yaml", "scenarios/b.yaml", "scenarios/c.yaml" };

static Play make_play(unsigned index) {
        return (Play){
                .scenario = &sample_scenario,
                .name = (char *) NAMES[index],
                .index = index,
                .source = SOURCE,
                .n_source_bytes = strlen(SOURCE),
        };
}

static void add_verdict(Judgement *judgement, Verdict verdict) {
        verdict.id = verdict.id ? strdup(verdict.id) : NULL;
        verdict.sentence = verdict.sentence ? strdup(verdict.sentence) : NULL;
        verdict.expected = verdict.expected ? strdup(verdict.expected) : NULL;
        verdict.seen = verdict.seen ? strdup(verdict.seen) : NULL;
        verdict.outcome = reason_outcome(verdict.reason);
        ck_assert_int_eq(judgement_take(judgement, &verdict), 0);
}

static void rest_on(Judgement *judgement, size_t index) {
        ck_assert_int_eq(verdict_rest_on(&judgement->verdicts[judgement->n_verdicts - 1], index), 0);
}

static void add_near_miss(Judgement *judgement, const char *text) {
        ck_assert_int_eq(verdict_add_near_miss(&judgement->verdicts[judgement->n_verdicts - 1], text), 0);
}

static Entry *append(Timeline *timeline, EntrySource source, EntryKind kind, uint64_t at_usec, const char *unit,
                const char *key, const char *value) {
        Entry *entry = entry_new(source, kind, at_usec, at_usec + 100, unit);

        entry_set(entry, key, value);
        ck_assert_int_eq(timeline_append(timeline, entry), 0);
        return entry;
}

/* More than what is shown around the entry a verdict rests on, so that the gap shows. */
static Timeline *make_timeline(void) {
        Timeline *timeline = timeline_new();

        append(timeline, SOURCE_HARNESS, ENTRY_VERSIONS, T0 + 200000, NULL, "forked", "1000000000");
        append(timeline, SOURCE_HARNESS, ENTRY_STEP_BEGIN, T0 + 210000, NULL, "quote", "start: agent.service");
        append(timeline, SOURCE_BUS, ENTRY_JOB_NEW, T0 + 211000, "agent.service", "id", "7");
        append(timeline, SOURCE_BUS, ENTRY_JOB_REMOVED, T0 + 260000, "agent.service", "result", "done");
        append(timeline, SOURCE_HARNESS, ENTRY_STEP_END, T0 + 261000, NULL, "how", "done");
        append(timeline, SOURCE_HARNESS, ENTRY_STEP_BEGIN, T0 + 262000, NULL, "quote", "signal: SIGTERM");
        append(timeline, SOURCE_HARNESS, ENTRY_SIGNAL_ACTION, T0 + 262100, "agent.service", "signal", "15");
        append(timeline, SOURCE_JOURNAL, ENTRY_LOG, T0 + 263000, "agent.service", "MESSAGE",
                        "going \033[31mdown\n\xff");
        append(timeline, SOURCE_PROCESS, ENTRY_MAIN_GONE, T0 + 300500, "agent.service", "pid", "42");
        Entry *properties = append(timeline, SOURCE_BUS, ENTRY_PROPERTIES, T0 + 301000, "agent.service",
                        "ActiveState", "failed");
        entry_set(properties, "ExecMainStatus", "9");
        entry_set(properties, "StandardOutput", "journal");
        append(timeline, SOURCE_HARNESS, ENTRY_DEADLINE, T0 + 5262000, NULL, "step", "steps[2]");
        append(timeline, SOURCE_HARNESS, ENTRY_BARRIER, T0 + 5270000, NULL, "channels", "bus journal acct");
        append(timeline, SOURCE_HARNESS, ENTRY_STEP_END, T0 + 5271000, NULL, "how", "failed");
        append(timeline, SOURCE_HARNESS, ENTRY_SCENARIO_END, T0 + 5272000, NULL, "how", "stopped");
        return timeline;
}

static void show_play(Report *report, const Play *play, Judgement *judgement, const Timeline *timeline,
                const char *evidence_path, uint64_t begin_usec, uint64_t end_usec) {
        PlayResult result = {
                .play = play,
                .judgement = *judgement,
                .outcome = judgement->outcome,
                .timeline = timeline,
                .evidence_path = evidence_path,
                .begin_usec = begin_usec,
                .end_usec = end_usec,
        };

        report->play_begin(report, play, begin_usec);
        if (report->progress && timeline)
                for (size_t i = 0; i < timeline_length(timeline); i++)
                        report->progress(report, play, timeline_get(timeline, i), begin_usec + i * USEC_PER_MSEC);
        if (report->tick)
                report->tick(report, begin_usec + 61 * USEC_PER_SEC);
        report->play_end(report, &result);
        judgement_done(judgement);
}

static void show_pass(Report *report, const Timeline *timeline) {
        Play play = make_play(0);
        Judgement judgement = JUDGEMENT_INIT;

        add_verdict(&judgement,
                        (Verdict){ .reason = REASON_HELD, .id = (char *) "steps[0]", .margin_usec = USEC_INFINITY });
        add_verdict(&judgement, (Verdict){ .reason = REASON_HELD,
                                                .id = (char *) "steps[1].expect.log",
                                                .sentence = (char *) "a line matched",
                                                .margin_usec = 2500000 });
        show_play(report, &play, &judgement, timeline, NULL, T0, T0 + 1234000);
}

static void show_fail(Report *report, const Timeline *timeline) {
        Play play = make_play(1);
        Judgement judgement = JUDGEMENT_INIT;

        add_verdict(&judgement,
                        (Verdict){ .reason = REASON_HELD, .id = (char *) "steps[0]", .margin_usec = USEC_INFINITY });
        add_verdict(&judgement, (Verdict){ .reason = REASON_CHANNEL_LOST,
                                                .id = (char *) "never[0].log",
                                                .sentence = (char *) "journald dropped lines",
                                                .margin_usec = USEC_INFINITY });
        add_verdict(&judgement, (Verdict){
                                                .reason = REASON_NOT_CLEAN,
                                                .id = (char *) "steps[2].expect.exit",
                                                .mark = { .line = 6, .column = 15 },
                                                .sentence = (char *) "the main process was killed",
                                                .expected = (char *) "exit (success, exited, 0)",
                                                .seen = (char *) "(signal, killed, 9) # \"quoted\" \\ and \001",
                                                .margin_usec = USEC_INFINITY,
                                });
        rest_on(&judgement, 9);
        add_near_miss(&judgement, "exit (success, exited, 0) of an earlier invocation");
        add_near_miss(&judgement, "not ok 7 - a line that looks like TAP");
        add_verdict(&judgement, (Verdict){ .reason = REASON_UNEXPLAINED_DEATH,
                                                .id = (char *) "deaths",
                                                .sentence = (char *) "the main process died by itself",
                                                .at_usec = T0 + 261500,
                                                .margin_usec = USEC_INFINITY });
        add_verdict(&judgement, (Verdict){ .reason = REASON_NOT_REACHED,
                                                .id = (char *) "steps[3]",
                                                .margin_usec = USEC_INFINITY });
        show_play(report, &play, &judgement, timeline, "/evidence/02-signal.yaml", T0, T0 + 5300000);
}

static void show_unperformed(Report *report, unsigned index, Reason reason, const char *why) {
        Play play = make_play(index);
        Judgement judgement = JUDGEMENT_INIT;

        add_verdict(&judgement, (Verdict){ .reason = reason,
                                                .id = (char *) "scenario",
                                                .sentence = (char *) why,
                                                .margin_usec = USEC_INFINITY });
        show_play(report, &play, &judgement, NULL, NULL, T0, T0);
}

static void show_inconclusive(Report *report, const Timeline *timeline) {
        Play play = make_play(4);
        Judgement judgement = JUDGEMENT_INIT;

        add_verdict(&judgement,
                        (Verdict){ .reason = REASON_LATE_STAMP,
                                        .id = (char *) "steps[1].expect.log",
                                        .mark = { .line = 4, .column = 5 },
                                        .sentence = (char *) "the line came 12ms after the deadline by its stamp",
                                        .margin_usec = USEC_INFINITY });
        show_play(report, &play, &judgement, timeline, "/evidence/05-late.yaml", T0, T0 + 10000000);
}

/* The plays are there until the report is closed, as it may believe. */
static void begin(Report *report, const char *note) {
        static Play plays[ELEMENTS_OF(NAMES)];

        for (unsigned i = 0; i < ELEMENTS_OF(NAMES); i++)
                plays[i] = make_play(i);
        RunFacts facts = {
                .version = "0.1.0",
                .stage_name = "sandbox",
                .n_plays = ELEMENTS_OF(NAMES),
                .n_jobs = 3,
                .jobs_note = note,
                .lateness_note = note ? "budgets for lateness (late-by-at-most) count 8 times" : NULL,
                .begin_usec = T0,
                .begin_wall_usec = UINT64_C(1700000000) * USEC_PER_SEC,
                .host_name = "build-7",
                .plays = plays,
        };
        report->begin(report, &facts);
}

void show_sample_run(Report *report) {
        Timeline *timeline = make_timeline();
        RunSummary summary = {
                .n_with = { [OUTCOME_PASS] = 1,
                                [OUTCOME_FAIL] = 1,
                                [OUTCOME_SKIP] = 1,
                                [OUTCOME_ERROR] = 3,
                                [OUTCOME_INCONCLUSIVE] = 1 },
                .evidence_path = "/evidence",
                .begin_usec = T0,
                .end_usec = T0 + 16534000,
                .margin_usec = 2500000,
                .margin_of = (char *) "scenarios/start #1.yaml: steps[1].expect.log",
        };

        begin(report, "3 scenarios side by side instead of 8: the memory that is free");
        show_pass(report, timeline);
        show_fail(report, timeline);
        show_unperformed(report, 2, REASON_REQUIREMENT, "command redis-server is not in PATH # \\");
        show_unperformed(report, 3, REASON_STAGE, "the sandbox needs root:\nuse sudo");
        show_inconclusive(report, timeline);
        show_unperformed(report, 5, REASON_STAGE, "the sandbox needs root:\nuse sudo");
        show_unperformed(report, 6, REASON_STREAM_CUT, "the performer was killed by SIGSEGV");
        report->end(report, &summary);
        ck_assert_int_eq(report->close(report, NULL), 0);
        timeline_free(timeline);
}

void show_interrupted_run(Report *report) {
        Timeline *timeline = make_timeline();
        RunSummary summary = {
                .n_with = { [OUTCOME_PASS] = 1 },
                .n_not_played = 6,
                .signal_number = SIGINT,
                .begin_usec = T0,
                .end_usec = T0 + 2000000,
                .margin_usec = USEC_INFINITY,
        };

        begin(report, NULL);
        show_pass(report, timeline);
        report->end(report, &summary);
        ck_assert_int_eq(report->close(report, NULL), 0);
        timeline_free(timeline);
}
