/* SPDX-License-Identifier: MIT */
/* Units that come and go with one of the scenario's. */
#include <string.h>

#include "stage/machine.h"
#include "stage/undo-drift.h"

void unit_names_done(UnitNames *list) {
        FOREACH_ARRAY (name, list->names, list->n_names)
                free(*name);
        free(list->names);
}

static bool has_name(const UnitNames *list, const char *name, size_t n) {
        FOREACH_ARRAY (item, list->names, list->n_names)
                if (strlen(*item) == n && strncmp(*item, name, n) == 0)
                        return true;
        return false;
}

/* Adds the words of @words, each once. */
static int add_names(UnitNames *list, const char *words, Error *reterr) {
        for (size_t n; *words; words += n + strspn(words + n, " ")) {
                char **grown;

                n = strcspn(words, " ");
                if (has_name(list, words, n))
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

/* Adds those that one of @properties of @unit names. */
static int add_edges(Machine *machine, const char *unit, const char *const *properties, size_t n_properties,
                UnitNames *list, Error *reterr) {
        CLEANUP_FREE char *object = NULL;
        int r = machine_bus_load(machine->bus, unit, &object, reterr);

        for (size_t i = 0; r >= 0 && i < n_properties; i++) {
                CLEANUP_FREE char *names = NULL;

                r = machine_get(machine, object, properties[i], &names, reterr);
                if (r >= 0)
                        r = add_names(list, names, reterr);
        }
        return r;
}

/* ---- what its start, its end or its failure has started ---- */

/* The boot, which is over: each unit needs it, and it pulls in half of the machine. And slices need slices alone. */
static bool is_of_boot(const char *unit) {
        return string_ends_with(unit, ".slice") || strcmp(unit, "sysinit.target") == 0 ||
               strcmp(unit, "basic.target") == 0;
}

int machine_find_pulled(Machine *machine, const char *unit, UnitNames *ret_names, Error *reterr) {
        static const char *const pulls[] = { "Requires", "Wants", "BindsTo", "Upholds", "Triggers", "OnFailure",
                "OnSuccess" };
        int r = add_names(ret_names, unit, reterr);

        for (size_t i = 0; r >= 0 && i < ret_names->n_names; i++)
                if (!is_of_boot(ret_names->names[i]))
                        r = add_edges(machine, ret_names->names[i], pulls, ELEMENTS_OF(pulls), ret_names, reterr);
        return r;
}

/* FailureAction=reboot and the like: a scenario that crashes the unit would reboot the machine. */
static int check_actions(Machine *machine, const char *unit, const char *object, Error *reterr) {
        static const char *const actions[] = { "FailureAction", "SuccessAction", "StartLimitAction",
                "JobTimeoutAction" };

        FOREACH_ARRAY (action, actions, ELEMENTS_OF(actions)) {
                CLEANUP_FREE char *value = NULL;
                int r = machine_get(machine, object, *action, &value, reterr);

                if (r < 0)
                        return r;
                if (value[0] && strcmp(value, "none") != 0)
                        return error_set(reterr, -EPERM, "%s has %s=%s, which would hit the whole machine", unit,
                                        *action, value);
        }
        return 0;
}

/* OnFailure=rescue.target, and OnFailureJobMode=isolate, which stops all that the named unit does not need. */
static int check_successors(
                Machine *machine, const char *unit, const char *object, const char *property, Error *reterr) {
        CLEANUP(unit_names_done) UnitNames list = { 0 };
        CLEANUP_FREE char *names = NULL, *mode = NULL, *mode_property = NULL;
        int r;

        if (asprintf(&mode_property, "%sJobMode", property) < 0) {
                mode_property = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        r = machine_get(machine, object, property, &names, reterr);
        if (r >= 0)
                r = machine_get(machine, object, mode_property, &mode, reterr);
        if (r >= 0)
                r = add_names(&list, names, reterr);
        if (r >= 0 && list.n_names > 0 && (strcmp(mode, "isolate") == 0 || strcmp(mode, "flush") == 0))
                return error_set(reterr, -EPERM, "%s has %s=%s and %s=%s, which would hit the whole machine", unit,
                                property, names, mode_property, mode);
        for (size_t i = 0; r >= 0 && i < list.n_names; i++) {
                const char *why = string_ends_with(list.names[i], ".target") ? "a state of the machine"
                                                                             : unit_is_critical(list.names[i]);

                if (why)
                        return error_set(reterr, -EPERM, "%s has %s=%s, and that is %s", unit, property,
                                        list.names[i], why);
        }
        return r;
}

static int check_end(Machine *machine, const char *unit, const char *object, Error *reterr) {
        int r = check_actions(machine, unit, object, reterr);

        if (r >= 0)
                r = check_successors(machine, unit, object, "OnFailure", reterr);
        return r < 0 ? r : check_successors(machine, unit, object, "OnSuccess", reterr);
}

/* ---- what its start stops ---- */

static int is_active(Machine *machine, const char *unit, bool *ret_is_active, Error *reterr) {
        CLEANUP_FREE char *object = NULL, *active_state = NULL;
        int r;

        r = machine_bus_load(machine->bus, unit, &object, reterr);
        if (r >= 0)
                r = machine_get(machine, object, "ActiveState", &active_state, reterr);
        *ret_is_active = r >= 0 && unit_is_running(active_state);
        return r;
}

/* A conflict stops, whichever of the two says so. */
static int check_conflicts(Machine *machine, const char *unit, Error *reterr) {
        static const char *const conflicts[] = { "Conflicts", "ConflictedBy" };
        CLEANUP(unit_names_done) UnitNames list = { 0 };
        int r = add_edges(machine, unit, conflicts, ELEMENTS_OF(conflicts), &list, reterr);

        for (size_t i = 0; r >= 0 && i < list.n_names; i++) {
                bool would_stop;

                r = is_active(machine, list.names[i], &would_stop, reterr);
                if (r >= 0 && would_stop)
                        return error_set(reterr, -EPERM, "%s conflicts with %s, which is active and would be stopped",
                                        unit, list.names[i]);
        }
        return r;
}

/* ---- what its stop stops ---- */

static int check_dependents(Machine *machine, const char *unit, Error *reterr) {
        static const char *const stops[] = { "RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf",
                "PropagatesStopTo" };
        CLEANUP(unit_names_done) UnitNames list = { 0 };
        int r = add_names(&list, unit, reterr);

        for (size_t i = 0; r >= 0 && i < list.n_names; i++) {
                const char *why = i == 0 ? NULL : unit_is_critical(list.names[i]);

                if (why || (i > 0 && string_ends_with(list.names[i], ".mount")))
                        return error_set(reterr, -EPERM, "%s stops with %s, and is %s", list.names[i], unit,
                                        why ?: "a mounted file system");
                r = add_edges(machine, list.names[i], stops, ELEMENTS_OF(stops), &list, reterr);
        }
        return r;
}

/* ---- all of it ---- */

static int check_pulled(Machine *machine, const char *unit, const char *pulled, Error *reterr) {
        CLEANUP_FREE char *object = NULL;
        bool is_there;
        int r;

        if (is_of_boot(pulled))
                return 0;
        /* One that runs already is not started. */
        r = is_active(machine, pulled, &is_there, reterr);
        if (r < 0 || is_there)
                return r;
        r = machine_bus_load(machine->bus, pulled, &object, reterr);
        if (r >= 0)
                r = check_end(machine, pulled, object, reterr);
        if (r >= 0)
                r = check_conflicts(machine, pulled, reterr);
        if (r >= 0 && string_ends_with(pulled, ".service"))
                r = machine_check_unit_folders(machine, pulled, reterr);
        return r == -EPERM ? error_prefix(reterr, "%s may have %s started", unit, pulled) : r;
}

int machine_check_along(Machine *machine, const char *unit, const char *object, Error *reterr) {
        CLEANUP(unit_names_done) UnitNames pulled = { 0 };
        int r;

        r = check_end(machine, unit, object, reterr);
        if (r >= 0)
                r = check_conflicts(machine, unit, reterr);
        if (r >= 0)
                r = check_dependents(machine, unit, reterr);
        if (r >= 0)
                r = machine_find_pulled(machine, unit, &pulled, reterr);
        for (size_t i = 1; r >= 0 && i < pulled.n_names; i++)
                r = check_pulled(machine, unit, pulled.names[i], reterr);
        return r;
}
