/* SPDX-License-Identifier: MIT */

/*
 * For people. On a terminal the lines at the bottom say which scenario is doing what, for how long; above them the
 * results scroll by. Everywhere else only results are written, and once a minute what is still going on, because a
 * job that is silent gets killed by its CI system.
 */

#include <string.h>

#include "base/quantity.h"
#include "reports/entry-line.h"
#include "reports/failure.h"

#define HEARTBEAT_USEC (60 * USEC_PER_SEC)

enum { LIVE_LINES_MAX = 12, LIVE_COLUMNS_DEFAULT = 80 };

typedef struct Activity {
        const Play *play;
        uint64_t begin_usec;
        char *doing; /* NULL: the stage is being brought up */
        uint64_t doing_since_usec;
        uint64_t told_usec;
} Activity;

typedef struct TerminalReport {
        Report report; /* first */
        TerminalOptions options;
        Activity *activities;
        size_t n_activities, n_allocated;
        size_t n_plays, n_ended;
        unsigned n_drawn;  /* lines of the live part that are on the screen */
        char *last_reason; /* the same reason is told once, not for each of 100 scenarios */
        int problem;       /* the first -errno */
} TerminalReport;

static void flush(TerminalReport *report) {
        if (fflush(report->options.file) != 0 && report->problem == 0)
                report->problem = -errno;
}

/* A line about something with a name, in which there may be anything. */
static void write_line(const TerminalReport *report, const char *label, const char *text) {
        CLEANUP_TEXT Text shown = TEXT_INIT;

        printable(text, strlen(text), 0, &shown);
        fprintf(report->options.file, "%s%s\n", label, text_get(&shown));
}

/* --- the live part --- */

static void erase_live(TerminalReport *report) {
        if (report->n_drawn > 0)
                fprintf(report->options.file, "\r\033[%uA\033[J", report->n_drawn);
        report->n_drawn = 0;
}

/* Whole seconds: the line is drawn once a second. */
static const char *seconds_text(uint64_t usec, char buffer[static DURATION_TEXT_MAX]) {
        uint64_t seconds = usec / USEC_PER_SEC;

        if (seconds >= 60)
                return duration_text(seconds * USEC_PER_SEC, buffer);
        (void) snprintf(buffer, DURATION_TEXT_MAX, "%us", (unsigned) seconds);
        return buffer;
}

static void write_activity(const TerminalReport *report, const Activity *activity, uint64_t now_usec, Text *text) {
        char total[DURATION_TEXT_MAX], step[DURATION_TEXT_MAX];

        text_printf(text, "%s  %s", activity->play->name,
                        seconds_text(usec_sub(now_usec, activity->begin_usec), total));
        if (activity->doing)
                text_printf(text, "  %s  for %s", activity->doing,
                                seconds_text(usec_sub(now_usec, activity->doing_since_usec), step));
        else
                text_append(text, "  booting");
}

static void write_live_line(TerminalReport *report, const char *line, size_t n_bytes) {
        CLEANUP_TEXT Text shown = TEXT_INIT;
        unsigned n_columns = report->options.n_columns ?: LIVE_COLUMNS_DEFAULT;

        printable(line, n_bytes, n_columns - 3, &shown);
        fprintf(report->options.file, "  %s\n", text_get(&shown));
        report->n_drawn++;
}

static void draw_live(TerminalReport *report, uint64_t now_usec) {
        unsigned n_rows = report->options.n_rows ?: 24;
        size_t n_lines_max = n_rows > LIVE_LINES_MAX + 4 ? LIVE_LINES_MAX : n_rows > 5 ? n_rows - 4 : 1;
        size_t n_lines = report->n_activities < n_lines_max ? report->n_activities : n_lines_max;

        if (!report->options.is_live)
                return;
        erase_live(report);
        for (size_t i = 0; i < n_lines; i++) {
                CLEANUP_TEXT Text line = TEXT_INIT;

                write_activity(report, &report->activities[i], now_usec, &line);
                write_live_line(report, text_get(&line), line.n_bytes);
        }
        if (report->n_activities > 0) {
                CLEANUP_TEXT Text line = TEXT_INIT;

                text_printf(&line, "%zu of %zu ended, %zu running", report->n_ended, report->n_plays,
                                report->n_activities);
                write_live_line(report, text_get(&line), line.n_bytes);
        }
        flush(report);
}

/* --- what goes on --- */

static Activity *find_activity(TerminalReport *report, const Play *play) {
        FOREACH_ARRAY (activity, report->activities, report->n_activities)
                if (activity->play == play)
                        return activity;
        return NULL;
}

static void activity_set(Activity *activity, char *doing, uint64_t now_usec) {
        free(activity->doing);
        activity->doing = doing;
        activity->doing_since_usec = now_usec;
}

static void write_head(FILE *file, const RunFacts *facts) {
        fprintf(file, "agenttest %s: %zu scenario%s", facts->version, facts->n_plays, facts->n_plays == 1 ? "" : "s");
        if (facts->shard.n > 0)
                fprintf(file, " (part %u of %u)", facts->shard.number, facts->shard.n);
        fprintf(file, " on stage %s", facts->stage_name);
        if (facts->n_jobs > 0)
                fprintf(file, ", up to %u side by side", facts->n_jobs);
        fputc('\n', file);
}

static void terminal_begin(Report *base, const RunFacts *facts) {
        TerminalReport *report = (TerminalReport *) base;

        report->n_plays = facts->n_plays;
        if (report->options.fence)
                fprintf(report->options.file, "::stop-commands::%s\n", report->options.fence);
        if (report->options.verbosity >= 0)
                write_head(report->options.file, facts);
        if (facts->jobs_note)
                fprintf(report->options.file, "note: %s\n", facts->jobs_note);
        if (facts->lateness_note)
                fprintf(report->options.file, "note: %s\n", facts->lateness_note);
        flush(report);
}

static void terminal_play_begin(Report *base, const Play *play, uint64_t now_usec) {
        TerminalReport *report = (TerminalReport *) base;

        if (report->n_activities == report->n_allocated) {
                size_t n = report->n_allocated * 2 + 8;
                Activity *activities = reallocarray(report->activities, n, sizeof(*activities));
                if (!activities)
                        return; /* it is played, and its result told, without showing what it does */
                report->activities = activities;
                report->n_allocated = n;
        }
        report->activities[report->n_activities++] = (Activity){
                .play = play,
                .begin_usec = now_usec,
                .doing_since_usec = now_usec,
                .told_usec = now_usec,
        };
        draw_live(report, now_usec);
}

static void terminal_progress(Report *base, const Play *play, const Entry *entry, uint64_t now_usec) {
        TerminalReport *report = (TerminalReport *) base;
        Activity *activity = find_activity(report, play);
        const char *quote = entry_get(entry, "quote") ?: "";
        CLEANUP_TEXT Text doing = TEXT_INIT;

        if (!activity)
                return;
        if (strncmp(quote, "- ", 2) == 0) /* as it stands in the file */
                quote += 2;
        if (entry->kind == ENTRY_STEP_BEGIN)
                printable(quote, strlen(quote), 60, &doing);
        else if (entry->kind == ENTRY_SCENARIO_END)
                text_append(&doing, "judging, taking the stage down");
        else
                return;
        activity_set(activity, text_take(&doing), now_usec);
        draw_live(report, now_usec);
}

static void tell_heartbeat(TerminalReport *report, uint64_t now_usec) {
        FOREACH_ARRAY (activity, report->activities, report->n_activities) {
                CLEANUP_TEXT Text line = TEXT_INIT;

                if (usec_sub(now_usec, activity->told_usec) < HEARTBEAT_USEC)
                        continue;
                activity->told_usec = now_usec;
                write_activity(report, activity, now_usec, &line);
                write_line(report, "still: ", text_get(&line));
        }
        flush(report);
}

static void terminal_tick(Report *base, uint64_t now_usec) {
        TerminalReport *report = (TerminalReport *) base;

        if (report->options.is_live)
                draw_live(report, now_usec);
        else
                tell_heartbeat(report, now_usec);
}

/* --- results --- */

static void forget_activity(TerminalReport *report, const Play *play) {
        Activity *activity = find_activity(report, play);

        if (!activity)
                return;
        free(activity->doing);
        *activity = report->activities[--report->n_activities];
}

static void write_label(const TerminalReport *report, Outcome outcome, Text *text) {
        if (report->options.has_color)
                text_printf(text, "\033[1;%um%s\033[0m", outcome_color(outcome), outcome_label(outcome));
        else
                text_append(text, outcome_label(outcome));
}

/* The whole reason where it is new, else only a word: without a stage every scenario has the same one. */
static void write_reason(TerminalReport *report, const PlayResult *result, Text *text) {
        const Verdict *worst = judgement_worst(&result->judgement);
        const char *reason = worst && worst->sentence ? worst->sentence : "no verdict";

        if (report->last_reason && strcmp(report->last_reason, reason) == 0) {
                text_append(text, "  (as above)\n");
                return;
        }
        text_append(text, "\n");
        printable_lines(reason, 4, text);
        free(report->last_reason);
        report->last_reason = strdup(reason);
}

static void write_result(TerminalReport *report, const PlayResult *result, Text *text) {
        FailureStyle style = { .has_color = report->options.has_color, .is_verbose = report->options.verbosity > 0 };
        uint64_t wall_usec = usec_sub(result->end_usec, result->begin_usec);
        char buffer[DURATION_TEXT_MAX];
        bool is_performed = result->timeline != NULL;

        write_label(report, result->outcome, text);
        text_append(text, "  ");
        printable(result->play->name, strlen(result->play->name), 0, text);
        if (is_performed)
                text_printf(text, "  %s", duration_text(wall_usec, buffer));
        if (!is_performed) {
                write_reason(report, result, text);
                return;
        }
        text_append(text, "\n");
        if (result->outcome != OUTCOME_PASS)
                failure_write(result, &style, text);
        if (report->options.verbosity > 0)
                verdicts_write(&result->judgement, text);
}

static void terminal_play_end(Report *base, const PlayResult *result) {
        TerminalReport *report = (TerminalReport *) base;
        bool is_good = result->outcome == OUTCOME_PASS || result->outcome == OUTCOME_SKIP;
        CLEANUP_TEXT Text text = TEXT_INIT;

        forget_activity(report, result->play);
        report->n_ended++;
        erase_live(report);
        if (!is_good || report->options.verbosity >= 0) {
                write_result(report, result, &text);
                fputs(text_get(&text), report->options.file);
        }
        draw_live(report, result->end_usec);
        flush(report);
}

static void terminal_end(Report *base, const RunSummary *summary) {
        TerminalReport *report = (TerminalReport *) base;
        FILE *file = report->options.file;
        CLEANUP_TEXT Text line = TEXT_INIT;
        char buffer[DURATION_TEXT_MAX];

        erase_live(report);
        if (summary->broken)
                write_line(report, "ended early: ", summary->broken);
        else if (summary->signal_number > 0)
                fprintf(file, "ended early by SIG%s\n", sigabbrev_np(summary->signal_number) ?: "?");
        if (summary->evidence_path)
                write_line(report, "evidence in ", summary->evidence_path);
        if (report->options.verbosity >= 0) {
                if (summary->margin_of) {
                        fprintf(file, "narrowest margin: %s left in ", duration_text(summary->margin_usec, buffer));
                        write_line(report, "", summary->margin_of);
                }
                fprintf(file, "took %s\n", duration_text(usec_sub(summary->end_usec, summary->begin_usec), buffer));
        }
        run_summary_line(summary, &line);
        fprintf(file, "%s\n", text_get(&line));
        if (report->options.fence)
                fprintf(file, "::%s::\n", report->options.fence);
        flush(report);
}

static int terminal_close(Report *base, Error *reterr) {
        TerminalReport *report = (TerminalReport *) base;
        int r;

        flush(report);
        r = report->problem == 0 && ferror(report->options.file) ? -EIO : report->problem;

        FOREACH_ARRAY (activity, report->activities, report->n_activities)
                free(activity->doing);
        free(report->activities);
        free(report->last_reason);
        free(report);
        return r < 0 ? error_set_errno(reterr, r, "What is shown could not be written") : 0;
}

Report *terminal_report_new(const TerminalOptions *options) {
        TerminalReport *report = calloc(1, sizeof(*report));
        if (!report)
                return NULL;

        report->options = *options;
        report->report = (Report){
                .begin = terminal_begin,
                .play_begin = terminal_play_begin,
                .progress = terminal_progress,
                .play_end = terminal_play_end,
                .tick = terminal_tick,
                .end = terminal_end,
                .close = terminal_close,
        };
        return &report->report;
}
