/* SPDX-License-Identifier: MIT */
#include "observe/journal-position.h"

bool journal_position_covers(const JournalPosition *position, sd_id128_t seqnum_id, uint64_t seqnum) {
        return position->is_set && seqnum <= position->seqnum && sd_id128_equal(position->seqnum_id, seqnum_id);
}

void journal_position_write(const JournalPosition *position, Entry *entry) {
        char id[SD_ID128_STRING_MAX];

        if (!position->is_set)
                return;
        entry_set(entry, "journal-series", sd_id128_to_string(position->seqnum_id, id));
        entry_set_usec(entry, "journal-after", position->seqnum);
}

void journal_position_read(const Timeline *timeline, JournalPosition *ret_position) {
        const Entry *versions = timeline_next(timeline, 0, ENTRY_VERSIONS, NULL);
        const char *id = versions ? entry_get(versions, "journal-series") : NULL;

        *ret_position = (JournalPosition){ 0 };
        if (!id || sd_id128_from_string(id, &ret_position->seqnum_id) < 0)
                return;
        ret_position->seqnum = entry_get_usec(versions, "journal-after", 0);
        ret_position->is_set = true;
}
