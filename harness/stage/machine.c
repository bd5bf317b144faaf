/* SPDX-License-Identifier: MIT */
#include "stage/machine.h"

#include <fcntl.h>
#include <string.h>
#include <sys/signalfd.h>

#include "stage/deadline.h"
#include "stage/ownership.h"
#include "stage/undo.h"

#define START_LIMIT_USEC (30 * USEC_PER_SEC)

static void machine_done(Machine *machine) {
        machine->bus = machine_bus_free(machine->bus);
        machine->log = undo_log_close(machine->log);
        free(machine->address);
        free(machine->unit_folder);
        free(machine->target);
        free(machine->scope);
        free(machine->journal_folder);
        machine_free_stand_ins(machine);
        machine_forget(machine);
        free(machine->sorted_files);
        close_p(&machine->player_fd);
        close_p(&machine->signal_fd);
}

static Machine machine_init(const StageKind *kind, bool is_user, const StageRequest *request) {
        return (Machine){
                .request = request, .kind = kind, .is_user = is_user, .player_fd = -EBADF, .signal_fd = -EBADF
        };
}

static int by_depth(const void *a, const void *b) {
        const StageFile *file = a, *other = b;
        size_t n = strlen(file->path), n_other = strlen(other->path);

        return n < n_other ? -1 : n > n_other;
}

/* What lies above goes first, whatever their order in the scenario: it is made, and shown, with all below it. */
static int sort_files(Machine *machine, Error *reterr) {
        size_t n_files = machine->request->n_files;

        machine->sorted_request = *machine->request;
        machine->sorted_files = calloc(n_files + 1, sizeof(StageFile));
        if (!machine->sorted_files)
                return error_set(reterr, -ENOMEM, "out of memory");
        for (size_t i = 0; i < n_files; i++)
                machine->sorted_files[i] = machine->request->files[i];
        qsort(machine->sorted_files, n_files, sizeof(StageFile), by_depth);
        machine->sorted_request.files = machine->sorted_files;
        machine->request = &machine->sorted_request;
        return 0;
}

static int machine_open(Machine *machine, Error *reterr) {
        CLEANUP_FREE char *mark = NULL;
        int r = sort_files(machine, reterr);

        if (r < 0)
                return r;
        if (machine->request->run_id)
                mark = scenario_mark(machine->request->run_id, machine->request->scenario_index);
        machine->address = machine_address(machine->is_user);
        machine->unit_folder = machine->kind->find_unit_folder();
        if (!machine->address || !machine->unit_folder)
                return error_set(reterr, -ENOENT, "there is no service manager here for stage %s",
                                machine->kind->name);
        if (mark && asprintf(&machine->target, "%s.target", mark) < 0)
                machine->target = NULL;
        if (mark && asprintf(&machine->scope, "%s.scope", mark) < 0)
                machine->scope = NULL;
        if (machine->request->run_id && (!machine->target || !machine->scope))
                return error_set(reterr, -ENOMEM, "out of memory");
        return machine_bus_new(machine->address, &machine->bus, reterr);
}

int machine_probe(bool is_user, Error *reterr) {
        CLEANUP_FREE char *address = machine_address(is_user), *journal = NULL, *system_state = NULL;
        CLEANUP(machine_bus_free_p) MachineBus *bus = NULL;
        static const char *const bad_states[] = { "initializing", "starting", "stopping", "maintenance" };
        int r;

        if (!address)
                return error_set(reterr, -ENOMEM, "out of memory");
        r = machine_bus_new(address, &bus, reterr);
        if (r >= 0)
                r = machine_bus_system_state(bus, &system_state, reterr);
        if (r < 0)
                return error_prefix(reterr, "no systemd is running here");
        FOREACH_ARRAY (state, bad_states, ELEMENTS_OF(bad_states))
                if (strcmp(*state, system_state) == 0)
                        return error_set(reterr, -EBUSY, "the service manager is %s: wait until it is running",
                                        system_state);
        return machine_find_journal(&journal, reterr);
}

static int check_all(Machine *machine, bool *ret_has_to_reload, Error *reterr) {
        int r;

        r = machine_check_units(machine, reterr);
        if (r >= 0)
                r = machine_find_stand_ins(machine, reterr);
        if (r >= 0)
                r = machine_check_stand_ins(machine, false, reterr);
        if (r >= 0)
                r = machine_check_files(machine, reterr);
        return r < 0 ? r : machine_check_reload(machine, ret_has_to_reload, reterr);
}

int machine_check(const StageKind *kind, bool is_user, const StageRequest *request, Error *reterr) {
        CLEANUP(machine_done) Machine machine = machine_init(kind, is_user, request);
        bool has_to_reload;
        int r;

        r = machine_open(&machine, reterr);
        return r < 0 ? r : check_all(&machine, &has_to_reload, reterr);
}

/* --- before and after the scenario --- */

static int take_log(Machine *machine, Error *reterr) {
        CLEANUP_FREE char *folder = undo_folder_path(machine->is_user), *manager = NULL;
        int r;

        if (!folder)
                return error_set(reterr, -ENOMEM, "out of memory");
        r = undo_log_open(folder, UNDO_LOG_CREATE, &machine->log, reterr);
        if (r < 0)
                return r;
        /* The run that died meanwhile, or whose undoing failed when this one began: not on top of that. */
        if (undo_log_is_pending(machine->log)) {
                r = undo_roll_back(machine->log, machine->address, reterr);
                if (r < 0)
                        return error_prefix(reterr, "an earlier run is not undone (%s)", folder);
        }
        r = machine_bus_manager(machine->bus, &manager, reterr);
        return r < 0 ? r
                     : undo_log_begin(machine->log, machine->request->run_id, manager,
                                       machine->request->scenario_name ?: "", reterr);
}

/*
 * A unit that ended well is unloaded at once, with its exit facts, unless a loaded unit refers to it. Only root on
 * the system bus could have it kept by RefUnit(), and a bus daemon may not be there.
 */
static int pin_units(Machine *machine, Error *reterr) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_FREE char *path = NULL;
        int r;

        text_append(&text, "[Unit]\nDescription=agenttest watches units\nDefaultDependencies=no\nAfter=");
        for (size_t i = 0; i < machine->request->n_pinned_units; i++)
                text_printf(&text, "%s%s", i > 0 ? " " : "", machine->request->pinned_units[i]);
        text_append(&text, "\n");
        if (text.is_broken || asprintf(&path, "%s/%s", machine->unit_folder, machine->target) < 0) {
                path = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        r = machine_place_text(machine, path, text_get(&text), reterr);
        if (r >= 0)
                r = undo_log_own_unit(machine->log, "pin", machine->target, reterr);
        return r < 0 ? r
                     : machine_bus_job(machine->bus, "StartUnit", machine->target, deadline_in(START_LIMIT_USEC),
                                       reterr);
}

static int change(Machine *machine, bool has_to_reload, Error *reterr) {
        int r;

        r = machine_log_units(machine, reterr);
        if (r >= 0 && has_to_reload)
                r = undo_log_reload(machine->log, reterr);
        if (r >= 0)
                r = machine_place_files(machine, reterr);
        if (r >= 0 && has_to_reload)
                r = machine_bus_reload(machine->bus, reterr);
        if (r >= 0)
                r = machine_check_stand_ins(machine, true, reterr);
        if (r >= 0)
                r = machine_check_placed(machine, reterr);
        if (r >= 0)
                r = machine_log_unit_folders(machine, reterr);
        return r < 0 ? r : pin_units(machine, reterr);
}

static int take_signals(Machine *machine, Error *reterr) {
        sigset_t handled;

        (void) sigemptyset(&handled);
        (void) sigaddset(&handled, SIGTERM);
        (void) sigaddset(&handled, SIGINT);
        (void) sigprocmask(SIG_BLOCK, &handled, &machine->signals_before);
        machine->signal_fd = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
        return machine->signal_fd < 0 ? error_set_errno(reterr, -errno, "cannot take signals") : 0;
}

static int play_undone(Machine *machine, bool has_to_reload, StageFunction function, void *userdata,
                int *ret_wait_status, Error *reterr) {
        int r, q;

        r = take_log(machine, reterr);
        if (r < 0)
                return r;
        r = change(machine, has_to_reload, reterr);
        if (r >= 0)
                r = machine_play(machine, function, userdata, ret_wait_status, reterr);
        q = undo_roll_back(machine->log, machine->address, r < 0 ? NULL : reterr);
        if (r >= 0 && q < 0)
                (void) error_prefix(reterr, "the scenario was played, but not all it changed is undone");
        return r < 0 ? r : q;
}

int machine_run(const StageKind *kind, bool is_user, const StageRequest *request, StageFunction function,
                void *userdata, int *ret_wait_status, Error *reterr) {
        CLEANUP(machine_done) Machine machine = machine_init(kind, is_user, request);
        bool has_to_reload = false;
        int r;

        r = machine_open(&machine, reterr);
        if (r >= 0)
                r = machine_find_journal(&machine.journal_folder, reterr);
        if (r >= 0)
                r = check_all(&machine, &has_to_reload, reterr);
        if (r >= 0 && is_user)
                r = machine_bus_pid(machine.bus, &machine.user_manager, reterr);
        if (r >= 0)
                r = take_signals(&machine, reterr);
        if (r < 0)
                return r;
        if (request->is_observing)
                return machine_play(&machine, function, userdata, ret_wait_status, reterr);
        return play_undone(&machine, has_to_reload, function, userdata, ret_wait_status, reterr);
}
