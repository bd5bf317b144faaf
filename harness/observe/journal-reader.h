/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The lines of a folder of journal files, each once, in the order of their sequence numbers; live or recorded.
 *
 * Works on files that journald writes to: after 0 ("no more now") the next call goes on where the last one stopped.
 * Uses libsystemd only, and that only for compressed fields (journald compresses what is longer than 512 bytes,
 * unless told Compress=no): these take 25 µs each.
 */

#include "base/error.h"
#include "observe/journal-position.h"
#include "timeline/log-line.h"

typedef struct JournalReader JournalReader;

/**
 * journal_reader_open() - read all journal files in a folder and its direct sub-folders
 * @folder_fd:   folder that @path starts from, or AT_FDCWD
 * @path:        "/run/log/journal", or relative to @folder_fd
 *
 * A folder that does not exist or is empty is no error: there are no lines (yet).
 * Errors: -EBADMSG for a file that is no journal, -EACCES, -ENOMEM, ...; the message names the file.
 */
int journal_reader_open(int folder_fd, const char *path, JournalReader **ret_reader, Error *reterr);
JournalReader *journal_reader_free(JournalReader *reader);

/**
 * journal_reader_next() - the next line
 * @ret_line: borrowed, valid until the next call
 *
 * Returns 1 with a line; 0 where there is none (now); a negative errno where a file cannot be read (-EBADMSG:
 * damaged).
 */
int journal_reader_next(JournalReader *reader, const LogLine **ret_line);

/* Goes over all that is there now. Files that are put aside already are not looked at again. */
void journal_reader_skip(JournalReader *reader);
/* Where the lines that are handed out begin: set by journal_reader_skip(), or from a recording. */
const JournalPosition *journal_reader_position(const JournalReader *reader);
void journal_reader_begin_behind(JournalReader *reader, const JournalPosition *position);

/* Is there a file of this device and inode among those that lines may come from? */
bool journal_reader_reads(const JournalReader *reader, dev_t device, ino_t inode);

/*
 * Looks for files that came since. For a live folder: when something was created in it, and before one says that the
 * tail was reached.
 */
int journal_reader_rescan(JournalReader *reader, Error *reterr);

/* What went wrong, after a negative errno: for people, names the file; borrowed. */
const char *journal_reader_problem(const JournalReader *reader);

DEFINE_CLEANUP(JournalReader, journal_reader_free)
