/* SPDX-License-Identifier: MIT */

/* left-behind: what is still there once the unit has stopped. */

#include <string.h>

#include "base/quantity.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "judge/window.h"
#include "scenario/diagnostic.h"

enum { LEFT_PROCESSES, LEFT_CGROUP, LEFT_SOCKETS, LEFT_FILES, N_LEFT_KEYS };

/* One answer, asked after the stop. */
typedef struct Answer {
        const Entry *entry;
        Text left;           /* what was there and must not be; empty: nothing */
        const char *unknown; /* what could not be found out; NULL: all was */
} Answer;

static bool may_stay(const Expectation *expectation, const char *key) {
        return expectation_value(expectation, key)->is_true;
}

static bool is_unit_name(const char *name, size_t n_bytes) {
        static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

        for (size_t i = 0; i < ELEMENTS_OF(suffixes); i++) {
                size_t n = strlen(suffixes[i]);

                if (n_bytes > n && memcmp(name + n_bytes - n, suffixes[i], n) == 0)
                        return true;
        }
        return false;
}

/*
 * Does a process in this cgroup belong to another unit? What is in no unit's cgroup has escaped from ours.
 * systemd puts a "_" before names that could be taken for a file of the kernel's (cg_needs_escape() in
 * cgroup-util.c).
 */
static bool is_of_other_unit(const char *cgroup, const char *unit) {
        bool is_other = false;

        for (const char *name = cgroup; *name;) {
                size_t n_bytes;

                name += strspn(name, "/_");
                n_bytes = strcspn(name, "/");
                if (n_bytes == strlen(unit) && memcmp(name, unit, n_bytes) == 0)
                        return false;
                is_other |= is_unit_name(name, n_bytes);
                name += n_bytes;
        }
        return is_other;
}

static void answer_add(Answer *answer, const char *what, const char *text, size_t n_bytes) {
        text_printf(&answer->left, "%s%s %.*s", answer->left.n_bytes > 0 ? ", " : "", what, (int) n_bytes, text);
}

/* A process that has no cgroup any more was gone when its cgroup was read; one in another unit's is that unit's. */
static bool process_is_left(const char *line, size_t n_bytes, const char *unit) {
        CLEANUP_FREE char *copy = strndup(line, n_bytes);
        const char *cgroup = copy ? strrchr(copy, ' ') : NULL;

        return !cgroup || (cgroup[1] && !is_of_other_unit(cgroup + 1, unit));
}

/* Each line of a field; of processes (@unit is given) only those that are left behind by the unit. */
static void answer_add_lines(Answer *answer, const char *what, const char *lines, const char *unit) {
        for (const char *line = lines; line && *line;) {
                size_t n_bytes = strcspn(line, "\n");

                if (n_bytes > 0 && (!unit || process_is_left(line, n_bytes, unit)))
                        answer_add(answer, what, line, n_bytes);
                line += n_bytes + (line[n_bytes] == '\n');
        }
}

/* Files are asked for right before the rest, so the answer is the newest before this one. */
static const Entry *find_file(const Case *facts, const Window *window, size_t before, const char *path) {
        for (const Entry *entry = timeline_last(facts->timeline, before, ENTRY_FILE, NULL);
                        entry && entry->index >= window->anchor_index;
                        entry = timeline_last(facts->timeline, entry->index, ENTRY_FILE, NULL))
                if (entry_has(entry, "path", path))
                        return entry;
        return NULL;
}

static int answer_add_files(Answer *answer, const Expectation *expectation, const Case *facts, const Window *window,
                Error *reterr) {
        const Value *files = expectation_value(expectation, "files");
        CaptureScope scope = { .facts = facts, .before = answer->entry->index };
        TemplateLookup lookup = capture_lookup(&scope);

        for (size_t i = 0; i < files->n_strings; i++) {
                CLEANUP_FREE char *path = NULL;
                const Entry *file;
                int64_t error;
                int r;

                r = template_resolve(files->strings[i], &lookup, false, &path, reterr);
                if (r < 0)
                        return r;
                file = find_file(facts, window, answer->entry->index, path);
                error = file ? entry_get_number(file, "errno", 0) : 0;
                if (!file)
                        answer->unknown = "a file was not looked for";
                else if (error == 0 || entry_get(file, "type")) /* a symbolic link that leads nowhere is there, too */
                        answer_add(answer, "file", path, strlen(path));
                else if (error != ENOENT && error != ENOTDIR)
                        answer->unknown = "a file could not be looked for";
        }
        return 0;
}

static int read_answer(Answer *answer, const Expectation *expectation, const Case *facts, const Window *window,
                Error *reterr) {
        const char *cgroup = entry_get(answer->entry, "cgroup");

        if (!may_stay(expectation, "processes"))
                answer_add_lines(answer, "process", entry_get(answer->entry, "processes"), expectation->unit);
        if (!may_stay(expectation, "cgroup") && cgroup && *cgroup)
                answer_add(answer, "cgroup", cgroup, strlen(cgroup));
        if (!may_stay(expectation, "sockets") && *(entry_get(answer->entry, "sockets") ?: "") &&
                        timeline_is_shared(facts->timeline))
                answer->unknown = "there are new listening sockets, and on a machine that others use too nobody "
                                  "knows whose they are";
        else if (!may_stay(expectation, "sockets"))
                answer_add_lines(answer, "socket", entry_get(answer->entry, "sockets"), NULL);
        return answer_add_files(answer, expectation, facts, window, reterr);
}

static bool had_stopped(const Case *facts, const char *unit, size_t index) {
        const char *active_state = timeline_property(facts->timeline, unit, index, "ActiveState");

        return active_state && (strcmp(active_state, "inactive") == 0 || strcmp(active_state, "failed") == 0);
}

static const Entry *next_answer(
                const Expectation *expectation, const Case *facts, const Window *window, size_t from) {
        const Entry *entry = timeline_next(facts->timeline, from, ENTRY_LEFT_BEHIND, expectation->unit);

        while (entry && !had_stopped(facts, expectation->unit, entry->index))
                entry = timeline_next(facts->timeline, entry->index + 1, ENTRY_LEFT_BEHIND, expectation->unit);
        return entry && window_holds(window, entry->index) ? entry : NULL;
}

static int decide_clean(const Window *window, const Answer *answer, Verdict *verdict) {
        char buffer[DURATION_TEXT_MAX];

        verdict->at_usec = answer->entry->at_usec;
        verdict->margin_usec = window_margin(window, answer->entry->at_usec);
        return verdict_decide(verdict, REASON_HELD, "nothing was left behind %s after the window began",
                        duration_text(usec_sub(answer->entry->at_usec, window->from_usec), buffer));
}

static int decide_dirty(const Expectation *expectation, const Answer *answer, Verdict *verdict) {
        verdict->at_usec = answer->entry->at_usec;
        verdict->seen = strdup(text_get(&answer->left));
        if (!verdict->seen)
                return -ENOMEM;
        return verdict_decide(
                        verdict, REASON_LEFT_BEHIND, "%s has stopped and left something behind", expectation->unit);
}

static int decide_without_answer(
                const Expectation *expectation, const Case *facts, const Window *window, Verdict *verdict) {
        const Entry *any = timeline_next(facts->timeline, window->anchor_index, ENTRY_LEFT_BEHIND, expectation->unit);

        if (any && window_holds(window, any->index))
                return verdict_decide(verdict, REASON_NOT_OBSERVED,
                                "%s had not stopped, so nothing could be left behind yet", expectation->unit);
        return verdict_decide(
                        verdict, REASON_NOT_RECORDED, "what %s left behind was not recorded", expectation->unit);
}

/* The window is over, and no answer in time was clean. @last: the newest answer. */
static int decide_last(const Expectation *expectation, const Window *window, const Answer *last, bool was_late,
                Verdict *verdict) {
        int r = verdict_rest_on(verdict, last->entry->index);

        if (r < 0)
                return r;
        if (last->left.n_bytes > 0)
                return decide_dirty(expectation, last, verdict);
        if (last->unknown)
                return verdict_decide(verdict, REASON_UNREADABLE, "%s", last->unknown);
        if (was_late)
                return verdict_decide(verdict, REASON_LEFT_BEHIND,
                                "%s left something behind beyond the deadline; it was gone later", expectation->unit);
        return verdict_decide(verdict, REASON_LATE_STAMP,
                        "nothing was left behind when it was asked for, but that was after the deadline");
}

static void answer_done(Answer *answer) {
        text_done(&answer->left);
}

static int evaluate_left_behind(const Expectation *expectation, const Case *facts, const Window *window,
                Verdict *ret_verdict, Error *reterr) {
        CLEANUP(answer_done) Answer last = { 0 };
        bool was_late = false; /* something was there at a question behind the deadline */
        int r;

        for (const Entry *entry = next_answer(expectation, facts, window, window->anchor_index); entry;
                        entry = next_answer(expectation, facts, window, entry->index + 1)) {
                answer_done(&last);
                last = (Answer){ .entry = entry };
                r = read_answer(&last, expectation, facts, window, reterr);
                if (r < 0)
                        return r;
                if (last.left.n_bytes == 0 && !last.unknown && entry->at_usec <= window->deadline_usec) {
                        r = verdict_rest_on(ret_verdict, entry->index);
                        return r < 0 ? r : decide_clean(window, &last, ret_verdict);
                }
                was_late |= last.left.n_bytes > 0 && entry_get_usec(entry, "asked", 0) > window->deadline_usec;
        }
        if (!window_is_over(window))
                return 0;
        if (!window->is_closed)
                return verdict_decide(ret_verdict, REASON_NOT_RECORDED, "the recording ends before the window does");
        if (!last.entry)
                return decide_without_answer(expectation, facts, window, ret_verdict);
        return decide_last(expectation, window, &last, was_late, ret_verdict);
}

static char *describe_left_behind(const Expectation *expectation, const Case *facts) {
        static const char *const keys[] = { "processes", "cgroup", "sockets" };
        const Value *files = expectation_value(expectation, "files");
        CLEANUP_TEXT Text text = TEXT_INIT;
        const char *separator = " ";

        text_printf(&text, "%s leaves behind no", expectation->unit);
        for (size_t i = 0; i < ELEMENTS_OF(keys); i++)
                if (!may_stay(expectation, keys[i])) {
                        text_printf(&text, "%s%s", separator, keys[i]);
                        separator = ", ";
                }
        for (size_t i = 0; i < files->n_strings; i++) {
                text_printf(&text, "%s%s", separator, files->strings[i]);
                separator = ", ";
        }
        return text_take(&text);
}

static const KeySpec left_keys[] = {
        [LEFT_PROCESSES] = { .name = "processes",
                        .type = VALUE_BOOL,
                        .default_text = "no",
                        .doc = "`yes`: processes may stay. Those in the cgroups of other units are not meant." },
        [LEFT_CGROUP] = { .name = "cgroup",
                        .type = VALUE_BOOL,
                        .default_text = "no",
                        .doc = "`yes`: the unit's cgroup may stay." },
        [LEFT_SOCKETS] = { .name = "sockets",
                        .type = VALUE_BOOL,
                        .default_text = "no",
                        .doc = "`yes`: listening sockets may stay. All that came to the stage since it was empty are "
                               "meant, "
                               "so a scenario "
                               "in which another unit listens says `yes`." },
        [LEFT_FILES] = { .name = "files",
                        .type = VALUE_STRING_LIST,
                        .doc = "Files that have to be gone: the PID file, the path of a UNIX socket." },
};

static void check_left_behind(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *files = &values[LEFT_FILES];

        for (size_t i = 0; i < files->n_strings; i++)
                if (files->strings[i][0] != '/' && files->strings[i][0] != '$')
                        diagnostic_add(diagnostics, files->mark, 0,
                                        "`files` are paths on the stage, and this is \"%s\"", files->strings[i]);
        if (values[LEFT_PROCESSES].is_true && values[LEFT_CGROUP].is_true && values[LEFT_SOCKETS].is_true &&
                        files->n_strings == 0)
                diagnostic_add(diagnostics, mark, 0, "`left-behind` can never fail: everything may stay");
}

const ExpectKind left_behind_expectation = {
        .spec = {
                .name = "left-behind",
                .doc = "Once the unit has stopped, nothing of it is there any more. `{}` asks for all but files.",
                .example = "left-behind: { files: [/run/agent/control, /run/agent/agent.pid] }",
                .keys = left_keys,
                .n_keys = N_LEFT_KEYS,
                .shorthand = -1,
                .takes_unit = true,
                .check = check_left_behind,
        },
        .question = QUESTION_LEFT_BEHIND,
        .channels = CHANNEL_BUS,
        .evaluate = evaluate_left_behind,
        .describe = describe_left_behind,
};
