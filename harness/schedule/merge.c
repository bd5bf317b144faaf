/* SPDX-License-Identifier: MIT */
#include "schedule/merge.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/quantity.h"
#include "scenario/array.h"
#include "schedule/collect.h"
#include "schedule/load.h"
#include "schedule/merge-private.h"
#include "schedule/recording.h"
#include "schedule/tally.h"

static void run_done(MergedRun *run) {
        free(run->folder);
        free(run->lateness_note);
        free(run->id);
        free(run->version);
        free(run->stage_name);
        free(run->host_name);
        free(run->broken);
}

int merge_new(Merge **ret_merge) {
        *ret_merge = calloc(1, sizeof(**ret_merge));
        return *ret_merge ? 0 : -ENOMEM;
}

Merge *merge_free(Merge *merge) {
        if (!merge)
                return NULL;

        FOREACH_ARRAY (run, merge->runs, merge->n_runs)
                run_done(run);
        free(merge->runs);
        FOREACH_ARRAY (play, merge->plays, merge->n_plays)
                merged_play_free(*play);
        free(merge->plays);
        free(merge->told);
        free(merge);
        return NULL;
}

static int check_copies(const Merge *merge, const MergedRun *run, Error *reterr) {
        FOREACH_ARRAY (other, merge->runs, merge->n_runs)
                if (other != run && run->id && other->id && strcmp(other->id, run->id) == 0)
                        return error_set(reterr, -EINVAL, "%s and %s are the same run: one is a copy", other->folder,
                                        run->folder);
        return 0;
}

int merge_add(Merge *merge, const char *folder, Error *reterr) {
        MergedRun *run = array_append(&merge->runs, &merge->n_runs, sizeof(*run));
        int r;

        if (!run)
                return error_set(reterr, -ENOMEM, "Out of memory");
        run->folder = realpath(folder, NULL);
        if (!run->folder)
                return error_set_errno(reterr, -errno, "%s", folder);
        FOREACH_ARRAY (other, merge->runs, merge->n_runs - 1)
                if (strcmp(other->folder, run->folder) == 0)
                        return error_set(reterr, -EINVAL, "%s is named twice", folder);
        r = merge_read_run(merge, run, reterr);
        return r < 0 ? r : check_copies(merge, run, reterr);
}

/* --- order and names --- */

static int by_index(const void *a, const void *b) {
        const MergedPlay *x = *(MergedPlay *const *) a, *y = *(MergedPlay *const *) b;

        if (x->index != y->index)
                return x->index < y->index ? -1 : 1;
        return (x->run > y->run) - (x->run < y->run);
}

static int by_name(const void *a, const void *b) {
        const MergedPlay *x = *(MergedPlay *const *) a, *y = *(MergedPlay *const *) b;
        int names = strcmp(x->name, y->name);

        return names != 0 ? names : (x->run > y->run) - (x->run < y->run);
}

static int number_name(MergedPlay *play, unsigned number) {
        char *name;

        if (asprintf(&name, "%s #%u", play->name, number) < 0)
                return -ENOMEM;
        free(play->name);
        play->name = name;
        return 0;
}

/* Readers of reports drop the second of two that are called the same. */
static int make_names_unique(Merge *merge) {
        int r = 0;

        qsort(merge->plays, merge->n_plays, sizeof(MergedPlay *), by_name);
        for (size_t i = 0, end; r >= 0 && i < merge->n_plays; i = end) {
                end = i + 1;
                while (end < merge->n_plays && strcmp(merge->plays[i]->name, merge->plays[end]->name) == 0)
                        end++;
                for (size_t k = i + 1; r >= 0 && k < end; k++)
                        r = number_name(merge->plays[k], (unsigned) (k - i + 1));
        }
        return r;
}

static int make_plays(Merge *merge) {
        int r = 0;

        merge->told = calloc(merge->n_plays ?: 1, sizeof(*merge->told));
        if (!merge->told)
                return -ENOMEM;
        if (merge->n_plays > 0) {
                r = make_names_unique(merge);
                qsort(merge->plays, merge->n_plays, sizeof(MergedPlay *), by_index);
        }
        for (size_t i = 0; i < merge->n_plays; i++)
                merge->told[i] = (Play){
                        .scenario = &merge->plays[i]->scenario, .name = merge->plays[i]->name, .index = (unsigned) i
                };
        return r;
}

/* --- the whole run --- */

static bool is_same_suite(const SuiteMark *a, const SuiteMark *b) {
        return a->n_scenarios == b->n_scenarios && a->names_hash == b->names_hash;
}

/* Part @number of what @run is a part of; NULL: it is not there. @ret_other: one of as many parts of another suite.
 */
static const MergedRun *find_part(
                const Merge *merge, const MergedRun *run, unsigned number, const MergedRun **ret_other) {
        *ret_other = NULL;
        FOREACH_ARRAY (part, merge->runs, merge->n_runs) {
                if (part->shard.n != run->shard.n || part->shard.number != number)
                        continue;
                if (is_same_suite(&part->shard.suite, &run->shard.suite))
                        return part;
                *ret_other = part;
        }
        return NULL;
}

static void say_broken(RunSummary *summary, const char *format, ...) PRINTF_LIKE(2, 3);
static void say_broken(RunSummary *summary, const char *format, ...) {
        va_list arguments;

        if (summary->broken)
                return;
        va_start(arguments, format);
        if (vasprintf(&summary->broken, format, arguments) < 0)
                summary->broken = strdup("out of memory");
        va_end(arguments);
}

static void find_missing_parts(const Merge *merge, const MergedRun *run, RunSummary *summary) {
        for (unsigned number = 1; number <= run->shard.n; number++) {
                const MergedRun *other;

                if (find_part(merge, run, number, &other))
                        continue;
                if (other)
                        say_broken(summary,
                                        "part %u of %u is missing: the one in %s is of another suite (%u scenarios) "
                                        "than part %u in %s (%u scenarios)",
                                        number, run->shard.n, other->folder, other->shard.suite.n_scenarios,
                                        run->shard.number, run->folder, run->shard.suite.n_scenarios);
                else
                        say_broken(summary, "part %u of %u is missing", number, run->shard.n);
        }
}

static void find_breaks(const Merge *merge, RunSummary *summary) {
        FOREACH_ARRAY (run, merge->runs, merge->n_runs) {
                if (summary->signal_number == 0)
                        summary->signal_number = run->signal_number;
                if (run->broken)
                        say_broken(summary, "%s: %s", run->folder, run->broken);
                if (!run->has_begin)
                        say_broken(summary, "the run in %s died before it began", run->folder);
                else if (!run->has_end)
                        say_broken(summary, "the run in %s died before its end", run->folder);
                else if (run->n_known != run->n_plays)
                        say_broken(summary,
                                        "the record in %s says what became of %zu scenarios, its run began with "
                                        "%" PRIu64,
                                        run->folder, run->n_known, run->n_plays);
        }
        FOREACH_ARRAY (run, merge->runs, merge->n_runs)
                find_missing_parts(merge, run, summary);
}

static uint64_t wall(const MergedRun *run, uint64_t usec) {
        return run->wall_usec + usec_sub(usec, run->begin_usec);
}

/* The runs' monotonic clocks are not one: the merged run has the wall clock. */
static void find_span(Merge *merge, RunSummary *summary) {
        bool is_known = false;

        FOREACH_ARRAY (run, merge->runs, merge->n_runs) {
                if (!run->has_begin)
                        continue;
                if (!is_known || run->wall_usec < summary->begin_usec)
                        summary->begin_usec = run->wall_usec;
                if (wall(run, run->end_usec) > summary->end_usec)
                        summary->end_usec = wall(run, run->end_usec);
                is_known = true;
        }
        FOREACH_ARRAY (run, merge->runs, merge->n_runs)
                if (!run->has_begin)
                        run->wall_usec = summary->begin_usec;
}

static size_t count_not_run(const Merge *merge) {
        size_t n = 0, n_known = merge->n_plays, n_meant = 0;

        FOREACH_ARRAY (run, merge->runs, merge->n_runs)
                n_meant += run->n_plays;
        FOREACH_ARRAY (play, merge->plays, merge->n_plays)
                n += !(*play)->is_run;
        return n + (n_meant > n_known ? n_meant - n_known : 0); /* a run that died names no others */
}

static int read_timeline(const MergedPlay *merged, Timeline **ret_timeline, Error *reterr) {
        int r;

        if (!merged->is_performed)
                return 0;
        if (!merged->folder) { /* it was not kept */
                *ret_timeline = timeline_new();
                return *ret_timeline ? 0 : -ENOMEM;
        }
        r = recording_timeline(merged->folder, ret_timeline, reterr);
        /* An error may have come before anything could be recorded; nothing else was judged by nothing. */
        return r == -ENODATA && merged->outcome == OUTCOME_ERROR ? 0 : r;
}

static int read_evidence(
                const MergedPlay *merged, Play *play, char **ret_source, Timeline **ret_timeline, Error *reterr) {
        int r = 0;

        if (merged->folder && recording_has(merged->folder, "scenario.yaml"))
                r = recording_read(merged->folder, "scenario.yaml", SCENARIO_FILE_MAX_BYTES, ret_source,
                                &play->n_source_bytes, reterr);
        play->source = *ret_source;
        return r < 0 ? r : read_timeline(merged, ret_timeline, reterr);
}

/* What its run said of it holds; that nobody can look at it any more is one thing more to be said. */
static int note_damage(MergedPlay *merged, int problem, const Error *error) {
        char *sentence;
        int r;

        if (problem == -ENOMEM || asprintf(&sentence, "its evidence is damaged: %s", error_text(error)) < 0)
                return -ENOMEM;
        r = judgement_add(&merged->judgement, REASON_STREAM_CUT, (Mark){ 0 }, sentence);
        merged->outcome = merged->judgement.outcome;
        return r;
}

static int report_play(const MergedRun *run, MergedPlay *merged, Play *play, Report *const *reports, size_t n_reports,
                RunSummary *summary) {
        CLEANUP(timeline_free_p) Timeline *timeline = NULL;
        CLEANUP_FREE char *source = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r = read_evidence(merged, play, &source, &timeline, &error);

        if (r < 0)
                r = note_damage(merged, r, &error);
        if (r < 0)
                return r;

        PlayResult result = {
                .play = play,
                .judgement = merged->judgement,
                .outcome = merged->outcome,
                .timeline = timeline,
                .evidence_path = merged->folder,
                .begin_usec = wall(run, merged->begin_usec),
                .end_usec = wall(run, merged->end_usec),
        };
        tally_add(summary, &result);
        FOREACH_ARRAY (report, reports, n_reports) {
                (*report)->play_begin(*report, play, result.begin_usec);
                (*report)->play_end(*report, &result);
        }
        play->source = NULL;
        return 0;
}

static bool is_noted_before(const Merge *merge, const MergedRun *run) {
        for (const MergedRun *other = merge->runs; other < run; other++)
                if (other->lateness_note && strcmp(other->lateness_note, run->lateness_note) == 0)
                        return true;
        return false;
}

/* How often budgets counted in some of the runs: machines differ. NULL: once in all of them. */
static char *join_lateness_notes(const Merge *merge) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        FOREACH_ARRAY (run, merge->runs, merge->n_runs)
                if (run->lateness_note && !is_noted_before(merge, run))
                        text_printf(&text, "%s%s", text.n_bytes > 0 ? "; " : "", run->lateness_note);
        return text.n_bytes > 0 ? text_take(&text) : NULL;
}

static const MergedRun *first_begun(const Merge *merge) {
        FOREACH_ARRAY (run, merge->runs, merge->n_runs)
                if (run->has_begin)
                        return run;
        return NULL;
}

int merge_report(Merge *merge, Report *const *reports, size_t n_reports, RunSummary *ret_summary, Error *reterr) {
        const MergedRun *first = first_begun(merge);
        int r;

        *ret_summary = (RunSummary){ .margin_usec = USEC_INFINITY };
        find_breaks(merge, ret_summary);
        find_span(merge, ret_summary);
        ret_summary->n_not_played = count_not_run(merge);
        r = make_plays(merge);
        if (r < 0)
                return error_set(reterr, r, "Out of memory");

        CLEANUP_FREE char *lateness_note = join_lateness_notes(merge);
        RunFacts facts = {
                .version = first ? first->version : AGENTTEST_VERSION,
                .stage_name = first ? first->stage_name : "unknown",
                .host_name = first && merge->n_runs == 1 ? first->host_name : NULL,
                .n_plays = merge->n_plays,
                .lateness_note = lateness_note,
                .begin_usec = ret_summary->begin_usec,
                .begin_wall_usec = ret_summary->begin_usec,
                .plays = merge->told,
        };
        FOREACH_ARRAY (report, reports, n_reports)
                (*report)->begin(*report, &facts);
        for (size_t i = 0; r >= 0 && i < merge->n_plays; i++)
                if (merge->plays[i]->is_run)
                        r = report_play(&merge->runs[merge->plays[i]->run], merge->plays[i], &merge->told[i], reports,
                                        n_reports, ret_summary);
        if (r < 0) {
                (void) error_set(reterr, r, "Out of memory");
                say_broken(ret_summary, "out of memory");
        }
        FOREACH_ARRAY (report, reports, n_reports)
                (*report)->end(*report, ret_summary);
        return r;
}
