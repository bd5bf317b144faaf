/* SPDX-License-Identifier: MIT */
/* Units that come and go with one of the scenario's. */
#include <string.h>

#include "stage/machine.h"

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

                r = machine_get(machine, object, stops[i], &names, reterr);
                if (r >= 0)
                        r = names_add(list, names, reterr);
        }
        return r;
}

/* Stopping the unit stops what requires it, and that what requires that. */
int machine_check_dependents(Machine *machine, const char *unit, Error *reterr) {
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

int machine_check_conflicts(Machine *machine, const char *unit, const char *object, Error *reterr) {
        CLEANUP(names_done) NameList list = { 0 };
        CLEANUP_FREE char *conflicts = NULL;
        int r;

        r = machine_get(machine, object, "Conflicts", &conflicts, reterr);
        if (r >= 0)
                r = names_add(&list, conflicts, reterr);
        for (size_t i = 0; r >= 0 && i < list.n_names; i++) {
                CLEANUP_FREE char *other = NULL, *active_state = NULL;

                r = machine_bus_load(machine->bus, list.names[i], &other, reterr);
                if (r >= 0)
                        r = machine_get(machine, other, "ActiveState", &active_state, reterr);
                if (r >= 0 && strcmp(active_state, "active") == 0)
                        return error_set(reterr, -EPERM, "%s conflicts with %s, which is active and would be stopped",
                                        unit, list.names[i]);
        }
        return r;
}
