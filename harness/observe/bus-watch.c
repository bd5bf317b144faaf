/* SPDX-License-Identifier: MIT */
#include "observe/bus-watch.h"

#include <string.h>
#include <systemd/sd-bus.h>

#include "base/quantity.h"
#include "observe/bus-action.h"
#include "observe/bus-unit.h"

/* Until the connection stands; and until an answer, where the manager is busy. Longer than any sane manager takes. */
#define CONNECT_TIMEOUT_USEC (10 * USEC_PER_SEC)
#define ANSWER_TIMEOUT_USEC  (60 * USEC_PER_SEC)

struct BusWatch {
        BusLink link;
        char *version;
        BusUnit **units;
        size_t n_units;
        bool is_closed;

        BarrierCallback on_barrier; /* NULL: no barrier under way */
        void *barrier_userdata;
};

static BusUnit *watch_find(const BusWatch *watch, const char *name) {
        for (size_t i = 0; i < watch->n_units; i++)
                if (bus_unit_is(watch->units[i], name))
                        return watch->units[i];
        return NULL;
}

/* A callback's error must not vanish in sd-bus. */
static int watch_check(BusWatch *watch, int r) {
        if (r < 0 && !watch->is_closed)
                (void) sd_event_exit(watch->link.observer->event, r);
        return 0;
}

static int on_properties_changed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        BusWatch *watch = userdata;
        const char *path = sd_bus_message_get_path(message);

        for (size_t i = 0; i < watch->n_units; i++)
                if (strcmp(watch->units[i]->object_path, path) == 0)
                        return watch_check(watch, bus_unit_take_signal(watch->units[i], message));
        return 0;
}

static int record_job(BusWatch *watch, EntryKind kind, uint32_t id, const char *job, const char *name,
                const char *job_result) {
        const BusUnit *unit = watch_find(watch, name);
        Entry *entry = observer_entry(watch->link.observer, SOURCE_BUS, kind, 0, unit ? unit->name : name);

        if (entry) {
                entry_set_number(entry, "id", id);
                entry_set(entry, "job", job);
                if (job_result)
                        entry_set(entry, "result", job_result);
        }
        return observer_append(watch->link.observer, entry);
}

static int on_job_new(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        BusWatch *watch = userdata;
        const char *job, *unit;
        uint32_t id;
        int r;

        r = sd_bus_message_read(message, "uos", &id, &job, &unit);
        return watch_check(watch, r < 0 ? r : record_job(watch, ENTRY_JOB_NEW, id, job, unit, NULL));
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        BusWatch *watch = userdata;
        const char *job, *unit, *job_result;
        uint32_t id;
        int r;

        r = sd_bus_message_read(message, "uoss", &id, &job, &unit, &job_result);
        return watch_check(watch, r < 0 ? r : record_job(watch, ENTRY_JOB_REMOVED, id, job, unit, job_result));
}

/* After a daemon-reload the manager has new objects for all units; what changed meanwhile it does not signal. */
static int on_reloading(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        BusWatch *watch = userdata;
        int is_active, r;

        r = sd_bus_message_read(message, "b", &is_active);
        for (size_t i = 0; r >= 0 && !is_active && i < watch->n_units; i++)
                r = bus_unit_ask(watch->units[i]);
        return watch_check(watch, r);
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        BusWatch *watch = userdata;

        watch->is_closed = true;
        (void) observer_channel(watch->link.observer, SOURCE_BUS, "bus", "closed",
                        "the connection to the service manager was closed");
        return 0;
}

static int watch_install_matches(BusWatch *watch) {
        static const struct {
                const char *member;
                sd_bus_message_handler_t handler;
        } signals[] = {
                { "JobNew", on_job_new },
                { "JobRemoved", on_job_removed },
                { "Reloading", on_reloading },
        };
        int r;

        for (size_t i = 0; i < ELEMENTS_OF(signals); i++) {
                r = sd_bus_match_signal(watch->link.bus, NULL, watch->link.service, MANAGER_PATH, MANAGER_INTERFACE,
                                signals[i].member, signals[i].handler, watch);
                if (r < 0)
                        return r;
        }
        r = sd_bus_match_signal(watch->link.bus, NULL, NULL, "/org/freedesktop/DBus/Local",
                        "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, watch);
        if (r < 0)
                return r;
        return sd_bus_add_match(watch->link.bus, NULL,
                        watch->link.service
                                        ? "type='signal',sender='org.freedesktop.systemd1',"
                                          "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
                                          "path_namespace='/org/freedesktop/systemd1/unit'"
                                        : "type='signal',interface='org.freedesktop.DBus.Properties',"
                                          "member='PropertiesChanged',path_namespace='/org/freedesktop/systemd1/"
                                          "unit'",
                        on_properties_changed, watch);
}

/* The manager's own socket speaks D-Bus without a bus daemon: no Hello, no names. */
static bool address_is_peer(const char *address) {
        return strstr(address, "/systemd/private") != NULL;
}

static int watch_connect(BusWatch *watch, const char *address) {
        bool is_peer = address_is_peer(address);
        int r;

        watch->link.service = is_peer ? NULL : "org.freedesktop.systemd1";
        r = sd_bus_new(&watch->link.bus);
        if (r >= 0)
                r = sd_bus_set_address(watch->link.bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(watch->link.bus, !is_peer);
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(watch->link.bus, CONNECT_TIMEOUT_USEC);
        if (r >= 0)
                r = sd_bus_start(watch->link.bus);
        return r;
}

static int watch_subscribe(BusWatch *watch) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call_method(watch->link.bus, watch->link.service, MANAGER_PATH, MANAGER_INTERFACE, "Subscribe",
                        &error, NULL, NULL);
        if (r < 0)
                return r;
        r = sd_bus_get_property_string(watch->link.bus, watch->link.service, MANAGER_PATH, MANAGER_INTERFACE,
                        "Version", &error, &watch->version);
        if (r < 0)
                return r;
        return sd_bus_set_method_call_timeout(watch->link.bus, ANSWER_TIMEOUT_USEC);
}

int bus_watch_new(Observer *observer, const char *address, BusWatch **ret_watch, Error *reterr) {
        CLEANUP(bus_watch_free_p) BusWatch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return error_set_errno(reterr, -ENOMEM, "service manager");
        watch->link.observer = observer;
        r = watch_connect(watch, address);
        /* The matches must exist before any job is queued: a job can finish before its reply is read. */
        if (r >= 0)
                r = watch_install_matches(watch);
        if (r >= 0)
                r = watch_subscribe(watch);
        if (r >= 0)
                r = sd_bus_attach_event(watch->link.bus, observer->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot talk to the service manager at %s", address);
        *ret_watch = TAKE_PTR(watch);
        return 0;
}

BusWatch *bus_watch_free(BusWatch *watch) {
        if (!watch)
                return NULL;

        /* First the connection: with it go the questions that point to the units. */
        sd_bus_close_unref(watch->link.bus);
        for (size_t i = 0; i < watch->n_units; i++)
                (void) bus_unit_free(watch->units[i]);
        free(watch->units);
        free(watch->version);
        free(watch);
        return NULL;
}

typedef struct Ping {
        BusWatch *watch;
        uint64_t asked_usec;
        bool is_barrier;
} Ping;

static void barrier_end(BusWatch *watch, sd_bus_message *reply) {
        int error = sd_bus_message_is_method_error(reply, NULL) ? -sd_bus_message_get_errno(reply) : 0;
        BarrierCallback on_barrier = TAKE_PTR(watch->on_barrier);

        if (error < 0 && !watch->is_closed)
                (void) observer_channel(watch->link.observer, SOURCE_BUS, "bus", "late",
                                "the service manager did not answer: %s", sd_bus_message_get_error(reply)->message);
        on_barrier(error, watch->barrier_userdata);
}

static int on_ping_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const Ping *ping = userdata;

        bus_link_note_answer(&ping->watch->link, ping->asked_usec);
        if (ping->is_barrier)
                barrier_end(ping->watch, reply);
        return 0;
}

static int watch_ping(BusWatch *watch, uint64_t asked_usec, bool is_barrier) {
        CLEANUP_FREE Ping *ping = calloc(1, sizeof(*ping));
        sd_bus_slot *slot;
        int r;

        if (!ping)
                return -ENOMEM;
        *ping = (Ping){ .watch = watch, .asked_usec = asked_usec, .is_barrier = is_barrier };
        r = sd_bus_call_method_async(watch->link.bus, &slot, watch->link.service, MANAGER_PATH,
                        "org.freedesktop.DBus.Peer", "Ping", on_ping_answer, ping, NULL);
        if (r < 0)
                return r;
        bus_link_let_go(slot, free);
        (void) TAKE_PTR(ping);
        return 0;
}

static int watch_obtain(BusWatch *watch, const char *name, BusUnit **ret_unit, bool *ret_is_new) {
        BusUnit **units;
        int r;

        *ret_is_new = false;
        *ret_unit = watch_find(watch, name);
        if (*ret_unit)
                return 0;
        units = reallocarray(watch->units, watch->n_units + 1, sizeof(BusUnit *));
        if (!units)
                return -ENOMEM;
        watch->units = units;
        r = bus_unit_new(&watch->link, name, &units[watch->n_units]);
        if (r < 0)
                return r;
        *ret_is_new = true;
        *ret_unit = units[watch->n_units++];
        return 0;
}

int bus_watch_add_unit(BusWatch *watch, const char *name, Error *reterr) {
        BusUnit *unit;
        bool is_new;
        int r;

        r = watch_obtain(watch, name, &unit, &is_new);
        if (r >= 0 && is_new)
                r = bus_unit_ask(unit);
        return r < 0 ? error_set_errno(reterr, r, "cannot watch unit %s", name) : 0;
}

int bus_watch_ask(BusWatch *watch, const char *name) {
        BusUnit *unit;
        bool is_new;
        int r;

        r = watch_obtain(watch, name, &unit, &is_new);
        return r < 0 ? r : bus_unit_ask(unit);
}

int bus_watch_job(BusWatch *watch, const char *unit, const char *verb, const char *mode, Error *reterr) {
        return bus_action_job(&watch->link, unit, verb, mode, reterr);
}

int bus_watch_kill(BusWatch *watch, const char *unit, const char *who, int signal, Error *reterr) {
        pid_t pid = strcmp(who, "main") == 0 ? bus_watch_main_pid(watch, unit) : 0;

        return bus_action_kill(&watch->link, unit, who, pid, signal, reterr);
}

int bus_watch_signal_main(BusWatch *watch, const char *name, int signal) {
        const BusUnit *unit = watch_find(watch, name);
        uint64_t asked_usec = clock_now_usec();
        int r;

        r = unit && unit->main ? main_process_signal(unit->main, signal) : -ESRCH;
        /* What the manager says from now on is to be known as said from now on. */
        (void) watch_ping(watch, clock_now_usec(), false);
        return bus_action_record_signal(
                        watch->link.observer, name, "main", bus_watch_main_pid(watch, name), signal, -r, asked_usec);
}

int bus_watch_check_alive(BusWatch *watch, const char *name) {
        const BusUnit *unit = watch_find(watch, name);

        return unit && unit->main ? main_process_check_alive(unit->main) : 0;
}

bool bus_watch_knows(const BusWatch *watch, const char *name) {
        const BusUnit *unit = watch_find(watch, name);

        return unit && unit->properties.n_items > 0;
}

pid_t bus_watch_main_pid(const BusWatch *watch, const char *name) {
        const BusUnit *unit = watch_find(watch, name);
        const char *pid = unit ? unit_properties_get(&unit->properties, "MainPID") : NULL;

        return pid ? (pid_t) strtol(pid, NULL, 10) : 0;
}

void bus_watch_fetch_control_group(BusWatch *watch, const char *name) {
        BusUnit *unit = watch_find(watch, name);

        if (unit && !watch->is_closed)
                bus_unit_fetch_control_group(unit);
}

const char *bus_watch_control_group(const BusWatch *watch, const char *name) {
        const BusUnit *unit = watch_find(watch, name);

        return unit ? unit->control_group : NULL;
}

const char *bus_watch_version(const BusWatch *watch) {
        return watch->version;
}

int bus_watch_barrier(BusWatch *watch, BarrierCallback callback, void *userdata) {
        int r;

        if (watch->is_closed)
                return -ENOTCONN;
        if (watch->on_barrier)
                return -EBUSY;
        for (size_t i = 0; i < watch->n_units; i++) {
                r = bus_unit_ask(watch->units[i]);
                if (r < 0)
                        return r;
        }
        /* Questions of one connection are answered in their order: behind this answer lie all snapshots. */
        r = watch_ping(watch, clock_now_usec(), true);
        if (r < 0)
                return r;
        watch->on_barrier = callback;
        watch->barrier_userdata = userdata;
        return 0;
}
