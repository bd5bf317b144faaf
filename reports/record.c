/* SPDX-License-Identifier: MIT */

/*
 * run.ndjson: what a run reported, for `agenttest merge`. One line at a time, so that a run that dies leaves what was
 * known; without its last line a run did not end.
 *
 *     {"run":...}       facts of the run
 *     {"verdict":...}   verdicts of the next play, as in verdicts.ndjson, and those of the scheduler
 *     {"play":...}      its result
 *     {"not-run":...}   a play that was not begun
 *     {"end":...}       how the run ended
 */

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "reports/told.h"

typedef struct RecordReport {
        Report report; /* first */
        FILE *file;
        char *run_id;
        Told told;
        bool is_incomplete; /* out of memory on the way */
} RecordReport;

static void add_text(Text *text, const char *name, const char *value) {
        if (!value)
                return;
        text_printf(text, ",\"%s\":", name);
        json_write_string(text, value, strlen(value));
}

static void add_number(Text *text, const char *name, uint64_t number) {
        text_printf(text, ",\"%s\":%" PRIu64, name, number);
}

static void write_line(RecordReport *report, Text *text) {
        text_append(text, "}\n");
        report->is_incomplete = report->is_incomplete || text->is_broken;
        fputs(text_get(text), report->file);
        (void) fflush(report->file);
}

static void record_begin(Report *base, const RunFacts *facts) {
        RecordReport *report = (RecordReport *) base;
        CLEANUP_TEXT Text text = TEXT_INIT;

        report->is_incomplete = told_init(&report->told, facts) < 0;
        text_printf(&text, "{\"run\":%d", RECORD_FORMAT);
        add_text(&text, "agenttest", facts->version);
        add_text(&text, "id", report->run_id);
        add_text(&text, "stage", facts->stage_name);
        add_text(&text, "host", facts->host_name);
        add_number(&text, "plays", facts->n_plays);
        add_number(&text, "begin", facts->begin_usec);
        add_number(&text, "wall", facts->begin_wall_usec);
        add_text(&text, "lateness", facts->lateness_note);
        if (facts->shard.n > 0) {
                add_number(&text, "shard", facts->shard.number);
                add_number(&text, "shards", facts->shard.n);
                add_number(&text, "scenarios", facts->shard.suite.n_scenarios);
                text_printf(&text, ",\"suite\":\"%016" PRIx64 "\"", facts->shard.suite.names_hash);
        }
        write_line(report, &text);
}

static void record_play_begin(Report *base, const Play *play, uint64_t now_usec) {
}

static void add_play(Text *text, const char *kind, const Play *play) {
        const Scenario *scenario = play->scenario;
        /* Who merges stands in another folder. */
        CLEANUP_FREE char *file = realpath(scenario->path, NULL);

        text_printf(text, "{\"%s\":", kind);
        json_write_string(text, play->name, strlen(play->name));
        add_text(text, "path", scenario->path);
        add_text(text, "file", file);
        add_text(text, "scenario", scenario->name);
        add_number(text, "document", scenario->n_document);
        add_number(text, "line", scenario->n_steps > 0 ? scenario->steps[0].mark.line : 0);
        add_number(text, "index", play->index);
}

static void record_play_end(Report *base, const PlayResult *result) {
        RecordReport *report = (RecordReport *) base;
        CLEANUP_TEXT Text text = TEXT_INIT;
        const char *slash = result->evidence_path ? strrchr(result->evidence_path, '/') : NULL;

        told_note(&report->told, result->play);
        FOREACH_ARRAY (verdict, result->judgement.verdicts, result->judgement.n_verdicts)
                verdict_encode(verdict, &text);
        add_play(&text, "play", result->play);
        add_text(&text, "outcome", outcome_name(result->outcome));
        add_text(&text, "folder", slash ? slash + 1 : NULL);
        text_append(&text, result->timeline ? ",\"performed\":1" : "");
        add_number(&text, "begin", result->begin_usec);
        add_number(&text, "end", result->end_usec);
        write_line(report, &text);
}

static void record_not_run(const Play *play, void *userdata) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        add_play(&text, "not-run", play);
        write_line(userdata, &text);
}

static void record_end(Report *base, const RunSummary *summary) {
        RecordReport *report = (RecordReport *) base;
        CLEANUP_TEXT Text text = TEXT_INIT;

        told_visit_rest(&report->told, record_not_run, report);
        text_printf(&text, "{\"end\":%" PRIu64, summary->end_usec);
        add_number(&text, "signal", (uint64_t) summary->signal_number);
        add_text(&text, "broken", summary->broken);
        write_line(report, &text);
}

static int record_close(Report *base, Error *reterr) {
        RecordReport *report = (RecordReport *) base;
        int r = report->is_incomplete ? -ENOMEM : ferror(report->file) ? -EIO : 0;

        if (fclose(report->file) != 0)
                r = -EIO;
        told_done(&report->told);
        free(report->run_id);
        free(report);
        return r < 0 ? error_set(reterr, r, "The record of the run could not be written to its evidence") : 0;
}

int record_report_new(const char *folder, const char *run_id, Report **ret_report, Error *reterr) {
        CLEANUP_FREE char *path = NULL;
        RecordReport *report;
        FILE *file;

        if (asprintf(&path, "%s/" RECORD_FILE_NAME, folder) < 0) {
                path = NULL;
                return error_set(reterr, -ENOMEM, "Out of memory");
        }
        file = fopen(path, "wxe");
        if (!file)
                return error_set_errno(reterr, -errno, "%s cannot be made", path);
        report = calloc(1, sizeof(*report));
        if (report)
                report->run_id = strdup(run_id);
        if (!report || !report->run_id) {
                free(report);
                (void) fclose(file);
                return error_set(reterr, -ENOMEM, "Out of memory");
        }
        report->file = file;
        report->report = (Report){
                .begin = record_begin,
                .play_begin = record_play_begin,
                .play_end = record_play_end,
                .end = record_end,
                .close = record_close,
        };
        *ret_report = &report->report;
        return 0;
}
