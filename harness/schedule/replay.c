/* SPDX-License-Identifier: MIT */
#include "schedule/replay.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "observe/journal-reader.h"
#include "schedule/recording.h"

void replay_done(Replay *replay) {
        judgement_done(&replay->judgement);
        timeline_free(replay->timeline);
        library_done(&replay->library);
        free(replay->play_name);
        free(replay->recorded);
        text_done(&replay->verdicts);
        text_done(&replay->problems);
        *replay = (Replay){ 0 };
}

static int take_defines(const Resolved *resolved, SourceFile *file) {
        const Json *defines = json_member(resolved->json, "defines"), *value;
        const char *name;

        for (size_t i = 0; defines && (value = json_nth(defines, i, &name)); i++) {
                size_t n_bytes;
                const char *text = json_get_string(value, &n_bytes);
                int r = text ? source_file_define(file, name, text) : -EBADMSG;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What follows the path in a scenario's name tells it from the others in its file: "#2", "[signal=SIGKILL]". */
static const char *name_in_file(const char *name, const char *path) {
        size_t n = strlen(path);
        return strncmp(name, path, n) == 0 ? name + n : name;
}

static const Scenario *find_scenario(const Resolved *resolved, const SourceFile *file) {
        const char *wanted = name_in_file(resolved->name, resolved->path);

        FOREACH_ARRAY (item, file->scenarios.items, file->scenarios.n_items)
                if (strcmp(name_in_file((*item)->name, file->path), wanted) == 0)
                        return *item;
        /* Where there is no other it is meant, whatever it is called now. */
        return file->scenarios.n_items == 1 ? file->scenarios.items[0] : NULL;
}

static int load_scenario(const char *folder, const char *scenario_path, const Resolved *resolved,
                const Language *language, Replay *replay, Error *reterr) {
        ParseOptions options = { .language = language };
        SourceFile *file = replay->library.files = calloc(1, sizeof(*file));
        int r;

        if (!file)
                return error_set(reterr, -ENOMEM, "Out of memory");
        replay->library.n_files = 1;
        /* Under its old name, which its scenarios are named after. */
        file->path = strdup(scenario_path ?: resolved->path);
        if (!file->path)
                return error_set(reterr, -ENOMEM, "Out of memory");
        r = scenario_path ? file_read(scenario_path, SCENARIO_FILE_MAX_BYTES, &file->text, &file->n_bytes, reterr)
                          : recording_read(folder, "scenario.yaml", SCENARIO_FILE_MAX_BYTES, &file->text,
                                            &file->n_bytes, reterr);
        if (r >= 0)
                r = take_defines(resolved, file);
        if (r >= 0)
                r = source_file_parse(file, &options, &replay->problems);
        if (r < 0)
                return error_set(reterr, r, "%s: what the scenario was resolved with cannot be read", folder);
        if (replay->problems.n_bytes > 0)
                return error_set(reterr, -EINVAL, "%s: the scenario file is invalid", file->path);

        replay->scenario = find_scenario(resolved, file);
        if (!replay->scenario)
                return error_set(reterr, -ENOENT, "%s holds no scenario \"%s\"", file->path, resolved->name);
        return 0;
}

/* How many lines the performer had looked at when it judged. A recording that was cut does not say. */
static uint64_t find_n_lines(const Timeline *timeline) {
        const Entry *barrier = timeline_last(timeline, timeline_length(timeline), ENTRY_BARRIER, NULL);

        return barrier ? entry_get_usec(barrier, "lines", UINT64_MAX) : UINT64_MAX;
}

/* journald goes on writing between the last barrier and the copy: the judge never saw what came then. */
static int feed_logbook(
                int folder_fd, const char *folder, const Timeline *timeline, LogBook *logbook, Error *reterr) {
        uint64_t n_lines_max = find_n_lines(timeline);
        CLEANUP(journal_reader_free_p) JournalReader *reader = NULL;
        JournalPosition position;
        const LogLine *line;
        int r;

        r = journal_reader_open(folder_fd, "journal", &reader, reterr);
        if (r < 0)
                return error_prefix(reterr, "%s", folder);
        journal_position_read(timeline, &position);
        journal_reader_begin_behind(reader, &position);
        logbook_begin_behind(logbook, position.seqnum);
        while (logbook_n_lines(logbook) < n_lines_max && (r = journal_reader_next(reader, &line)) > 0) {
                r = logbook_feed(logbook, line, NULL, NULL);
                if (r < 0)
                        return error_set_errno(reterr, r, "%s: cannot look at a journal line", folder);
        }
        if (r < 0)
                return error_set(reterr, r, "%s: %s", folder, journal_reader_problem(reader));
        /* What is not there any more did not fail to happen: no `never` may be judged by it. */
        if (n_lines_max != UINT64_MAX && logbook_n_lines(logbook) < n_lines_max)
                return error_set(reterr, -EBADMSG,
                                "%s: the journal holds %" PRIu64 " of the %" PRIu64 " lines that were judged", folder,
                                logbook_n_lines(logbook), n_lines_max);
        return 0;
}

static int judge(const char *folder, Replay *replay, Error *reterr) {
        CLEANUP(logbook_free_p) LogBook *logbook = NULL;
        CLEANUP_CLOSE int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r;

        if (folder_fd < 0)
                return error_set_errno(reterr, -errno, "%s cannot be opened", folder);
        r = logbook_new(replay->scenario, timeline_user_manager(replay->timeline), &logbook);
        if (r < 0)
                return error_set_errno(reterr, r, "%s", folder);
        r = feed_logbook(folder_fd, folder, replay->timeline, logbook, reterr);
        if (r < 0)
                return r;

        Case facts = {
                .scenario = replay->scenario,
                .timeline = replay->timeline,
                .logbook = logbook,
                .evidence_fd = folder_fd,
        };
        return judge_scenario(&facts, &replay->judgement, reterr);
}

int replay_evidence(const char *folder, const char *scenario_path, const Language *language, Replay *ret_replay,
                Error *reterr) {
        CLEANUP(resolved_done) Resolved resolved = { 0 };
        int r;

        *ret_replay = (Replay){ 0 };
        r = recording_resolved(folder, &resolved, reterr);
        if (r < 0)
                return r;
        ret_replay->play_name = strdup(resolved.play ?: resolved.name);
        r = recording_read(folder, "verdicts.ndjson", RECORDING_MAX_BYTES, &ret_replay->recorded,
                        &ret_replay->n_recorded_bytes, reterr);
        if (r >= 0)
                r = load_scenario(folder, scenario_path, &resolved, language, ret_replay, reterr);
        if (r >= 0)
                r = recording_timeline(folder, &ret_replay->timeline, reterr);
        if (r >= 0)
                r = judge(folder, ret_replay, reterr);
        if (r < 0)
                return r;

        FOREACH_ARRAY (verdict, ret_replay->judgement.verdicts, ret_replay->judgement.n_verdicts)
                verdict_encode(verdict, &ret_replay->verdicts);
        return ret_replay->verdicts.is_broken || !ret_replay->play_name ? error_set(reterr, -ENOMEM, "Out of memory")
                                                                        : 0;
}

bool replay_is_cut(const Replay *replay) {
        return !timeline_last(replay->timeline, timeline_length(replay->timeline), ENTRY_SCENARIO_END, NULL);
}

bool replay_is_same(const Replay *replay) {
        return replay->verdicts.n_bytes == replay->n_recorded_bytes &&
               memcmp(text_get(&replay->verdicts), replay->recorded, replay->n_recorded_bytes) == 0;
}
