/* SPDX-License-Identifier: MIT */
#include "observe/journal-lines.h"

#include <string.h>
#include <systemd/sd-messages.h>

static const char *const manager_ids[] = {
        SD_MESSAGE_UNIT_STARTING_STR,
        SD_MESSAGE_UNIT_STARTED_STR,
        SD_MESSAGE_UNIT_STOPPING_STR,
        SD_MESSAGE_UNIT_STOPPED_STR,
        SD_MESSAGE_UNIT_FAILED_STR,
        SD_MESSAGE_UNIT_RELOADING_STR,
        SD_MESSAGE_UNIT_RELOADED_STR,
        SD_MESSAGE_UNIT_RESTART_SCHEDULED_STR,
        SD_MESSAGE_UNIT_PROCESS_EXIT_STR,
        SD_MESSAGE_UNIT_FAILURE_RESULT_STR,
        SD_MESSAGE_UNIT_SUCCESS_STR,
        SD_MESSAGE_UNIT_RESOURCES_STR,
        SD_MESSAGE_UNIT_OUT_OF_MEMORY_STR,
        SD_MESSAGE_UNIT_OOMD_KILL_STR,
};

static const char *const loss_ids[] = {
        SD_MESSAGE_JOURNAL_DROPPED_STR,
        SD_MESSAGE_JOURNAL_MISSED_STR,
};

static const char *const manager_fields[] = {
        "MESSAGE",
        "INVOCATION_ID",
        "COMMAND",
        "EXIT_CODE",
        "EXIT_STATUS",
        "N_RESTARTS",
        "JOB_TYPE",
        "JOB_RESULT",
        "UNIT_RESULT",
};

static bool is_among(const char *const *ids, size_t n_ids, const char *id, size_t n_bytes) {
        for (size_t i = 0; i < n_ids; i++)
                if (n_bytes == strlen(ids[i]) && memcmp(ids[i], id, n_bytes) == 0)
                        return true;
        return false;
}

static char *field_copy(const LogLine *line, const char *name) {
        size_t n_bytes;
        const char *bytes = line->get_field(line, name, &n_bytes);

        return bytes ? strndup(bytes, n_bytes) : NULL;
}

static void entry_take_field_as(Entry *entry, const LogLine *line, const char *name, const char *as) {
        size_t n_bytes;
        const char *bytes = line->get_field(line, name, &n_bytes);

        if (bytes)
                entry_set_bytes(entry, as, bytes, n_bytes);
}

static void entry_take_field(Entry *entry, const LogLine *line, const char *name) {
        entry_take_field_as(entry, line, name, name);
}

static bool is_from_manager(const Observer *observer, const LogLine *line) {
        pid_t manager = observer->user_manager > 0 ? observer->user_manager : 1;
        CLEANUP_FREE char *pid = field_copy(line, "_PID");

        return pid && strtol(pid, NULL, 10) == manager;
}

static int record_manager_line(Observer *observer, const LogLine *line) {
        bool is_user = observer->user_manager > 0;
        CLEANUP_FREE char *unit = field_copy(line, is_user ? "USER_UNIT" : "UNIT");
        Entry *entry;

        if (!unit) /* of another manager, or about no unit */
                return 0;
        entry = observer_entry(observer, SOURCE_JOURNAL, ENTRY_MANAGER_LINE, line->at_usec, unit);
        if (entry) {
                entry_take_field(entry, line, "MESSAGE_ID");
                entry_set_number(entry, "seqnum", (int64_t) line->seqnum);
                for (size_t i = 0; i < ELEMENTS_OF(manager_fields); i++)
                        entry_take_field(entry, line, manager_fields[i]);
                if (is_user)
                        entry_take_field_as(entry, line, "USER_INVOCATION_ID", "INVOCATION_ID");
        }
        return observer_append(observer, entry);
}

/* The line is journald's own, so its _SYSTEMD_UNIT is journald; whose messages were dropped is said as its "object".
 */
static int record_loss(Observer *observer, const LogLine *line) {
        CLEANUP_FREE char *unit = field_copy(
                        line, observer->user_manager > 0 ? "OBJECT_SYSTEMD_USER_UNIT" : "OBJECT_SYSTEMD_UNIT");
        Entry *entry = observer_entry(observer, SOURCE_JOURNAL, ENTRY_JOURNAL_LOSS, line->at_usec, unit);

        if (entry) {
                entry_take_field(entry, line, "MESSAGE_ID");
                entry_take_field(entry, line, "MESSAGE");
                entry_take_field(entry, line, "N_DROPPED");
                entry_set_number(entry, "seqnum", (int64_t) line->seqnum);
        }
        return observer_append(observer, entry);
}

int journal_line_record(Observer *observer, const LogLine *line) {
        size_t n_bytes;
        const char *id;

        /* Few lines have one; at debug level most of PID 1's do not. */
        id = line->get_field(line, "MESSAGE_ID", &n_bytes);
        if (!id)
                return 0;
        if (is_among(manager_ids, ELEMENTS_OF(manager_ids), id, n_bytes) && is_from_manager(observer, line))
                return record_manager_line(observer, line);
        if (is_among(loss_ids, ELEMENTS_OF(loss_ids), id, n_bytes))
                return record_loss(observer, line);
        return 0;
}
