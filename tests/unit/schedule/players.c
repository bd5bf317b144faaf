/* SPDX-License-Identifier: MIT */
#include "players.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/quantity.h"
#include "suites.h"
#include "timeline/codec.h"

/* --- performers --- */

static void put_text(int fd, const char *bytes, size_t n_bytes) {
        while (n_bytes > 0) {
                ssize_t n = write(fd, bytes, n_bytes);
                if (n < 0)
                        _exit(99);
                bytes += n;
                n_bytes -= (size_t) n;
        }
}

static void put_entry(int fd, const char *quote) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP(entry_free_p) Entry *entry = entry_new(SOURCE_HARNESS, ENTRY_STEP_BEGIN, 1000, 1001, NULL);

        entry_set(entry, "quote", quote);
        entry_encode(entry, &text);
        put_text(fd, text.bytes, text.n_bytes);
}

static void put_verdict(int fd, Reason reason, uint64_t margin_usec) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        Verdict verdict = {
                .outcome = reason_outcome(reason),
                .reason = reason,
                .id = (char *) "steps[0]",
                .sentence = (char *) "as played",
                .margin_usec = margin_usec,
        };

        verdict_encode(&verdict, &text);
        put_text(fd, text.bytes, text.n_bytes);
}

static void put_end(int fd, Outcome outcome) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_printf(&text, "{\"end\":\"%s\"}\n", outcome_name(outcome));
        put_text(fd, text.bytes, text.n_bytes);
}

static int put_whole(int fd, Reason reason) {
        put_entry(fd, "start: a.service");
        put_verdict(fd, reason, reason == REASON_HELD ? 1500000 : USEC_INFINITY);
        put_end(fd, reason_outcome(reason));
        return 0;
}

static void wait_for(int number) {
        sigset_t set;
        int received;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, number);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        (void) sigwait(&set, &received);
}

static int fails(int fd) {
        return put_whole(fd, REASON_WRONG_VALUE);
}

static int passes(int fd) {
        return put_whole(fd, REASON_HELD);
}

static int is_inconclusive(int fd) {
        return put_whole(fd, REASON_LATE_STAMP);
}

static int is_cut(int fd) {
        put_entry(fd, "start: a.service");
        put_verdict(fd, REASON_HELD, USEC_INFINITY);
        return 0;
}

static int says_nothing(int fd) {
        return 7;
}

static int aborts(int fd) {
        put_entry(fd, "start: a.service");
        (void) signal(SIGABRT, SIG_DFL);
        fputs("player.c:1: assertion failed\n", stderr);
        abort();
}

static int talks_nonsense(int fd) {
        put_entry(fd, "start: a.service");
        put_text(fd, "nonsense\n", 9);
        wait_for(SIGTERM); /* nobody listens any more: it is asked to end */
        return 0;
}

static int contradicts_itself(int fd) {
        put_verdict(fd, REASON_WRONG_VALUE, USEC_INFINITY);
        put_end(fd, OUTCOME_PASS);
        return 0;
}

static int has_no_verdict(int fd) {
        put_end(fd, OUTCOME_PASS);
        return 0;
}

static int goes_on_after_verdicts(int fd) {
        put_verdict(fd, REASON_HELD, USEC_INFINITY);
        put_entry(fd, "start: a.service");
        put_end(fd, OUTCOME_PASS);
        return 0;
}

static int ends_badly(int fd) {
        (void) passes(fd);
        return 3;
}

static int overstays(int fd) {
        put_entry(fd, "start: a.service");
        wait_for(SIGUSR1);
        return 0;
}

static int is_stubborn(int fd) {
        (void) signal(SIGTERM, SIG_IGN);
        return overstays(fd);
}

static int ends_in_order(int fd) {
        put_entry(fd, "start: a.service");
        wait_for(SIGTERM);
        return put_whole(fd, REASON_INTERRUPTED);
}

static int interrupts(int fd) {
        (void) kill(getppid(), SIGINT);
        return ends_in_order(fd);
}

static int interrupts_twice(int fd) {
        (void) signal(SIGTERM, SIG_IGN);
        put_entry(fd, "start: a.service");
        (void) kill(getppid(), SIGTERM);
        (void) kill(getppid(), SIGINT);
        wait_for(SIGUSR1);
        return 0;
}

static int hangs_up(int fd) {
        (void) kill(getppid(), SIGHUP);
        return ends_in_order(fd);
}

/* A session of its own, nothing to read, no signal blocked or ignored that was so before. */
static int looks_around(int fd) {
        sigset_t mask;
        char byte;
        bool is_well = getsid(0) == getpid() && read(STDIN_FILENO, &byte, 1) == 0 &&
                       sigprocmask(SIG_SETMASK, NULL, &mask) == 0 && !sigismember(&mask, SIGINT) &&
                       !sigismember(&mask, SIGTERM) && signal(SIGPIPE, SIG_DFL) == SIG_DFL;

        return put_whole(fd, is_well ? REASON_HELD : REASON_WRONG_VALUE);
}

static const struct {
        const char *name;
        int (*play)(int fd);
} players[] = {
        { "passes", passes },
        { "passes alone", passes }, /* exclusive */
        { "fails", fails },
        { "is inconclusive", is_inconclusive },
        { "is cut", is_cut },
        { "says nothing", says_nothing },
        { "aborts", aborts },
        { "talks nonsense", talks_nonsense },
        { "contradicts itself", contradicts_itself },
        { "has no verdict", has_no_verdict },
        { "goes on after verdicts", goes_on_after_verdicts },
        { "ends badly", ends_badly },
        { "overstays", overstays },
        { "is stubborn", is_stubborn },
        { "ends in order", ends_in_order },
        { "interrupts", interrupts },
        { "interrupts twice", interrupts_twice },
        { "hangs up", hangs_up },
        { "looks around", looks_around },
};

int play_by_name(const PerformRequest *request) {
        FOREACH_ARRAY (player, players, ELEMENTS_OF(players))
                if (strcmp(player->name, request->scenario->name) == 0)
                        return player->play(request->stream_fd);
        return 98;
}

/* --- the report --- */

static void note_begin(Report *report, const RunFacts *facts) {
}

static void note_play_begin(Report *report, const Play *play, uint64_t now_usec) {
        Notes *notes = (Notes *) report;

        if (++notes->n_running > notes->n_running_max)
                notes->n_running_max = notes->n_running;
        notes->n_exclusive += play->scenario->is_exclusive;
        if (notes->n_exclusive > 0 && notes->n_running > 1)
                notes->n_disturbed++;
}

static void note_progress(Report *report, const Play *play, const Entry *entry, uint64_t now_usec) {
        ((Notes *) report)->n_entries++;
}

static void note_play_end(Report *report, const PlayResult *result) {
        Notes *notes = (Notes *) report;
        const Verdict *worst = judgement_worst(&result->judgement);

        notes->n_running--;
        notes->n_exclusive -= result->play->scenario->is_exclusive;
        text_printf(&notes->text, "%s: %s %s\n", result->play->name, outcome_name(result->outcome),
                        worst ? reason_name(worst->reason) : "-");
        free(notes->sentence);
        notes->sentence = worst && worst->sentence ? strdup(worst->sentence) : NULL;
        free(notes->evidence_path);
        notes->evidence_path = result->evidence_path ? strdup(result->evidence_path) : NULL;
}

static void note_end(Report *report, const RunSummary *summary) {
}

void notes_done(Notes *notes) {
        text_done(&notes->text);
        free(notes->sentence);
        free(notes->evidence_path);
}

/* --- a run --- */

uint64_t scenario_timeout_usec = 20 * USEC_PER_SEC;

static int probe_stage(Error *reterr) {
        return 0;
}

static const StageKind stage = { .name = "bare", .probe = probe_stage };

RunSummary run_plays(const char *const *names, size_t n_names, ScheduleOptions options, Notes *notes) {
        CLEANUP(evidence_store_close_p) EvidenceStore *own_store = NULL;
        Scenario scenarios[32] = { 0 };
        Play plays[32] = { 0 };
        Report *reports[1] = { &notes->report };
        CLEANUP_ERROR Error error = ERROR_INIT;
        RunSummary summary;

        ck_assert_uint_le(n_names, ELEMENTS_OF(plays));
        for (size_t i = 0; i < n_names; i++) {
                scenarios[i] = (Scenario){ .path = (char *) "x.yaml", .name = (char *) names[i] };
                scenarios[i].timeout_usec = scenario_timeout_usec;
                scenarios[i].is_exclusive = strcmp(names[i], "passes alone") == 0;
                plays[i] = (Play){ .scenario = &scenarios[i], .name = (char *) names[i], .index = (unsigned) i };
        }
        notes->report = (Report){
                .begin = note_begin,
                .play_begin = note_play_begin,
                .progress = note_progress,
                .play_end = note_play_end,
                .end = note_end,
        };
        if (!options.store && !options.stage_problem) {
                ck_assert_int_eq(evidence_store_open("out", "abc", &own_store, NULL), 0);
                options.store = own_store;
        }
        options.stage = &stage;
        options.perform = play_by_name;
        options.run_id = "abc";
        options.reports = reports;
        options.n_reports = 1;
        ck_assert_msg(schedule_run(&options, plays, n_names, &summary, &error) == 0, "%s", error_text(&error));
        ck_assert_uint_eq(notes->n_running, 0);
        summary.evidence_path = NULL; /* borrowed from the store */
        return summary;
}
