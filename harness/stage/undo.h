/* SPDX-License-Identifier: MIT */
#pragma once

/* Undoing what stands in an undo log (undo-log.h): at the orderly end of a run, and for one that died. */

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "stage/undo-log.h"

/* D-Bus address of the machine's manager, or of the calling user's. NULL: out of memory, or there is no such user's.
 */
char *machine_address(bool is_user);

/**
 * undo_roll_back() - undo all that @log says, then discard it
 * @address: of the manager; where that one has been started anew since, units are left as it has them
 *
 * Processes of ours first, then units that were not running, then files in reverse order, then units that were. Each
 * part may be done again: what is as it was already is left alone.
 *
 * Errors: the first that was met; the rest is undone all the same, and the log stays for another try.
 */
int undo_roll_back(UndoLog *log, const char *address, Error *reterr);

/**
 * undo_stale() - undo what a dead run left
 * @own_run:  whose processes are dying: for that one's lock is waited a few seconds; NULL: for none
 * @ret_note: appended: which run was undone; nothing where there was none; may be NULL
 *
 * A run that lives is left alone, which is no error; neither is root's log where the caller is somebody else.
 */
int undo_stale(bool is_user, const char *own_run, Text *ret_note, Error *reterr);
/* -EWOULDBLOCK, with its id in the message, where a run is playing that has not come to undo yet. */
int undo_check_alive(bool is_user, Error *reterr);
