/* SPDX-License-Identifier: MIT */

/* agenttest run: play scenarios and report. */

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/reporting.h"
#include "cli/suite-mark.h"
#include "cli/suite.h"
#include "perform/perform.h"
#include "schedule/last-run.h"
#include "schedule/lateness-scale.h"
#include "schedule/limits.h"
#include "schedule/schedule.h"
#include "schedule/scope.h"

typedef struct PlayList {
        Play *items;
        size_t n_items;
        SuiteMark suite; /* all that is selected, whichever part of it is played */
} PlayList;

static void play_list_done(PlayList *plays) {
        FOREACH_ARRAY (play, plays->items, plays->n_items)
                free(play->name);
        free(plays->items);
}

/* --- plays --- */

static int add_play(PlayList *plays, const SourceFile *file, const Scenario *scenario, unsigned repeat,
                unsigned index, const Options *options) {
        Play *items = reallocarray(plays->items, plays->n_items + 1, sizeof(*items));
        char *name = NULL;
        int r;

        if (!items)
                return -ENOMEM;
        plays->items = items;
        r = options->n_repeats > 1 ? asprintf(&name, "%s #%u", scenario->name, repeat + 1)
                                   : asprintf(&name, "%s", scenario->name);
        if (r < 0)
                return -ENOMEM;
        items[plays->n_items] = (Play){
                .scenario = scenario,
                .name = name,
                .index = index,
                .source = file->text,
                .n_source_bytes = file->n_bytes,
                .defines = file->defines,
                .n_defines = file->n_defines,
        };
        plays->n_items++;
        return 0;
}

/*
 * Every n-th scenario of what is selected: parts are as even as they can be, none is empty while there are scenarios,
 * and they add up to the whole whatever path the files lie at. (A hash of the name would keep a scenario where it is
 * when others come and go, but leaves parts empty, and an empty part is not green.) All repeats of one stay together.
 */
static bool is_in_shard(const Shard *shard, unsigned position) {
        return shard->n == 0 || position % shard->n == shard->number - 1;
}

static bool is_wanted(const Options *options, const LastRun *last_run, const Scenario *scenario, unsigned position) {
        return is_in_shard(&options->shard, position) && (!last_run || last_run_has(last_run, scenario));
}

static int add_plays_of(PlayList *plays, const SourceFile *file, unsigned repeat, const Options *options,
                const LastRun *last_run, unsigned *position, unsigned n_before) {
        FOREACH_ARRAY (scenario, file->scenarios.items, file->scenarios.n_items) {
                unsigned here;

                if (!is_selected(options, *scenario))
                        continue;
                here = (*position)++;
                if (suite_mark_add(&plays->suite, *scenario) < 0)
                        return -ENOMEM;
                if (!is_wanted(options, last_run, *scenario, here))
                        continue;
                if (options->timeout_usec > 0)
                        (*scenario)->timeout_usec = options->timeout_usec;
                if (add_play(plays, file, *scenario, repeat, n_before + here, options) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int list_plays(const Options *options, const Library *library, const LastRun *last_run, PlayList *plays) {
        unsigned n_before = 0;

        for (unsigned repeat = 0; repeat < options->n_repeats; repeat++) {
                unsigned position = 0;

                FOREACH_ARRAY (file, library->files, library->n_files)
                        if (add_plays_of(plays, file, repeat, options, last_run, &position, n_before) < 0)
                                return -ENOMEM;
                n_before += position;
        }
        return 0;
}

/* Only what --rerun-failed asks for; NULL without it. */
static int read_last_run(const Options *options, LastRun **ret_last_run) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        *ret_last_run = NULL;
        if (!options->reruns_failed || last_run_read(ret_last_run, &error) >= 0)
                return STATUS_PASS;
        complain("%s", error_text(&error));
        return STATUS_ERROR;
}

/* --- the run --- */

/* Undoing stops and starts units, each for as long as its own time-outs allow. */
#define UNDO_USEC (300 * USEC_PER_SEC)

typedef struct RunContext {
        const Options *options;
        bool is_observing;
        PlayList plays;
        Reports reports;
        Report *last_run; /* NULL: what becomes of the scenarios is not kept */
        RunScope scope;
        EvidenceStore *store;
        Text jobs_note, lateness_note;
        Error stage_problem;
} RunContext;

static const char *build_path(const RunContext *context) {
        const Play *play = &context->plays.items[0];

        FOREACH_ARRAY (define, play->defines, play->n_defines)
                if (strcmp(define->name, "build") == 0)
                        return define->value;
        return NULL;
}

/* What the run reports is kept with its evidence, for `merge`. */
static int keep_record(RunContext *context) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Report *report = NULL;

        if (record_report_new(evidence_store_path(context->store), ownership_run_id(context->scope.ownership),
                            &report, &error) >= 0)
                return reports_add(&context->reports, report);
        complain("%s", error_text(&error));
        return STATUS_ERROR;
}

/* Not in the list of reports: that nothing can be kept for the next run says nothing of this one. */
static void close_last_run(Report *report) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        if (report && report->close(report, &error) < 0)
                complain("note: %s", error_text(&error));
}

/*
 * Returns an exit status: STATUS_PASS where the run can begin. What is missing for it makes every play an error, so
 * that the reports are written and say why.
 */
static int prepare(RunContext *context) {
        CLEANUP_TEXT Text note = TEXT_INIT;
        Error *problem = &context->stage_problem;

        const StageKind *stage = context->options->stage;
        int r;

        if ((stage->enter && stage->enter(problem) < 0) || stage->probe(problem) < 0)
                return STATUS_PASS;
        r = run_scope_begin(&context->scope, &note, problem);
        if (note.n_bytes > 0)
                complain("note: %s", text_get(&note));
        if (r < 0)
                return STATUS_PASS;
        r = evidence_store_open(context->options->evidence, ownership_run_id(context->scope.ownership),
                        &context->store, problem);
        if (r == -ENOTEMPTY) {
                complain("%s", error_text(problem));
                return STATUS_USAGE;
        }
        return r < 0 ? STATUS_PASS : keep_record(context);
}

/* All scenarios are asked about before the first one is played: half a suite on a machine is worse than none. */
static int check_stage(const RunContext *context) {
        int status = STATUS_PASS;

        FOREACH_ARRAY (play, context->plays.items, context->plays.n_items) {
                CLEANUP_ERROR Error error = ERROR_INIT;
                PerformRequest request = {
                        .scenario = play->scenario,
                        .stage = context->options->stage,
                        .is_observing = context->is_observing,
                };

                if (perform_check(&request, &error) >= 0)
                        continue;
                complain("%s: %s", play->name, error_text(&error));
                status = STATUS_USAGE;
        }
        return status;
}

/* How many side by side: as many as asked for, as the machine has room for, and as other runs leave. */
static int decide_jobs(RunContext *context, unsigned *ret_n_jobs, Error *reterr) {
        CLEANUP(run_share_done) RunShare share = RUN_SHARE_INIT;
        bool is_alone = context->options->stage->is_shared && !context->is_observing;
        bool is_registered = context->scope.ownership != NULL; /* else there is no stage, and nothing is played */
        Limits limits;
        int r = 0;

        if (is_registered)
                r = run_share_begin(context->scope.ownership, &share, reterr);
        if (r < 0)
                return r;
        limits_raise_descriptors();
        limits_read(&share, &limits);
        *ret_n_jobs = limits_jobs(&limits, is_alone ? 1 : context->options->n_jobs, context->plays.n_items,
                        &context->jobs_note);
        return is_registered ? run_share_end(&share, *ret_n_jobs, reterr) : 0;
}

/* How many times budgets for lateness count: said in every report where it is more than once, or was measured. */
static int decide_lateness(RunContext *context, LatenessScale *ret_lateness, Error *reterr) {
        unsigned scale = context->options->lateness_scale;
        uint64_t probe_usec = 0;
        int r;

        if (scale == 0) {
                r = lateness_probe(&probe_usec, reterr);
                if (r < 0)
                        return r;
                scale = lateness_scale_of(probe_usec);
        }
        *ret_lateness = (LatenessScale){ .scale = scale, .probe_usec = probe_usec };
        if (probe_usec > 0)
                text_printf(&context->lateness_note,
                                "budgets for lateness (late-by-at-most) count %u time%s: this machine makes a "
                                "process "
                                "in %" PRIu64 " us, an ordinary one in %d us",
                                scale, scale == 1 ? "" : "s", probe_usec, LATENESS_REFERENCE_USEC);
        else if (scale > 1)
                text_printf(&context->lateness_note,
                                "budgets for lateness (late-by-at-most) count %u times, as --lateness-scale says",
                                scale);
        return 0;
}

static int play_all(RunContext *context) {
        const Options *options = context->options;
        CLEANUP(run_summary_done) RunSummary summary = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;
        Report *reports[REPORTS_MAX + 1];
        ScheduleOptions schedule = {
                .stage = options->stage,
                .is_observing = context->is_observing,
                .perform = perform_scenario,
                .version = AGENTTEST_VERSION,
                .run_id = context->scope.ownership ? ownership_run_id(context->scope.ownership) : NULL,
                .build_path = build_path(context),
                .stage_problem = context->stage_problem.code < 0 ? error_text(&context->stage_problem) : NULL,
                .shard = options->shard,
                .is_fail_fast = options->is_fail_fast,
                .inconclusive_as = options->exit_policy.inconclusive_as,
                .store = context->store,
                .reports = reports,
                .n_reports = context->reports.n_items,
                .in_child = run_scope_in_child,
                .userdata = &context->scope,
        };

        if (options->stage->is_shared) {
                schedule.overstay_usec = UNDO_USEC;
                schedule.stop_usec = UNDO_USEC;
        }
        if (decide_lateness(context, &schedule.lateness, &error) < 0) {
                complain("%s", error_text(&error));
                return STATUS_ERROR;
        }
        schedule.shard.suite = context->plays.suite;
        memcpy(reports, context->reports.items, sizeof(context->reports.items));
        if (context->last_run)
                reports[schedule.n_reports++] = context->last_run;
        if (decide_jobs(context, &schedule.n_jobs, &context->stage_problem) < 0)
                schedule.stage_problem = error_text(&context->stage_problem);
        if (context->jobs_note.n_bytes > 0)
                schedule.jobs_note = text_get(&context->jobs_note);
        if (context->lateness_note.n_bytes > 0)
                schedule.lateness_note = text_get(&context->lateness_note);

        if (schedule_run(&schedule, context->plays.items, context->plays.n_items, &summary, &error) < 0) {
                complain("%s", error_text(&error));
                return STATUS_ERROR;
        }
        return run_summary_exit_status(&summary, &options->exit_policy);
}

static int put_in_order(RunContext *context, int status) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        const StageKind *stage = context->options->stage;
        int r = 0;

        context->store = evidence_store_close(context->store);
        if (context->scope.ownership)
                r = run_scope_end(&context->scope, &error);
        if (stage->leave)
                stage->leave();
        if (r >= 0)
                return status;
        complain("Something of this run is still there, the next one tries again: %s", error_text(&error));
        return exit_status_and_error(status);
}

static int run_plays(RunContext *context) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        int status;

        if (reports_open(context->options, &context->reports, &error) < 0) {
                complain("%s", error_text(&error));
                return reports_close(&context->reports, STATUS_ERROR);
        }
        context->last_run = last_run_report_new();
        status = prepare(context);
        if (status == STATUS_PASS && context->stage_problem.code == 0)
                status = check_stage(context);
        if (status == STATUS_PASS)
                status = play_all(context);
        status = reports_close(&context->reports, status);
        close_last_run(context->last_run);
        return put_in_order(context, status);
}

static const char *why_nothing(const Options *options) {
        if (options->reruns_failed && !last_run_exists())
                return "nothing to run again: nothing has been played yet";
        if (options->reruns_failed)
                return "nothing to run again: no scenario that is selected failed when it was last played";
        if (options->shard.n > 0)
                return "no scenario is selected by --filter, --tag and --shard";
        return "no scenario is selected by --filter and --tag";
}

/* A part that is empty is no missing one: `merge` finds a record of it. */
static int record_nothing(RunContext *context, int status) {
        int prepared;

        if (!context->options->evidence)
                return status;
        prepared = prepare(context);
        if (prepared != STATUS_PASS)
                return prepared;
        if (context->stage_problem.code == 0)
                return status;
        complain("%s", error_text(&context->stage_problem));
        return STATUS_ERROR;
}

/* A suite that ran nothing is not green; programs are told in their own words. */
static int run_nothing(RunContext *context) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        const Options *options = context->options;
        Reports *reports = &context->reports;
        RunSummary summary = { .begin_usec = clock_now_usec(), .margin_usec = USEC_INFINITY };
        RunFacts facts = {
                .version = AGENTTEST_VERSION,
                .stage_name = options->stage->name,
                .begin_usec = summary.begin_usec,
                .begin_wall_usec = clock_wall_usec(),
                .shard = options->shard,
        };
        int status = run_summary_exit_status(&summary, &options->exit_policy);

        complain("%s", why_nothing(options));
        if (reports_open_for_programs(options, reports, &error) < 0) {
                complain("%s", error_text(&error));
                return reports_close(reports, STATUS_ERROR);
        }
        status = record_nothing(context, status);
        facts.shard.suite = context->plays.suite;
        summary.end_usec = summary.begin_usec;
        FOREACH_ARRAY (report, reports->items, reports->n_items) {
                (*report)->begin(*report, &facts);
                (*report)->end(*report, &summary);
        }
        return put_in_order(context, finish_output(reports_close(reports, status)));
}

int play_library(const Options *options, const Library *library, bool is_observing) {
        CLEANUP(play_list_done) PlayList plays = { 0 };
        RunContext context = { .options = options, .scope = RUN_SCOPE_INIT, .is_observing = is_observing };
        CLEANUP(last_run_free_p) LastRun *last_run = NULL;
        int status = read_last_run(options, &last_run);

        if (status != STATUS_PASS)
                return status;
        if (list_plays(options, library, last_run, &plays) < 0) {
                complain("Out of memory");
                return STATUS_ERROR;
        }
        context.plays = plays;
        status = plays.n_items > 0 ? run_plays(&context) : run_nothing(&context);
        text_done(&context.jobs_note);
        text_done(&context.lateness_note);
        error_done(&context.stage_problem);
        return status;
}

int command_run(const Options *options) {
        CLEANUP(library_done) Library library = LIBRARY_INIT;
        int status = load_scenarios(options, &library);

        return status == STATUS_PASS ? play_library(options, &library, false) : status;
}
