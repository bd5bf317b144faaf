/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a run has changed on the machine itself, written down before it is changed.
 *
 * A folder that survives a reboot, /var/lib/agenttest/undo (of a user's stage $XDG_STATE_HOME/agenttest-undo). In it
 * `log`, one JSON object a line and each line on the disk before the change it speaks of; beside it the files that
 * were there before, numbered. Who holds the flock on the folder plays on this machine: one run at a time, because
 * two would undo each other. Only the performer holds it: once it can be taken, whoever wrote a log that is
 * still there is dead, and the log is to be undone, beginning with the scope of the process that played the scenario.
 *
 *     undo_log_open(place, &log, …);        takes the lock; undo_log_is_pending(): first undo_roll_back() (undo.h)
 *     undo_log_begin(log, facts, …);        then one undo_log_*() before each change
 *     undo_log_discard(log, …);             everything is as it was
 *     undo_log_close(log);
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/json.h"

typedef struct UndoLog UndoLog;

/* The folder of the machine's own manager, or of the calling user's. NULL: out of memory. */
char *undo_folder_path(bool is_user);

typedef enum UndoLogMode {
        UNDO_LOG_TRY,    /* -ENOENT without a message where there is no such folder */
        UNDO_LOG_WAIT,   /* the same, but a few seconds for a run that holds the lock to die: else -ETIMEDOUT */
        UNDO_LOG_CREATE, /* the folder is made */
} UndoLogMode;

/**
 * undo_log_open() - take the folder's lock
 *
 * Errors: -EWOULDBLOCK where another run is playing on this machine, with its id; -EACCES, -EROFS, ...
 */
int undo_log_open(const char *folder, UndoLogMode mode, UndoLog **ret_log, Error *reterr);
UndoLog *undo_log_close(UndoLog *log);

/* Is there a log of a run that did not come to undo it? */
bool undo_log_is_pending(const UndoLog *log);
/* Whose log that is; NULL where it does not say so. The second asks without the lock. */
char *undo_log_run_id(const UndoLog *log);
char *undo_folder_run_id(const char *folder);
/* Its lines, in their order; an incomplete last one is of a change that was never made. */
int undo_log_read(const UndoLog *log, Json ***ret_records, size_t *ret_n_records, Error *reterr);
void undo_records_free(Json **records, size_t n_records);
/* A member of a record; "" where it has none of that name. Borrowed. */
const char *undo_record_text(const Json *record, const char *name);
/* Is it a line of this kind: "unit", "file", ...? */
bool undo_record_is(const Json *record, const char *kind);

/* The first line: @run_id, which manager, which scenario. */
int undo_log_begin(UndoLog *log, const char *run_id, const char *manager_id, const char *scenario, Error *reterr);

/* All units of the machine: lines of name and ActiveState. */
int undo_log_states(UndoLog *log, const char *units, Error *reterr);
/* A unit as it is now. Strings are not NULL. */
int undo_log_unit(UndoLog *log, const char *unit, const char *active_state, const char *invocation_id,
                const char *freezer_state, Error *reterr);
/* A unit of ours: to be stopped ("pin") or killed ("scope"). */
int undo_log_own_unit(UndoLog *log, const char *kind, const char *unit, Error *reterr);
/* A unit that was there will be sent signals. */
int undo_log_signalled(UndoLog *log, const char *unit, Error *reterr);
/* The manager is to read its files again. */
int undo_log_reload(UndoLog *log, Error *reterr);

/**
 * undo_log_file() - @path is about to be written, replaced or removed
 *
 * Keeps a copy of what is there: bytes, mode, owner, times, extended attributes.
 * Errors: -EMLINK, -ELOOP, -EINVAL for what could not be put back as it was (a file with several names, a link, a
 * device); those of reading it.
 */
int undo_log_file(UndoLog *log, const char *path, Error *reterr);
/* Folder @path, which is not there, is about to be made, with those above it that are not there either. @is_whole:
 * all that will be in it goes with it. */
int undo_log_folder(UndoLog *log, const char *path, bool is_whole, Error *reterr);
/* The folder of the last line was not made after all: what is there is somebody else's. */
int undo_log_not_made(UndoLog *log, const char *path, Error *reterr);
/* Files may be made in folder @path by the manager; those that are there are kept, others will be removed. */
int undo_log_watch_folder(UndoLog *log, const char *path, Error *reterr);

/* Where the file system is mounted that @path, there or not, belongs to. */
int undo_find_mount(const char *path, char **ret_mount, Error *reterr);

/* Opens a kept file by its number. */
int undo_log_open_kept(const UndoLog *log, const char *name, int *ret_fd);

/* All is undone, or nothing was done: the log goes, then what was kept. */
int undo_log_discard(UndoLog *log, Error *reterr);

DEFINE_CLEANUP(UndoLog, undo_log_close)
