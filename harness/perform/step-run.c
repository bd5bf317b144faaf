/* SPDX-License-Identifier: MIT */

/* run: a command on the stage, beside the daemon. */

#include <string.h>

#include "base/clock.h"
#include "judge/check-words.h"
#include "perform/player.h"
#include "perform/step-kinds.h"

enum { RUN_COMMAND, RUN_STATUS, N_RUN_KEYS };

#define RUN_WITHIN_USEC (60 * USEC_PER_SEC)

static int begin_run(const Step *step, Run *run, StepProgress *ret_progress, Error *reterr) {
        uint64_t within_usec = step->within_usec == USEC_INFINITY ? RUN_WITHIN_USEC : step->within_usec;
        CLEANUP_FREE char *line = NULL;
        int r;

        *ret_progress = STEP_WAITING;
        r = run_resolve(run, step_value(step, "command")->text, &line, reterr);
        if (r < 0)
                return r;
        CommandRequest request = {
                .owner = step->id,
                .run = (unsigned) player_step_run(run->player),
                .line = line,
                .environment = run->environment,
                .folder = run->folder,
                .deadline_usec = usec_add(clock_now_usec(), within_usec),
        };
        /* What the command before left in the background lives until now, and no longer. */
        run->command = command_free(run->command);
        return command_start(&run->observer, &request, NULL, NULL, &run->command, reterr);
}

static int observe_run(const Step *step, Run *run, const Entry *entry, StepProgress *ret_progress, Error *reterr) {
        if (entry->kind == ENTRY_COMMAND && entry_has(entry, "owner", step->id))
                *ret_progress = STEP_FINISHED;
        return 0;
}

static void check_run(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        check_line(&values[RUN_COMMAND], "run", diagnostics);
        check_status(&values[RUN_STATUS].matches->match, values[RUN_STATUS].mark, "status", false, diagnostics);
}

static const KeySpec run_keys[] = {
        [RUN_COMMAND] = { .name = "command",
                        .type = VALUE_STRING,
                        .is_required = true,
                        .doc = "A line for `/bin/sh -c`, run in the scenario file's folder as root, with the "
                               "programs under test "
                               "in PATH. `save` takes its standard output, without the newlines at its end." },
        [RUN_STATUS] = { .name = "status",
                        .type = VALUE_MATCH,
                        .default_text = "0",
                        .doc = "The exit status it must have; a signal counts as 128 and its number." },
};

const StepKind run_step = {
        .spec = {
                .name = "run",
                .doc = "Run a command on the stage and wait for its end. Another exit status than 0 is a failure.",
                .example = "run: agentctl submit --count 100",
                .keys = run_keys,
                .n_keys = N_RUN_KEYS,
                .shorthand = RUN_COMMAND,
                .check = check_run,
        },
        /* The command's own deadline ends it first, and its end is what is judged. */
        .is_shareable = true,
        .default_within_usec = USEC_INFINITY,
        .begin = begin_run,
        .observe = observe_run,
};
