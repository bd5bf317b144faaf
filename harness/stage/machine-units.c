/* SPDX-License-Identifier: MIT */
/* What is written down of the scenario's units before anything is changed. */
#include <fcntl.h>
#include <string.h>

#include "stage/machine.h"

static int log_unit(Machine *machine, const char *unit, Error *reterr) {
        CLEANUP_FREE char *object = NULL, *active_state = NULL, *invocation = NULL, *freezer_state = NULL;
        int r;

        r = machine_bus_load(machine->bus, unit, &object, reterr);
        if (r >= 0)
                r = machine_get(machine, object, "ActiveState", &active_state, reterr);
        if (r >= 0)
                r = machine_get(machine, object, "InvocationID", &invocation, reterr);
        if (r >= 0)
                r = machine_get(machine, object, "FreezerState", &freezer_state, reterr);
        return r < 0 ? r : undo_log_unit(machine->log, unit, active_state, invocation, freezer_state, reterr);
}

/* Where `systemctl set-property` writes, by whomever in the scenario it is called. Source: file-hierarchy(7). */
static int find_control_folders(const Machine *machine, char *folders[static 2]) {
        const char *runtime = secure_getenv("XDG_RUNTIME_DIR"), *config = secure_getenv("XDG_CONFIG_HOME");
        const char *home = secure_getenv("HOME");
        int r;

        folders[0] = folders[1] = NULL;
        if (!machine->is_user) {
                folders[0] = strdup("/etc/systemd/system.control");
                folders[1] = strdup("/run/systemd/system.control");
                return folders[0] && folders[1] ? 0 : -ENOMEM;
        }
        r = config ? asprintf(&folders[0], "%s/systemd/user.control", config)
                   : asprintf(&folders[0], "%s/.config/systemd/user.control", home ?: "");
        if (r < 0)
                folders[0] = NULL;
        if (asprintf(&folders[1], "%s/systemd/user.control", runtime ?: "") < 0)
                folders[1] = NULL;
        return folders[0] && folders[1] ? 0 : -ENOMEM;
}

static int log_control_folders(Machine *machine, const char *unit, Error *reterr) {
        char *folders[2];
        int r = find_control_folders(machine, folders);

        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(folders); i++) {
                CLEANUP_FREE char *path = NULL;

                if (asprintf(&path, "%s/%s.d", folders[i], unit) < 0) {
                        path = NULL;
                        r = -ENOMEM;
                } else {
                        r = access(folders[i], F_OK) < 0 ? undo_log_folder(machine->log, folders[i], false, reterr)
                                                         : 0;
                        if (r >= 0)
                                r = undo_log_watch_folder(machine->log, path, reterr);
                }
        }
        free(folders[0]);
        free(folders[1]);
        return r == -ENOMEM ? error_set(reterr, r, "out of memory") : r;
}

int machine_log_units(Machine *machine, Error *reterr) {
        CLEANUP_TEXT Text units = TEXT_INIT;
        int r;

        machine_forget(machine);
        r = machine_bus_list(machine->bus, &units, reterr);
        if (r >= 0)
                r = undo_log_states(machine->log, text_get(&units), reterr);
        for (size_t i = 0; r >= 0 && i < machine->request->n_pinned_units; i++) {
                r = log_unit(machine, machine->request->pinned_units[i], reterr);
                if (r >= 0)
                        r = log_control_folders(machine, machine->request->pinned_units[i], reterr);
        }
        return r;
}
