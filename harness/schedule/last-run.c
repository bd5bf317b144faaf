/* SPDX-License-Identifier: MIT */
#include "schedule/last-run.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/atomic-file.h"
#include "base/json.h"
#include "reports/told.h"
#include "scenario/array.h"
#include "schedule/load.h"
#include "schedule/state-folder.h"

enum { FILE_MAX_BYTES = 64 * 1024 * 1024 };

typedef struct Memory {
        char *file;     /* absolute */
        char *scenario; /* what follows the path in its name */
        char *outcome;
} Memory;

struct LastRun {
        Memory *items;
        size_t n_items;
};

typedef struct LastRunReport {
        Report report;  /* first */
        LastRun played; /* outcome NULL: passed, or was not played at all */
        Told told;
        int problem;
} LastRunReport;

/* --- memories --- */

static void memory_done(Memory *memory) {
        free(memory->file);
        free(memory->scenario);
        free(memory->outcome);
}

static void clear(LastRun *last_run) {
        FOREACH_ARRAY (memory, last_run->items, last_run->n_items)
                memory_done(memory);
        free(last_run->items);
        *last_run = (LastRun){ 0 };
}

LastRun *last_run_free(LastRun *last_run) {
        if (!last_run)
                return NULL;

        clear(last_run);
        free(last_run);
        return NULL;
}

static Memory *find(const LastRun *last_run, const char *file, const char *scenario) {
        FOREACH_ARRAY (memory, last_run->items, last_run->n_items)
                if (strcmp(memory->scenario, scenario) == 0 && strcmp(memory->file, file) == 0)
                        return memory;
        return NULL;
}

static Memory *add(LastRun *last_run, const char *file, const char *scenario) {
        Memory *memory = array_append(&last_run->items, &last_run->n_items, sizeof(*memory));
        if (!memory)
                return NULL;

        memory->file = strdup(file);
        memory->scenario = strdup(scenario);
        if (memory->file && memory->scenario)
                return memory;
        memory_done(memory);
        last_run->n_items--;
        return NULL;
}

static int set_outcome(Memory *memory, const char *outcome) {
        free(memory->outcome);
        memory->outcome = strdup(outcome);
        return memory->outcome ? 0 : -ENOMEM;
}

static const char *name_in_file(const Scenario *scenario) {
        size_t n = strlen(scenario->path);

        return strncmp(scenario->name, scenario->path, n) == 0 ? scenario->name + n : scenario->name;
}

/* The file may be gone by the end of the run: its path is known all the same. */
static char *absolute_path(const char *path) {
        char *absolute = realpath(path, NULL);

        return absolute ?: strdup(path);
}

bool last_run_has(const LastRun *last_run, const Scenario *scenario) {
        CLEANUP_FREE char *file = absolute_path(scenario->path);

        return file && find(last_run, file, name_in_file(scenario));
}

/* --- the file --- */

static int decode(const Json *json, LastRun *last_run) {
        static const char *const NAMES[] = { "file", "scenario", "outcome" };
        const char *texts[ELEMENTS_OF(NAMES)];
        Memory *memory;

        for (size_t i = 0; i < ELEMENTS_OF(NAMES); i++) {
                const Json *member = json_member(json, NAMES[i]);

                texts[i] = member ? json_get_string(member, NULL) : NULL;
                if (!texts[i])
                        return -EBADMSG;
        }
        memory = add(last_run, texts[0], texts[1]);
        return memory ? set_outcome(memory, texts[2]) : -ENOMEM;
}

static int read_lines(const char *path, const char *text, LastRun *last_run, Error *reterr) {
        while (*text) {
                CLEANUP(json_free_p) Json *json = NULL;
                size_t n = strcspn(text, "\n");
                int r = json_parse(text, n, &json, reterr);

                if (r >= 0)
                        r = decode(json, last_run);
                if (r < 0) {
                        (void) error_set_errno(reterr, r, "not as agenttest writes it");
                        return error_prefix(reterr, "%s is damaged, remove the file", path);
                }
                text += n + (text[n] == '\n');
        }
        return 0;
}

static int read_file(const char *path, LastRun *last_run, Error *reterr) {
        CLEANUP_FREE char *text = NULL;
        size_t n_bytes;
        int r;

        if (access(path, F_OK) < 0 && errno == ENOENT)
                return 0;
        r = file_read(path, FILE_MAX_BYTES, &text, &n_bytes, reterr);
        return r < 0 ? r : read_lines(path, text, last_run, reterr);
}

static char *file_path(const char *folder) {
        char *path = NULL;

        return asprintf(&path, "%s/last-run.ndjson", folder) < 0 ? NULL : path;
}

bool last_run_exists(void) {
        CLEANUP_FREE char *folder = state_folder_path(), *path = folder ? file_path(folder) : NULL;

        return path && access(path, F_OK) == 0;
}

int last_run_read(LastRun **ret_last_run, Error *reterr) {
        CLEANUP(last_run_free_p) LastRun *last_run = calloc(1, sizeof(*last_run));
        CLEANUP_FREE char *folder = state_folder_path(), *path = folder ? file_path(folder) : NULL;
        int r;

        if (!last_run || !path)
                return error_set(reterr, -ENOMEM, "Out of memory");
        r = read_file(path, last_run, reterr);
        if (r < 0)
                return r;
        *ret_last_run = TAKE_PTR(last_run);
        return 0;
}

static void encode_member(Text *text, const char *name, const char *value) {
        text_printf(text, "\"%s\":", name);
        json_write_string(text, value, strlen(value));
}

static void encode(const Memory *memory, Text *text) {
        text_append(text, "{");
        encode_member(text, "file", memory->file);
        text_append(text, ",");
        encode_member(text, "scenario", memory->scenario);
        text_append(text, ",");
        encode_member(text, "outcome", memory->outcome);
        text_append(text, "}\n");
}

/* Of what was there, that which this run says nothing of, and whose file is still there; then what this run says. */
static void merge(const LastRun *before, const LastRun *played, Text *text) {
        FOREACH_ARRAY (memory, before->items, before->n_items)
                if (!find(played, memory->file, memory->scenario) && access(memory->file, F_OK) == 0)
                        encode(memory, text);
        FOREACH_ARRAY (memory, played->items, played->n_items)
                if (memory->outcome)
                        encode(memory, text);
}

static int update_file(const LastRun *played, Error *reterr) {
        CLEANUP_FREE char *folder = state_folder_path(), *path = folder ? file_path(folder) : NULL;
        CLEANUP(clear) LastRun before = { 0 };
        CLEANUP_CLOSE int folder_fd = -EBADF;
        CLEANUP_TEXT Text text = TEXT_INIT;
        int r;

        if (!path)
                return -ENOMEM;
        r = make_folders(folder, 0755);
        if (r < 0)
                return error_set_errno(reterr, r, "%s cannot be made", folder);
        /* Read, changed and replaced by one run at a time. The lock goes with the descriptor. */
        folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder_fd < 0 || flock(folder_fd, LOCK_EX) < 0)
                return error_set_errno(reterr, -errno, "%s cannot be locked", folder);
        r = read_file(path, &before, reterr);
        if (r < 0)
                return r;
        merge(&before, played, &text);
        return text.is_broken ? -ENOMEM : atomic_file_write(path, text_get(&text), text.n_bytes, reterr);
}

/* --- the report --- */

static void note(LastRunReport *report, const Play *play, const char *outcome) {
        CLEANUP_FREE char *file = absolute_path(play->scenario->path);
        const char *scenario = name_in_file(play->scenario);
        Memory *memory = file ? find(&report->played, file, scenario) : NULL;

        if (file && !memory)
                memory = add(&report->played, file, scenario);
        /* With --repeat one time that did not pass is enough. */
        if (!memory || (outcome && set_outcome(memory, outcome) < 0))
                report->problem = -ENOMEM;
}

static void last_run_begin(Report *base, const RunFacts *facts) {
        LastRunReport *report = (LastRunReport *) base;

        if (told_init(&report->told, facts) < 0)
                report->problem = -ENOMEM;
}

static void last_run_play_begin(Report *base, const Play *play, uint64_t now_usec) {
}

static void last_run_play_end(Report *base, const PlayResult *result) {
        LastRunReport *report = (LastRunReport *) base;
        const Verdict *worst = judgement_worst(&result->judgement);

        told_note(&report->told, result->play);
        if (result->outcome == OUTCOME_PASS)
                note(report, result->play, NULL);
        else if (result->outcome != OUTCOME_SKIP)
                note(report, result->play, outcome_name(result->outcome));
        else if (worst && worst->reason == REASON_NOT_RUN)
                note(report, result->play, reason_name(REASON_NOT_RUN));
}

static void note_not_run(const Play *play, void *userdata) {
        note(userdata, play, reason_name(REASON_NOT_RUN));
}

static void last_run_end(Report *base, const RunSummary *summary) {
        LastRunReport *report = (LastRunReport *) base;

        told_visit_rest(&report->told, note_not_run, report);
}

static int last_run_close(Report *base, Error *reterr) {
        LastRunReport *report = (LastRunReport *) base;
        int r = report->problem;

        if (r >= 0 && report->played.n_items > 0)
                r = update_file(&report->played, reterr);
        clear(&report->played);
        told_done(&report->told);
        free(report);
        if (r >= 0)
                return 0;
        (void) error_set_errno(reterr, r, "nothing was kept");
        return error_prefix(reterr, "For --rerun-failed");
}

Report *last_run_report_new(void) {
        LastRunReport *report = calloc(1, sizeof(*report));
        if (!report)
                return NULL;

        report->report = (Report){
                .begin = last_run_begin,
                .play_begin = last_run_play_begin,
                .play_end = last_run_play_end,
                .end = last_run_end,
                .close = last_run_close,
        };
        return &report->report;
}
