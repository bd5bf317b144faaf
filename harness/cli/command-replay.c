/* SPDX-License-Identifier: MIT */

/* agenttest replay: judge recorded evidence again, and compare with what was judged then. */

#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/language.h"
#include "cli/reporting.h"
#include "cli/terminal.h"
#include "reports/entry-line.h"
#include "reports/failure.h"
#include "schedule/recording.h"
#include "schedule/replay.h"

typedef struct Replays {
        const Options *options;
        TerminalOptions terminal;
        RunSummary summary;
        bool is_different; /* verdicts are not the recorded ones, although they should be */
        bool is_invalid;   /* a scenario file, or a folder that is no evidence */
} Replays;

/* Beside the plays: "*" in the folder of a run names it, too. */
static bool is_record(const char *path) {
        const char *slash = strrchr(path, '/');
        struct stat status;

        return strcmp(slash ? slash + 1 : path, RECORD_FILE_NAME) == 0 && stat(path, &status) == 0 &&
               S_ISREG(status.st_mode);
}

/* The folder itself where it is one play's, else those in it, sorted. */
static int find_evidence(const char *folder, PathList *ret, Error *reterr) {
        size_t n_before = ret->n_items;
        int r;

        if (is_record(folder))
                return 0;

        if (recording_has(folder, "resolved.json"))
                return path_list_add(ret, folder);
        r = recording_plays(folder, ret, reterr);
        if (r >= 0 && ret->n_items == n_before)
                r = error_set(reterr, -ENOENT, "%s holds no evidence: no resolved.json in it or in a folder in it",
                                folder);
        return r;
}

/* Lines of one that are not the same line of the other. */
static void print_differences(const Replay *replay) {
        const char *then = replay->recorded, *now = text_get(&replay->verdicts);

        while (*then || *now) {
                size_t n_then = strcspn(then, "\n"), n_now = strcspn(now, "\n");

                if (n_then != n_now || memcmp(then, now, n_then) != 0) {
                        if (n_then > 0)
                                printf("    then: %.*s\n", (int) n_then, then);
                        if (n_now > 0)
                                printf("    now:  %.*s\n", (int) n_now, now);
                }
                then += n_then + (then[n_then] == '\n');
                now += n_now + (now[n_now] == '\n');
        }
}

static void print_replay(Replays *replays, const Replay *replay, const char *folder) {
        bool is_same = replay_is_same(replay), is_edited = replays->options->scenario_path != NULL;
        bool is_cut = replay_is_cut(replay);
        const SourceFile *file = &replay->library.files[0];
        Play play = {
                .scenario = replay->scenario,
                .name = replay->play_name,
                .source = file->text,
                .n_source_bytes = file->n_bytes,
        };
        PlayResult result = {
                .play = &play,
                .judgement = replay->judgement,
                .outcome = replay->judgement.outcome,
                .timeline = replay->timeline,
        };
        FailureStyle style = { .has_color = replays->terminal.has_color,
                .is_verbose = replays->options->verbosity > 0 };
        CLEANUP_TEXT Text text = TEXT_INIT;

        if (replays->options->verbosity < 0 && (is_same || is_edited) &&
                        (result.outcome == OUTCOME_PASS || result.outcome == OUTCOME_SKIP))
                return;
        text_printf(&text, "%s  ", outcome_label(result.outcome));
        printable(replay->play_name, strlen(replay->play_name), 0, &text);
        text_printf(&text, ": %s\n",
                        is_same     ? "same verdicts as recorded"
                        : is_cut    ? "the recording is cut, its performer did not come to judge it"
                        : is_edited ? "verdicts by the edited scenario differ from the recorded ones"
                                    : "verdicts DIFFER from the recorded ones");
        if (result.outcome != OUTCOME_PASS && replays->options->verbosity >= 0)
                failure_write(&result, &style, &text);
        if (replays->options->verbosity > 0)
                verdicts_write(&replay->judgement, &text);
        fputs(text_get(&text), stdout);
        if (!is_same)
                print_differences(replay);
        replays->is_different = replays->is_different || (!is_same && !is_edited && !is_cut);
}

static void replay_one(Replays *replays, const char *folder) {
        CLEANUP(replay_done) Replay replay = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;
        Language language = language_known();
        int r;

        r = replay_evidence(folder, replays->options->scenario_path, &language, &replay, &error);
        if (r >= 0) {
                replays->summary.n_with[replay.judgement.outcome]++;
                print_replay(replays, &replay, folder);
                return;
        }
        fputs(text_get(&replay.problems), stderr);
        complain("%s", error_text(&error));
        /* A scenario file that is wrong, or not the one: usage. Evidence that is damaged or was never taken: an
         * error. */
        if (r == -EINVAL || r == -ENOENT)
                replays->is_invalid = true;
        else
                replays->summary.n_with[OUTCOME_ERROR]++;
}

static int replay_all(Replays *replays, const PathList *folders) {
        char fence[FENCE_MAX];
        CLEANUP_ERROR Error error = ERROR_INIT;

        if (reports_make_fence(fence, &error) < 0) {
                complain("%s", error_text(&error));
                return STATUS_ERROR;
        }
        /* What a daemon wrote is shown: no command in it is to be obeyed. Complaints go to the other stream. */
        if (fence[0])
                printf("::stop-commands::%s\n", fence);
        (void) fflush(stdout);
        FOREACH_ARRAY (folder, folders->items, folders->n_items)
                replay_one(replays, *folder);
        if (fence[0])
                printf("::%s::\n", fence);
        return STATUS_PASS;
}

int command_replay(const Options *options) {
        Replays replays = { .options = options, .terminal = terminal_options(stdout, options) };
        CLEANUP(path_list_done) PathList folders = PATH_LIST_INIT;
        CLEANUP_TEXT Text line = TEXT_INIT;

        FOREACH_ARRAY (path, options->paths.items, options->paths.n_items) {
                CLEANUP_ERROR Error error = ERROR_INIT;

                if (find_evidence(*path, &folders, &error) < 0) {
                        complain("%s", error_text(&error));
                        return STATUS_USAGE;
                }
        }
        if (folders.n_items == 0) {
                complain("no evidence of a scenario is named, only " RECORD_FILE_NAME);
                return STATUS_USAGE;
        }
        if (replay_all(&replays, &folders) != STATUS_PASS)
                return STATUS_ERROR;

        run_summary_line(&replays.summary, &line);
        printf("%s%s\n", text_get(&line),
                        replays.is_different ? "; some verdicts differ from the recorded ones" : "");
        if (replays.is_invalid)
                return finish_output(STATUS_USAGE);
        if (replays.is_different)
                return finish_output(STATUS_ERROR);
        return finish_output(run_summary_exit_status(&replays.summary, &options->exit_policy));
}
