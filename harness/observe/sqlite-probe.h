/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Copies a SQLite database with its WAL or rollback journal into the evidence, without opening it: a second opener
 * could checkpoint it, delete its WAL or take its locks (H-40). The copy is asked later, by the judge.
 *
 * A copy is good where the files were the same before and after; it is tried a few times, then kept and marked
 * `changed`. A copy that equals the last one of the same database is not stored twice.
 */

#include "observe/observer.h"

typedef struct SqliteProbe SqliteProbe;

int sqlite_probe_new(Observer *observer, SqliteProbe **ret_probe, Error *reterr);
SqliteProbe *sqlite_probe_free(SqliteProbe *probe);

/*
 * ENTRY_DATABASE; its `copy` is "databases/N". A symbolic link is followed; the copies have its name. A database that
 * cannot be read gives an entry with its `errno`. Errors: the evidence cannot be written.
 */
int sqlite_probe_copy(SqliteProbe *probe, const char *path, Error *reterr);

DEFINE_CLEANUP(SqliteProbe, sqlite_probe_free)
