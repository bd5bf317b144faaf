/* SPDX-License-Identifier: MIT */

/* process: what /proc tells about a unit's main process, or about one of its children. */

#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "judge/check-words.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "judge/proc-text.h"
#include "scenario/diagnostic.h"
#include "scenario/signal-name.h"

enum {
        PROCESS_ROLE,
        PROCESS_EXECUTABLE,
        PROCESS_CWD,
        PROCESS_PARENT,
        PROCESS_SESSION,
        PROCESS_TTY,
        PROCESS_UMASK,
        PROCESS_UID,
        PROCESS_THREADS,
        PROCESS_FDS,
        PROCESS_CHILDREN,
        PROCESS_ZOMBIES,
        PROCESS_IGNORED,
        PROCESS_BLOCKED,
        PROCESS_CAUGHT,
        N_PROCESS_KEYS,
};

static void examine_status_word(Examiner *examiner, const char *key, const char *name, unsigned i) {
        const char *status = entry_get(examiner->entry, "status");
        size_t n_bytes = 0;
        const char *word = status ? proc_status_word(status, name, i, &n_bytes) : NULL;

        examine_text(examiner, key, key, word, n_bytes);
}

static void examine_session(Examiner *examiner) {
        const char *stat = entry_get(examiner->entry, "stat");
        int64_t session = -1;
        char buffer[32] = "own";

        if (!stat || !proc_stat_number(stat, 6, &session)) {
                examine_text(examiner, "session", "session", NULL, 0);
                return;
        }
        if (session != entry_get_number(examiner->entry, "pid", -1))
                (void) snprintf(buffer, sizeof(buffer), "%" PRIi64, session);
        examine_text(examiner, "session", "session", buffer, strlen(buffer));
}

static void examine_tty(Examiner *examiner) {
        const char *stat = entry_get(examiner->entry, "stat");
        int64_t device = 0;
        char buffer[32] = "none";

        if (!stat || !proc_stat_number(stat, 7, &device)) {
                examine_text(examiner, "tty", "tty", NULL, 0);
                return;
        }
        if (device != 0)
                (void) snprintf(buffer, sizeof(buffer), "%u:%u", major((dev_t) device), minor((dev_t) device));
        examine_text(examiner, "tty", "tty", buffer, strlen(buffer));
}

static void examine_signals(Examiner *examiner, const char *key, const char *mask) {
        const Value *value = expectation_value(examiner->expectation, key);
        const char *status = entry_get(examiner->entry, "status");

        for (size_t i = 0; i < value->n_strings; i++) {
                char name[SIGNAL_TEXT_MAX];
                int signal = signal_parse(value->strings[i]);
                bool is_in = false;

                if (!status || proc_status_has_signal(status, mask, signal, &is_in) < 0)
                        examine_note(examiner, TRUTH_UNKNOWN, "which signals are %s is not known", key);
                else
                        examine_note(examiner, is_in ? TRUTH_TRUE : TRUTH_FALSE, "%s was %s%s",
                                        signal_text(signal, name), is_in ? "" : "not ", key);
        }
}

static void examine_facts(Examiner *examiner) {
        examine_field(examiner, "executable", "exe");
        examine_field(examiner, "cwd", "cwd");
        examine_status_word(examiner, "parent", "PPid", 0);
        examine_session(examiner);
        examine_tty(examiner);
        examine_status_word(examiner, "umask", "Umask", 0);
        examine_status_word(examiner, "uid", "Uid", 1);
        examine_status_word(examiner, "threads", "Threads", 0);
        examine_field(examiner, "fds", "n_fds");
        examine_field(examiner, "children", "n_children");
        examine_field(examiner, "zombies", "n_zombies");
        examine_signals(examiner, "ignored", "SigIgn");
        examine_signals(examiner, "blocked", "SigBlk");
        examine_signals(examiner, "caught", "SigCgt");
}

static void examine_one(const Expectation *expectation, const Case *facts, const Entry *entry, Examination *ret) {
        int64_t error = entry_get_number(entry, "errno", 0);
        const char *stat = entry_get(entry, "stat");
        Examiner examiner;

        examiner_init(&examiner, expectation, facts, entry, ret);
        if (error == ESRCH || error == ENOENT)
                examine_note(&examiner, TRUTH_FALSE, "there was no such process");
        else if (error != 0)
                examine_note(&examiner, TRUTH_UNKNOWN, "it could not be read: %s", strerror((int) error));
        else if (stat && proc_stat_is_zombie(stat))
                examine_note(&examiner, TRUTH_FALSE, "the process had ended");
        else
                examine_facts(&examiner);
        if (examiner.matching.n_bytes + examiner.differing.n_bytes + examiner.unknown.n_bytes == 0)
                examine_note(&examiner, TRUTH_TRUE, "process %s was there", entry_get(entry, "pid") ?: "");
        examiner_finish(&examiner);
}

static bool has_main_process(const Timeline *timeline, const Entry *child, const char *unit) {
        const Entry *entry = child;

        while (entry && !entry_has(entry, "role", "main"))
                entry = timeline_last(timeline, entry->index, ENTRY_PROCESS, unit);
        return entry && entry_get_number(entry, "errno", 0) == 0;
}

/*
 * One look at a unit is a main process and the children behind it. Any of them may be the one, so they are judged
 * together, at the last of them.
 */
static void examine_children(const Expectation *expectation, const Case *facts, const Entry *last, Examination *ret) {
        const Timeline *timeline = facts->timeline;
        const Entry *next = timeline_next(timeline, last->index + 1, ENTRY_PROCESS, expectation->unit);

        if (next && !entry_has(next, "role", "main"))
                return;
        ret->truth = TRUTH_FALSE;
        for (const Entry *child = last; child && !entry_has(child, "role", "main") && ret->truth != TRUTH_TRUE;
                        child = timeline_last(timeline, child->index, ENTRY_PROCESS, expectation->unit)) {
                Examination one = { 0 };

                /* Without a main process there are no children of it, whoever has been taken for one. */
                if (!has_main_process(timeline, child, expectation->unit))
                        break;
                examine_one(expectation, facts, child, &one);
                if (ret->truth == TRUTH_FALSE || one.truth == TRUTH_TRUE) {
                        text_done(&ret->seen);
                        *ret = one;
                } else
                        text_done(&one.seen);
        }
        ret->at_usec = last->at_usec;
        if (ret->seen.n_bytes == 0)
                text_append(&ret->seen, "there was no child");
}

static int examine_process(const Expectation *expectation, const Case *facts, const Entry *entry, Examination *ret,
                Error *reterr) {
        bool is_main = strcmp(expectation_value(expectation, "role")->text, "main") == 0;

        if (entry->kind != ENTRY_PROCESS || !entry->unit || strcmp(entry->unit, expectation->unit) != 0)
                return 0;
        if (!is_main)
                examine_children(expectation, facts, entry, ret);
        else if (entry_has(entry, "role", "main"))
                examine_one(expectation, facts, entry, ret);
        return 0;
}

static char *describe_process(const Expectation *expectation, const Case *facts) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        size_t n_bytes;

        text_printf(&text, "%s of %s: ",
                        strcmp(expectation_value(expectation, "role")->text, "main") == 0 ? "main process"
                                                                                          : "a child",
                        expectation->unit);
        n_bytes = text.n_bytes;
        describe_matches(&text, expectation, facts, "");
        for (size_t i = PROCESS_IGNORED; i <= PROCESS_CAUGHT; i++)
                for (size_t j = 0; j < expectation->values[i].n_strings; j++)
                        text_printf(&text, "%s%s %s", text.n_bytes > n_bytes ? ", " : "",
                                        expectation->values[i].strings[j], expectation->kind->keys[i].name);
        if (text.n_bytes == n_bytes)
                text_append(&text, "it exists");
        return text_take(&text);
}

static const KeySpec process_keys[] = {
        [PROCESS_ROLE] = { .name = "role",
                        .type = VALUE_CHOICE,
                        .choices = "main|any-child",
                        .default_text = "main",
                        .doc = "Which process: the unit's main one, or any of its children (one must match)." },
        [PROCESS_EXECUTABLE] = { .name = "executable",
                        .type = VALUE_MATCH,
                        .doc = "What it executes: /proc/PID/exe." },
        [PROCESS_CWD] = { .name = "cwd", .type = VALUE_MATCH, .doc = "Its working directory." },
        [PROCESS_PARENT] = { .name = "parent",
                        .type = VALUE_MATCH,
                        .doc = "Process ID of its parent; 1 is the manager." },
        [PROCESS_SESSION] = { .name = "session",
                        .type = VALUE_MATCH,
                        .doc = "`own` where it leads its session, else the session's number." },
        [PROCESS_TTY] = { .name = "tty",
                        .type = VALUE_MATCH,
                        .doc = "`none`, or major:minor of its controlling terminal." },
        [PROCESS_UMASK] = { .name = "umask",
                        .type = VALUE_MATCH,
                        .doc = "In octal, four digits and in quotes: \"0022\"." },
        [PROCESS_UID] = { .name = "uid", .type = VALUE_MATCH, .doc = "Its effective user ID, a number." },
        [PROCESS_THREADS] = { .name = "threads", .type = VALUE_MATCH, .doc = "Number of its threads." },
        [PROCESS_FDS] = { .name = "fds", .type = VALUE_MATCH, .doc = "Number of its open file descriptors." },
        [PROCESS_CHILDREN] = { .name = "children",
                        .type = VALUE_MATCH,
                        .doc = "Number of its children, zombies included." },
        [PROCESS_ZOMBIES] = { .name = "zombies",
                        .type = VALUE_MATCH,
                        .doc = "Number of its children that it has not reaped." },
        [PROCESS_IGNORED] = { .name = "ignored",
                        .type = VALUE_STRING_LIST,
                        .doc = "Signals that it ignores, these at least." },
        [PROCESS_BLOCKED] = { .name = "blocked",
                        .type = VALUE_STRING_LIST,
                        .doc = "Signals that its main thread blocks, these at least." },
        [PROCESS_CAUGHT] = { .name = "caught",
                        .type = VALUE_STRING_LIST,
                        .doc = "Signals that it has a handler for, these at least." },
};

static void check_process(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        static const unsigned numbers[] = { PROCESS_PARENT, PROCESS_UID, PROCESS_THREADS, PROCESS_FDS,
                PROCESS_CHILDREN, PROCESS_ZOMBIES };
        const Value *umask = &values[PROCESS_UMASK], *session = &values[PROCESS_SESSION];

        for (size_t i = 0; i < ELEMENTS_OF(numbers); i++)
                if (values[numbers[i]].is_set)
                        check_count(&values[numbers[i]].matches->match, values[numbers[i]].mark,
                                        kind->keys[numbers[i]].name, diagnostics);
        if (umask->is_set)
                check_digits(&umask->matches->match, umask->mark, "umask", OCTAL_DIGITS, diagnostics);
        if (session->is_set)
                check_amount(&session->matches->match, session->mark, "session", LITERAL_PLAIN, "own", diagnostics);
        for (size_t i = PROCESS_IGNORED; i <= PROCESS_CAUGHT; i++)
                for (size_t j = 0; j < values[i].n_strings; j++)
                        if (signal_parse(values[i].strings[j]) < 0)
                                diagnostic_add(diagnostics, values[i].mark, 0,
                                                "`%s` takes signals like SIGTERM, and there is no `%s`",
                                                kind->keys[i].name, values[i].strings[j]);
}

const ExpectKind process_expectation = {
        .spec = {
                .name = "process",
                .doc = "A process of the unit, as /proc shows it. A unit without a main process does not match.",
                .example = "process: { executable: \"/usr/bin/agentd\", session: own, tty: none, zombies: 0, caught: [SIGTERM] }",
                .keys = process_keys,
                .n_keys = N_PROCESS_KEYS,
                .shorthand = -1,
                .takes_unit = true,
                .check = check_process,
        },
        .question = QUESTION_PROCESS,
        .examine = examine_process,
        .describe = describe_process,
};
