/* SPDX-License-Identifier: MIT */

/* command: what a command beside the daemon says. */

#include <string.h>
#include <sys/wait.h>

#include "judge/check-words.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "scenario/signal-name.h"

enum { COMMAND_RUN, COMMAND_STATUS, COMMAND_STDOUT, COMMAND_STDERR, N_COMMAND_KEYS };

static bool is_truncated(const Entry *entry, const char *stream) {
        const char *truncated = entry_get(entry, "truncated");

        return truncated && strstr(truncated, stream);
}

static void examine_stream(Examiner *examiner, const char *stream) {
        const Field *output = entry_find(examiner->entry, stream);
        const char *bytes = output ? output->bytes : "";

        if (!examiner_has(examiner, stream))
                return;
        if (is_truncated(examiner->entry, stream))
                examine_note(examiner, TRUTH_UNKNOWN, "%s was too long to be kept as a whole", stream);
        else
                examine_text(examiner, stream, stream, bytes,
                                output ? length_without_newlines(bytes, output->n_bytes) : 0);
}

static void examine_status(Examiner *examiner) {
        int wait_status = (int) entry_get_number(examiner->entry, "status", 0);
        const Field *errors = entry_find(examiner->entry, "stderr");
        char buffer[SIGNAL_TEXT_MAX + 16];
        char name[SIGNAL_TEXT_MAX];
        size_t n_bytes;

        if (WIFSIGNALED(wait_status))
                (void) snprintf(buffer, sizeof(buffer), "%s", signal_text(WTERMSIG(wait_status), name));
        else
                (void) snprintf(buffer, sizeof(buffer), "%d", WEXITSTATUS(wait_status));
        examine_text(examiner, "status", "status", buffer, strlen(buffer));

        /* A command that fails says why, and that is what one wants to read. */
        n_bytes = errors ? length_without_newlines(errors->bytes, errors->n_bytes) : 0;
        if (examiner->differing.n_bytes > 0 && n_bytes > 0 && !examiner_has(examiner, "stderr")) {
                text_append(&examiner->differing, ", stderr was ");
                append_quoted(&examiner->differing, errors->bytes, n_bytes, QUOTED_MAX);
        }
}

static int examine_command(const Expectation *expectation, const Case *facts, const Entry *entry, Examination *ret,
                Error *reterr) {
        int64_t error = entry_get_number(entry, "errno", 0);
        Examiner examiner;

        /* The text counts too: the scenario of a replay may have another one than was run. */
        if (entry->kind != ENTRY_COMMAND || !entry_has(entry, "owner", expectation->id) ||
                        !entry_answers(entry, "command", expectation, facts, "run"))
                return 0;
        examiner_init(&examiner, expectation, facts, entry, ret);
        if (error != 0)
                examine_note(&examiner, TRUTH_UNKNOWN, "it could not be executed: %s", strerror((int) error));
        else if (entry_has(entry, "timed-out", "yes"))
                examine_note(&examiner, TRUTH_FALSE, "it did not end in time and was killed");
        else {
                examine_status(&examiner);
                examine_stream(&examiner, "stdout");
                examine_stream(&examiner, "stderr");
        }
        examiner_finish(&examiner);
        return 0;
}

static char *describe_command(const Expectation *expectation, const Case *facts) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_FREE char *line = NULL;

        (void) expectation_text(expectation, facts, SIZE_MAX, "run", &line, NULL);
        text_printf(&text, "`%s`: ", line ? line : expectation_value(expectation, "run")->text);
        describe_matches(&text, expectation, facts, "");
        return text_take(&text);
}

static void check_command(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        check_line(&values[COMMAND_RUN], "run", diagnostics);
        check_status(&values[COMMAND_STATUS].matches->match, values[COMMAND_STATUS].mark, "status", true,
                        diagnostics);
}

static const KeySpec command_keys[] = {
        [COMMAND_RUN] = { .name = "run",
                        .type = VALUE_STRING,
                        .is_required = true,
                        .doc = "A line for `/bin/sh -c`, run as the step `run` runs its commands. It may be run "
                               "several times." },
        [COMMAND_STATUS] = { .name = "status",
                        .type = VALUE_MATCH,
                        .default_text = "0",
                        .doc = "Its exit status, or the name of the signal that ended it." },
        [COMMAND_STDOUT] = { .name = "stdout",
                        .type = VALUE_MATCH,
                        .doc = "What it wrote to its standard output, without the newlines at the end." },
        [COMMAND_STDERR] = { .name = "stderr",
                        .type = VALUE_MATCH,
                        .doc = "What it wrote to its standard error, without the newlines at the end." },
};

const ExpectKind command_expectation = {
        .spec = {
                .name = "command",
                .doc = "A command on the stage, beside the daemon, ends with this status and says this.",
                .example = "command: { run: agentctl status, stdout: /^ready$/ }",
                .keys = command_keys,
                .n_keys = N_COMMAND_KEYS,
                .shorthand = COMMAND_RUN,
                .check = check_command,
        },
        .question = QUESTION_COMMAND,
        .examine = examine_command,
        .describe = describe_command,
};
