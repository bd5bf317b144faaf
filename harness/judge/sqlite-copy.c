/* SPDX-License-Identifier: MIT */
#include "judge/sqlite-copy.h"

#include <ctype.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>

#include "judge/sqlite-memory.h"

/* A query that takes longer is a mistake (a join without its condition); counted, since a judgement sees no clock. */
#define OPERATIONS_A_TICK 100000
#define N_TICKS_MAX       2000
#define ANSWER_MAX_BYTES  ((size_t) 1024 * 1024)

struct SqliteCopy {
        MemoryVfs *vfs;
        sqlite3 *database;
        unsigned n_ticks;
};

SqliteCopy *sqlite_copy_free(SqliteCopy *copy) {
        if (!copy)
                return NULL;
        (void) sqlite3_close_v2(copy->database);
        (void) memory_vfs_free(copy->vfs);
        free(copy);
        return NULL;
}

static int on_progress(void *userdata) {
        SqliteCopy *copy = userdata;

        return ++copy->n_ticks > N_TICKS_MAX;
}

/*
 * EXCLUSIVE before the first access makes SQLite keep the index of the WAL in its own memory instead of the -shm.
 * Source: https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory.
 */
static int copy_prepare(SqliteCopy *copy, Error *reterr) {
        if (sqlite3_exec(copy->database, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK ||
                        sqlite3_db_config(copy->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK)
                return error_set(reterr, -EIO, "SQLite: %s", sqlite3_errmsg(copy->database));
        sqlite3_progress_handler(copy->database, OPERATIONS_A_TICK, on_progress, copy);
        return 0;
}

int sqlite_copy_open(int folder_fd, const char *folder, const char *name, SqliteCopy **ret_copy, Error *reterr) {
        CLEANUP(sqlite_copy_free_p) SqliteCopy *copy = calloc(1, sizeof(*copy));
        CLEANUP_CLOSE int copy_fd = -EBADF;
        int r;

        if (!copy)
                return -ENOMEM;
        copy_fd = openat(folder_fd, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (copy_fd < 0 || faccessat(copy_fd, name, R_OK, 0) < 0)
                return error_set_errno(reterr, -errno, "copy %s/%s", folder, name);
        r = memory_vfs_new(copy_fd, &copy->vfs);
        if (r < 0)
                return r;
        if (sqlite3_open_v2(name, &copy->database, SQLITE_OPEN_READWRITE, memory_vfs_name(copy->vfs)) != SQLITE_OK)
                return error_set(reterr, -EIO, "copy %s/%s: %s", folder, name, sqlite3_errmsg(copy->database));
        r = copy_prepare(copy, reterr);
        if (r < 0)
                return r;
        *ret_copy = TAKE_PTR(copy);
        return 0;
}

static void append_row(sqlite3_stmt *statement, Text *text) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
                const void *bytes = sqlite3_column_text(statement, i);

                if (i > 0)
                        text_append(text, "|");
                text_append_bytes(text, bytes, (size_t) sqlite3_column_bytes(statement, i));
        }
}

static int refuse(sqlite3 *database, int code, SqliteAnswer *ret_answer, Text *ret_text) {
        if (code == SQLITE_NOMEM)
                return -ENOMEM;
        *ret_answer = code == SQLITE_INTERRUPT ? SQLITE_UNBOUNDED : SQLITE_REFUSED;
        text_append(ret_text, code == SQLITE_INTERRUPT ? "the query runs too long" : sqlite3_errmsg(database));
        return 0;
}

static int read_rows(SqliteCopy *copy, sqlite3_stmt *statement, SqliteAnswer *ret_answer, Text *ret_text) {
        const char *separator = "";
        int code;

        copy->n_ticks = 0;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
                text_append(ret_text, separator);
                append_row(statement, ret_text);
                separator = "\n";
                if (ret_text->n_bytes > ANSWER_MAX_BYTES) {
                        text_truncate(ret_text, 0);
                        text_append(ret_text, "the answer is larger than 1 MiB");
                        *ret_answer = SQLITE_UNBOUNDED;
                        return 0;
                }
        }
        if (code == SQLITE_DONE)
                return 0;
        text_truncate(ret_text, 0);
        return refuse(copy->database, code, ret_answer, ret_text);
}

static bool is_blank(const char *text) {
        while (isspace((unsigned char) *text) || *text == ';')
                text++;
        return *text == '\0';
}

int sqlite_copy_query(SqliteCopy *copy, const char *query, SqliteAnswer *ret_answer, Text *ret_text, Error *reterr) {
        sqlite3_stmt *statement = NULL;
        const char *rest = "";
        int code, r;

        *ret_answer = SQLITE_ANSWERED;
        code = sqlite3_prepare_v2(copy->database, query, -1, &statement, &rest);
        if (code != SQLITE_OK)
                return refuse(copy->database, code, ret_answer, ret_text);
        if (!statement || !is_blank(rest) || !sqlite3_stmt_readonly(statement)) {
                (void) sqlite3_finalize(statement);
                return error_set(reterr, -EINVAL, "not one statement that only reads: %s", query);
        }
        r = read_rows(copy, statement, ret_answer, ret_text);
        (void) sqlite3_finalize(statement);
        return r;
}

static bool is_about_syntax(const char *sentence) {
        return strstr(sentence, "syntax error") || strstr(sentence, "incomplete input") ||
               strstr(sentence, "unrecognized token");
}

static bool is_reading(const char *query) {
        static const char *const words[] = { "select", "with", "values" };

        while (isspace((unsigned char) *query))
                query++;
        for (size_t i = 0; i < ELEMENTS_OF(words); i++)
                if (strncasecmp(query, words[i], strlen(words[i])) == 0)
                        return true;
        return false;
}

int sqlite_query_check(const char *query, Error *reterr) {
        sqlite3 *database = NULL;
        sqlite3_stmt *statement = NULL;
        const char *rest = "";
        int r = 0;

        if (!is_reading(query))
                return error_set(reterr, -EINVAL, "it begins with none of SELECT, WITH, VALUES");
        if (sqlite3_open_v2(":memory:", &database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
                r = -ENOMEM;
        else if (sqlite3_prepare_v2(database, query, -1, &statement, &rest) == SQLITE_OK) {
                if (!is_blank(rest))
                        r = error_set(reterr, -EINVAL, "more than one statement");
        } else if (is_about_syntax(sqlite3_errmsg(database)))
                r = error_set(reterr, -EINVAL, "%s", sqlite3_errmsg(database));
        (void) sqlite3_finalize(statement);
        (void) sqlite3_close_v2(database);
        return r;
}
