/* SPDX-License-Identifier: MIT */
#include "observe/bus-unit.h"

#include <string.h>

typedef struct Question {
        BusUnit *unit;
        uint64_t asked_usec;
} Question;

int bus_unit_new(BusLink *link, const char *name, BusUnit **ret_unit) {
        CLEANUP(bus_unit_free_p) BusUnit *unit = calloc(1, sizeof(*unit));
        int r;

        if (!unit)
                return -ENOMEM;
        *unit = (BusUnit){ .link = link, .name = strdup(name) };
        if (!unit->name)
                return -ENOMEM;
        /* Asking for an object of this path makes the manager load the unit; LoadUnit() would say no more. */
        r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", name, &unit->object_path);
        if (r < 0)
                return r;
        *ret_unit = TAKE_PTR(unit);
        return 0;
}

BusUnit *bus_unit_free(BusUnit *unit) {
        if (!unit)
                return NULL;

        unit_properties_done(&unit->properties);
        (void) entry_free(unit->pending);
        free(unit->control_group);
        (void) main_process_free(unit->main);
        for (size_t i = 0; i < unit->n_former; i++)
                (void) main_process_free(unit->former[i]);
        free(unit->former);
        free(unit->object_path);
        free(unit->name);
        free(unit);
        return NULL;
}

bool bus_unit_is(const BusUnit *unit, const char *name) {
        const char *id = unit_properties_get(&unit->properties, "Id");

        return strcmp(unit->name, name) == 0 || (id && strcmp(id, name) == 0);
}

/* A main process can be replaced while it lives (MAINPID=, a new PIDFile): its end is then still watched for. */
static int unit_retire_main(BusUnit *unit) {
        MainProcess **former;

        if (!unit->main)
                return 0;
        former = reallocarray(unit->former, unit->n_former + 1, sizeof(*former));
        if (!former)
                return -ENOMEM;
        former[unit->n_former++] = TAKE_PTR(unit->main);
        unit->former = former;
        return 0;
}

/* The manager answers in milliseconds, or the machine is so starved that nothing else would be done either. */
#define FETCH_TIMEOUT_USEC (5 * USEC_PER_SEC)

static void message_unref_p(sd_bus_message **message) {
        sd_bus_message_unref(*message);
}

static int unit_follow_main(BusUnit *unit) {
        const char *text = unit_properties_get(&unit->properties, "MainPID");
        pid_t pid = text ? (pid_t) strtol(text, NULL, 10) : 0;
        size_t n_alive = 0;
        int r;

        for (size_t i = 0; i < unit->n_former; i++) {
                if (main_process_is_gone(unit->former[i]))
                        (void) main_process_free(unit->former[i]);
                else
                        unit->former[n_alive++] = unit->former[i];
        }
        unit->n_former = n_alive;

        if (pid <= 0 || (unit->main && main_process_pid(unit->main) == pid))
                return 0;
        r = unit_retire_main(unit);
        return r < 0 ? r : main_process_new(unit->link->observer, unit->name, pid, &unit->main);
}

/* An alias is known to the manager under another name, and its signals come from that name's object. */
static int unit_follow_id(BusUnit *unit) {
        const char *id = unit_properties_get(&unit->properties, "Id");
        char *object_path;
        int r;

        if (!id || strcmp(id, unit->name) == 0)
                return 0;
        r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", id, &object_path);
        if (r < 0)
                return r;
        free(unit->object_path);
        unit->object_path = object_path;
        return 0;
}

static int on_control_group(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Question *question = userdata;
        BusUnit *unit = question->unit;
        const char *path;

        unit->is_asking_control_group = false;
        bus_link_note_answer(unit->link, question->asked_usec);
        if (sd_bus_message_read(reply, "v", "s", &path) > 0 && path[0] && !unit->control_group)
                unit->control_group = strdup(path);
        return 0;
}

static int unit_call(BusUnit *unit, const char *method, sd_bus_message_handler_t on_answer, const char *interface,
                const char *property) {
        CLEANUP_FREE Question *question = calloc(1, sizeof(*question));
        BusLink *link = unit->link;
        sd_bus_slot *slot;
        int r;

        if (!question)
                return -ENOMEM;
        *question = (Question){ .unit = unit, .asked_usec = clock_now_usec() };
        r = sd_bus_call_method_async(link->bus, &slot, link->service, unit->object_path, PROPERTY_INTERFACE, method,
                        on_answer, question, property ? "ss" : "s", interface, property);
        if (r < 0)
                return r;
        bus_link_let_go(slot, free);
        (void) TAKE_PTR(question);
        return 0;
}

/* "agent.service" -> "org.freedesktop.systemd1.Service". False: it is called like no type of unit. */
static bool type_interface(const BusUnit *unit, char interface[static 64]) {
        const char *dot = strrchr(unit->name, '.');
        size_t n = dot ? strlen(dot + 1) : 0;

        if (n == 0 || n > 16)
                return false;
        (void) snprintf(interface, 64, "org.freedesktop.systemd1.%s", dot + 1);
        interface[strlen("org.freedesktop.systemd1.")] -= 'a' - 'A';
        return true;
}

/* ControlGroup is empty until the unit runs and is never signalled. Where it is stays the same over restarts. */
static int unit_follow_control_group(BusUnit *unit) {
        const char *path = unit_properties_get(&unit->properties, "ControlGroup");
        char interface[64];

        if (path && path[0] && (!unit->control_group || strcmp(unit->control_group, path) != 0)) {
                free(unit->control_group);
                unit->control_group = strdup(path);
                return unit->control_group ? 0 : -ENOMEM;
        }
        if (unit->control_group || !unit->main || unit->is_asking_control_group || !type_interface(unit, interface))
                return 0;
        unit->is_asking_control_group = true;
        return unit_call(unit, "Get", on_control_group, interface, "ControlGroup");
}

/*
 * Not noted as an answer: signals that came before it may still wait to be looked at, and are older than this
 * question.
 */
void bus_unit_fetch_control_group(BusUnit *unit) {
        CLEANUP(message_unref_p) sd_bus_message *call = NULL, *reply = NULL;
        BusLink *link = unit->link;
        char interface[64];
        const char *path;
        int r;

        if (unit->control_group || !unit->main || !type_interface(unit, interface))
                return;
        r = sd_bus_message_new_method_call(
                        link->bus, &call, link->service, unit->object_path, PROPERTY_INTERFACE, "Get");
        if (r >= 0)
                r = sd_bus_message_append(call, "ss", interface, "ControlGroup");
        if (r >= 0)
                r = sd_bus_call(link->bus, call, FETCH_TIMEOUT_USEC, NULL, &reply);
        if (r >= 0 && sd_bus_message_read(reply, "v", "s", &path) > 0 && path[0])
                unit->control_group = strdup(path);
}

static Entry *unit_entry(BusUnit *unit, uint64_t asked_usec) {
        Entry *entry = observer_entry(unit->link->observer, SOURCE_BUS, ENTRY_PROPERTIES, 0, unit->name);

        if (entry)
                entry_set_usec(entry, "asked", asked_usec);
        return entry;
}

/* Appends an entry that was filled from the manager's words, and looks what follows from them. */
static int unit_finish_entry(BusUnit *unit, Entry *entry) {
        int r;

        r = observer_append(unit->link->observer, entry);
        if (r >= 0)
                r = unit_follow_id(unit);
        if (r >= 0)
                r = unit_follow_main(unit);
        if (r >= 0)
                r = unit_follow_control_group(unit);
        return r;
}

static int unit_take_answer(BusUnit *unit, sd_bus_message *reply, uint64_t asked_usec) {
        CLEANUP(entry_free_p) Entry *entry = NULL;
        int r;

        if (unit->pending) {
                r = unit_finish_entry(unit, TAKE_PTR(unit->pending));
                if (r < 0)
                        return r;
        }
        entry = unit_entry(unit, asked_usec);
        if (!entry)
                return -ENOMEM;
        if (sd_bus_message_is_method_error(reply, NULL)) {
                entry_set_number(entry, "errno", sd_bus_message_get_errno(reply));
                return observer_append(unit->link->observer, TAKE_PTR(entry));
        }

        entry_set_number(entry, "errno", 0);
        r = unit_properties_read(&unit->properties, reply, entry);
        return r < 0 ? r : unit_finish_entry(unit, TAKE_PTR(entry));
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Question *question = userdata;
        BusLink *link = question->unit->link;
        int r;

        bus_link_note_answer(link, question->asked_usec);
        r = unit_take_answer(question->unit, reply, question->asked_usec);
        if (r < 0)
                (void) sd_event_exit(link->observer->event, r);
        return 0;
}

/* Nobody is there to be asked: that too is an answer, and what became of the channel is told by ENTRY_CHANNEL. */
static int record_unasked(BusUnit *unit, int error) {
        Entry *entry = observer_entry(unit->link->observer, SOURCE_BUS, ENTRY_PROPERTIES, 0, unit->name);

        if (entry) {
                entry_set_usec(entry, "asked", entry->at_usec);
                entry_set_number(entry, "errno", -error);
        }
        return observer_append(unit->link->observer, entry);
}

int bus_unit_ask(BusUnit *unit) {
        int r;

        /* An empty interface name means all of them, read at one moment. Source: D-Bus specification, GetAll. */
        r = unit_call(unit, "GetAll", on_answer, "", NULL);
        return r == -ENOTCONN || r == -ECONNRESET ? record_unasked(unit, r) : r;
}

int bus_unit_take_signal(BusUnit *unit, sd_bus_message *message) {
        uint64_t now = clock_now_usec();
        const char *interface;
        int r;

        r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &interface);
        if (r < 0)
                return r;
        /* A signal of a unit we know nothing of yet: the answer on the way says it all. */
        if (unit->properties.n_items == 0)
                return 0;
        if (!unit->pending) {
                unit->pending = unit_entry(unit, unit->link->answered_usec);
                if (!unit->pending)
                        return -ENOMEM;
                entry_set_number(unit->pending, "errno", 0);
        }
        unit->pending->at_usec = unit->pending->seen_usec = now;
        r = unit_properties_read(&unit->properties, message, unit->pending);
        if (r < 0 || strcmp(interface, UNIT_INTERFACE) != 0)
                return r;
        return unit_finish_entry(unit, TAKE_PTR(unit->pending));
}
