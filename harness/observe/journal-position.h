/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A place in a journal that others write to as well: what comes behind it is of this run. journald numbers the lines
 * of all its files together, and starts a new series (another id) where it has lost its count.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-id128.h>

#include "timeline/timeline.h"

typedef struct JournalPosition {
        bool is_set; /* else: before the first line */
        sd_id128_t seqnum_id;
        uint64_t seqnum; /* of the last line that is not ours */
} JournalPosition;

/* Is line @seqnum of series @seqnum_id before or at @position? */
bool journal_position_covers(const JournalPosition *position, sd_id128_t seqnum_id, uint64_t seqnum);

/* As fields of ENTRY_VERSIONS, so that a replay begins where the run began; reading finds none where none was set. */
void journal_position_write(const JournalPosition *position, Entry *entry);
void journal_position_read(const Timeline *timeline, JournalPosition *ret_position);
