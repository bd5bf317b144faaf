/* SPDX-License-Identifier: MIT */
/*
 * What the manager has said of units while they are checked. The manager loads one that is inactive anew for each
 * question, from its files, so all of its properties are asked for at once, and once.
 */
#include <string.h>

#include "stage/machine.h"

struct KnownUnit {
        char *object, *interface;
        Text pairs; /* name, NUL, value, NUL */
};

void machine_forget(Machine *machine) {
        FOREACH_ARRAY (known, machine->known_units, machine->n_known_units) {
                free(known->object);
                free(known->interface);
                text_done(&known->pairs);
        }
        free(machine->known_units);
        machine->known_units = NULL;
        machine->n_known_units = 0;
}

static int learn(Machine *machine, const char *object, const char *interface, const KnownUnit **ret_known,
                Error *reterr) {
        KnownUnit *known = reallocarray(machine->known_units, machine->n_known_units + 1, sizeof(KnownUnit));

        if (!known)
                return error_set(reterr, -ENOMEM, "out of memory");
        machine->known_units = known;
        known += machine->n_known_units++;
        *known = (KnownUnit){ .object = strdup(object), .interface = strdup(interface) };
        if (!known->object || !known->interface)
                return error_set(reterr, -ENOMEM, "out of memory");
        *ret_known = known;
        return machine_bus_properties(machine->bus, object, interface, &known->pairs, reterr);
}

static const char *find_value(const Text *pairs, const char *property) {
        const char *end = text_get(pairs) + pairs->n_bytes;

        for (const char *name = text_get(pairs); name < end;) {
                const char *value = name + strlen(name) + 1;

                if (strcmp(name, property) == 0)
                        return value;
                name = value + strlen(value) + 1;
        }
        return "";
}

int machine_get_of(Machine *machine, const char *object, const char *interface, const char *property, char **ret_text,
                Error *reterr) {
        const KnownUnit *found = NULL;
        int r = 0;

        FOREACH_ARRAY (known, machine->known_units, machine->n_known_units)
                if (strcmp(known->object, object) == 0 && strcmp(known->interface, interface) == 0)
                        found = known;
        if (!found)
                r = learn(machine, object, interface, &found, reterr);
        if (r < 0)
                return r;
        *ret_text = strdup(find_value(&found->pairs, property));
        return *ret_text ? 0 : error_set(reterr, -ENOMEM, "out of memory");
}

int machine_get(Machine *machine, const char *object, const char *property, char **ret_text, Error *reterr) {
        return machine_get_of(machine, object, "Unit", property, ret_text, reterr);
}
