/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The connection to the service manager, as its users share it.
 *
 * What the manager sends on one connection comes in the order in which it was composed. So whatever arrives behind
 * the answer to a question was composed after that question was sent: a lower bound for signals, which have no moment
 * of their own.
 */

#include <systemd/sd-bus.h>

#include "observe/observer.h"

#define MANAGER_PATH       "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE  "org.freedesktop.systemd1.Manager"
#define UNIT_INTERFACE     "org.freedesktop.systemd1.Unit"
#define PROPERTY_INTERFACE "org.freedesktop.DBus.Properties"

typedef struct BusLink {
        Observer *observer;
        sd_bus *bus;
        const char *service;    /* destination of messages; NULL peer to peer */
        uint64_t answered_usec; /* when the latest question was sent that has an answer */
} BusLink;

static inline void bus_link_note_answer(BusLink *link, uint64_t asked_usec) {
        if (asked_usec > link->answered_usec)
                link->answered_usec = asked_usec;
}

/* Leaves @slot to its connection, with @destroy to be called on its userdata when it goes. */
static inline void bus_link_let_go(sd_bus_slot *slot, sd_bus_destroy_t destroy) {
        (void) sd_bus_slot_set_destroy_callback(slot, destroy);
        (void) sd_bus_slot_set_floating(slot, true);
        (void) sd_bus_slot_unref(slot);
}
