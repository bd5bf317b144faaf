/* SPDX-License-Identifier: MIT */

/* sqlite: what a daemon's database holds, asked on a copy. */

#include <string.h>

#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "judge/sqlite-copy.h"
#include "scenario/diagnostic.h"

enum { DATABASE_FILE, DATABASE_QUERY, DATABASE_EQUALS, DATABASE_INTEGRITY, N_DATABASE_KEYS };

/* A table that is not there, or a file that is no database, is what the daemon made of it: false, not unknown. */
static Truth truth_of_answer(SqliteAnswer answer) {
        return answer == SQLITE_ANSWERED ? TRUTH_TRUE : answer == SQLITE_REFUSED ? TRUTH_FALSE : TRUTH_UNKNOWN;
}

static int examine_query(Examiner *examiner, SqliteCopy *copy, Error *reterr) {
        const Expectation *expectation = examiner->expectation;
        CLEANUP_FREE char *query = NULL;
        CLEANUP_TEXT Text text = TEXT_INIT;
        SqliteAnswer answer;
        int r;

        if (!examiner_has(examiner, "query"))
                return 0;
        r = expectation_text(expectation, examiner->scope.facts, examiner->scope.before, "query", &query, reterr);
        if (r >= 0)
                r = sqlite_copy_query(copy, query, &answer, &text, reterr);
        if (r < 0)
                return r;
        if (answer == SQLITE_ANSWERED)
                examine_text(examiner, "equals", "the answer", text_get(&text), text.n_bytes);
        else
                examine_note(examiner, truth_of_answer(answer), "%s", text_get(&text));
        return 0;
}

static int examine_integrity(Examiner *examiner, SqliteCopy *copy, Error *reterr) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        SqliteAnswer answer;
        int r;

        if (!expectation_value(examiner->expectation, "integrity")->is_true)
                return 0;
        r = sqlite_copy_query(copy, "PRAGMA integrity_check(5)", &answer, &text, reterr);
        if (r < 0)
                return r;
        if (answer == SQLITE_ANSWERED && strcmp(text_get(&text), "ok") == 0)
                examine_note(examiner, TRUTH_TRUE, "integrity was ok");
        else
                examine_note(examiner, answer == SQLITE_UNBOUNDED ? TRUTH_UNKNOWN : TRUTH_FALSE, "integrity: %s",
                                text_get(&text));
        return 0;
}

static int examine_copy(Examiner *examiner, Error *reterr) {
        const char *folder = entry_get(examiner->entry, "copy"), *path = entry_get(examiner->entry, "path");
        CLEANUP(sqlite_copy_free_p) SqliteCopy *copy = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r = -ENOENT;

        if (folder && examiner->scope.facts->evidence_fd >= 0)
                r = sqlite_copy_open(examiner->scope.facts->evidence_fd, folder,
                                strrchr(path, '/') ? strrchr(path, '/') + 1 : path, &copy, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                examine_note(examiner, TRUTH_UNKNOWN, "%s",
                                error.message ? error.message : "there is no copy of the database in the evidence");
                return 0;
        }
        r = examine_integrity(examiner, copy, reterr);
        return r < 0 ? r : examine_query(examiner, copy, reterr);
}

static int examine_sqlite(const Expectation *expectation, const Case *facts, const Entry *entry, Examination *ret,
                Error *reterr) {
        int64_t error = entry_get_number(entry, "errno", 0);
        Examiner examiner;
        int r = 0;

        if (entry->kind != ENTRY_DATABASE || !entry_answers(entry, "path", expectation, facts, "file"))
                return 0;
        examiner_init(&examiner, expectation, facts, entry, ret);
        if (error == ENOENT || error == ENOTDIR)
                examine_note(&examiner, TRUTH_FALSE, "there was no such file");
        else if (error != 0)
                examine_note(&examiner, TRUTH_UNKNOWN, "it could not be copied: %s", strerror((int) error));
        else if (entry_has(entry, "changed", "yes"))
                examine_note(&examiner, TRUTH_UNKNOWN, "it changed while it was copied");
        else
                r = examine_copy(&examiner, reterr);
        examiner_finish(&examiner);
        return r;
}

/* The comparison says "equals" itself where it is one of a plain value. */
static void describe_equals(Text *text, const Expectation *expectation, const Case *facts) {
        const Value *equals = expectation_value(expectation, "equals");
        CaptureScope scope = { .facts = facts, .before = SIZE_MAX };
        TemplateLookup lookup = capture_lookup(&scope);
        CLEANUP_FREE char *words = equals->is_set ? match_describe(&equals->matches->match, &lookup) : NULL;

        text_append(text, words ? words : "");
}

static char *describe_sqlite(const Expectation *expectation, const Case *facts) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_FREE char *file = NULL, *query = NULL;
        const Value *written = expectation_value(expectation, "query");

        (void) expectation_text(expectation, facts, SIZE_MAX, "file", &file, NULL);
        text_printf(&text, "%s: ", file ? file : expectation_value(expectation, "file")->text);
        if (written->is_set) {
                (void) expectation_text(expectation, facts, SIZE_MAX, "query", &query, NULL);
                text_printf(&text, "`%s` ", query ? query : written->text);
                describe_equals(&text, expectation, facts);
        }
        if (expectation_value(expectation, "integrity")->is_true)
                text_append(&text, written->is_set ? ", integrity is ok" : "integrity is ok");
        return text_take(&text);
}

static const KeySpec database_keys[] = {
        [DATABASE_FILE] = { .name = "file",
                        .type = VALUE_STRING,
                        .is_required = true,
                        .doc = "Absolute path of the database on the stage. It is copied with its WAL, never "
                               "opened." },
        [DATABASE_QUERY] = { .name = "query",
                        .type = VALUE_STRING,
                        .doc = "One SELECT. Several rows are lines, several columns are separated by `|`, NULL is "
                               "empty." },
        [DATABASE_EQUALS] = { .name = "equals", .type = VALUE_MATCH, .doc = "What the query answers." },
        [DATABASE_INTEGRITY] = { .name = "integrity",
                        .type = VALUE_BOOL,
                        .doc = "`yes`: SQLite's integrity_check finds nothing wrong." },
};

static void check_query(const Value *query, DiagnosticList *diagnostics) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        if (query->text && !template_has_variables(query->text) && sqlite_query_check(query->text, &error) == -EINVAL)
                diagnostic_add(diagnostics, query->mark, 0, "`query` is no SELECT that SQLite understands: %s",
                                error_text(&error));
}

static void check_sqlite(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *file = &values[DATABASE_FILE], *query = &values[DATABASE_QUERY];
        const Value *equals = &values[DATABASE_EQUALS], *integrity = &values[DATABASE_INTEGRITY];

        if (file->text && file->text[0] != '/' && file->text[0] != '$')
                diagnostic_add(diagnostics, file->mark, 0, "`file` is a path on the stage and begins with a slash");
        if (query->is_set && !equals->is_set)
                diagnostic_add(diagnostics, query->mark, 0, "`query` needs `equals`: without it nothing is expected");
        if (equals->is_set && !query->is_set)
                diagnostic_add(diagnostics, equals->mark, 0, "`equals` needs a `query`");
        if (integrity->is_set && !integrity->is_true)
                diagnostic_add(diagnostics, integrity->mark, 0, "`integrity: no` expects nothing; leave it out");
        if (!query->is_set && !equals->is_set && !integrity->is_set)
                diagnostic_add(diagnostics, mark, 0,
                                "`sqlite` expects nothing here; give `query` and `equals`, or `integrity: yes`");
        check_query(query, diagnostics);
}

const ExpectKind sqlite_expectation = {
        .spec = {
                .name = "sqlite",
                .doc = "A SQLite database answers so. The daemon's file is not opened: a copy is asked, its WAL included.",
                .example = "sqlite: { file: /var/lib/agent/agent.db, query: SELECT count(*) FROM task, equals: 100 }",
                .keys = database_keys,
                .n_keys = N_DATABASE_KEYS,
                .shorthand = -1,
                .check = check_sqlite,
        },
        .question = QUESTION_DATABASE,
        .examine = examine_sqlite,
        .describe = describe_sqlite,
};
