/* SPDX-License-Identifier: MIT */
#include "perform/player.h"

#include <string.h>

#include "base/clock.h"
#include "base/quantity.h"
#include "perform/barrier.h"
#include "perform/cursor.h"
#include "perform/inquiry.h"
#include "perform/lateness.h"

typedef enum PlayerPhase {
        PHASE_NEXT,    /* take the next step */
        PHASE_ACTING,  /* an action waits for what it caused */
        PHASE_WAITING, /* an expect step's window is open */
        PHASE_ASKING,  /* the window's end: last questions are out */
        PHASE_CLOSING, /* the window's end: channels are being drained */
        PHASE_PARTING, /* the scenario's end: the invariants are asked about once more */
        PHASE_ENDING,  /* the scenario's end: channels are being drained */
        PHASE_ENDED,
} PlayerPhase;

struct Player {
        Run *run;
        PlayerPhase phase;
        Cursor cursor;

        const Step *step; /* current one */
        uint64_t n_run;
        size_t begin_index;
        size_t n_observed;   /* entries that the current action has seen */
        Inquiry **inquiries; /* of the current expect step */
        size_t n_inquiries;
        Inquiry **standing; /* of the invariants */
        size_t n_standing;

        const char *ending_how; /* PHASE_ENDING: of ENTRY_SCENARIO_END */
        char *ending_text;

        sd_event_source *wake;
        sd_event_source *deadline;
        sd_event_source *timeout; /* of the whole scenario */
};

static void forget_inquiries(Inquiry ***inquiries, size_t *n_inquiries) {
        for (size_t i = 0; i < *n_inquiries; i++)
                (void) inquiry_free((*inquiries)[i]);
        free(*inquiries);
        *inquiries = NULL;
        *n_inquiries = 0;
}

static void player_forget_inquiries(Player *player) {
        forget_inquiries(&player->inquiries, &player->n_inquiries);
}

Player *player_free(Player *player) {
        if (!player)
                return NULL;
        player_forget_inquiries(player);
        forget_inquiries(&player->standing, &player->n_standing);
        sd_event_source_disable_unref(player->wake);
        sd_event_source_disable_unref(player->deadline);
        sd_event_source_disable_unref(player->timeout);
        free(player->ending_text);
        cursor_done(&player->cursor);
        free(player);
        return NULL;
}

void player_wake(Player *player) {
        (void) sd_event_source_set_enabled(player->wake, SD_EVENT_ONESHOT);
}

const Step *player_step(const Player *player) {
        return player->step;
}

uint64_t player_step_run(const Player *player) {
        return player->n_run;
}

bool player_is_acting(const Player *player) {
        return player->phase == PHASE_ACTING;
}

int player_push(Player *player, const Step *steps, size_t n_steps, uint64_t n_times) {
        return cursor_push(&player->cursor, steps, n_steps, n_times);
}

static Entry *player_note(Player *player, EntryKind kind) {
        Entry *entry = run_note(player->run, kind, NULL);

        if (entry) {
                entry_set(entry, "step", player->step->id);
                entry_set_usec(entry, "run", player->n_run);
        }
        return entry;
}

static void player_set_deadline(Player *player, uint64_t deadline_usec) {
        if (deadline_usec == USEC_INFINITY) {
                (void) sd_event_source_set_enabled(player->deadline, SD_EVENT_OFF);
                return;
        }
        (void) sd_event_source_set_time(player->deadline, deadline_usec);
        (void) sd_event_source_set_enabled(player->deadline, SD_EVENT_ONESHOT);
}

void player_end(Player *player, const char *how, const char *text) {
        if (player->phase >= PHASE_PARTING)
                return;
        player_forget_inquiries(player);
        player_set_deadline(player, USEC_INFINITY);
        player->ending_how = how;
        player->ending_text = text ? strdup(text) : NULL;
        player->phase = PHASE_PARTING;
        /* Who interrupts does not wait for answers. */
        if (strcmp(how, "interrupted") == 0)
                forget_inquiries(&player->standing, &player->n_standing);
        for (size_t i = 0; i < player->n_standing; i++)
                inquiry_ask(player->standing[i]);
        player_wake(player);
}

static void player_begin_ending(Player *player) {
        forget_inquiries(&player->standing, &player->n_standing);
        player->phase = PHASE_ENDING;
        run_sample_counters(player->run, NULL);
        barrier_begin(player->run->barrier, CHANNEL_BUS | CHANNEL_JOURNAL | CHANNEL_ACCT | CHANNEL_KMSG);
}

static void player_note_barrier(Player *player, Entry *entry) {
        if (entry) {
                entry_set_usec(entry, "since", barrier_since(player->run->barrier));
                entry_set(entry, "channels", barrier_channels(player->run->barrier));
        }
        run_append(player->run, entry);
}

static void player_finish_ending(Player *player) {
        Entry *entry;

        lateness_note(player->run->lateness);
        entry = run_note(player->run, ENTRY_BARRIER, NULL);
        if (entry)
                entry_set_usec(entry, "lines", logbook_n_lines(player->run->logbook));
        player_note_barrier(player, entry);
        entry = run_note(player->run, ENTRY_SCENARIO_END, NULL);
        if (entry) {
                entry_set(entry, "how", player->ending_how);
                if (player->ending_text)
                        entry_set(entry, "text", player->ending_text);
        }
        run_append(player->run, entry);
        player->phase = PHASE_ENDED;
        (void) sd_event_exit(player->run->observer.event, 0);
}

/* Has an invariant been broken by now? Then there is no point in going on. */
static int player_check_invariants(Player *player, bool *ret_is_broken, Error *reterr) {
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;
        Case facts = run_case(player->run);
        int r;

        r = judge_invariants(&facts, &judgement, reterr);
        if (r < 0)
                return r;
        *ret_is_broken = judgement.outcome == OUTCOME_FAIL;
        return 0;
}

static int player_finish_step(Player *player, const char *how, const Verdict *verdict, Error *reterr) {
        bool is_failed = verdict && reason_ends(verdict->reason), is_broken = false;
        Entry *entry = player_note(player, ENTRY_STEP_END);
        int r;

        if (entry) {
                entry_set(entry, "how", is_failed ? "failed" : how);
                if (is_failed) {
                        entry_set(entry, "reason", reason_name(verdict->reason));
                        entry_set(entry, "text", verdict->sentence ? verdict->sentence : "");
                }
        }
        run_append(player->run, entry);
        player_forget_inquiries(player);
        player_set_deadline(player, USEC_INFINITY);
        player->phase = PHASE_NEXT;

        r = player_check_invariants(player, &is_broken, reterr);
        if (r < 0)
                return r;
        if (is_failed || is_broken)
                player_end(player, "stopped", NULL);
        player_wake(player);
        return 0;
}

/* What the current step's command said: an invariant's command may have answered meanwhile. */
static const Entry *player_find_output(const Player *player) {
        const Timeline *timeline = player->run->observer.timeline;
        const Entry *command = timeline_next(timeline, player->begin_index, ENTRY_COMMAND, NULL);

        while (command && !entry_has(command, "owner", player->step->id))
                command = timeline_next(timeline, command->index + 1, ENTRY_COMMAND, NULL);
        return command;
}

static void player_save_output(Player *player) {
        const Entry *command = player_find_output(player);
        const Field *output = command ? entry_find(command, "stdout") : NULL;
        size_t n_bytes = output ? output->n_bytes : 0;
        Entry *entry;

        /* As the shell's $(): without the newlines at the end. */
        while (n_bytes > 0 && output->bytes[n_bytes - 1] == '\n')
                n_bytes--;
        entry = player_note(player, ENTRY_CAPTURE);
        if (entry) {
                entry_set(entry, "name", player->step->save);
                entry_set_bytes(entry, "value", output ? output->bytes : "", n_bytes);
        }
        run_append(player->run, entry);
}

static int player_finish_action(Player *player, const char *how, Error *reterr) {
        CLEANUP(verdict_done) Verdict verdict = { 0 };
        Case facts = run_case(player->run);
        int r;

        if (player->step->save)
                player_save_output(player);
        r = judge_action(&facts, player->step, player->begin_index, how, &verdict, reterr);
        if (r < 0)
                return r;
        return player_finish_step(player, how, &verdict, reterr);
}

static int player_observe(Player *player, Error *reterr) {
        const Timeline *timeline = player->run->observer.timeline;
        StepProgress progress = STEP_WAITING;
        int r;

        while (progress == STEP_WAITING && player->n_observed < timeline_length(timeline)) {
                const Entry *entry = timeline_get(timeline, player->n_observed++);

                r = step_kind(player->step)->observe(player->step, player->run, entry, &progress, reterr);
                if (r < 0)
                        return r;
        }
        return progress == STEP_FINISHED ? player_finish_action(player, "done", reterr) : 0;
}

static int player_begin_action(Player *player, Error *reterr) {
        const StepKind *kind = step_kind(player->step);
        uint64_t within_usec = player->step->within_usec;
        StepProgress progress = STEP_WAITING;
        int r;

        if (within_usec == USEC_INFINITY)
                within_usec = kind->default_within_usec;
        player->phase = PHASE_ACTING;
        player->n_observed = player->begin_index + 1;
        player_set_deadline(player, usec_add(clock_now_usec(), within_usec));

        r = kind->begin(player->step, player->run, &progress, reterr);
        if (r < 0)
                return r;
        return progress == STEP_FINISHED ? player_finish_action(player, "done", reterr) : 0;
}

static void player_record_captures(Player *player) {
        for (size_t i = 0; i < player->step->n_expectations; i++) {
                const Expectation *expectation = &player->step->expectations[i];
                const char *name, *value;

                for (size_t group = 0; logbook_capture(player->run->logbook, expectation, group, &name, &value);
                                group++) {
                        Entry *entry = player_note(player, ENTRY_CAPTURE);

                        if (entry) {
                                entry_set(entry, "name", name);
                                entry_set(entry, "value", value);
                        }
                        run_append(player->run, entry);
                }
        }
}

/* All that is pending holds already, and only has to go on for the step's `for`: look again when that is over. */
static void player_plan_for(Player *player, const Judgement *judgement) {
        uint64_t since_usec = 0, planned_usec = 0;

        FOREACH_ARRAY (verdict, judgement->verdicts, judgement->n_verdicts) {
                if (verdict->outcome != OUTCOME_PENDING)
                        continue;
                if (verdict->at_usec == 0)
                        return;
                if (verdict->at_usec > since_usec)
                        since_usec = verdict->at_usec;
        }
        since_usec = usec_add(since_usec, player->step->for_usec);
        if (sd_event_source_get_time(player->deadline, &planned_usec) >= 0 && since_usec < planned_usec)
                player_set_deadline(player, since_usec);
}

/* Is the expect step decided? Then finish it. */
static int player_judge(Player *player, Error *reterr) {
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;
        Case facts = run_case(player->run);
        const Verdict *worst;
        int r;

        r = judge_step(&facts, player->step, player->begin_index, &judgement, reterr);
        if (r < 0)
                return r;
        if (judgement.outcome == OUTCOME_PENDING) {
                if (player->phase == PHASE_CLOSING)
                        return error_set(reterr, -EPROTO, "step %s is undecided although its window is closed",
                                        player->step->id);
                if (player->step->for_usec > 0)
                        player_plan_for(player, &judgement);
                return 0;
        }
        player_record_captures(player);
        worst = judgement_worst(&judgement);
        return player_finish_step(player, "done", worst, reterr);
}

/* All last answers are in: drain the channels behind them. */
static int player_begin_barrier(Player *player, Error *reterr) {
        player->phase = PHASE_CLOSING;
        barrier_begin(player->run->barrier, judge_step_channels(player->step));
        return 0;
}

static int player_begin_closing(Player *player, Error *reterr) {
        player->phase = PHASE_ASKING;
        for (size_t i = 0; i < player->step->n_expectations; i++)
                if (player->step->expectations[i].unit)
                        bus_watch_check_alive(player->run->bus, player->step->expectations[i].unit);
        for (size_t i = 0; i < player->n_inquiries; i++)
                inquiry_ask(player->inquiries[i]);
        player_wake(player);
        return 0;
}

static bool are_settled(Inquiry *const *inquiries, size_t n_inquiries) {
        for (size_t i = 0; i < n_inquiries; i++)
                if (!inquiry_is_settled(inquiries[i]))
                        return false;
        return true;
}

static int player_finish_closing(Player *player, Error *reterr) {
        player_note_barrier(player, player_note(player, ENTRY_BARRIER));
        return player_judge(player, reterr);
}

static uint64_t player_anchor_usec(const Player *player) {
        size_t anchor = judge_anchor(
                        player->run->observer.timeline, player->run->scenario, player->step, player->begin_index);

        return timeline_get(player->run->observer.timeline, anchor)->at_usec;
}

static int add_inquiries(Run *run, const Expectation *expectations, size_t n_expectations, Inquiry ***inquiries,
                size_t *n_inquiries, Error *reterr) {
        Inquiry **grown = reallocarray(*inquiries, *n_inquiries + n_expectations + 1, sizeof(Inquiry *));
        int r;

        if (!grown)
                return -ENOMEM;
        *inquiries = grown;
        for (size_t i = 0; i < n_expectations; i++) {
                r = inquiry_new(run, &expectations[i], &grown[*n_inquiries], reterr);
                if (r < 0)
                        return r;
                if (grown[*n_inquiries])
                        (*n_inquiries)++;
        }
        return 0;
}

static int follow_inquiries(Inquiry **inquiries, size_t n_inquiries, Error *reterr) {
        int r;

        for (size_t i = 0; i < n_inquiries; i++) {
                r = inquiry_follow(inquiries[i], reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int player_begin_expect(Player *player, Error *reterr) {
        const Step *step = player->step;
        uint64_t from_usec = player_anchor_usec(player);
        uint64_t deadline_usec =
                        step->within_usec == USEC_INFINITY ? USEC_INFINITY : usec_add(from_usec, step->within_usec);
        Entry *entry = player_note(player, ENTRY_WINDOW);
        int r;

        if (entry) {
                entry_set_usec(entry, "from", from_usec);
                entry_set_usec(entry, "deadline", deadline_usec);
        }
        run_append(player->run, entry);
        player->phase = PHASE_WAITING;

        r = add_inquiries(player->run, step->expectations, step->n_expectations, &player->inquiries,
                        &player->n_inquiries, reterr);
        if (r < 0)
                return r;
        /* Without `within` the facts of this moment decide: the window closes at once. */
        if (deadline_usec == USEC_INFINITY)
                return player_begin_closing(player, reterr);

        r = follow_inquiries(player->inquiries, player->n_inquiries, reterr);
        if (r < 0)
                return r;
        /* `for` is watched beyond the deadline: what became true just in time has to stay so. */
        player_set_deadline(player, usec_add(deadline_usec, step->for_usec));
        player_wake(player);
        return 0;
}

static int player_begin_step(Player *player, Error *reterr) {
        Entry *entry;
        int r;

        r = cursor_take(&player->cursor, &player->step, &player->n_run);
        if (r < 0)
                return r;
        if (!player->step) {
                player_end(player, "done", NULL);
                return 0;
        }

        /* A record of what came before this step must not be taken for one of what it does. */
        (void) kmsg_watch_drain(player->run->kmsg);
        player->begin_index = timeline_length(player->run->observer.timeline);
        entry = player_note(player, ENTRY_STEP_BEGIN);
        if (entry) {
                entry_set(entry, "kind", player->step->kind ? player->step->kind->name : "expect");
                entry_set(entry, "quote", player->step->quote ? player->step->quote : "");
        }
        run_append(player->run, entry);
        /* Where the counters stand before the step does anything: it is measured from here. */
        if (player->run->is_about_quotas && player->step->kind)
                run_sample_counters(player->run, "begin");
        if (player->run->broken < 0)
                return player->run->broken;
        return player->step->kind ? player_begin_action(player, reterr) : player_begin_expect(player, reterr);
}

static int player_move(Player *player, Error *reterr) {
        switch (player->phase) {
        case PHASE_NEXT:
                return player_begin_step(player, reterr);
        case PHASE_ACTING:
                return player_observe(player, reterr);
        case PHASE_WAITING:
                return player_judge(player, reterr);
        case PHASE_ASKING:
                return are_settled(player->inquiries, player->n_inquiries) ? player_begin_barrier(player, reterr) : 0;
        case PHASE_CLOSING:
                return barrier_is_done(player->run->barrier) ? player_finish_closing(player, reterr) : 0;
        case PHASE_PARTING:
                if (are_settled(player->standing, player->n_standing))
                        player_begin_ending(player);
                return 0;
        case PHASE_ENDING:
                if (barrier_is_done(player->run->barrier))
                        player_finish_ending(player);
                return 0;
        case PHASE_ENDED:
                return 0;
        }
        return 0;
}

/* The harness could not do its part of the step: that ends the scenario, and says nothing about the daemon. */
static void player_break_step(Player *player, int code, Error *error) {
        Entry *entry;

        if (player->phase >= PHASE_PARTING || !player->step) {
                (void) run_break(player->run, code, "%s", error_text(error));
                return;
        }
        error->code = code;
        entry = player_note(player, ENTRY_STEP_END);
        if (entry) {
                entry_set(entry, "how", "broken");
                entry_set(entry, "reason", reason_name(REASON_STEP_BROKEN));
                entry_set(entry, "text", error_text(error));
        }
        run_append(player->run, entry);
        player_end(player, "broken", error_text(error));
}

void player_break(Player *player, int code, const char *text) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        (void) error_set(&error, code, "%s", text);
        player_break_step(player, code, &error);
}

static int on_wake(sd_event_source *source, void *userdata) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Player *player = userdata;
        int r;

        r = player_move(player, &error);
        if (r < 0)
                player_break_step(player, r, &error);
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Player *player = userdata;
        int r = 0;

        run_append(player->run, player_note(player, ENTRY_DEADLINE));
        if (player->phase == PHASE_ACTING)
                r = player_finish_action(player, "deadline", &error);
        else if (player->phase == PHASE_WAITING)
                r = player_begin_closing(player, &error);
        if (r < 0)
                player_break_step(player, r, &error);
        return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        player_end(userdata, "timeout", NULL);
        return 0;
}

int player_new(Run *run, Player **ret_player, Error *reterr) {
        CLEANUP(player_free_p) Player *player = NULL;
        sd_event *event = run->observer.event;
        int r;

        player = calloc(1, sizeof(*player));
        if (!player)
                return -ENOMEM;
        player->run = run;

        r = sd_event_add_defer(event, &player->wake, on_wake, player);
        if (r >= 0)
                /* After all other sources: a burst of entries is looked at once. */
                r = sd_event_source_set_priority(player->wake, SD_EVENT_PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_source_set_enabled(player->wake, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time(event, &player->deadline, CLOCK_MONOTONIC, 0, 1, on_deadline, player);
        if (r >= 0)
                r = sd_event_source_set_enabled(player->deadline, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time(event, &player->timeout, CLOCK_MONOTONIC,
                                usec_add(clock_now_usec(), run->scenario->timeout_usec), 0, on_timeout, player);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set up the performer's event sources");
        *ret_player = TAKE_PTR(player);
        return 0;
}

int player_start(Player *player, Error *reterr) {
        const Scenario *scenario = player->run->scenario;
        int r;

        r = player_push(player, scenario->steps, scenario->n_steps, 1);
        if (r >= 0)
                r = add_inquiries(player->run, scenario->always, scenario->n_always, &player->standing,
                                &player->n_standing, reterr);
        if (r >= 0)
                r = add_inquiries(player->run, scenario->never, scenario->n_never, &player->standing,
                                &player->n_standing, reterr);
        if (r >= 0)
                r = follow_inquiries(player->standing, player->n_standing, reterr);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot begin the scenario");
        player_wake(player);
        return 0;
}
