/* SPDX-License-Identifier: MIT */
#include "perform/perform.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/write-all.h"
#include "judge/card.h"
#include "observe/versions.h"
#include "perform/barrier.h"
#include "perform/command-environment.h"
#include "perform/hogs.h"
#include "perform/lateness.h"
#include "perform/player.h"
#include "perform/stage-files.h"
#include "perform/stream.h"

#define ACCT_PATH         "/run/agenttest.acct"
/* How the player says by its exit status what came out: the stream is ended when the stage is down. */
#define STATUS_OF_OUTCOME 64
/* Hits of one expectation that are put into the timeline, for people; the log book counts them all. */
#define MAX_LOG_ENTRIES   200

static void run_done(Run *run) {
        run->player = player_free(run->player);
        run->command = command_free(run->command);
        run->hogs = hogs_free(run->hogs);
        run->lateness = lateness_free(run->lateness);
        run->barrier = barrier_free(run->barrier);
        run->databases = sqlite_probe_free(run->databases);
        run->left_behind = left_behind_free(run->left_behind);
        run->cgroups = cgroup_reader_free(run->cgroups);
        run->kmsg = kmsg_watch_free(run->kmsg);
        run->acct = acct_watch_free(run->acct);
        run->journal = journal_watch_free(run->journal);
        run->bus = bus_watch_free(run->bus);
        run->logbook = logbook_free(run->logbook);
        run->observer.timeline = timeline_free(run->observer.timeline);
        run->stream = stream_free(run->stream);
        run->observer.event = sd_event_unref(run->observer.event);
        error_done(&run->error);
}

static void on_stream_error(int error, void *userdata) {
        (void) run_break(userdata, error, "cannot write to the scheduler");
}

static void on_entry(const Entry *entry, void *userdata) {
        Run *run = userdata;
        int r = stream_entry(run->stream, entry);

        if (r < 0)
                on_stream_error(r, run);
        if (run->player)
                player_wake(run->player);
}

static void on_log_hit(const Expectation *expectation, const LogHit *hit, void *userdata) {
        Run *run = userdata;
        size_t n_hits = 0;
        Entry *entry;

        (void) logbook_hits(run->logbook, expectation, &n_hits);
        if (run->player)
                player_wake(run->player);
        if (n_hits > MAX_LOG_ENTRIES)
                return;
        entry = observer_entry(&run->observer, SOURCE_JOURNAL, ENTRY_LOG, hit->at_usec, expectation->unit);
        if (entry) {
                entry_set(entry, "expectation", expectation->id);
                entry_set_usec(entry, "seqnum", hit->seqnum);
                entry_set_number(entry, "PID", hit->pid);
                if (hit->excerpt)
                        entry_set(entry, "MESSAGE", hit->excerpt);
        }
        run_append(run, entry);
}

static void on_line(const LogLine *line, void *userdata) {
        Run *run = userdata;
        int r = logbook_feed(run->logbook, line, on_log_hit, run);

        if (r < 0)
                (void) run_break(run, r, "cannot look at a journal line");
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Run *run = userdata;

        /* Which signal says nothing: the scheduler sends this one, whatever ended the run. */
        player_end(run->player, "interrupted", NULL);
        return 0;
}

static int run_open_observers(Run *run, Error *reterr) {
        int r;

        r = bus_watch_new(&run->observer, run->stage->bus_address, &run->bus, reterr);
        if (r >= 0)
                r = journal_watch_new(&run->observer, run->stage->journal_folder, JOURNALD_SOCKET,
                                run->stage->is_shared, on_line, run, &run->journal, reterr);
        if (r >= 0)
                logbook_begin_behind(run->logbook, journal_watch_position(run->journal)->seqnum);
        if (r >= 0)
                /* The accounting of the whole machine is not ours to switch. */
                r = acct_watch_new(&run->observer, run->stage->is_shared ? NULL : ACCT_PATH, &run->acct, reterr);
        if (r >= 0)
                r = kmsg_watch_new(&run->observer, run->stage->kmsg_fd, &run->kmsg, reterr);
        if (r >= 0)
                r = cgroup_reader_new(&run->observer, &run->cgroups, reterr);
        if (r >= 0)
                r = left_behind_new(&run->observer, &run->left_behind, reterr);
        if (r >= 0)
                r = sqlite_probe_new(&run->observer, &run->databases, reterr);
        return r;
}

static int run_open_loop(Run *run, Error *reterr) {
        int r;

        r = sd_event_new(&run->observer.event);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make an event loop");
        r = stream_new(run->request->stream_fd, run->observer.event, on_stream_error, run, &run->stream);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot open the stream to the scheduler");
        run->observer.timeline = timeline_new();
        if (!run->observer.timeline)
                return -ENOMEM;
        timeline_set_listener(run->observer.timeline, on_entry, run);
        return logbook_new(run->scenario, run->stage->user_manager, &run->logbook);
}

static int run_open_player(Run *run, Error *reterr) {
        int r;

        r = barrier_new(run, &run->barrier);
        if (r >= 0)
                r = lateness_new(run, &run->lateness);
        if (r >= 0)
                r = player_new(run, &run->player, reterr);
        if (r >= 0)
                r = sd_event_add_signal(run->observer.event, NULL, SIGTERM, on_signal, run);
        if (r >= 0)
                r = sd_event_add_signal(run->observer.event, NULL, SIGINT, on_signal, run);
        return r;
}

/* What the judge has to know of a stage that others use too: `shared`, and where its part of the journal begins. */
static void run_note_sharing(const Run *run, Entry *entry) {
        entry_set(entry, "shared", "yes");
        journal_position_write(journal_watch_position(run->journal), entry);
        if (run->stage->user_manager > 0)
                entry_set_number(entry, "user-manager", run->stage->user_manager);
        entry_set_number(entry, "journal-burst", run->stage->journal_burst);
        entry_set_number(entry, "journal-lines-before", run->stage->n_journal_lines_before);
}

static void note_lateness(Entry *entry, const LatenessScale *lateness) {
        if (lateness->scale > 1)
                entry_set_number(entry, "lateness-scale", lateness->scale);
        if (lateness->probe_usec > 0)
                entry_set_usec(entry, "lateness-probe", lateness->probe_usec);
}

static void run_note_versions(Run *run) {
        Entry *entry = run_note(run, ENTRY_VERSIONS, NULL);

        if (entry) {
                entry_set(entry, "agenttest", AGENTTEST_VERSION);
                entry_set(entry, "stage", run->stage->kind_name);
                entry_set(entry, "cgroup-mark", run->stage->cgroup_mark ?: "");
                entry_set_usec(entry, "forked", run->stage->forked_usec);
                entry_set_usec(entry, "booted", run->stage->booted_usec);
                entry_set_number(entry, "performer", getpid());
                if (run->stage->is_shared)
                        run_note_sharing(run, entry);
                versions_fill(entry, run->bus, run->cgroups);
                note_lateness(entry, &run->request->lateness);
        }
        run_append(run, entry);
}

static int run_open(Run *run, Error *reterr) {
        int r;

        r = run_open_loop(run, reterr);
        if (r >= 0)
                r = run_open_observers(run, reterr);
        if (r >= 0)
                r = run_open_player(run, reterr);
        if (r < 0)
                return r;
        run_note_versions(run);
        FOREACH_ARRAY (unit, run->scenario->units, run->scenario->n_units) {
                r = bus_watch_add_unit(run->bus, unit->name, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int run_play(Run *run, Error *reterr) {
        int r;

        r = player_start(run->player, reterr);
        if (r < 0)
                return r;
        r = sd_event_loop(run->observer.event);
        if (run->broken < 0)
                return error_set(reterr, run->broken, "%s", error_text(&run->error));
        if (r < 0)
                return error_set_errno(reterr, r, "the event loop ended");
        return 0;
}

/* What was seen belongs to the evidence, also of a run that broke (@r). */
static int run_flush(Run *run, int r) {
        int flushed = run->stream ? stream_flush(run->stream) : 0;

        return r < 0 ? r : flushed;
}

/* What each unit was allowed and how far it got, for whoever opens the folder. */
static int write_card(const Run *run, Error *reterr) {
        CLEANUP(cards_done) Cards cards = { 0 };
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_CLOSE int fd = -EBADF;
        int r = cards_make(run->observer.timeline, &cards);

        if (r < 0)
                return r;
        cards_encode(&cards, &text);
        fd = openat(run->observer.evidence_fd, "card.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "card.json of the evidence cannot be made");
        r = write_all(fd, text_get(&text), text.n_bytes);
        return r < 0 ? error_set_errno(reterr, r, "card.json of the evidence cannot be written") : 0;
}

static int run_finish(Run *run, Outcome *ret_outcome, Error *reterr) {
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;
        Case facts = run_case(run);
        int r;

        r = journal_copy(run->stage->journal_folder, run->journal, run->observer.evidence_fd, reterr);
        if (r >= 0)
                r = write_card(run, reterr);
        if (r >= 0)
                r = judge_scenario(&facts, &judgement, reterr);
        if (r >= 0)
                r = stream_verdicts(run->request->stream_fd, &judgement);
        *ret_outcome = judgement.outcome;
        return r;
}

/* The scenario could not be played: one verdict about that. */
static int report_broken(const PerformRequest *request, Reason reason, Error *error, int code) {
        CLEANUP(judgement_done) Judgement judgement = JUDGEMENT_INIT;

        error->code = code;
        judgement.verdicts = calloc(1, sizeof(Verdict));
        if (!judgement.verdicts)
                return -ENOMEM;
        judgement.n_verdicts = 1;
        judgement.outcome = OUTCOME_ERROR;
        judgement.verdicts[0] = (Verdict){
                .outcome = OUTCOME_ERROR,
                .reason = reason,
                .id = strdup("scenario"),
                .sentence = strdup(error_text(error)),
                .margin_usec = USEC_INFINITY,
        };
        return stream_verdicts(request->stream_fd, &judgement);
}

static void block_signals(void) {
        sigset_t signals;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigaddset(&signals, SIGINT);
        (void) sigaddset(&signals, SIGCHLD);
        (void) sigprocmask(SIG_BLOCK, &signals, NULL);
        (void) signal(SIGPIPE, SIG_IGN);
}

/* What is handed to the stage, for the function below. */
typedef struct Playing {
        const PerformRequest *request;
        int hog_fd;
        int cgroup_ns_fd;
} Playing;

/* Runs on the stage. */
static int play_on_stage(const StageContext *context, void *userdata) {
        const Playing *playing = userdata;
        CLEANUP(command_environment_free_p) CommandEnvironment *environment = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP(run_done) Run run = { 0 };
        Outcome outcome = OUTCOME_ERROR;
        int r;

        run.request = playing->request;
        run.hog_fd = playing->hog_fd;
        run.cgroup_ns_fd = playing->cgroup_ns_fd >= 0 ? playing->cgroup_ns_fd : 0;
        run.stage = context;
        run.scenario = run.request->scenario;
        run.observer.evidence_fd = run.request->evidence_fd;
        run.observer.host_proc_fd = context->host_proc_fd;
        run.observer.user_manager = context->user_manager;
        run.is_about_quotas = run_is_about_quotas(&run);
        block_signals();

        r = command_environment_new(run.request, &environment);
        if (r >= 0) {
                run.environment = command_environment_variables(environment);
                run.folder = command_environment_folder(environment);
                r = run_open(&run, &error);
        }
        if (r >= 0)
                r = run_play(&run, &error);
        r = run_flush(&run, r);
        if (r >= 0)
                r = run_finish(&run, &outcome, &error);
        if (r < 0) {
                outcome = OUTCOME_ERROR;
                r = report_broken(run.request, REASON_STEP_BROKEN, &error, r);
        }
        return r < 0 ? EXIT_FAILURE : STATUS_OF_OUTCOME + (int) outcome;
}

static int end_stream(const PerformRequest *request, Outcome outcome) {
        return stream_end(request->stream_fd, outcome) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int give_up(const PerformRequest *request, Error *error, int code) {
        return report_broken(request, REASON_STAGE, error, code) < 0 ? EXIT_FAILURE
                                                                     : end_stream(request, OUTCOME_ERROR);
}

/* All that the stage has to know of a scenario; @files owns what it borrows. */
static int make_stage_request(const PerformRequest *request, StageFiles *files, StageRequest *ret_request) {
        CLEANUP_FREE char *unit_folder = request->stage->find_unit_folder();
        int r;

        r = stage_files_make(request->scenario, unit_folder ?: "/etc/systemd/system", files);
        if (r < 0)
                return r;
        *ret_request = (StageRequest){
                .run_id = request->run_id,
                .scenario_index = request->scenario_index,
                .scenario_name = request->scenario->name,
                .is_exclusive = request->scenario->is_exclusive,
                .files = files->files,
                .n_files = files->n_files,
                .pinned_units = files->unit_names,
                .n_pinned_units = files->n_units,
                .signalled_units = files->signalled_units,
                .n_signalled_units = files->n_signalled_units,
                .is_observing = request->is_observing,
                .has_to_reload = steps_need_reload(request->scenario),
        };
        return 0;
}

int perform_check(const PerformRequest *request, Error *reterr) {
        CLEANUP(stage_files_done) StageFiles files = STAGE_FILES_INIT;
        StageRequest stage_request;
        int r;

        if (!request->stage->check)
                return 0;
        r = steps_check_shared(request->scenario, request->stage->name, reterr);
        if (r >= 0)
                r = make_stage_request(request, &files, &stage_request);
        return r < 0 ? error_set_errno(reterr, r, "cannot prepare") : request->stage->check(&stage_request, reterr);
}

/* Beside the program this is: opened out here, because in the sandbox paths mean something else. */
static int open_hog(void) {
        char path[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("/agenttest-hog"));
        char *slash;

        if (n < 0)
                return -EBADF;
        path[n] = '\0';
        slash = strrchr(path, '/');
        (void) strcpy(slash ? slash : path, "/agenttest-hog");
        n = open(path, O_PATH | O_CLOEXEC);
        return n < 0 ? -EBADF : (int) n;
}

int perform_scenario(const PerformRequest *request) {
        CLEANUP(stage_files_done) StageFiles files = STAGE_FILES_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP_FREE char *folder = NULL;
        CLEANUP_CLOSE int hog_fd = open_hog();
        CLEANUP_CLOSE int cgroup_ns_fd = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
        Playing playing = { .request = request, .hog_fd = hog_fd, .cgroup_ns_fd = cgroup_ns_fd };
        StageRequest stage_request;
        int wait_status = 0, r;

        r = make_stage_request(request, &files, &stage_request);
        folder = r < 0 ? NULL : scenario_folder(request->scenario);
        if (r >= 0 && !folder)
                r = -ENOMEM;
        if (r < 0)
                return give_up(request, &error, r);

        const char *shown_paths[] = { folder, request->build_path };
        stage_request.shown_paths = shown_paths;
        stage_request.n_shown_paths = ELEMENTS_OF(shown_paths);
        r = request->stage->run(&stage_request, play_on_stage, &playing, &wait_status, &error);
        if (r < 0)
                return give_up(request, &error, r);
        /* It could not even say how it went: the scheduler tells of a stream that was cut. */
        if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) < STATUS_OF_OUTCOME)
                return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : EXIT_FAILURE;
        return end_stream(request, (Outcome) (WEXITSTATUS(wait_status) - STATUS_OF_OUTCOME));
}
