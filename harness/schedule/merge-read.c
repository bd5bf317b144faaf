/* SPDX-License-Identifier: MIT */

/* The record of a run, run.ndjson: the lines are told in reports/record.c. */

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/quantity.h"
#include "scenario/array.h"
#include "schedule/collect.h"
#include "schedule/merge-private.h"
#include "schedule/recording.h"

typedef struct Reading {
        Merge *merge;
        MergedRun *run;
        Judgement pending; /* verdicts of the play that comes next */
} Reading;

static void reading_done(Reading *reading) {
        judgement_done(&reading->pending);
}

MergedPlay *merged_play_free(MergedPlay *play) {
        if (!play)
                return NULL;

        free(play->scenario.path);
        free(play->scenario.name);
        free(play->name);
        free(play->folder);
        judgement_done(&play->judgement);
        free(play);
        return NULL;
}

/* --- members --- */

static int take_text(const Json *json, const char *name, char **ret_text) {
        const char *text = recording_text(json, name);

        if (!text)
                return -EBADMSG;
        *ret_text = strdup(text);
        return *ret_text ? 0 : -ENOMEM;
}

static int take_optional_text(const Json *json, const char *name, char **ret_text) {
        return json_member(json, name) ? take_text(json, name, ret_text) : 0;
}

static int take_number(const Json *json, const char *name, uint64_t max, uint64_t *ret_number) {
        const Json *member = json_member(json, name);
        int64_t number;

        if (!member || json_get_integer(member, &number) < 0 || number < 0 || (uint64_t) number > max)
                return -EBADMSG;
        *ret_number = (uint64_t) number;
        return 0;
}

/* --- lines --- */

/* Which suite it is a part of: written as record.c does. */
static int take_suite(SuiteMark *suite, const Json *json) {
        const char *text = recording_text(json, "suite");
        uint64_t n_scenarios;
        int n_read = 0, r = take_number(json, "scenarios", UINT_MAX, &n_scenarios);

        if (r < 0 || !text || sscanf(text, "%16" SCNx64 "%n", &suite->names_hash, &n_read) != 1 || text[n_read])
                return -EBADMSG;
        suite->n_scenarios = (unsigned) n_scenarios;
        return 0;
}

static int take_shard(MergedRun *run, const Json *json) {
        SuiteMark suite;
        uint64_t number, n;
        int r;

        if (!json_member(json, "shard"))
                return 0;
        r = take_number(json, "shard", UINT_MAX, &number);
        if (r >= 0)
                r = take_number(json, "shards", UINT_MAX, &n);
        if (r >= 0)
                r = take_suite(&suite, json);
        if (r < 0)
                return r;
        run->shard = (Shard){ .number = (unsigned) number, .n = (unsigned) n, .suite = suite };
        return 0;
}

static int check_format(const Json *json, Error *reterr) {
        const char *version = recording_text(json, "agenttest");
        uint64_t format;
        int r = take_number(json, "run", UINT_MAX, &format);

        if (r < 0 || format == RECORD_FORMAT)
                return r;
        return error_set(reterr, -EBADMSG, "format %" PRIu64 ", of agenttest %s; this is agenttest %s and reads %d",
                        format, version ?: "unknown", AGENTTEST_VERSION, RECORD_FORMAT);
}

static int take_run(Reading *reading, const Json *json, Error *reterr) {
        MergedRun *run = reading->run;
        int r = run->has_begin ? -EBADMSG : check_format(json, reterr);

        run->has_begin = true;
        if (r >= 0)
                r = take_text(json, "agenttest", &run->version);
        if (r >= 0)
                r = take_text(json, "id", &run->id);
        if (r >= 0)
                r = take_text(json, "stage", &run->stage_name);
        if (r >= 0)
                r = take_optional_text(json, "host", &run->host_name);
        if (r >= 0)
                r = take_optional_text(json, "lateness", &run->lateness_note);
        if (r >= 0)
                r = take_number(json, "plays", UINT_MAX, &run->n_plays);
        if (r >= 0)
                r = take_number(json, "begin", INT64_MAX, &run->begin_usec);
        if (r >= 0)
                r = take_number(json, "wall", INT64_MAX, &run->wall_usec);
        run->end_usec = run->begin_usec;
        return r < 0 ? r : take_shard(run, json);
}

/* "suite/a.yaml #2" -> "/srv/suite/a.yaml #2". */
static int move_name(char **name, const char *path, const char *file) {
        size_t n = strlen(path);
        char *moved;

        if (strncmp(*name, path, n) != 0)
                return 0;
        if (asprintf(&moved, "%s%s", file, *name + n) < 0)
                return -ENOMEM;
        free(*name);
        *name = moved;
        return 0;
}

/*
 * Where the path means another file here than it meant to the run, because that had another working folder, the file
 * is named in full. On another machine there is no such file: then the path is the best there is.
 */
static int find_file(MergedPlay *play, const char *file) {
        CLEANUP_FREE char *here = realpath(play->scenario.path, NULL), *path = NULL;
        int r;

        if (!file || (here && strcmp(here, file) == 0) || access(file, F_OK) < 0)
                return 0;
        path = TAKE_PTR(play->scenario.path);
        play->scenario.path = strdup(file);
        if (!play->scenario.path)
                return -ENOMEM;
        r = move_name(&play->scenario.name, path, file);
        return r < 0 ? r : move_name(&play->name, path, file);
}

static int take_scenario(MergedPlay *play, const Json *json) {
        uint64_t document = 0, line = 0;
        int r = take_text(json, "path", &play->scenario.path);

        if (r >= 0)
                r = take_text(json, "scenario", &play->scenario.name);
        if (r >= 0)
                r = find_file(play, recording_text(json, "file"));
        if (r >= 0)
                r = take_number(json, "document", UINT_MAX, &document);
        if (r >= 0)
                r = take_number(json, "line", UINT_MAX, &line);
        play->scenario.n_document = (unsigned) document;
        play->first_step.mark.line = (unsigned) line;
        play->scenario.steps = &play->first_step;
        play->scenario.n_steps = 1;
        return r;
}

/* A line that is lost, or was changed, must not make a play better than its verdicts. */
static int take_outcome(Reading *reading, MergedPlay *play, const char *name, Error *reterr) {
        int outcome = name ? outcome_from_name(name) : -EBADMSG;

        if (outcome < 0)
                return -EBADMSG;
        play->outcome = (Outcome) outcome;
        play->judgement = reading->pending;
        reading->pending = JUDGEMENT_INIT;
        /* Where memory had run out, an error has no verdict. */
        if (play->judgement.n_verdicts == 0 && play->outcome == OUTCOME_ERROR)
                return 0;
        if (play->judgement.outcome != play->outcome)
                return error_set(reterr, -EBADMSG, "the outcome is %s, the verdicts before it say %s", name,
                                outcome_name(play->judgement.outcome));
        return 0;
}

static int take_result(Reading *reading, MergedPlay *play, const Json *json, Error *reterr) {
        const char *folder = recording_text(json, "folder");
        int r = take_outcome(reading, play, recording_text(json, "outcome"), reterr);

        if (r < 0)
                return r;
        play->is_run = true;
        play->is_performed = json_member(json, "performed") != NULL;
        if (folder && (strchr(folder, '/') || folder[0] == '.'))
                return -EBADMSG; /* it lies in the run's folder and nowhere else */
        if (folder && asprintf(&play->folder, "%s/%s", reading->run->folder, folder) < 0) {
                play->folder = NULL;
                return -ENOMEM;
        }
        r = take_number(json, "begin", INT64_MAX, &play->begin_usec);
        if (r >= 0)
                r = take_number(json, "end", INT64_MAX, &play->end_usec);
        if (play->end_usec > reading->run->end_usec)
                reading->run->end_usec = play->end_usec;
        return r;
}

static int keep_play(Reading *reading, MergedPlay *play) {
        Merge *merge = reading->merge;
        MergedPlay **place = array_append(&merge->plays, &merge->n_plays, sizeof(*place));

        if (!place) {
                merged_play_free(play);
                return -ENOMEM;
        }
        *place = play;
        reading->run->n_known++;
        return 0;
}

static int check_no_verdict_is_left(const Reading *reading, Error *reterr) {
        if (reading->pending.n_verdicts == 0)
                return 0;
        return error_set(reterr, -EBADMSG, "%zu verdicts before it belong to no scenario",
                        reading->pending.n_verdicts);
}

static int take_play(Reading *reading, const Json *json, const char *kind, Error *reterr) {
        CLEANUP(merged_play_free_p) MergedPlay *play = calloc(1, sizeof(*play));
        uint64_t index;
        int r;

        if (!play)
                return -ENOMEM;
        play->run = (unsigned) (reading->run - reading->merge->runs);
        r = take_text(json, kind, &play->name);
        if (r >= 0)
                r = take_scenario(play, json);
        if (r >= 0)
                r = take_number(json, "index", UINT_MAX, &index);
        if (r >= 0 && strcmp(kind, "play") == 0)
                r = take_result(reading, play, json, reterr);
        else if (r >= 0)
                r = check_no_verdict_is_left(reading, reterr);
        if (r < 0)
                return r;
        play->index = (unsigned) index;
        return keep_play(reading, TAKE_PTR(play));
}

static int take_end(Reading *reading, const Json *json, Error *reterr) {
        uint64_t signal_number = 0;
        int r = check_no_verdict_is_left(reading, reterr);

        if (r >= 0)
                r = take_number(json, "end", INT64_MAX, &reading->run->end_usec);
        if (r >= 0)
                r = take_number(json, "signal", 64, &signal_number);
        if (r >= 0)
                r = take_optional_text(json, "broken", &reading->run->broken);
        reading->run->signal_number = (int) signal_number;
        reading->run->has_end = r >= 0;
        return r;
}

static int take_verdict(Reading *reading, const char *line, size_t n_bytes, Error *reterr) {
        Verdict verdict;
        Outcome outcome;
        Reason reason;
        int r = verdict_decode(line, n_bytes, &verdict, reterr);

        if (r < 0)
                return r;
        outcome = verdict.outcome;
        reason = verdict.reason;
        r = judgement_take(&reading->pending, &verdict);
        if (r < 0 || outcome == reason_outcome(reason))
                return r;
        return error_set(reterr, -EBADMSG, "no verdict is %s for %s", outcome_name(outcome), reason_name(reason));
}

static int take_line(Reading *reading, const char *line, size_t n_bytes, Error *reterr) {
        CLEANUP(json_free_p) Json *json = NULL;
        int r = json_parse(line, n_bytes, &json, reterr);

        if (r < 0)
                return r;
        if (json_member(json, "run"))
                return take_run(reading, json, reterr);
        if (!reading->run->has_begin || reading->run->has_end)
                return -EBADMSG;
        if (json_member(json, "verdict"))
                return take_verdict(reading, line, n_bytes, reterr);
        if (json_member(json, "play"))
                return take_play(reading, json, "play", reterr);
        if (json_member(json, "not-run"))
                return take_play(reading, json, "not-run", reterr);
        return json_member(json, "end") ? take_end(reading, json, reterr) : -EBADMSG;
}

/* A last line without its newline was cut off with its run, which then has no end; the first one, no begin. */
static int read_lines(Reading *reading, const char *text, Error *reterr) {
        for (size_t n_line = 1;; n_line++) {
                const char *newline = strchr(text, '\n');
                int r;

                if (!newline)
                        return 0;
                r = take_line(reading, text, (size_t) (newline - text), reterr);
                if (r < 0) {
                        (void) error_set_errno(reterr, r, "not as agenttest writes it");
                        return error_prefix(reterr, "%s/" RECORD_FILE_NAME ":%zu", reading->run->folder, n_line);
                }
                text = newline + 1;
        }
}

/* --- what a run that died has begun and not ended --- */

static bool is_known(const Merge *merge, const char *folder) {
        FOREACH_ARRAY (play, merge->plays, merge->n_plays)
                if ((*play)->folder && strcmp((*play)->folder, folder) == 0)
                        return true;
        return false;
}

static int add_cut_play(Reading *reading, const char *folder) {
        CLEANUP(merged_play_free_p) MergedPlay *play = calloc(1, sizeof(*play));
        CLEANUP(resolved_done) Resolved resolved = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        if (!play)
                return -ENOMEM;
        r = recording_resolved(folder, &resolved, &error);
        if (r < 0) /* cut as well: nobody knows what it was; that its run died is told */
                return r == -ENOMEM ? r : 0;
        *play = (MergedPlay){
                .run = (unsigned) (reading->run - reading->merge->runs),
                .index = (unsigned) strtoul(strrchr(folder, '/') + 1, NULL, 10) - 1,
                .scenario = { .path = strdup(resolved.path), .name = strdup(resolved.name) },
                .name = strdup(resolved.play ?: resolved.name),
                .folder = strdup(folder),
                .is_run = true,
                .outcome = OUTCOME_ERROR,
                .begin_usec = reading->run->end_usec,
                .end_usec = reading->run->end_usec,
        };
        if (!play->scenario.path || !play->scenario.name || !play->name || !play->folder)
                return -ENOMEM;
        r = judgement_add(&play->judgement, REASON_STREAM_CUT, (Mark){ 0 },
                        strdup("the run ended before this scenario did"));
        return r < 0 ? r : keep_play(reading, TAKE_PTR(play));
}

static int add_cut_plays(Reading *reading, Error *reterr) {
        CLEANUP(path_list_done) PathList folders = PATH_LIST_INIT;
        int r = recording_plays(reading->run->folder, &folders, reterr);

        FOREACH_ARRAY (folder, folders.items, folders.n_items)
                if (r >= 0 && !is_known(reading->merge, *folder))
                        r = add_cut_play(reading, *folder);
        return r;
}

int merge_read_run(Merge *merge, MergedRun *run, Error *reterr) {
        CLEANUP(reading_done) Reading reading = { .merge = merge, .run = run };
        CLEANUP_FREE char *text = NULL;
        size_t n_bytes;
        int r;

        if (!recording_has(run->folder, RECORD_FILE_NAME))
                return error_set(reterr, -ENOENT, "%s holds no record of a run: there is no %s in it", run->folder,
                                RECORD_FILE_NAME);
        r = recording_read(run->folder, RECORD_FILE_NAME, RECORDING_MAX_BYTES, &text, &n_bytes, reterr);
        if (r >= 0)
                r = read_lines(&reading, text, reterr);
        if (r >= 0 && !run->has_end)
                r = add_cut_plays(&reading, reterr);
        return r;
}
