/* SPDX-License-Identifier: MIT */
/*
 * Who would use a folder of the machine although the scenario's services are shown another one in its place: refused.
 * A service is shown it in its mount namespace and nowhere else. What the manager reads, opens, makes or listens on
 * for it lies outside, and so does whatever else is started along.
 */
#include <fcntl.h>
#include <string.h>

#include "stage/machine.h"
#include "stage/mount-table.h"
#include "stage/undo-drift.h"

/* Is @interface one of a unit's of this name? */
static bool has_interface(const char *unit, const char *interface) {
        const char *dot = strrchr(unit, '.');

        return dot && (strcasecmp(dot + 1, interface) == 0 || strcmp(interface, "Unit") == 0);
}

/* ---- what the manager does itself ---- */

static const struct {
        const char *interface, *property;
} uses[] = {
        { "Unit", "Conditions" },
        { "Unit", "Asserts" },
        { "Service", "PIDFile" },
        { "Service", "EnvironmentFiles" },
        { "Service", "LoadCredential" },
        { "Service", "LoadCredentialEncrypted" },
        { "Service", "MountImages" },
        { "Service", "ExtensionImages" },
        { "Service", "ExtensionDirectories" },
        { "Socket", "Listen" },
        { "Socket", "Symlinks" },
        { "Path", "Paths" },
};

static int check_use(Machine *machine, const char *unit, const char *object, size_t use, Error *reterr) {
        CLEANUP_FREE char *words = NULL;
        char *save = NULL;
        int r = machine_get_of(machine, object, uses[use].interface, uses[use].property, &words, reterr);

        for (char *word = r < 0 ? NULL : strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
                if (machine_stand_in_of(machine, word))
                        return error_set(reterr, -EPERM,
                                        "directories: %s has %s in its %s: that is the manager's to look at, who "
                                        "would not find it in the folder that the service is shown",
                                        unit, word, uses[use].property);
        return r;
}

static int check_uses(Machine *machine, const char *unit, const char *object, Error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(uses); i++)
                if (has_interface(unit, uses[i].interface))
                        r = check_use(machine, unit, object, i, reterr);
        return r;
}

/* With "+" before it a command runs in no namespace of the service's. */
static int check_privileged(
                Machine *machine, const char *unit, const char *object, const char *property, Error *reterr) {
        CLEANUP_FREE char *commands = NULL;
        int r = machine_get_of(machine, object, "Service", property, &commands, reterr);

        /* Among the flags of a command. Source: org.freedesktop.systemd1(5), "ExecStartEx". */
        if (r < 0 || !strstr(commands, " privileged "))
                return r;
        FOREACH_ARRAY (stand_in, machine->stand_ins, machine->n_stand_ins)
                if (strstr(commands, stand_in->path))
                        return error_set(reterr, -EPERM,
                                        "directories: %s has %s with \"+\", outside of what the service is shown, "
                                        "and "
                                        "%s in it",
                                        unit, property, stand_in->path);
        return 0;
}

static int check_commands(Machine *machine, const char *unit, const char *object, Error *reterr) {
        static const char *const properties[] = { "ExecConditionEx", "ExecStartPreEx", "ExecStartEx",
                "ExecStartPostEx", "ExecReloadEx", "ExecStopEx", "ExecStopPostEx" };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(properties); i++)
                r = check_privileged(machine, unit, object, properties[i], reterr);
        return r;
}

/* What cannot be told apart from what would do harm. */
static const struct {
        const char *interface, *property, *values, *why; /* NULL: any */
} unknowns[] = {
        { "Service", "RootDirectory", NULL, "what it is shown lies elsewhere" },
        { "Service", "RootImage", NULL, "what it is shown lies elsewhere" },
        { "Service", "StandardInput", " file ", "the manager opens that file and does not tell where it lies" },
        { "Service", "StandardOutput", " file append truncate ",
                        "the manager opens that file and does not tell where it lies" },
        { "Service", "StandardError", " file append truncate ",
                        "the manager opens that file and does not tell where it lies" },
        { "Socket", "Accept", " yes ", "the services that it starts cannot be named" },
        { "Socket", "ExecStartPre", NULL, "only services are shown another folder" },
        { "Socket", "ExecStartPost", NULL, "only services are shown another folder" },
        { "Socket", "ExecStopPre", NULL, "only services are shown another folder" },
        { "Socket", "ExecStopPost", NULL, "only services are shown another folder" },
};

static bool is_unknown(const char *value, const char *values) {
        CLEANUP_FREE char *word = NULL;

        if (!value[0] || !values)
                return value[0];
        if (asprintf(&word, " %s ", value) < 0)
                word = NULL;
        return !word || strstr(values, word);
}

static int check_unknowns(Machine *machine, const char *unit, const char *object, Error *reterr) {
        for (size_t i = 0; i < ELEMENTS_OF(unknowns); i++) {
                CLEANUP_FREE char *value = NULL;
                int r;

                if (!has_interface(unit, unknowns[i].interface))
                        continue;
                r = machine_get_of(machine, object, unknowns[i].interface, unknowns[i].property, &value, reterr);
                if (r < 0)
                        return r;
                if (is_unknown(value, unknowns[i].values))
                        return error_set(reterr, -EPERM, "directories: %s has %s=%s: %s", unit, unknowns[i].property,
                                        value, unknowns[i].why);
        }
        return 0;
}

/* ---- what the service is shown ---- */

typedef struct Bind {
        const char *source, *target;
} Bind;

static bool overlap(const char *path, const char *other) {
        return path_is_below(path, other) || path_is_below(other, path);
}

static int check_bind(const char *unit, const Bind *bind, const StandIn *stand_in, size_t *n_ours, Error *reterr) {
        if (strcmp(bind->source, stand_in->folder) == 0 && strcmp(bind->target, stand_in->path) == 0) {
                ++*n_ours;
                return 0;
        }
        /* In its place, or above it: then the machine's is shown all the same, or a place for ours is made there. */
        if (path_is_below(stand_in->path, bind->target) || overlap(bind->source, stand_in->path))
                return error_set(reterr, -EPERM, "directories: %s has BindPaths=%s:%s, which is in the way of %s",
                                unit, bind->source, bind->target, stand_in->path);
        return 0;
}

/* Source, target, may it be missing, flags. Source: org.freedesktop.systemd1(5), "BindPaths". */
static int next_bind(const char *unit, char *words, char **save, Bind *ret_bind, Error *reterr) {
        const char *is_optional;

        ret_bind->source = strtok_r(words, " ", save);
        if (!ret_bind->source)
                return 0;
        ret_bind->target = strtok_r(NULL, " ", save);
        is_optional = ret_bind->target ? strtok_r(NULL, " ", save) : NULL;
        if (!is_optional || ret_bind->source[0] != '/' || ret_bind->target[0] != '/' ||
                        (strcmp(is_optional, "yes") != 0 && strcmp(is_optional, "no") != 0) ||
                        !strtok_r(NULL, " ", save))
                return error_set(reterr, -EPERM, "directories: %s has a BindPaths= with blanks in it", unit);
        return 0;
}

static int check_binds_of(Machine *machine, const char *unit, const char *object, const char *property,
                const StandIn *stand_in, size_t *n_ours, Error *reterr) {
        CLEANUP_FREE char *words = NULL;
        char *save = NULL;
        Bind bind = { 0 };
        int r;

        r = machine_get_of(machine, object, "Service", property, &words, reterr);
        if (r >= 0)
                r = next_bind(unit, words, &save, &bind, reterr);
        while (r >= 0 && bind.source) {
                r = check_bind(unit, &bind, stand_in, n_ours, reterr);
                if (r >= 0)
                        r = next_bind(unit, NULL, &save, &bind, reterr);
        }
        return r;
}

static int check_binds(Machine *machine, const char *unit, const char *object, const StandIn *stand_in,
                bool is_placed, Error *reterr) {
        size_t n_ours = 0;
        int r;

        r = check_binds_of(machine, unit, object, "BindPaths", stand_in, &n_ours, reterr);
        if (r >= 0)
                r = check_binds_of(machine, unit, object, "BindReadOnlyPaths", stand_in, &n_ours, reterr);
        if (r >= 0 && is_placed && n_ours != 1)
                return error_set(reterr, -EPERM,
                                "directories: a drop-in of %s takes the folder back that it is shown in place of %s",
                                unit, stand_in->path);
        return r;
}

/* How deep the deepest of @words is that @path lies in; 0: in none. */
static size_t depth_in(const char *words, const char *path) {
        size_t depth = 0;

        for (size_t n; *words; words += n + strspn(words + n, " ")) {
                CLEANUP_FREE char *folder = NULL;

                words += strspn(words, "-+");
                n = strcspn(words, " ");
                folder = strndup(words, n);
                /* No memory: the deepest there may be, so that it is refused. */
                if (!folder || (folder[0] == '/' && path_is_below(path, folder)))
                        depth = folder && n < depth ? depth : n;
        }
        return depth;
}

/* Settings with which it may not write, or does not even see, what lies below those paths. Source: systemd.exec(5).
 */
static const struct {
        const char *property, *values, *paths; /* NULL: the value is the paths */
} barriers[] = {
        { "ReadOnlyPaths", NULL, NULL },
        { "InaccessiblePaths", NULL, NULL },
        { "TemporaryFileSystem", NULL, NULL },
        { "ProtectSystem", " yes ", "/usr /boot /efi" },
        { "ProtectSystem", " full ", "/usr /boot /efi /etc" },
        { "ProtectSystem", " strict ", "/" },
        { "ProtectHome", " yes read-only tmpfs ", "/home /root /run/user" },
        { "PrivateTmp", " yes ", "/tmp /var/tmp" },
};

/* What is mounted for it could be written to, and would say nothing of what may not. */
static int check_barriers(
                Machine *machine, const char *unit, const char *object, const StandIn *stand_in, Error *reterr) {
        CLEANUP_FREE char *writable = NULL;
        int r = machine_get_of(machine, object, "Service", "ReadWritePaths", &writable, reterr);

        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(barriers); i++) {
                CLEANUP_FREE char *value = NULL;
                const char *paths;

                r = machine_get_of(machine, object, "Service", barriers[i].property, &value, reterr);
                if (r < 0)
                        return r;
                paths = !barriers[i].values ? value : is_unknown(value, barriers[i].values) ? barriers[i].paths : "";
                if (depth_in(paths, stand_in->path) >= (depth_in(writable, stand_in->path) ?: 1))
                        return error_set(reterr, -EPERM,
                                        "directories: %s may not write to %s (%s=%s), and could to a folder that it "
                                        "is shown in its place",
                                        unit, stand_in->path, barriers[i].property, value);
        }
        return r;
}

/* ---- for whom ---- */

static int check_service(Machine *machine, const char *unit, const char *object, bool is_placed, Error *reterr) {
        CLEANUP_FREE char *active_state = NULL;
        int r;

        r = machine_get_of(machine, object, "Unit", "ActiveState", &active_state, reterr);
        if (r >= 0 && unit_is_running(active_state))
                return error_set(reterr, -EBUSY,
                                "directories: %s is running, and another %s is shown only to what is started anew; "
                                "stop it first, if it may be stopped",
                                unit, machine->stand_ins[0].path);
        /* First: one that it is given by the manager it may write to. */
        if (r >= 0)
                r = machine_check_shown_folders(machine, unit, reterr);
        for (size_t i = 0; r >= 0 && i < machine->n_stand_ins; i++) {
                r = check_binds(machine, unit, object, &machine->stand_ins[i], is_placed, reterr);
                if (r >= 0)
                        r = check_barriers(machine, unit, object, &machine->stand_ins[i], reterr);
        }
        return r < 0 ? r : check_commands(machine, unit, object, reterr);
}

static bool is_named(const Machine *machine, const char *unit) {
        FOREACH_ARRAY (name, machine->request->pinned_units, machine->request->n_pinned_units)
                if (strcmp(*name, unit) == 0)
                        return true;
        return false;
}

static int check_pulled(Machine *machine, const char *unit, const char *pulled, Error *reterr) {
        CLEANUP_FREE char *object = NULL, *active_state = NULL;
        int r;

        if (!string_ends_with(pulled, ".service") && !has_interface(pulled, "Socket") &&
                        !has_interface(pulled, "Path"))
                return 0;
        r = machine_bus_load(machine->bus, pulled, &object, reterr);
        if (r >= 0)
                r = machine_get_of(machine, object, "Unit", "ActiveState", &active_state, reterr);
        /* One that runs already is not started, and goes on with what it has. */
        if (r < 0 || unit_is_running(active_state))
                return r;
        if (string_ends_with(pulled, ".service"))
                return error_set(reterr, -EPERM,
                                "directories: %s may have %s started, which would find what there is in %s: name it, "
                                "as `%s: installed`",
                                unit, pulled, machine->stand_ins[0].path, pulled);
        r = check_uses(machine, pulled, object, reterr);
        return r < 0 ? r : check_unknowns(machine, pulled, object, reterr);
}

static int check_all_pulled(Machine *machine, const char *unit, Error *reterr) {
        CLEANUP(unit_names_done) UnitNames pulled = { 0 };
        int r = machine_find_pulled(machine, unit, &pulled, reterr);

        for (size_t i = 1; r >= 0 && i < pulled.n_names; i++)
                if (!is_named(machine, pulled.names[i]))
                        r = check_pulled(machine, unit, pulled.names[i], reterr);
        return r;
}

static int check_unit(Machine *machine, const char *unit, bool is_placed, Error *reterr) {
        CLEANUP_FREE char *object = NULL;
        int r;

        r = machine_bus_load(machine->bus, unit, &object, reterr);
        if (r >= 0)
                r = check_uses(machine, unit, object, reterr);
        if (r >= 0)
                r = check_unknowns(machine, unit, object, reterr);
        if (r >= 0 && string_ends_with(unit, ".service"))
                r = check_service(machine, unit, object, is_placed, reterr);
        return r < 0 ? r : check_all_pulled(machine, unit, reterr);
}

int machine_check_stand_ins(Machine *machine, bool is_placed, Error *reterr) {
        int r = 0;

        machine_forget(machine);
        for (size_t i = 0; machine->n_stand_ins > 0 && r >= 0 && i < machine->request->n_pinned_units; i++)
                r = check_unit(machine, machine->request->pinned_units[i], is_placed, reterr);
        return r;
}
