/* SPDX-License-Identifier: MIT */
#include "stage/undo.h"

#include "stage/undo-private.h"

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

static int find_manager(Undo *undo, const char *address) {
        CLEANUP_FREE char *manager = NULL;
        int r;

        if (!address)
                return error_set(undo->reterr, -ENOENT, "there is no service manager of this user (XDG_RUNTIME_DIR)");
        r = machine_bus_new(address, &undo->bus, undo->reterr);
        if (r >= 0)
                r = machine_bus_manager(undo->bus, &manager, undo->reterr);
        if (r >= 0)
                undo->is_same_manager = strcmp(manager, undo_record_text(undo->records[0], "manager")) == 0;
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
        undo_note(&undo, find_manager(&undo, address));
        if (undo.is_same_manager) {
                undo_note(&undo, unit_drift_find(undo.bus, undo.records, undo.n_records, &undo.drift, reterr));
                undo_stop_units(&undo);
        }
        undo_files(&undo);
        if (undo.bus && undo.has_to_reload)
                undo_note(&undo, machine_bus_reload(undo.bus, reterr));
        if (undo.is_same_manager)
                undo_start_units(&undo);
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
        /* Root's, and root's next run looks after it. */
        if (r == -EACCES && !is_user && geteuid() != 0)
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
                return error_prefix(reterr,
                                "what run %s changed on this machine is not all undone; put right what hinders it "
                                "and `agenttest rollback`, or remove %s and what is left stays as it is",
                                run_id ?: "?", folder);
        if (ret_note)
                text_printf(ret_note, "run %s had died on this machine; what it had changed is undone",
                                run_id ?: "?");
        return 0;
}

int undo_check_alive(bool is_user, Error *reterr) {
        CLEANUP_FREE char *folder = undo_folder_path(is_user);
        CLEANUP(undo_log_close_p) UndoLog *log = NULL;
        int r = folder ? undo_log_open(folder, UNDO_LOG_TRY, &log, reterr) : -ENOMEM;

        return r == -EWOULDBLOCK ? r : 0;
}
