/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Asks a recorded copy of a SQLite database, with its WAL or rollback journal, without changing a byte of it. The
 * only user of the SQLite library in this layer.
 *
 * SQLite cannot read a WAL of a read-only database without its -shm, and opening a copy for writing would checkpoint
 * it or roll its journal back. So it works on private mappings of the files: SQLite's own recovery runs, on memory.
 * "now" is 1970-01-01, since a judgement sees no clock.
 */

#include "base/error.h"
#include "base/text.h"

typedef struct SqliteCopy SqliteCopy;

/**
 * sqlite_copy_open() - open a copy
 * @folder_fd: evidence folder
 * @folder:    the copy's folder in it
 * @name:      the database's file name; NAME-wal and NAME-journal beside it belong to it
 *
 * Errors: the errno of opening the file; -ENOMEM. A file that is no database is found out by the first query.
 */
int sqlite_copy_open(int folder_fd, const char *folder, const char *name, SqliteCopy **ret_copy, Error *reterr);
SqliteCopy *sqlite_copy_free(SqliteCopy *copy);

typedef enum SqliteAnswer {
        SQLITE_ANSWERED,  /* the rows' texts, a line each; columns separated by | */
        SQLITE_REFUSED,   /* the database cannot answer (no such table, malformed); SQLite's sentence */
        SQLITE_UNBOUNDED, /* the query runs too long, or its answer is too large */
} SqliteAnswer;

/**
 * sqlite_copy_query() - ask
 * @query:    one statement that reads
 * @ret_text: appended: what SqliteAnswer says
 *
 * Errors: -EINVAL where the query is not one statement that reads; -ENOMEM.
 */
int sqlite_copy_query(SqliteCopy *copy, const char *query, SqliteAnswer *ret_answer, Text *ret_text, Error *reterr);

/* Is @query one statement, and SQL? Tables are not looked at. Errors: -EINVAL with SQLite's sentence. */
int sqlite_query_check(const char *query, Error *reterr);

DEFINE_CLEANUP(SqliteCopy, sqlite_copy_free)
