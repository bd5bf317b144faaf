/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

#include "stage/machine.h"

/* ---- by its name ---- */

static const char *const critical_names[][2] = {
        { "dbus*", "the message bus" },
        { "systemd-*", "a part of the service manager" },
        { "init.scope", "the service manager itself" },
        { "ssh.*", "remote access" },
        { "sshd*", "remote access" },
        { "ssh@*", "remote access" },
        { "dropbear*", "remote access" },
        { "user@*", "a user's session" },
        { "user-runtime-dir@*", "a user's session" },
        { "session-*", "a user's session" },
        { "getty@*", "a console" },
        { "serial-getty@*", "a console" },
        { "console-getty*", "a console" },
        { "NetworkManager*", "the network" },
        { "networking*", "the network" },
        { "ifup@*", "the network" },
        { "dhcpcd*", "the network" },
        { "wpa_supplicant*", "the network" },
        { "polkit*", "authorisation" },
        { "emergency.*", "a mode of the machine" },
        { "rescue.*", "a mode of the machine" },
        { "debug-shell.*", "a mode of the machine" },
        { "plymouth*", "a part of the boot" },
        { "qemu-guest-agent*", "the way into this machine" },
        { "cloud-*", "the way into this machine" },
        { "agenttest*", "agenttest itself" },
};

const char *unit_is_critical(const char *unit) {
        FOREACH_ARRAY (name, critical_names, ELEMENTS_OF(critical_names))
                if (fnmatch((*name)[0], unit, 0) == 0)
                        return (*name)[1];
        return NULL;
}

static bool has_playable_type(const char *unit) {
        static const char *const types[] = { ".service", ".socket", ".timer", ".path" };
        const char *dot = strrchr(unit, '.');

        for (size_t i = 0; dot && i < ELEMENTS_OF(types); i++)
                if (strcmp(dot, types[i]) == 0)
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

static int get(Machine *machine, const char *object, const char *property, char **ret_text, Error *reterr) {
        return machine_bus_property(machine->bus, object, "Unit", property, ret_text, reterr);
}

static int check_load_state(Machine *machine, const char *unit, const char *object, Error *reterr) {
        CLEANUP_FREE char *load_state = NULL, *fragment = NULL;
        int r;

        r = get(machine, object, "LoadState", &load_state, reterr);
        if (r >= 0)
                r = get(machine, object, "FragmentPath", &fragment, reterr);
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
static int check_active_state(Machine *machine, const char *unit, const char *object, Error *reterr) {
        CLEANUP_FREE char *active_state = NULL;
        int r = get(machine, object, "ActiveState", &active_state, reterr);

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

/* FailureAction=reboot and the like: a scenario that crashes the unit would reboot the machine. */
static int check_actions(Machine *machine, const char *unit, const char *object, Error *reterr) {
        static const char *const actions[] = { "FailureAction", "SuccessAction", "StartLimitAction",
                "JobTimeoutAction" };

        FOREACH_ARRAY (action, actions, ELEMENTS_OF(actions)) {
                CLEANUP_FREE char *value = NULL;
                int r = get(machine, object, *action, &value, reterr);

                if (r < 0)
                        return r;
                if (value[0] && strcmp(value, "none") != 0)
                        return error_set(reterr, -EPERM, "%s has %s=%s, which would hit the whole machine", unit,
                                        *action, value);
        }
        return 0;
}

static int check_flags(Machine *machine, const char *unit, const char *object, Error *reterr) {
        static const struct {
                const char *property, *refused, *why;
        } flags[] = {
                { "RefuseManualStart", "yes", "must not be started by hand" },
                { "RefuseManualStop", "yes", "must not be stopped by hand" },
                { "DefaultDependencies", "no", "is a part of the boot or the shutdown" },
        };

        FOREACH_ARRAY (flag, flags, ELEMENTS_OF(flags)) {
                CLEANUP_FREE char *value = NULL;
                int r = get(machine, object, flag->property, &value, reterr);

                if (r < 0)
                        return r;
                if (strcmp(value, flag->refused) == 0)
                        return error_set(reterr, -EPERM, "%s %s (%s=%s)", unit, flag->why, flag->property, value);
        }
        return 0;
}

/* ---- whom it would take along ---- */

typedef struct NameList {
        char **names;
        size_t n_names;
} NameList;

static void names_done(NameList *list) {
        FOREACH_ARRAY (name, list->names, list->n_names)
                free(*name);
        free(list->names);
}

static bool names_have(const NameList *list, const char *name, size_t n) {
        FOREACH_ARRAY (item, list->names, list->n_names)
                if (strlen(*item) == n && strncmp(*item, name, n) == 0)
                        return true;
        return false;
}

/* Adds the words of @words, each once. */
static int names_add(NameList *list, const char *words, Error *reterr) {
        for (size_t n; *words; words += n + strspn(words + n, " ")) {
                char **grown;

                n = strcspn(words, " ");
                if (names_have(list, words, n))
                        continue;
                grown = reallocarray(list->names, list->n_names + 1, sizeof(char *));
                if (!grown)
                        return error_set(reterr, -ENOMEM, "out of memory");
                list->names = grown;
                grown[list->n_names] = strndup(words, n);
                if (!grown[list->n_names++])
                        return error_set(reterr, -ENOMEM, "out of memory");
        }
        return 0;
}

static int add_dependents(Machine *machine, const char *unit, NameList *list, Error *reterr) {
        static const char *const stops[] = { "RequiredBy", "BoundBy", "ConsistsOf" };
        CLEANUP_FREE char *object = NULL;
        int r = machine_bus_load(machine->bus, unit, &object, reterr);

        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(stops); i++) {
                CLEANUP_FREE char *names = NULL;

                r = get(machine, object, stops[i], &names, reterr);
                if (r >= 0)
                        r = names_add(list, names, reterr);
        }
        return r;
}

/* Stopping the unit stops what requires it, and that what requires that. */
static int check_dependents(Machine *machine, const char *unit, Error *reterr) {
        CLEANUP(names_done) NameList list = { 0 };
        int r = names_add(&list, unit, reterr);

        for (size_t i = 0; r >= 0 && i < list.n_names; i++) {
                const char *why = i == 0 ? NULL : unit_is_critical(list.names[i]);
                const char *dot = strrchr(list.names[i], '.');

                if (why || (i > 0 && dot && strcmp(dot, ".mount") == 0))
                        return error_set(reterr, -EPERM, "%s stops with %s, and is %s", list.names[i], unit,
                                        why ?: "a mounted file system");
                r = add_dependents(machine, list.names[i], &list, reterr);
        }
        return r;
}

static int check_conflicts(Machine *machine, const char *unit, const char *object, Error *reterr) {
        CLEANUP(names_done) NameList list = { 0 };
        CLEANUP_FREE char *conflicts = NULL;
        int r;

        r = get(machine, object, "Conflicts", &conflicts, reterr);
        if (r >= 0)
                r = names_add(&list, conflicts, reterr);
        for (size_t i = 0; r >= 0 && i < list.n_names; i++) {
                CLEANUP_FREE char *other = NULL, *active_state = NULL;

                r = machine_bus_load(machine->bus, list.names[i], &other, reterr);
                if (r >= 0)
                        r = get(machine, other, "ActiveState", &active_state, reterr);
                if (r >= 0 && strcmp(active_state, "active") == 0)
                        return error_set(reterr, -EPERM, "%s conflicts with %s, which is active and would be stopped",
                                        unit, list.names[i]);
        }
        return r;
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

static int check_unit(Machine *machine, const char *unit, Error *reterr) {
        CLEANUP_FREE char *object = NULL;
        int r;

        r = machine->request->is_observing ? 0 : check_name(machine, unit, reterr);
        if (r >= 0)
                r = machine_bus_load(machine->bus, unit, &object, reterr);
        if (r >= 0)
                r = check_load_state(machine, unit, object, reterr);
        if (r < 0 || machine_brings_unit(machine, unit))
                return r;
        if (machine->request->is_observing)
                return 0;
        r = check_active_state(machine, unit, object, reterr);
        if (r >= 0)
                r = check_actions(machine, unit, object, reterr);
        if (r >= 0)
                r = check_flags(machine, unit, object, reterr);
        if (r >= 0)
                r = check_conflicts(machine, unit, object, reterr);
        return r < 0 ? r : check_dependents(machine, unit, reterr);
}

int machine_check_units(Machine *machine, Error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < machine->request->n_pinned_units; i++)
                r = check_unit(machine, machine->request->pinned_units[i], reterr);
        return r < 0 || machine->request->is_observing ? r : check_ancestors(machine, reterr);
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
                r = get(machine, object, "NeedDaemonReload", &is_needed, reterr);
        if (r >= 0 && strcmp(is_needed, "yes") == 0)
                return error_set(reterr, -EBUSY,
                                "the file of %s was changed since it was loaded; the reload that `properties` and "
                                "`environment` need would put that change into force: `systemctl daemon-reload` "
                                "first, if it is meant to be",
                                unit);
        return r;
}

int machine_check_reload(Machine *machine, bool *ret_has_to_reload, Error *reterr) {
        CLEANUP_TEXT Text units = TEXT_INIT;
        char *save = NULL;
        int r;

        *ret_has_to_reload = has_drop_in(machine) || machine->n_stand_ins > 0;
        if (!*ret_has_to_reload)
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

static int log_unit(Machine *machine, const char *unit, Error *reterr) {
        CLEANUP_FREE char *object = NULL, *active_state = NULL, *invocation = NULL, *freezer_state = NULL;
        int r;

        r = machine_bus_load(machine->bus, unit, &object, reterr);
        if (r >= 0)
                r = get(machine, object, "ActiveState", &active_state, reterr);
        if (r >= 0)
                r = get(machine, object, "InvocationID", &invocation, reterr);
        if (r >= 0)
                r = get(machine, object, "FreezerState", &freezer_state, reterr);
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

/* ---- folders that a start makes ---- */

static int log_folder(Machine *machine, const char *base, const char *name, size_t n_name, Error *reterr) {
        CLEANUP_FREE char *path = NULL;

        if (asprintf(&path, "%s/%.*s", base, (int) n_name, name) < 0) {
                path = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return 0;
        return undo_log_folder(machine->log, path, true, reterr);
}

static int log_folders_of(
                Machine *machine, const char *object, const char *property, const char *base, Error *reterr) {
        CLEANUP_FREE char *names = NULL, *private = NULL;
        int r;

        r = machine_bus_property(machine->bus, object, "Service", property, &names, reterr);
        if (r < 0)
                return r;
        if (asprintf(&private, "%s/private", base) < 0) {
                private = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        for (const char *name = names; r >= 0 && *name;) {
                size_t n = strcspn(name, " ");

                /* With DynamicUser= the folder is there, and a link to it in the usual place. */
                r = log_folder(machine, private, name, n, reterr);
                if (r >= 0)
                        r = log_folder(machine, base, name, n, reterr);
                name += n + strspn(name + n, " ");
        }
        return r;
}

/* Source: systemd.exec(5), "StateDirectory=". */
int machine_log_unit_folders(Machine *machine, Error *reterr) {
        static const char *const folders[][2] = {
                { "StateDirectory", "/var/lib" },
                { "CacheDirectory", "/var/cache" },
                { "LogsDirectory", "/var/log" },
                { "ConfigurationDirectory", "/etc" },
        };
        int r = 0;

        if (machine->is_user)
                return 0;
        for (size_t i = 0; r >= 0 && i < machine->request->n_pinned_units; i++) {
                CLEANUP_FREE char *object = NULL;

                r = machine_bus_load(machine->bus, machine->request->pinned_units[i], &object, reterr);
                for (size_t j = 0; r >= 0 && j < ELEMENTS_OF(folders); j++)
                        r = log_folders_of(machine, object, folders[j][0], folders[j][1], reterr);
        }
        return r;
}
