/* SPDX-License-Identifier: MIT */
/* Which units are played with on the machine itself. */
#include <string.h>

#include "stage/machine.h"

/* ---- by its name ---- */

static bool has_playable_type(const char *unit) {
        static const char *const types[] = { ".service", ".socket", ".timer", ".path" };

        FOREACH_ARRAY (type, types, ELEMENTS_OF(types))
                if (string_ends_with(unit, *type))
                        return true;
        return false;
}

static int check_name(const Machine *machine, const char *unit, Error *reterr) {
        const char *why = unit_is_critical(unit);
        const char *dot = strrchr(unit, '.');

        if (why)
                return error_set(reterr, -EPERM, "%s is %s: it is not played with on stage %s", unit, why,
                                machine->kind->name);
        if (dot && dot > unit && dot[-1] == '@')
                return error_set(reterr, -EPERM, "%s is a template; on stage %s name its instances, like %.*s1%s",
                                unit, machine->kind->name, (int) (dot - unit), unit, dot);
        if (!has_playable_type(unit))
                return error_set(reterr, -EPERM,
                                "%s: only services, sockets, timers and paths are played with on stage %s", unit,
                                machine->kind->name);
        return 0;
}

/* ---- by what the manager knows of it ---- */

bool machine_brings_unit(const Machine *machine, const char *unit) {
        size_t n_folder = strlen(machine->unit_folder);

        FOREACH_ARRAY (file, machine->request->files, machine->request->n_files)
                if (strncmp(file->path, machine->unit_folder, n_folder) == 0 && file->path[n_folder] == '/' &&
                                strcmp(file->path + n_folder + 1, unit) == 0)
                        return true;
        return false;
}

/* Is @path a drop-in of @unit that the scenario brings? */
static bool is_drop_in_of(const Machine *machine, const char *path, const char *unit) {
        size_t n_folder = strlen(machine->unit_folder), n_unit = strlen(unit);

        return strncmp(path, machine->unit_folder, n_folder) == 0 && path[n_folder] == '/' &&
               strncmp(path + n_folder + 1, unit, n_unit) == 0 &&
               strncmp(path + n_folder + 1 + n_unit, ".d/", 3) == 0;
}

/* Where the manager looks first, so that a file there hides any unit of the machine. */
int machine_check_unit_path(const Machine *machine, const char *path, Error *reterr) {
        const char *name = path + strlen(machine->unit_folder);

        FOREACH_ARRAY (unit, machine->request->pinned_units, machine->request->n_pinned_units)
                if (is_drop_in_of(machine, path, *unit) || (name[0] == '/' && strcmp(name + 1, *unit) == 0))
                        return 0;
        return error_set(reterr, -EPERM, "%s: only files of the scenario's own units are put into %s on stage %s",
                        path, machine->unit_folder, machine->kind->name);
}

/*
 * Everything is known by the one name that the manager gives it: its processes, its cgroup, what goes along with it,
 * where set-property writes. And who has several names may be critical by any.
 */
static int check_alias(Machine *machine, const char *unit, const char *object, Error *reterr) {
        CLEANUP_FREE char *id = NULL, *names = NULL;
        char *save = NULL;
        int r;

        r = machine_get(machine, object, "Id", &id, reterr);
        if (r >= 0)
                r = machine_get(machine, object, "Names", &names, reterr);
        if (r < 0)
                return r;
        for (char *name = strtok_r(names, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
                const char *why = unit_is_critical(name);

                if (why)
                        return error_set(reterr, -EPERM,
                                        "%s is %s, and that is %s: it is not played with on stage %s", unit, name,
                                        why, machine->kind->name);
        }
        return strcmp(id, unit) == 0 ? 0
                                     : error_set(reterr, -EINVAL, "%s is another name of %s: write %s", unit, id, id);
}

static int check_load_state(Machine *machine, const char *unit, const char *object, Error *reterr) {
        CLEANUP_FREE char *load_state = NULL, *fragment = NULL;
        int r;

        r = machine_get(machine, object, "LoadState", &load_state, reterr);
        if (r >= 0)
                r = machine_get(machine, object, "FragmentPath", &fragment, reterr);
        if (r < 0)
                return r;
        if (machine_brings_unit(machine, unit))
                return strcmp(load_state, "not-found") == 0
                                       ? 0
                                       : error_set(reterr, -EEXIST,
                                                         "this machine has a %s of its own (%s): play that one, as "
                                                         "`%s: installed`, or give yours another name",
                                                         unit, fragment[0] ? fragment : load_state, unit);
        if (strcmp(load_state, "loaded") != 0)
                return error_set(reterr, -ENOENT, "%s is not there to be played with (LoadState=%s)", unit,
                                load_state);
        return 0;
}

/* Only a state that one can come back to. */
static int check_active_state(Machine *machine, const char *unit, Error *reterr) {
        CLEANUP_FREE char *active_state = NULL;
        int r = machine_bus_state(machine->bus, unit, &active_state, reterr);

        if (r < 0 || strcmp(active_state, "active") == 0 || strcmp(active_state, "inactive") == 0)
                return r;
        if (strcmp(active_state, "failed") == 0)
                return error_set(reterr, -EBUSY,
                                "%s has failed, and what is known of that would be lost; look at it, then `systemctl "
                                "reset-failed %s`",
                                unit, unit);
        return error_set(reterr, -EBUSY, "%s is %s at the moment; it is played with when active or inactive", unit,
                        active_state);
}

static int check_flags(Machine *machine, const char *unit, const char *object, Error *reterr) {
        static const struct {
                const char *property, *refused, *why;
        } flags[] = {
                { "RefuseManualStart", "yes", "must not be started by hand" },
                { "RefuseManualStop", "yes", "must not be stopped by hand" },
                { "DefaultDependencies", "no", "is a part of the boot or the shutdown" },
                { "Transient", "yes", "would be gone for good once stopped" },
        };

        FOREACH_ARRAY (flag, flags, ELEMENTS_OF(flags)) {
                CLEANUP_FREE char *value = NULL;
                int r = machine_get(machine, object, flag->property, &value, reterr);

                if (r < 0)
                        return r;
                if (strcmp(value, flag->refused) == 0)
                        return error_set(reterr, -EPERM, "%s %s (%s=%s)", unit, flag->why, flag->property, value);
        }
        return 0;
}

/* ---- who we are ---- */

static pid_t parent_of(pid_t pid) {
        char path[40], line[512];
        CLEANUP_FILE FILE *file = NULL;
        const char *end;
        int parent = 0;

        (void) snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        file = fopen(path, "re");
        /* The command's name may hold blanks and brackets. */
        end = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
        return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

/* Ourselves, the shell, its session, the ssh daemon that listens for more: their ends would end us or the way in. */
static int check_ancestors(Machine *machine, Error *reterr) {
        for (pid_t pid = getpid(); pid > 1; pid = parent_of(pid)) {
                CLEANUP_FREE char *own = NULL;
                int r = machine_bus_unit_of(machine->bus, pid, &own, reterr);

                if (r < 0)
                        return r;
                for (size_t i = 0; i < machine->request->n_pinned_units; i++)
                        if (strcmp(machine->request->pinned_units[i], own) == 0)
                                return error_set(reterr, -EPERM,
                                                "%s is what agenttest itself runs in (process %d): it is not played "
                                                "with",
                                                own, pid);
        }
        return 0;
}

/* ---- all of it ---- */

static int check_settings(Machine *machine, const char *unit, const char *object, Error *reterr) {
        int r;

        r = check_flags(machine, unit, object, reterr);
        if (r >= 0)
                r = machine_check_unit_folders(machine, unit, reterr);
        return r < 0 ? r : machine_check_along(machine, unit, object, reterr);
}

static int check_unit(Machine *machine, const char *unit, Error *reterr) {
        CLEANUP_FREE char *object = NULL;
        int r;

        r = machine->request->is_observing ? 0 : check_name(machine, unit, reterr);
        if (r >= 0)
                r = machine_bus_load(machine->bus, unit, &object, reterr);
        if (r >= 0 && !machine->request->is_observing)
                r = check_alias(machine, unit, object, reterr);
        if (r >= 0)
                r = check_load_state(machine, unit, object, reterr);
        if (r < 0 || machine_brings_unit(machine, unit))
                return r;
        if (machine->request->is_observing)
                return 0;
        r = check_active_state(machine, unit, reterr);
        return r < 0 ? r : check_settings(machine, unit, object, reterr);
}

int machine_check_units(Machine *machine, Error *reterr) {
        int r = 0;

        machine_forget(machine);
        for (size_t i = 0; r >= 0 && i < machine->request->n_pinned_units; i++)
                r = check_unit(machine, machine->request->pinned_units[i], reterr);
        return r < 0 || machine->request->is_observing ? r : check_ancestors(machine, reterr);
}

/* Settings that another drop-in, of an admin or a package, may have changed again say nothing. */
static int check_drop_in(Machine *machine, const char *unit, const char *object, const char *ours, Error *reterr) {
        CLEANUP_FREE char *paths = NULL;
        char *save = NULL;
        bool is_found = false;
        int r = machine_get(machine, object, "DropInPaths", &paths, reterr);

        if (r < 0)
                return r;
        for (char *path = strtok_r(paths, " ", &save); path; path = strtok_r(NULL, " ", &save)) {
                if (is_found && !is_drop_in_of(machine, path, unit))
                        return error_set(reterr, -EPERM,
                                        "%s is read after the scenario's settings of %s, and may change them again",
                                        path, unit);
                is_found |= strcmp(path, ours) == 0;
        }
        return is_found ? 0
                        : error_set(reterr, -EPERM, "the scenario's settings of %s (%s) are not read by the manager",
                                          unit, ours);
}

static int check_drop_ins(Machine *machine, const char *unit, const char *object, Error *reterr) {
        FOREACH_ARRAY (file, machine->request->files, machine->request->n_files) {
                int r = file->is_settings && is_drop_in_of(machine, file->path, unit)
                                        ? check_drop_in(machine, unit, object, file->path, reterr)
                                        : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

int machine_check_placed(Machine *machine, Error *reterr) {
        int r = 0;

        machine_forget(machine);
        for (size_t i = 0; r >= 0 && i < machine->request->n_pinned_units; i++) {
                CLEANUP_FREE char *object = NULL;
                const char *unit = machine->request->pinned_units[i];

                r = machine_bus_load(machine->bus, unit, &object, reterr);
                if (r >= 0)
                        r = check_settings(machine, unit, object, reterr);
                if (r >= 0)
                        r = check_drop_ins(machine, unit, object, reterr);
        }
        return r;
}

/* A drop-in for a unit that the manager knows already. */
static bool has_drop_in(const Machine *machine) {
        size_t n_folder = strlen(machine->unit_folder);

        FOREACH_ARRAY (file, machine->request->files, machine->request->n_files)
                if (strncmp(file->path, machine->unit_folder, n_folder) == 0 &&
                                strchr(file->path + n_folder + 1, '/'))
                        return true;
        return false;
}

static int check_one_reload(Machine *machine, const char *unit, Error *reterr) {
        CLEANUP_FREE char *object = NULL, *is_needed = NULL;
        int r;

        r = machine_bus_load(machine->bus, unit, &object, reterr);
        if (r >= 0)
                r = machine_bus_property(machine->bus, object, "Unit", "NeedDaemonReload", &is_needed, reterr);
        if (r >= 0 && strcmp(is_needed, "yes") == 0)
                return error_set(reterr, -EBUSY,
                                "the file of %s was changed since it was loaded; the reload that `properties`, "
                                "`environment` and `set-property` need would put that change into force: `systemctl "
                                "daemon-reload` "
                                "first, if it is meant to be",
                                unit);
        return r;
}

int machine_check_reload(Machine *machine, bool *ret_has_to_reload, Error *reterr) {
        CLEANUP_TEXT Text units = TEXT_INIT;
        char *save = NULL;
        int r;

        *ret_has_to_reload = has_drop_in(machine) || machine->n_stand_ins > 0;
        if (!*ret_has_to_reload && !machine->request->has_to_reload)
                return 0;
        r = machine_bus_list(machine->bus, &units, reterr);
        if (r < 0 || units.n_bytes == 0)
                return r;
        for (char *line = strtok_r(units.bytes, "\n", &save); r >= 0 && line; line = strtok_r(NULL, "\n", &save)) {
                line[strcspn(line, " ")] = '\0';
                r = check_one_reload(machine, line, reterr);
        }
        return r;
}
