/* SPDX-License-Identifier: MIT */
#include "stage/undo.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "stage/deadline.h"
#include "stage/file-image.h"
#include "stage/machine-bus.h"
#include "stage/run-folder.h"
#include "stage/undo-drift.h"

#define JOB_LIMIT_USEC (120 * USEC_PER_SEC)

typedef struct Undo {
        UndoLog *log;
        Json **records;
        size_t n_records;
        MachineBus *bus;         /* NULL: the manager cannot be reached */
        UnitDrift drift;         /* units that went along with those of the scenario */
        bool is_same_manager;    /* it is the one that was changed */
        bool has_to_reload;      /* its files are other ones now */
        bool has_replaced_files; /* what was started meanwhile was started with others */
        int first_error;
        Error *reterr;
} Undo;

static void undo_done(Undo *undo) {
        undo_records_free(undo->records, undo->n_records);
        unit_drift_done(&undo->drift);
        undo->bus = machine_bus_free(undo->bus);
}

char *machine_address(bool is_user) {
        const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
        char *address;

        if (!is_user)
                return strdup("unix:path=/run/systemd/private");
        return !runtime || asprintf(&address, "unix:path=%s/systemd/private", runtime) < 0 ? NULL : address;
}

static const char *text_of(const Json *record, const char *name) {
        const Json *member = json_member(record, name);
        size_t n_bytes;

        return (member ? json_get_string(member, &n_bytes) : NULL) ?: "";
}

static bool is_kind(const Json *record, const char *kind) {
        return strcmp(text_of(record, "kind"), kind) == 0;
}

static void note_error(Undo *undo, int r) {
        if (r < 0 && undo->first_error >= 0)
                undo->first_error = r;
}

/* --- units --- */

static int read_state(Undo *undo, const char *unit, const char *property, char **ret_text) {
        CLEANUP_FREE char *object = NULL;
        int r = machine_bus_load(undo->bus, unit, &object, undo->reterr);

        return r < 0 ? r : machine_bus_property(undo->bus, object, "Unit", property, ret_text, undo->reterr);
}

static bool is_slice(const char *unit) {
        const char *dot = strrchr(unit, '.');

        return dot && strcmp(dot, ".slice") == 0;
}

static int stop_own(Undo *undo, const Json *record) {
        const char *unit = text_of(record, "unit");
        int r = 0;

        if (is_kind(record, "scope"))
                r = machine_bus_kill(undo->bus, unit, undo->reterr);
        return r < 0 ? r : machine_bus_job(undo->bus, "StopUnit", unit, deadline_in(JOB_LIMIT_USEC), undo->reterr);
}

static int stop_one(Undo *undo, const char *unit, const char *active_before, const char *freezer_before) {
        CLEANUP_FREE char *active_state = NULL, *freezer_state = NULL;
        bool is_empty = true;
        int r;

        r = read_state(undo, unit, "FreezerState", &freezer_state);
        /* A frozen unit does not stop. */
        if (r >= 0 && strcmp(freezer_state, "frozen") == 0 && strcmp(freezer_before, "frozen") != 0)
                r = machine_bus_call(undo->bus, "ThawUnit", unit, undo->reterr);
        if (r >= 0)
                r = read_state(undo, unit, "ActiveState", &active_state);
        if (r < 0 || unit_is_running(active_before) || !unit_is_running(active_state))
                return r;
        /* A slice goes with the last unit in it, which may be somebody else's by now. */
        if (is_slice(unit))
                r = machine_bus_is_empty(undo->bus, unit, &is_empty, undo->reterr);
        if (r < 0 || !is_empty)
                return r;
        return machine_bus_job(undo->bus, "StopUnit", unit, deadline_in(JOB_LIMIT_USEC), undo->reterr);
}

/* Those that came with them, the latest first: what they need goes after them. */
static void stop_drift(Undo *undo) {
        for (size_t i = undo->drift.n_started; i-- > 0;)
                note_error(undo, stop_one(undo, undo->drift.started[i], "", ""));
}

static void stop_units(Undo *undo) {
        for (size_t i = undo->n_records; i-- > 0;)
                if (is_kind(undo->records[i], "scope") || is_kind(undo->records[i], "pin"))
                        note_error(undo, stop_own(undo, undo->records[i]));
        for (size_t i = undo->n_records; i-- > 0;)
                if (is_kind(undo->records[i], "unit"))
                        note_error(undo, stop_one(undo, text_of(undo->records[i], "unit"),
                                                         text_of(undo->records[i], "active"),
                                                         text_of(undo->records[i], "freezer")));
        stop_drift(undo);
}

static int start_one(Undo *undo, const Json *record) {
        CLEANUP_FREE char *active_state = NULL, *invocation = NULL;
        const char *unit = text_of(record, "unit");
        int r;

        r = read_state(undo, unit, "ActiveState", &active_state);
        if (r >= 0)
                r = read_state(undo, unit, "InvocationID", &invocation);
        if (r < 0)
                return r;
        if (!unit_is_running(text_of(record, "active")))
                return strcmp(active_state, "failed") == 0
                                       ? machine_bus_call(undo->bus, "ResetFailedUnit", unit, undo->reterr)
                                       : 0;
        if (unit_is_running(active_state) &&
                        (!undo->has_replaced_files || strcmp(invocation, text_of(record, "invocation")) == 0))
                return 0;
        /* What it did in the scenario does not count against its start limit. */
        (void) machine_bus_call(undo->bus, "ResetFailedUnit", unit, NULL);
        /* One that was started in the scenario runs with the scenario's files and environment. */
        r = machine_bus_job(undo->bus, unit_is_running(active_state) ? "RestartUnit" : "StartUnit", unit,
                        deadline_in(JOB_LIMIT_USEC), undo->reterr);
        return r < 0 ? error_prefix(undo->reterr, "%s was active before the scenario and is not now", unit) : 0;
}

static void start_drift(Undo *undo) {
        FOREACH_ARRAY (unit, undo->drift.stopped, undo->drift.n_stopped)
                note_error(undo, machine_bus_job(undo->bus, "StartUnit", *unit, deadline_in(JOB_LIMIT_USEC),
                                                 undo->reterr));
}

static void start_units(Undo *undo) {
        FOREACH_ARRAY (record, undo->records, undo->n_records)
                if (is_kind(*record, "unit"))
                        note_error(undo, start_one(undo, *record));
        start_drift(undo);
}

/* --- files --- */

/* What `set-property` wrote is in force until the manager reads its files again. */
static bool is_of_manager(const char *path) {
        return strstr(path, "/system.control/") || strstr(path, "/user.control/");
}

static int undo_file(Undo *undo, const Json *record) {
        const char *path = text_of(record, "path"), *kept = text_of(record, "kept");
        CLEANUP_FREE char *temporary = file_temporary_path(path);
        CLEANUP_CLOSE int kept_fd = -EBADF;
        int r;

        undo->has_to_reload |= is_of_manager(path);
        /* But for the target of ours, which no unit runs with. */
        undo->has_replaced_files |= !strstr(path, "/agenttest-");
        if (temporary)
                (void) unlink(temporary);
        if (!kept[0])
                return unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR
                                       ? error_set_errno(undo->reterr, -errno, "cannot remove %s", path)
                                       : 0;
        r = undo_log_open_kept(undo->log, kept, &kept_fd);
        if (r < 0)
                return error_set_errno(undo->reterr, r, "cannot open the kept copy of %s", path);
        return file_image_restore(path, kept_fd, undo->reterr);
}

static int undo_folder(Undo *undo, const Json *record) {
        const char *path = text_of(record, "path");
        int r;

        undo->has_to_reload |= is_of_manager(path) && access(path, F_OK) == 0;
        if (strcmp(text_of(record, "whole"), "yes") == 0) {
                r = folder_remove(AT_FDCWD, path);
                /* Of DynamicUser=: a link. */
                if (r == -ENOTDIR || r == -ELOOP)
                        r = unlink(path) < 0 ? -errno : 0;
        } else
                r = rmdir(path) < 0 && errno != ENOENT ? -errno : 0;
        /* Somebody else has put something into it: it is theirs now. */
        if (r == -ENOTEMPTY || r == -EEXIST)
                return 0;
        return r < 0 ? error_set_errno(undo->reterr, r, "cannot remove folder %s", path) : 0;
}

static bool has_name(const char *names, const char *name) {
        CLEANUP_FREE char *wanted = NULL;

        if (asprintf(&wanted, "/%s/", name) < 0)
                wanted = NULL;
        return !wanted || strstr(names, wanted);
}

/* What was there has a record of its own. */
static int undo_watch(Undo *undo, const Json *record) {
        const char *path = text_of(record, "path"), *names = text_of(record, "names");
        DIR *folder = opendir(path);
        int r = 0;

        if (!folder)
                return errno == ENOENT ? 0 : error_set_errno(undo->reterr, -errno, "cannot list %s", path);
        for (struct dirent *item; (item = readdir(folder));)
                if (item->d_name[0] != '.' && !has_name(names, item->d_name)) {
                        undo->has_to_reload = true;
                        if (unlinkat(dirfd(folder), item->d_name, 0) < 0)
                                r = -errno;
                }
        (void) closedir(folder);
        return r < 0 ? error_set_errno(undo->reterr, r, "cannot empty %s", path) : 0;
}

static void undo_files(Undo *undo) {
        for (size_t i = undo->n_records; i-- > 0;) {
                const Json *record = undo->records[i];

                if (is_kind(record, "file"))
                        note_error(undo, undo_file(undo, record));
                else if (is_kind(record, "folder"))
                        note_error(undo, undo_folder(undo, record));
                else if (is_kind(record, "watch"))
                        note_error(undo, undo_watch(undo, record));
                else if (is_kind(record, "reload"))
                        undo->has_to_reload = true;
        }
}

/* --- all of it --- */

static int find_manager(Undo *undo, const char *address) {
        CLEANUP_FREE char *manager = NULL;
        int r;

        if (!address)
                return error_set(undo->reterr, -ENOENT, "there is no service manager of this user (XDG_RUNTIME_DIR)");
        r = machine_bus_new(address, &undo->bus, undo->reterr);
        if (r >= 0)
                r = machine_bus_manager(undo->bus, &manager, undo->reterr);
        if (r >= 0)
                undo->is_same_manager = strcmp(manager, text_of(undo->records[0], "manager")) == 0;
        return r;
}

int undo_roll_back(UndoLog *log, const char *address, Error *reterr) {
        CLEANUP(undo_done) Undo undo = { .log = log, .reterr = reterr };
        int r;

        r = undo_log_read(log, &undo.records, &undo.n_records, reterr);
        if (r < 0)
                return r;
        /* It died between making the log and its first line: nothing was changed. */
        if (undo.n_records == 0)
                return undo_log_discard(log, reterr);
        note_error(&undo, find_manager(&undo, address));
        if (undo.is_same_manager) {
                note_error(&undo, unit_drift_find(undo.bus, undo.records, undo.n_records, &undo.drift, reterr));
                stop_units(&undo);
        }
        undo_files(&undo);
        if (undo.bus && undo.has_to_reload)
                note_error(&undo, machine_bus_reload(undo.bus, reterr));
        if (undo.is_same_manager)
                start_units(&undo);
        if (undo.first_error < 0)
                return undo.first_error;
        return undo_log_discard(log, reterr);
}

int undo_stale(bool is_user, const char *own_run, Text *ret_note, Error *reterr) {
        CLEANUP_FREE char *folder = undo_folder_path(is_user), *address = machine_address(is_user);
        CLEANUP(undo_log_close_p) UndoLog *log = NULL;
        CLEANUP_FREE char *run_id = folder ? undo_folder_run_id(folder) : NULL;
        bool waits = own_run && run_id && strcmp(own_run, run_id) == 0;
        int r;

        if (!folder)
                return error_set(reterr, -ENOMEM, "out of memory");
        r = undo_log_open(folder, waits ? UNDO_LOG_WAIT : UNDO_LOG_TRY, &log, NULL);
        /* A run that lives, or nothing at all. */
        if (r == -EWOULDBLOCK || r == -ETIMEDOUT || r == -ENOENT)
                return 0;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot open %s", folder);
        /* It died right before its first change, or right behind its last: an empty folder is left. */
        if (!undo_log_is_pending(log))
                return undo_log_discard(log, reterr);
        free(run_id);
        run_id = undo_log_run_id(log);
        r = undo_roll_back(log, address, reterr);
        if (r < 0)
                return error_prefix(reterr, "what run %s changed on this machine is not all undone (log: %s)",
                                run_id ?: "?", folder);
        if (ret_note)
                text_printf(ret_note, "run %s had died on this machine; what it had changed is undone",
                                run_id ?: "?");
        return 0;
}
