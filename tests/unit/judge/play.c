/* SPDX-License-Identifier: MIT */
#include "play.h"

#include <ctype.h>
#include <string.h>

#include "base/quantity.h"
#include "judge/expect-kinds.h"

/* The words of the steps, as far as the judge looks at them; the real rows are in a layer above. */
static const KeySpec job_keys[] = {
        { .name = "unit", .type = VALUE_UNIT, .doc = "." },
        { .name = "no-block", .type = VALUE_BOOL, .default_text = "no", .doc = "." },
};
static const KeySpec signal_keys[] = {
        { .name = "signal", .type = VALUE_SIGNAL, .default_text = "SIGKILL", .doc = "." },
        { .name = "who", .type = VALUE_CHOICE, .choices = "main|control|all", .default_text = "main", .doc = "." },
};
static const KeySpec run_keys[] = {
        { .name = "command", .type = VALUE_STRING, .doc = "." },
        { .name = "status", .type = VALUE_MATCH, .default_text = "0", .doc = "." },
};
static const KeySpec repeat_keys[] = {
        { .name = "times", .type = VALUE_INTEGER, .doc = "." },
        { .name = "steps", .type = VALUE_STEPS, .doc = "." },
};
static const KeySpec hog_keys[] = {
        { .name = "memory", .type = VALUE_SIZE, .doc = "." },
        { .name = "tasks", .type = VALUE_INTEGER, .doc = "." },
};

#define STEP(word, key_list, is_of_unit)                                                                             \
        static const KindSpec word##_kind = { .name = #word,                                                         \
                .doc = ".",                                                                                          \
                .example = #word ": {}",                                                                             \
                .keys = key_list,                                                                                    \
                .n_keys = ELEMENTS_OF(key_list),                                                                     \
                .shorthand = 0,                                                                                      \
                .takes_unit = is_of_unit }

STEP(start, job_keys, true);
STEP(stop, job_keys, true);
STEP(restart, job_keys, true);
STEP(signal, signal_keys, true);
STEP(crash, signal_keys, true);
STEP(run, run_keys, false);
STEP(write, run_keys, false);
STEP(repeat, repeat_keys, false);
STEP(hog, hog_keys, true);

static const KeySpec property_keys[] = { { .name = "settings", .type = VALUE_STRING_LIST, .doc = "." } };
static const KindSpec property_kind = { .name = "set-property",
        .doc = ".",
        .example = "set-property: {}",
        .keys = property_keys,
        .n_keys = 1,
        .shorthand = 0,
        .takes_unit = true };

static const KindSpec *const steps[] = {
        &start_kind,
        &stop_kind,
        &restart_kind,
        &signal_kind,
        &crash_kind,
        &run_kind,
        &write_kind,
        &repeat_kind,
        &property_kind,
        &hog_kind,
};

static void parse_scenario(Play *play, const char *scenario) {
        Language language = { .steps = steps, .n_steps = ELEMENTS_OF(steps), .unbuilt_steps = expect_unbuilt() };
        ParseOptions options = { .language = &language };
        CLEANUP(diagnostic_list_done) DiagnosticList diagnostics = DIAGNOSTIC_LIST_INIT;
        CLEANUP_TEXT Text text = TEXT_INIT, shown = TEXT_INIT;

        language.expectations = expect_kinds(&language.n_expectations);
        language.unbuilt_expectations = expect_unbuilt();
        text_printf(&text, "about: test\nunits: { " UNIT ": installed }\nsteps:\n%s", scenario);
        ck_assert_int_eq(scenario_parse("x.yaml", text_get(&text), text.n_bytes, &options, &play->scenarios,
                                         &diagnostics),
                        0);
        diagnostic_list_render(&diagnostics, "x.yaml", text_get(&text), text.n_bytes, &shown);
        ck_assert_msg(diagnostics.n_items == 0, "%s", text_get(&shown));
        ck_assert_uint_eq(play->scenarios.n_items, 1);
}

static const Step *find_step(const Step *list, size_t n_steps, const char *id) {
        FOREACH_ARRAY (step, list, n_steps) {
                const Step *found = NULL;

                if (strcmp(step->id, id) == 0)
                        return step;
                for (size_t key = 0; step->kind && !found && key < step->kind->n_keys; key++)
                        found = find_step(step->values[key].steps, step->values[key].n_steps, id);
                if (found)
                        return found;
        }
        return NULL;
}

/* "1050ms" -> "1050000". */
static void set_field(Entry *entry, const Play *play, const char *key, const char *value) {
        size_t n = strlen(value);
        const Step *step;

        if (strcmp(value, "*") == 0) {
                step = find_step(
                                play->facts.scenario->steps, play->facts.scenario->n_steps, entry_get(entry, "step"));
                entry_set(entry, key, step ? step->quote : "");
        } else if (n > 2 && strspn(value, "0123456789") == n - 2 && strcmp(value + n - 2, "ms") == 0)
                entry_set_usec(entry, key, strtoull(value, NULL, 10) * USEC_PER_MSEC);
        else
                entry_set(entry, key, value);
}

/* Takes the next `KEY=value` or word off @rest; NULL: the line is empty. */
static char *take_word(char **rest) {
        char *word = *rest + strspn(*rest, " "), *end = word;
        bool is_quoted = false;

        if (!*word)
                return NULL;
        for (; *end && (is_quoted || *end != ' '); end++)
                if (*end == '\'')
                        is_quoted = !is_quoted;
        *rest = *end ? end + 1 : end;
        *end = '\0';
        return word;
}

static char *unquoted(char *value) {
        size_t n = strlen(value);

        if (n < 2 || value[0] != '\'' || value[n - 1] != '\'')
                return value;
        value[n - 1] = '\0';
        return value + 1;
}

static void add_line(Play *play, char *line) {
        const char *at = take_word(&line), *kind = take_word(&line), *unit = take_word(&line);
        char *word;
        Entry *entry;

        ck_assert_msg(at && isdigit((unsigned char) *at) && kind && unit, "a line of the recording begins with %s",
                        at);
        ck_assert_msg(entry_kind_from_name(kind) >= 0, "there is no kind %s", kind);
        entry = entry_new(SOURCE_HARNESS, (EntryKind) entry_kind_from_name(kind),
                        strtoull(at, NULL, 10) * USEC_PER_MSEC, timeline_length(play->timeline),
                        strcmp(unit, "-") == 0 ? NULL : unit);
        ck_assert_ptr_nonnull(entry);
        while ((word = take_word(&line))) {
                char *equals = strchr(word, '=');

                ck_assert_msg(equals, "%s is no KEY=value", word);
                *equals = '\0';
                set_field(entry, play, word, unquoted(equals + 1));
        }
        ck_assert_int_eq(timeline_append(play->timeline, entry), 0);
}

void play_init(Play *play, const char *scenario, const char *recording) {
        CLEANUP_FREE char *copy = strdup(recording);
        char *rest = copy, *line;

        *play = (Play){ .scenarios = SCENARIO_LIST_INIT, .timeline = timeline_new() };
        parse_scenario(play, scenario);
        play->facts = (Case){
                .scenario = play->scenarios.items[0],
                .timeline = play->timeline,
                .evidence_fd = -EBADF,
        };
        while ((line = strsep(&rest, "\n")))
                if (*line)
                        add_line(play, line);
}

void play_done(Play *play) {
        scenario_list_done(&play->scenarios);
        (void) timeline_free(play->timeline);
}

static void judge(const Play *play, Judgement *ret_judgement) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r = judge_scenario(&play->facts, ret_judgement, &error);

        ck_assert_msg(r == 0, "judge_scenario(): %s", error_text(&error));
        FOREACH_ARRAY (verdict, ret_judgement->verdicts, ret_judgement->n_verdicts) {
                ck_assert_ptr_nonnull(verdict->id);
                ck_assert_ptr_nonnull(verdict->sentence);
                ck_assert_int_ne(verdict->outcome, OUTCOME_PENDING);
                for (size_t i = 0; i < verdict->n_evidence; i++)
                        ck_assert_uint_lt(verdict->evidence[i], timeline_length(play->timeline));
        }
}

void play_assert(const Play *play, const char *name, const char *verdicts) {
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;
        CLEANUP_TEXT Text seen = TEXT_INIT, sentences = TEXT_INIT;

        judge(play, &judgement);
        FOREACH_ARRAY (verdict, judgement.verdicts, judgement.n_verdicts) {
                text_printf(&seen, "%s%s:%s", seen.n_bytes > 0 ? " " : "", verdict->id, reason_name(verdict->reason));
                text_printf(&sentences, "\n  %s: %s", verdict->id, verdict->sentence);
        }
        ck_assert_msg(strcmp(text_get(&seen), verdicts) == 0, "%s\nexpected %s\n     saw %s%s", name, verdicts,
                        text_get(&seen), text_get(&sentences));
}

void play_verdict(const Play *play, const char *id, Verdict *ret_verdict) {
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;

        judge(play, &judgement);
        FOREACH_ARRAY (verdict, judgement.verdicts, judgement.n_verdicts)
                if (strcmp(verdict->id, id) == 0) {
                        *ret_verdict = *verdict;
                        *verdict = (Verdict){ 0 };
                        return;
                }
        ck_abort_msg("there is no verdict on %s", id);
}

void assert_sample(const Sample *sample) {
        Play play;

        play_init(&play, sample->scenario, sample->recording);
        play_assert(&play, sample->scenario, sample->verdicts);
        play_done(&play);
}
