/* SPDX-License-Identifier: MIT */
#include "reports/junit-case.h"

#include <limits.h>
#include <string.h>

#include "base/quantity.h"
#include "reports/failure.h"
#include "reports/place.h"
#include "reports/xml-text.h"
#include "scenario/array.h"

enum { MESSAGE_BYTES_MAX = 2000 };

/* Of the evidence, what a person opens first: GitLab shows only the first attachment. */
static const char *const ATTACHED[] = { "timeline.ndjson", "verdicts.ndjson", "scenario.yaml" };

JunitCase *junit_case_free(JunitCase *junit_case) {
        if (!junit_case)
                return NULL;

        free(junit_case->path);
        free(junit_case->name);
        free(junit_case->type);
        free(junit_case->message);
        free(junit_case->details);
        free(junit_case->system_out);
        measures_done(&junit_case->measures);
        array_free_strings(junit_case->attachments, junit_case->n_attachments);
        free(junit_case);
        return NULL;
}

static size_t length(const char *text) {
        return text ? strlen(text) : 0;
}

size_t junit_case_bytes(const JunitCase *junit_case) {
        return length(junit_case->name) + length(junit_case->message) + length(junit_case->details) +
               length(junit_case->system_out);
}

static char *clean(const char *text, size_t n_bytes_max) {
        CLEANUP_TEXT Text cleaned = TEXT_INIT;

        xml_text(text, strlen(text), n_bytes_max, &cleaned);
        return text_take(&cleaned);
}

/* "signal.yaml#busy #2": what a person reads in the terminal, without the folders. */
static char *name_without_folders(const Play *play) {
        const char *path = play->scenario->path, *slash = strrchr(path, '/');
        size_t n_folders = slash ? (size_t) (slash + 1 - path) : 0;

        /* A play that is not named after its file keeps its whole name. */
        return clean(strncmp(play->name, path, n_folders) == 0 ? play->name + n_folders : play->name, 0);
}

static char *place_of_file(const JunitOptions *options, const char *path) {
        CLEANUP_TEXT Text place = TEXT_INIT;

        place_below(options->folder, path, &place);
        return place.is_broken ? NULL : clean(text_get(&place), 0);
}

static JunitKind kind_of(const JunitOptions *options, Outcome outcome) {
        if (outcome == OUTCOME_INCONCLUSIVE && options->inconclusive_as != OUTCOME_INCONCLUSIVE)
                outcome = options->inconclusive_as;
        switch (outcome) {
        case OUTCOME_PASS:
                return JUNIT_PASS;
        case OUTCOME_FAIL:
                return JUNIT_FAILURE;
        case OUTCOME_SKIP:
                return JUNIT_SKIPPED;
        default:
                return JUNIT_ERROR;
        }
}

/* The sentence stands in the details too: GitLab shows the text and not the message. */
static int take_reason(const PlayResult *result, size_t n_bytes_max, JunitCase *junit_case) {
        const Verdict *worst = judgement_worst(&result->judgement);
        CLEANUP_TEXT Text message = TEXT_INIT, details = TEXT_INIT;
        FailureStyle style = { 0 };

        if (result->outcome == OUTCOME_INCONCLUSIVE)
                text_append(&message, "inconclusive: ");
        text_append(&message, worst && worst->sentence ? worst->sentence : "no verdict");
        text_printf(&details, "%s\n", text_get(&message));
        if (result->outcome != OUTCOME_SKIP)
                failure_write(result, &style, &details);
        if (message.is_broken || details.is_broken)
                return -ENOMEM;

        junit_case->type = strdup(worst ? reason_name(worst->reason) : "none");
        junit_case->message = clean(text_get(&message), MESSAGE_BYTES_MAX);
        junit_case->details = clean(text_get(&details), n_bytes_max);
        return junit_case->type && junit_case->message && junit_case->details ? 0 : -ENOMEM;
}

static int take_attachments(const JunitOptions *options, const PlayResult *result, JunitCase *junit_case) {
        int r = 0;

        if (!result->evidence_path || options->attachments == JUNIT_ATTACHMENTS_NONE)
                return 0;
        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(ATTACHED); i++) {
                CLEANUP_TEXT Text path = TEXT_INIT, place = TEXT_INIT;

                text_printf(&path, "%s/%s", result->evidence_path, ATTACHED[i]);
                place_below(options->attachments == JUNIT_ATTACHMENTS_RELATIVE ? options->folder : NULL,
                                text_get(&path), &place);
                CLEANUP_FREE char *cleaned = clean(text_get(&place), 0);
                r = path.is_broken || place.is_broken || !cleaned
                                    ? -ENOMEM
                                    : array_append_string(
                                                      &junit_case->attachments, &junit_case->n_attachments, cleaned);
        }
        return r;
}

static int clean_measures(Measures *measures) {
        FOREACH_ARRAY (measure, measures->items, measures->n_items) {
                char *value = clean(measure->value, MESSAGE_BYTES_MAX);

                if (!value)
                        return -ENOMEM;
                free(measure->value);
                measure->value = value;
        }
        return 0;
}

/* One system-out at most; an attachment is a line of its own. Where properties have no place they stand here. */
static int take_output(const JunitOptions *options, const PlayResult *result, JunitCase *junit_case) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        const Verdict *worst = judgement_worst(&result->judgement);

        if (junit_case->kind == JUNIT_PASS && result->outcome != OUTCOME_PASS) {
                const char *sentence = worst && worst->sentence ? worst->sentence : "no verdict";

                text_printf(&text, "%s, counted as pass: ", outcome_name(result->outcome));
                xml_text(sentence, strlen(sentence), MESSAGE_BYTES_MAX, &text);
                text_append(&text, "\n");
        }

        if (options->flavor != JUNIT_COMMON)
                FOREACH_ARRAY (measure, junit_case->measures.items, junit_case->measures.n_items)
                        text_printf(&text, "%s=%s\n", measure->name, measure->value);
        FOREACH_ARRAY (attachment, junit_case->attachments, junit_case->n_attachments)
                text_printf(&text, "[[ATTACHMENT|%s]]\n", *attachment);
        if (text.n_bytes == 0 && !text.is_broken)
                return 0;
        junit_case->system_out = text_take(&text);
        return junit_case->system_out ? 0 : -ENOMEM;
}

/* Where the verdict that decided stands; for a pass the scenario's first step. */
static unsigned line_of(const PlayResult *result) {
        const Verdict *worst = judgement_worst(&result->judgement);
        const Scenario *scenario = result->play->scenario;

        if (result->outcome != OUTCOME_PASS && worst && worst->mark.line > 0)
                return worst->mark.line;
        return scenario->n_steps > 0 ? scenario->steps[0].mark.line : 0;
}

static int new_case(const JunitOptions *options, const Play *play, JunitKind kind, JunitCase **ret_case) {
        CLEANUP(junit_case_free_p) JunitCase *junit_case = calloc(1, sizeof(*junit_case));
        if (!junit_case)
                return -ENOMEM;

        junit_case->kind = kind;
        junit_case->index = play ? play->index : UINT_MAX;
        junit_case->path = play ? place_of_file(options, play->scenario->path) : strdup("");
        junit_case->name = play ? name_without_folders(play) : strdup("run");
        if (!junit_case->path || !junit_case->name)
                return -ENOMEM;
        *ret_case = TAKE_PTR(junit_case);
        return 0;
}

int junit_case_new(const JunitOptions *options, const PlayResult *result, size_t n_bytes_max, JunitCase **ret_case) {
        CLEANUP(junit_case_free_p) JunitCase *junit_case = NULL;
        int r = new_case(options, result->play, kind_of(options, result->outcome), &junit_case);

        if (r < 0)
                return r;
        junit_case->line = line_of(result);
        junit_case->n_verdicts = result->judgement.n_verdicts;
        junit_case->begin_usec = result->begin_usec;
        junit_case->duration_usec = usec_sub(result->end_usec, result->begin_usec);
        if (junit_case->kind != JUNIT_PASS)
                r = take_reason(result, n_bytes_max, junit_case);
        if (r >= 0 && result->timeline)
                r = measures_collect(result, &junit_case->measures);
        if (r >= 0)
                r = clean_measures(&junit_case->measures);
        if (r >= 0)
                r = take_attachments(options, result, junit_case);
        if (r >= 0)
                r = take_output(options, result, junit_case);
        if (r < 0)
                return r;
        *ret_case = TAKE_PTR(junit_case);
        return 0;
}

int junit_case_new_plain(const JunitOptions *options, const Play *play, JunitKind kind, const char *type,
                const char *message, JunitCase **ret_case) {
        CLEANUP(junit_case_free_p) JunitCase *junit_case = NULL;
        int r = new_case(options, play, kind, &junit_case);

        if (r < 0)
                return r;
        junit_case->type = strdup(type);
        junit_case->message = clean(message, MESSAGE_BYTES_MAX);
        junit_case->details = clean(message, MESSAGE_BYTES_MAX);
        if (!junit_case->type || !junit_case->message || !junit_case->details)
                return -ENOMEM;
        *ret_case = TAKE_PTR(junit_case);
        return 0;
}
