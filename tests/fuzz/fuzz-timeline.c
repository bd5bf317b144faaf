/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a recording: read, written back, and judged by a scenario that asks for everything. Bytes that begin
 * with a brace are the recording's text; all others choose entries from tables of what an entry may hold, because no
 * mutation finds its way through JSON to the judge.
 */
#include <string.h>

#include "judge/expect-kinds.h"
#include "judge/judge.h"
#include "scenario/parse.h"
#include "timeline/codec.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n_bytes);

static const KeySpec nothing[] = { { .name = "x", .type = VALUE_STRING, .doc = "." } };
static const KindSpec start = { .name = "start", .doc = ".", .example = "start: x", .keys = nothing, .n_keys = 1 };
static const KindSpec *const steps[] = { &start };
static const char *const no_words[] = { NULL };

static const char text[] = "about: fuzz\n"
                           "units: { agent.service: installed }\n"
                           "steps:\n"
                           "  - start: x\n"
                           "  - expect:\n"
                           "      - state: { ActiveState: active, NRestarts: 0 }\n"
                           "      - job: done\n"
                           "      - exit: { code: 0, after: <= 1s }\n"
                           "      - restart: { after: 1s, late-by-at-most: 1s, count: 1, start-limit: yes }\n"
                           "      - file: /x\n"
                           "      - socket: /x\n"
                           "      - command: { run: x, stdout: x }\n"
                           "      - process: { children: 0, zombies: 0 }\n"
                           "      - left-behind: {}\n"
                           "    within: 1ms\n"
                           "    for: 1ms\n"
                           "  - expect: { state: { ActiveState: active } }\n"
                           "always:\n"
                           "  - state: { NRestarts: 0 }\n"
                           "never:\n"
                           "  - exit: { signal: SIGSEGV }\n"
                           "  - restart: {}\n"
                           "  - job: failed\n";

static void parse(ScenarioList *ret_scenarios) {
        CLEANUP(diagnostic_list_done) DiagnosticList diagnostics = DIAGNOSTIC_LIST_INIT;
        Language language = {
                .steps = steps, .n_steps = 1, .unbuilt_steps = no_words, .unbuilt_expectations = no_words
        };
        ParseOptions options = { .language = &language };
        CLEANUP_TEXT Text shown = TEXT_INIT;
        int r;

        language.expectations = expect_kinds(&language.n_expectations);
        r = scenario_parse("fuzz.yaml", text, strlen(text), &options, ret_scenarios, &diagnostics);
        diagnostic_list_render(&diagnostics, "fuzz.yaml", text, strlen(text), &shown);
        if (diagnostics.n_items > 0)
                (void) fputs(text_get(&shown), stderr);
        assert(r == 0 && ret_scenarios->n_items == 1 && diagnostics.n_items == 0);
}

static void judge(const Case *facts, Text *ret_text) {
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r = judge_scenario(facts, &judgement, &error);

        assert(r == 0);
        FOREACH_ARRAY (verdict, judgement.verdicts, judgement.n_verdicts) {
                assert(verdict->outcome != OUTCOME_PENDING && verdict->id && verdict->sentence);
                verdict_encode(verdict, ret_text);
        }
        assert(judgement.n_verdicts > 0);
}

/* What was read is written and read again: the same entries, and the same verdicts on them. */
static void read_again(const Case *facts) {
        CLEANUP(timeline_free_p) Timeline *again = NULL;
        CLEANUP_TEXT Text written = TEXT_INIT, first = TEXT_INIT, second = TEXT_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;
        Case facts_again = *facts;
        int r;

        for (size_t i = 0; i < timeline_length(facts->timeline); i++)
                entry_encode(timeline_get(facts->timeline, i), &written);
        r = timeline_decode("again", text_get(&written), written.n_bytes, &again, &error);
        assert(r == 0 && timeline_length(again) == timeline_length(facts->timeline));

        judge(facts, &first);
        facts_again.timeline = again;
        judge(&facts_again, &second);
        assert(strcmp(text_get(&first), text_get(&second)) == 0);
}

/* ---- entries by choice ---- */

static const char *const keys[] = {
        "step",
        "run",
        "kind",
        "quote",
        "how",
        "since",
        "channels",
        "channel",
        "health",
        "asked",
        "errno",
        "job",
        "verb",
        "result",
        "error",
        "pid",
        "ppid",
        "signal",
        "who",
        "status",
        "comm",
        "performer",
        "owner",
        "MESSAGE_ID",
        "seqnum",
        "INVOCATION_ID",
        "EXIT_CODE",
        "EXIT_STATUS",
        "COMMAND",
        "UNIT_RESULT",
        "MESSAGE",
        "ActiveState",
        "SubState",
        "Result",
        "MainPID",
        "ExecMainPID",
        "ExecMainCode",
        "ExecMainStatus",
        "ExecMainStartTimestampMonotonic",
        "ExecMainExitTimestampMonotonic",
        "InvocationID",
        "NRestarts",
        "StateChangeTimestampMonotonic",
        "Type",
        "Job",
        "path",
        "address",
        "text",
};
static const char *const values[] = {
        "steps[0]",
        "steps[1]",
        "steps[2]",
        "start",
        "expect",
        "start: x",
        "- start: x",
        "done",
        "stopped",
        "deadline",
        "broken",
        "bus journal acct kmsg",
        "bus",
        "journal",
        "acct",
        "ok",
        "lost",
        "absent",
        "/job/1",
        "/job/2",
        "stop",
        "restart",
        "failed",
        "main",
        "all",
        "0",
        "1",
        "2",
        "3",
        "9",
        "11",
        "15",
        "100",
        "101",
        "139",
        "256",
        "700",
        "1500",
        "2500",
        "infinity",
        "98e322203f7a4ed290d09fe03c09fe15",
        "de5b426a63be47a7b6ac3eaac82e2f6f",
        "5eb03494b6584870a536b337290809b3",
        "d9b373ed55a64feb8242e02dbe79a49c",
        "7ad2d189f7e94e70a38c781354912448",
        "aa",
        "bb",
        "exited",
        "killed",
        "dumped",
        "ExecStart",
        "active",
        "inactive",
        "deactivating",
        "activating",
        "success",
        "exit-code",
        "timeout",
        "start-limit-hit",
        "oneshot",
        "agentd",
        "oom-kill:task=agentd,pid=100,",
        "",
        "-1",
        "18446744073709551615",
        "/x",
        "x",
};

typedef struct Choices {
        const unsigned char *bytes;
        size_t n_left;
} Choices;

static unsigned choose(Choices *choices, unsigned n) {
        if (choices->n_left == 0)
                return 0;
        choices->n_left--;
        return *choices->bytes++ % n;
}

static Timeline *make_timeline(Choices *choices) {
        Timeline *timeline = timeline_new();
        uint64_t now_usec = 0;

        while (choices->n_left > 0) {
                EntryKind kind = (EntryKind) choose(choices, N_ENTRY_KINDS);
                unsigned delta = choose(choices, 256), n_fields;
                Entry *entry = entry_new(SOURCE_HARNESS, kind,
                                now_usec + delta * 16 - 1024 * (delta % 2 && now_usec > 1024), now_usec,
                                delta % 3 ? "agent.service" : NULL);
                int r;

                now_usec += delta * 8;
                n_fields = choose(choices, 16);
                for (unsigned i = 0; i < n_fields; i++)
                        entry_set(entry, keys[choose(choices, ELEMENTS_OF(keys))],
                                        values[choose(choices, ELEMENTS_OF(values))]);
                r = timeline_append(timeline, entry);
                assert(r == 0);
        }
        return timeline;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n_bytes) {
        static ScenarioList scenarios; /* the same for every input */
        CLEANUP(timeline_free_p) Timeline *timeline = NULL;
        CLEANUP(logbook_free_p) LogBook *logbook = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        if (scenarios.n_items == 0)
                parse(&scenarios);
        if (n_bytes > 0 && bytes[0] != '{')
                timeline = make_timeline(&(Choices){ .bytes = bytes, .n_left = n_bytes });
        else if (timeline_decode("fuzz", (const char *) bytes, n_bytes, &timeline, &error) < 0) {
                assert(error.message);
                return 0;
        }
        r = logbook_new(scenarios.items[0], 0, &logbook);
        assert(r == 0);
        read_again(&(Case){
                        .scenario = scenarios.items[0],
                        .timeline = timeline,
                        .logbook = logbook,
                        .evidence_fd = -EBADF,
        });
        return 0;
}
