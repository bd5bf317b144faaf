/* SPDX-License-Identifier: MIT */
#pragma once

/* One unit that the bus watch follows: its questions, what was last answered, its main processes. See bus-watch.h. */

#include "observe/bus-link.h"
#include "observe/main-process.h"
#include "observe/unit-properties.h"

typedef struct BusUnit {
        BusLink *link;
        char *name;        /* as the scenario calls it */
        char *object_path; /* of the name it is known by in the manager, which differs for an alias */
        UnitProperties properties;
        Entry *pending;      /* the first half of a change, see bus_unit_take_signal() */
        char *control_group; /* the last one that was not empty; NULL: none yet */
        bool is_asking_control_group;
        MainProcess *main;
        MainProcess **former; /* main processes that were replaced while they lived */
        size_t n_former;
} BusUnit;

int bus_unit_new(BusLink *link, const char *name, BusUnit **ret_unit);
BusUnit *bus_unit_free(BusUnit *unit);

/* Sends the question for all properties; the answer becomes ENTRY_PROPERTIES. */
int bus_unit_ask(BusUnit *unit);

/**
 * bus_unit_take_signal() - a PropertiesChanged signal of this unit becomes ENTRY_PROPERTIES
 *
 * The manager sends two in a row, for the type's interface and for Unit, in one go: together they are one state of
 * the unit, so they become one entry. Source: bus_unit_send_change_signal() in dbus-unit.c of systemd.
 */
int bus_unit_take_signal(BusUnit *unit, sd_bus_message *message);

/* Where ControlGroup is not known of a unit that runs: asks, and waits for the answer, once in its life, 5 s at most.
 */
void bus_unit_fetch_control_group(BusUnit *unit);

/* Is @name this unit, by the scenario's name or the manager's? */
bool bus_unit_is(const BusUnit *unit, const char *name);

DEFINE_CLEANUP(BusUnit, bus_unit_free)
