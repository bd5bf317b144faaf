/* SPDX-License-Identifier: MIT */

/* Steps that send a signal: `signal` and goes on, `crash` and waits for the main process's end. */

#include <signal.h>
#include <string.h>

#include "base/quantity.h"
#include "perform/player.h"
#include "perform/step-kinds.h"
#include "scenario/diagnostic.h"

enum { SIGNAL_SIGNAL, SIGNAL_WHO, N_SIGNAL_KEYS };
enum { CRASH_SIGNAL, N_CRASH_KEYS };

/* The barrier's end: the main process that is known is the one of this moment. */
static void on_snapshot(int error, void *userdata) {
        CLEANUP_ERROR Error failure = ERROR_INIT;
        Run *run = userdata;
        const Step *step = player_step(run->player);
        const Value *who;
        int signal_number, r = error;

        /* An answer that comes when its step was given up does nothing any more. */
        if (!player_is_acting(run->player) || (step->kind != &signal_step.spec && step->kind != &crash_step.spec))
                return;
        who = step->kind == &signal_step.spec ? step_value(step, "who") : NULL;
        signal_number = (int) step_value(step, "signal")->integer;
        if (who && strcmp(who->text, "main") != 0)
                r = r < 0 ? r : bus_watch_kill(run->bus, step->unit, who->text, signal_number, &failure);
        else
                r = r < 0 ? r : bus_watch_signal_main(run->bus, step->unit, signal_number);
        if (r < 0)
                (void) run_break(run, r, "cannot send a signal to %s: %s", step->unit,
                                failure.message ? failure.message : strerror(-r));
}

static int begin_signal(const Step *step, Run *run, StepProgress *ret_progress, Error *reterr) {
        *ret_progress = STEP_WAITING;
        return bus_watch_barrier(run->bus, on_snapshot, run);
}

static int observe_signal(const Step *step, Run *run, const Entry *entry, StepProgress *ret_progress, Error *reterr) {
        if (entry->kind == ENTRY_SIGNAL_ACTION && entry->unit && strcmp(entry->unit, step->unit) == 0)
                *ret_progress = STEP_FINISHED;
        return 0;
}

/* A crash is over when the process that was hit is gone; where nothing was hit, at once. */
static int observe_crash(const Step *step, Run *run, const Entry *entry, StepProgress *ret_progress, Error *reterr) {
        const Timeline *timeline = run->observer.timeline;
        const Entry *begin = timeline_last(timeline, SIZE_MAX, ENTRY_STEP_BEGIN, NULL);
        const Entry *action = timeline_next(timeline, begin->index, ENTRY_SIGNAL_ACTION, step->unit);

        if (!action)
                return 0;
        if (entry_get_number(action, "errno", 0) != 0 || entry_get_number(action, "pid", 0) == 0) {
                *ret_progress = STEP_FINISHED;
                return 0;
        }
        for (const Entry *gone = timeline_next(timeline, begin->index, ENTRY_MAIN_GONE, step->unit); gone;
                        gone = timeline_next(timeline, gone->index + 1, ENTRY_MAIN_GONE, step->unit))
                if (entry_get_number(gone, "pid", 0) == entry_get_number(action, "pid", 0))
                        *ret_progress = STEP_FINISHED;
        return 0;
}

/* What stops, continues or is ignored: nothing is gone, and the step would wait for it. Source: signal(7). */
static void check_crash(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        static const int harmless[] = { SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD, SIGURG, SIGWINCH };
        const Value *signal = &values[CRASH_SIGNAL];

        FOREACH_ARRAY (number, harmless, ELEMENTS_OF(harmless))
                if (signal->integer == (uint64_t) *number)
                        diagnostic_add(diagnostics, signal->mark, 0,
                                        "`crash` waits until the process is gone, and %s ends none; write `signal: "
                                        "%s`",
                                        signal->text, signal->text);
}

static const KeySpec signal_keys[] = {
        [SIGNAL_SIGNAL] = { .name = "signal",
                        .type = VALUE_SIGNAL,
                        .is_required = true,
                        .doc = "The signal, by its name or number." },
        [SIGNAL_WHO] = { .name = "who",
                        .type = VALUE_CHOICE,
                        .choices = "main|control|all",
                        .default_text = "main",
                        .doc = "Which processes of the unit, as in `systemctl kill --kill-whom=`." },
};

static const KeySpec crash_keys[] = {
        [CRASH_SIGNAL] = { .name = "signal",
                        .type = VALUE_SIGNAL,
                        .default_text = "SIGKILL",
                        .doc = "What kills the main process." },
};

const StepKind signal_step = {
        .spec = {
                .name = "signal",
                .doc = "Send a signal to processes of a unit, and go on at once.",
                .example = "signal: SIGTERM",
                .keys = signal_keys,
                .n_keys = N_SIGNAL_KEYS,
                .shorthand = SIGNAL_SIGNAL,
                .takes_unit = true,
        },
        .is_shareable = true,
        .is_signal = true,
        .default_within_usec = 30 * USEC_PER_SEC,
        .begin = begin_signal,
        .observe = observe_signal,
};

const StepKind crash_step = {
        .spec = {
                .name = "crash",
                .doc = "Kill the main process of a unit by a signal, and wait until it is gone.",
                .example = "crash: SIGSEGV",
                .keys = crash_keys,
                .n_keys = N_CRASH_KEYS,
                .shorthand = CRASH_SIGNAL,
                .takes_unit = true,
                .check = check_crash,
        },
        .is_shareable = true,
        .is_signal = true,
        .default_within_usec = 60 * USEC_PER_SEC,
        .begin = begin_signal,
        .observe = observe_crash,
};
