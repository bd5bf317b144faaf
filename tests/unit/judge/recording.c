/* SPDX-License-Identifier: MIT */
#include "recording.h"

#include <string.h>

#include "judge/window.h"

/* Called `run`, since only that may save. */
static const KindSpec run = { .name = "run", .doc = "Does nothing.", .example = "run: {}", .shorthand = -1 };
static const KindSpec *const steps[] = { &run };
static const KindSpec *const expectations[] = {
        &state_expectation.spec,
        &log_expectation.spec,
        &process_expectation.spec,
        &file_expectation.spec,
        &sqlite_expectation.spec,
        &socket_expectation.spec,
        &command_expectation.spec,
        &left_behind_expectation.spec,
        &trend_expectation.spec,
        &job_expectation.spec,
        &exit_expectation.spec,
        &restart_expectation.spec,
        &limit_expectation.spec,
        &cgroup_expectation.spec,
        &oom_kill_expectation.spec,
};
static const char *const nothing[] = { NULL };
static const Language language = { steps, ELEMENTS_OF(steps), expectations, ELEMENTS_OF(expectations), nothing,
        nothing };

static void parse(const char *expect, const char *step_keys, ScenarioList *scenarios, DiagnosticList *diagnostics) {
        const Setting defines[] = { { .name = (char *) "given", .value = (char *) "42" } };
        const ParseOptions options = { .language = &language, .defines = defines, .n_defines = ELEMENTS_OF(defines) };
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_printf(&text,
                        "about: test\nunits: { " UNIT ": installed }\nsteps:\n  - { run: {}, save: acked }\n  - { "
                        "run: {}, save: id }\n  - expect: { %s }\n%s%s\n"
                        "never:\n  - log: { name: other, message: the other, from: any }\n",
                        expect, step_keys ? "    " : "", step_keys ? step_keys : "");
        ck_assert_int_eq(scenario_parse("test.yaml", text_get(&text), text.n_bytes, &options, scenarios, diagnostics),
                        0);
}

void recording_init_within(Recording *recording, const char *expect, const char *step_keys) {
        *recording = (Recording){ .scenarios = SCENARIO_LIST_INIT, .diagnostics = DIAGNOSTIC_LIST_INIT };
        parse(expect, step_keys, &recording->scenarios, &recording->diagnostics);
        ck_assert_msg(recording->diagnostics.n_items == 0, "%s: %s", expect,
                        recording->diagnostics.n_items > 0 ? recording->diagnostics.items->message : "");
        recording->scenario = recording->scenarios.items[0];
        recording->expectation = recording->scenario->steps[2].expectations;
        recording->timeline = timeline_new();
        ck_assert_int_eq(logbook_new(recording->scenario, 0, &recording->logbook), 0);
        recording->facts = (Case){ recording->scenario, recording->timeline, recording->logbook, -EBADF };

        recording_add(recording, SOURCE_HARNESS, ENTRY_STEP_BEGIN, BEGIN, NULL, "step=steps[1]", "run=0", "kind=run");
        recording_add(recording, SOURCE_HARNESS, ENTRY_STEP_END, BEGIN, NULL, "step=steps[1]", "run=0", "how=done");
        recording->begin_index = recording_add(recording, SOURCE_HARNESS, ENTRY_STEP_BEGIN, BEGIN, NULL,
                        "step=steps[2]", "run=0", "kind=expect")
                                                 ->index;
}

void recording_init(Recording *recording, const char *expect) {
        recording_init_within(recording, expect, "within: 5s");
}

void recording_done(Recording *recording) {
        verdict_done(&recording->verdict);
        (void) logbook_free(recording->logbook);
        (void) timeline_free(recording->timeline);
        scenario_list_done(&recording->scenarios);
        diagnostic_list_done(&recording->diagnostics);
}

void assert_refused(const char *expect, const char *part) {
        ScenarioList scenarios = SCENARIO_LIST_INIT;
        DiagnosticList diagnostics = DIAGNOSTIC_LIST_INIT;

        parse(expect, NULL, &scenarios, &diagnostics);
        ck_assert_msg(diagnostics.n_items == 1, "%s: %zu problems", expect, diagnostics.n_items);
        ck_assert_msg(strstr(diagnostics.items->message, part) != NULL, "%s: %s", expect, diagnostics.items->message);
        scenario_list_done(&scenarios);
        diagnostic_list_done(&diagnostics);
}

const Entry *recording_add_fields(Recording *recording, EntrySource source, EntryKind kind, uint64_t at_usec,
                const char *unit, const char *const *fields) {
        /* Arrival order is the order of the calls; only the sources' stamps matter here. */
        Entry *entry = entry_new(source, kind, at_usec, timeline_length(recording->timeline), unit);

        ck_assert_ptr_nonnull(entry);
        for (const char *const *field = fields; *field; field++) {
                const char *value = strchr(*field, '=') + 1;
                char key[64];

                (void) snprintf(key, sizeof(key), "%.*s", (int) (value - *field - 1), *field);
                entry_set(entry, key, value);
        }
        ck_assert_int_eq(timeline_append(recording->timeline, entry), 0);
        return timeline_get(recording->timeline, timeline_length(recording->timeline) - 1);
}

static const char *get_field(const LogLine *line, const char *name, size_t *ret_n_bytes) {
        /* As a reader may: a value is gone with the next one. */
        static char buffer[1 << 20];
        size_t n = strlen(name);

        memset(buffer, '#', 4096);
        for (const char *const *field = line->reader; *field; field++)
                if (strncmp(*field, name, n) == 0 && (*field)[n] == '=') {
                        *ret_n_bytes = strlen(*field + n + 1);
                        memcpy(buffer, *field + n + 1, *ret_n_bytes);
                        return buffer;
                }
        return NULL;
}

void recording_feed_fields(Recording *recording, double second, const char *const *fields) {
        const LogLine line = {
                .seqnum = ++recording->n_lines,
                .at_usec = seconds(second),
                .get_field = get_field,
                .reader = (void *) fields,
        };

        ck_assert_int_eq(logbook_feed(recording->logbook, &line, NULL, NULL), 0);
}

void recording_close(Recording *recording, double second) {
        char since[64];

        (void) snprintf(since, sizeof(since), "since=%llu", (unsigned long long) seconds(second));
        recording_add(recording, SOURCE_HARNESS, ENTRY_BARRIER, seconds(second) + 100000, NULL, "step=steps[2]",
                        "run=0", since, "channels=bus journal acct kmsg");
}

void recording_expect(Recording *recording, Reason reason) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Window window;
        int r;

        verdict_done(&recording->verdict);
        window_of_step(&recording->facts, &recording->scenario->steps[2], recording->begin_index, &window);
        r = expect_kind(recording->expectation)
                            ->evaluate(recording->expectation, &recording->facts, &window, &recording->verdict,
                                            &error);
        ck_assert_msg(r == 0, "%s", error_text(&error));
        ck_assert_msg(recording->verdict.reason == reason, "%s, not %s: %s", reason_name(recording->verdict.reason),
                        reason_name(reason), recording->verdict.sentence ? recording->verdict.sentence : "");
}

void assert_examined(const Recording *recording, const Entry *entry, Truth truth, const char *part) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Examination examination = { 0 };
        int r = expect_kind(recording->expectation)
                                ->examine(recording->expectation, &recording->facts, entry, &examination, &error);

        ck_assert_msg(r == 0, "%s", error_text(&error));
        ck_assert_msg(examination.truth == truth, "truth %d, not %d: %s", (int) examination.truth, (int) truth,
                        text_get(&examination.seen));
        ck_assert_msg(strstr(text_get(&examination.seen), part) != NULL, "seen: %s", text_get(&examination.seen));
        text_done(&examination.seen);
}

void assert_described(const Recording *recording, const char *description) {
        CLEANUP_FREE char *text =
                        expect_kind(recording->expectation)->describe(recording->expectation, &recording->facts);

        ck_assert_str_eq(text, description);
}
