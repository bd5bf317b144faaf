/* SPDX-License-Identifier: MIT */
#include "schedule/schedule.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/clock.h"
#include "base/quantity.h"
#include "schedule/playing.h"
#include "schedule/requires.h"
#include "schedule/stop-signals.h"
#include "schedule/tally.h"

/*
 * Over the scenario's own timeout, which the performer keeps: the boot before it, judging and taking down after it.
 * Then, once asked to end: closing the windows, copying the evidence.
 */
#define OVERSTAY_USEC (60 * USEC_PER_SEC)
#define STOP_USEC     (30 * USEC_PER_SEC)
#define KILL_USEC     (10 * USEC_PER_SEC)
#define TICK_USEC     USEC_PER_SEC

typedef struct Schedule {
        const ScheduleOptions *options;
        const Play *plays;
        size_t n_plays, n_begun;
        Playing **playing;
        size_t n_playing;
        unsigned n_jobs;
        bool is_stopping;
        const Play *first_bad; /* with --fail-fast: nothing is begun any more */
        RunSummary *summary;
        sd_event *event;
        sd_event_source *on_tick;
} Schedule;

#define FOR_EACH_REPORT(report, schedule)                                                                            \
        FOREACH_ARRAY (report, (schedule)->options->reports, (schedule)->options->n_reports)

static int stop_play(Playing *playing, StopLevel level);
static void fill_jobs(Schedule *schedule);

/* --- results --- */

static bool is_good(const Schedule *schedule, Outcome outcome) {
        if (outcome == OUTCOME_INCONCLUSIVE)
                return schedule->options->inconclusive_as == OUTCOME_PASS;
        return outcome == OUTCOME_PASS || outcome == OUTCOME_SKIP;
}

static void report_result(Schedule *schedule, const PlayResult *result) {
        tally_add(schedule->summary, result);
        if (schedule->options->is_fail_fast && !schedule->first_bad && !is_good(schedule, result->outcome))
                schedule->first_bad = result->play;
        FOR_EACH_REPORT(report, schedule)
        (*report)->play_end(*report, result);
}

/* A play that was not performed at all: a requirement is missing, there is no stage, no process to be had. */
static void report_unperformed(Schedule *schedule, const Play *play, Reason reason, const char *why) {
        uint64_t now = clock_now_usec();
        PlayResult result = { .play = play, .outcome = reason_outcome(reason), .begin_usec = now, .end_usec = now };
        Mark mark = reason == REASON_REQUIREMENT ? play->scenario->requires.mark : (Mark){ 0 };

        /* Out of memory for the sentence: the outcome is told without it. */
        (void) judgement_add(&result.judgement, reason, mark, strdup(why));
        FOR_EACH_REPORT(report, schedule)
        (*report)->play_begin(*report, play, now);
        report_result(schedule, &result);
        judgement_done(&result.judgement);
}

/* The harness cannot go on (no room for evidence, mostly): what runs is ended in order, nothing more is begun. */
static void break_run(Schedule *schedule, const char *why) {
        if (!schedule->summary->broken)
                schedule->summary->broken = strdup(why);
        schedule->is_stopping = true;
        for (size_t i = 0; i < schedule->n_playing; i++)
                (void) stop_play(schedule->playing[i], STOP_ASKED);
}

/* --- the end of a play --- */

static void forget_play(Schedule *schedule, Playing *playing) {
        for (size_t i = 0; i < schedule->n_playing; i++)
                if (schedule->playing[i] == playing) {
                        schedule->playing[i] = schedule->playing[--schedule->n_playing];
                        break;
                }
        playing_free(playing);
}

static const char *what_ended_the_run(const Schedule *schedule, char buffer[static 32]) {
        if (schedule->summary->broken)
                return "a problem with its evidence";
        if (schedule->summary->signal_number == 0)
                return NULL;
        (void) snprintf(buffer, 32, "SIG%s", sigabbrev_np(schedule->summary->signal_number) ?: "?");
        return buffer;
}

static void finish_play(Schedule *schedule, Playing *playing) {
        CLEANUP_FREE char *path = NULL;
        char buffer[32];
        PlayResult result = { .play = playing->play, .begin_usec = playing->begin_usec };

        playing_read(playing); /* all it wrote is in the pipe by now */
        if (playing->collection.is_evidence_failing)
                break_run(schedule, error_text(&playing->problem));
        result.outcome = playing_conclude(playing, what_ended_the_run(schedule, buffer)) < 0
                                         ? OUTCOME_ERROR
                                         : playing->collection.judgement.outcome;

        path = playing->evidence.path ? strdup(playing->evidence.path) : NULL;
        if (!play_evidence_end(schedule->options->store, &playing->evidence, result.outcome != OUTCOME_PASS)) {
                free(path);
                path = NULL;
        }
        result.judgement = playing->collection.judgement;
        result.timeline = playing->collection.timeline;
        result.evidence_path = path;
        result.end_usec = clock_now_usec();
        report_result(schedule, &result);
        forget_play(schedule, playing);
        fill_jobs(schedule);
}

static uint64_t stop_limit(const Schedule *schedule, StopLevel level) {
        if (level == STOP_KILLED)
                return KILL_USEC;
        return schedule->options->stop_usec ?: STOP_USEC;
}

static int set_deadline(Playing *playing, uint64_t usec) {
        int r = sd_event_source_set_time(playing->on_deadline, usec_add(clock_now_usec(), usec));
        return r < 0 ? r : sd_event_source_set_enabled(playing->on_deadline, SD_EVENT_ONESHOT);
}

/* Asks harder than before, or not at all. */
static int stop_play(Playing *playing, StopLevel level) {
        if (level <= playing->stop_level)
                return 0;
        playing->stop_level = level;
        performer_signal(&playing->performer, level == STOP_ASKED ? SIGTERM : SIGKILL);
        return set_deadline(playing, stop_limit(playing->schedule, level));
}

/* --- callbacks --- */

static int on_stream(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Playing *playing = userdata;
        Schedule *schedule = playing->schedule;

        playing_read(playing);
        if (playing->collection.is_evidence_failing)
                break_run(schedule, error_text(&playing->problem));
        if (playing->problem.code == 0 && !playing->reader.has_ended)
                return 0;
        /* Nothing more is read from it; where the stream broke, the performer talks to nobody and has to end. */
        if (playing->problem.code < 0)
                (void) stop_play(playing, STOP_ASKED);
        return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static int on_performer_exit(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Playing *playing = userdata;
        int r = performer_reap(&playing->performer, &playing->wait_status);

        if (r == -EAGAIN)
                return 0;
        finish_play(playing->schedule, playing);
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        Playing *playing = userdata;

        if (playing->stop_level == STOP_NOT_ASKED)
                playing->is_overdue = true;
        if (playing->stop_level < STOP_KILLED)
                return stop_play(playing, playing->stop_level + 1);
        playing->stop_level = STOP_ABANDONED;
        playing->performer.pid = 0; /* waiting for it would hang us too; the guard removes what it has */
        finish_play(playing->schedule, playing);
        return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Schedule *schedule = userdata;
        StopLevel level = schedule->summary->signal_number == 0 ? STOP_ASKED : STOP_KILLED;

        if (schedule->summary->signal_number == 0)
                schedule->summary->signal_number = (int) info->ssi_signo;
        schedule->is_stopping = true;
        for (size_t i = 0; i < schedule->n_playing; i++)
                (void) stop_play(schedule->playing[i], level);
        fill_jobs(schedule);
        return 0;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        Schedule *schedule = userdata;
        uint64_t now = clock_now_usec();

        FOR_EACH_REPORT(report, schedule)
        if ((*report)->tick)
                (*report)->tick(*report, now);
        (void) sd_event_source_set_time(source, now + TICK_USEC);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void on_entry(const Entry *entry, void *userdata) {
        Playing *playing = userdata;
        uint64_t now = clock_now_usec();

        FOR_EACH_REPORT(report, playing->schedule)
        if ((*report)->progress)
                (*report)->progress(*report, playing->play, entry, now);
}

/* --- the beginning of a play --- */

/* A performer must not hold what belongs to its siblings: a stream's reading end would hide that we are gone. */
static void close_in_child(void *userdata) {
        Schedule *schedule = userdata;

        for (size_t i = 0; i < schedule->n_playing; i++) {
                close_p(&schedule->playing[i]->reader.fd);
                close_p(&schedule->playing[i]->performer.pid_fd);
                close_p(&schedule->playing[i]->evidence.folder_fd);
        }
        if (schedule->options->in_child)
                schedule->options->in_child(schedule->options->userdata);
}

static int start_performer(Schedule *schedule, Playing *playing, Error *reterr) {
        const ScheduleOptions *options = schedule->options;
        PerformerSpec spec = {
                .perform = options->perform,
                .request = {
                        .scenario = playing->play->scenario,
                        .stage = options->stage,
                        .is_observing = options->is_observing,
                        .run_id = options->run_id,
                        .scenario_index = playing->play->index,
                        .evidence_fd = playing->evidence.folder_fd,
                        .build_path = options->build_path,
                        .lateness = options->lateness,
                },
                .output_fd = playing->evidence.output_fd,
                .in_child = close_in_child,
                .userdata = schedule,
        };
        int r = performer_start(&spec, &playing->performer, reterr);
        if (r < 0)
                return r;

        playing->reader.fd = TAKE_FD(playing->performer.stream_fd);
        return 0;
}

static int watch_performer(Schedule *schedule, Playing *playing, Error *reterr) {
        uint64_t limit = usec_add(
                        playing->play->scenario->timeout_usec, schedule->options->overstay_usec ?: OVERSTAY_USEC);
        int r;

        r = sd_event_add_io(schedule->event, &playing->on_stream, playing->reader.fd, EPOLLIN, on_stream, playing);
        if (r >= 0)
                r = sd_event_add_io(schedule->event, &playing->on_exit, playing->performer.pid_fd, EPOLLIN,
                                on_performer_exit, playing);
        if (r >= 0) /* what is in the pipe is read first */
                r = sd_event_source_set_priority(playing->on_exit, SD_EVENT_PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_add_time(schedule->event, &playing->on_deadline, CLOCK_MONOTONIC,
                                usec_add(playing->begin_usec, limit), 0, on_deadline, playing);
        return r < 0 ? error_set_errno(reterr, r, "The performer cannot be watched") : 0;
}

static int start_play(Schedule *schedule, const Play *play, bool *ret_is_evidence, Error *reterr) {
        CLEANUP(playing_free_p) Playing *playing = playing_new(schedule, play, clock_now_usec());
        int r;

        *ret_is_evidence = false;
        if (!playing)
                return error_set(reterr, -ENOMEM, "Out of memory");
        playing->collection.on_entry = on_entry;
        playing->collection.userdata = playing;

        r = play_evidence_begin(schedule->options->store, play, &playing->evidence, reterr);
        if (r < 0) {
                *ret_is_evidence = true;
                return r;
        }
        r = start_performer(schedule, playing, reterr);
        if (r >= 0)
                r = watch_performer(schedule, playing, reterr);
        if (r < 0) {
                (void) play_evidence_end(schedule->options->store, &playing->evidence, false);
                return r;
        }

        FOR_EACH_REPORT(report, schedule)
        (*report)->play_begin(*report, play, playing->begin_usec);
        schedule->playing[schedule->n_playing++] = TAKE_PTR(playing);
        return 0;
}

/* No process or descriptor left for one more: fewer at a time, as long as one is running that will give some back. */
static bool is_full(const Schedule *schedule, int r) {
        return (r == -EAGAIN || r == -EMFILE || r == -ENFILE) && schedule->n_playing > 0;
}

/* False: the play has to wait until another one is over. */
static bool begin_play(Schedule *schedule, const Play *play) {
        CLEANUP_TEXT Text missing = TEXT_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;
        bool is_evidence;
        int r;

        requires_missing(
                        &play->scenario->requires, schedule->options->build_path, schedule->options->stage, &missing);
        if (missing.n_bytes > 0) {
                report_unperformed(schedule, play, REASON_REQUIREMENT, text_get(&missing));
                return true;
        }
        if (schedule->options->stage_problem) {
                report_unperformed(schedule, play, REASON_STAGE, schedule->options->stage_problem);
                return true;
        }

        r = start_play(schedule, play, &is_evidence, &error);
        if (r >= 0)
                return true;
        if (is_full(schedule, r)) {
                schedule->n_jobs = (unsigned) schedule->n_playing;
                return false;
        }
        if (is_evidence) {
                break_run(schedule, error_text(&error));
                return false;
        }
        report_unperformed(schedule, play, REASON_STAGE, error_text(&error));
        return true;
}

/* What is not played because of --fail-fast has a result that says so: the reports stay whole. */
static void leave_rest(Schedule *schedule) {
        CLEANUP_TEXT Text why = TEXT_INIT;

        text_printf(&why, "not run: --fail-fast, and %s did not pass", schedule->first_bad->name);
        while (schedule->n_begun < schedule->n_plays)
                report_unperformed(schedule, &schedule->plays[schedule->n_begun++], REASON_NOT_RUN, text_get(&why));
}

/* One that needs the machine to itself waits until nothing runs any more, and nothing begins beside it. */
static bool has_to_wait(const Schedule *schedule) {
        return schedule->n_playing > 0 && (schedule->plays[schedule->n_begun].scenario->is_exclusive ||
                                                          schedule->playing[0]->play->scenario->is_exclusive);
}

static bool may_begin(const Schedule *schedule) {
        return !schedule->is_stopping && !schedule->first_bad && schedule->n_begun < schedule->n_plays &&
               schedule->n_playing < schedule->n_jobs && !has_to_wait(schedule);
}

static void fill_jobs(Schedule *schedule) {
        while (may_begin(schedule)) {
                if (!begin_play(schedule, &schedule->plays[schedule->n_begun]))
                        break;
                schedule->n_begun++;
        }
        if (schedule->first_bad && !schedule->is_stopping)
                leave_rest(schedule);
        if (schedule->n_playing == 0)
                (void) sd_event_exit(schedule->event, 0);
}

/* --- the run --- */

static int make_loop(Schedule *schedule) {
        int numbers[STOP_SIGNALS_MAX];
        size_t n_numbers = stop_signals(numbers);
        int r = stop_signals_block();

        if (r >= 0)
                r = sd_event_new(&schedule->event);
        for (size_t i = 0; r >= 0 && i < n_numbers; i++)
                r = sd_event_add_signal(schedule->event, NULL, numbers[i], on_signal, schedule);
        if (r >= 0)
                r = sd_event_add_time_relative(schedule->event, &schedule->on_tick, CLOCK_MONOTONIC, TICK_USEC, 0,
                                on_tick, schedule);
        return r;
}

static void begin_reports(Schedule *schedule) {
        char host_name[HOST_NAME_MAX + 1] = "";
        RunFacts facts = {
                .version = schedule->options->version,
                .stage_name = schedule->options->stage->name,
                .n_plays = schedule->n_plays,
                .n_jobs = schedule->n_jobs,
                .jobs_note = schedule->options->jobs_note,
                .lateness_note = schedule->options->lateness_note,
                .begin_usec = schedule->summary->begin_usec,
                .begin_wall_usec = clock_wall_usec(),
                .plays = schedule->plays,
                .shard = schedule->options->shard,
        };

        if (gethostname(host_name, sizeof(host_name)) == 0)
                facts.host_name = host_name;
        FOR_EACH_REPORT(report, schedule)
        (*report)->begin(*report, &facts);
}

static void end_reports(Schedule *schedule) {
        RunSummary *summary = schedule->summary;

        summary->n_not_played = schedule->n_plays - schedule->n_begun;
        summary->end_usec = clock_now_usec();
        if (schedule->options->store && evidence_store_has_kept(schedule->options->store))
                summary->evidence_path = evidence_store_path(schedule->options->store);
        FOR_EACH_REPORT(report, schedule)
        (*report)->end(*report, summary);
}

static void schedule_done(Schedule *schedule) {
        for (size_t i = 0; i < schedule->n_playing; i++)
                playing_free(schedule->playing[i]);
        free(schedule->playing);
        sd_event_source_disable_unref(schedule->on_tick);
        sd_event_unref(schedule->event);
}

int schedule_run(const ScheduleOptions *options, const Play *plays, size_t n_plays, RunSummary *ret_summary,
                Error *reterr) {
        CLEANUP(schedule_done)
        Schedule schedule = {
                .options = options,
                .plays = plays,
                .n_plays = n_plays,
                .n_jobs = options->n_jobs ?: 1,
                .summary = ret_summary,
        };
        int r;

        *ret_summary = (RunSummary){ .begin_usec = clock_now_usec(), .margin_usec = USEC_INFINITY };
        schedule.playing = calloc(n_plays ?: 1, sizeof(*schedule.playing));
        if (!schedule.playing)
                return error_set(reterr, -ENOMEM, "Out of memory");
        r = make_loop(&schedule);
        if (r < 0)
                return error_set_errno(reterr, r, "The loop of the scheduler cannot be made");

        begin_reports(&schedule);
        fill_jobs(&schedule);
        r = sd_event_loop(schedule.event);
        end_reports(&schedule);
        return r < 0 ? error_set_errno(reterr, r, "The loop of the scheduler failed") : 0;
}
