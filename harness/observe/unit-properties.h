/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The properties of one unit as last seen, and how the answer to GetAll() becomes fields of an entry: all of them the
 * first time, later what changed and always the exit facts.
 *
 * As text: booleans are yes and no, lists of strings are joined by spaces, byte arrays are hex, of Job its id. What
 * has a deeper structure is left out. A number that systemd uses as a mark reads as systemctl shows it: "infinity"
 * for limits and time-outs, "[not set]" for gauges and weights, "[no data]" for IP and IO counters.
 */

#include <systemd/sd-bus.h>

#include "timeline/entry.h"

typedef struct Property {
        char *name;
        char *text;
        bool is_exit_fact;
} Property;

typedef struct UnitProperties {
        Property *items;
        size_t n_items;
        size_t n_allocated;
} UnitProperties;

void unit_properties_done(UnitProperties *properties);

/* Reads @message, an a{sv}, updates @properties and adds what is to be recorded to @entry. -ENOMEM, -EBADMSG. */
int unit_properties_read(UnitProperties *properties, sd_bus_message *message, Entry *entry);

/* Borrowed; NULL where never seen. */
const char *unit_properties_get(const UnitProperties *properties, const char *name);
