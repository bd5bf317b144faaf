/* SPDX-License-Identifier: MIT */
#include "stage/machine-bus.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "stage/deadline.h"

#define MANAGER_PATH      "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define INTERFACE_PREFIX  "org.freedesktop.systemd1."
#define CALL_LIMIT_USEC   (60 * USEC_PER_SEC) /* a daemon-reload of a large machine takes its time */

struct MachineBus {
        sd_bus *bus;
        char *job;        /* the one that is waited for */
        char *job_result; /* NULL: it has not ended */
};

static void message_unref_p(sd_bus_message **message) {
        sd_bus_message_unref(*message);
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        MachineBus *bus = userdata;
        const char *job, *unit, *job_result;
        uint32_t id;

        if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &job_result) < 0)
                return 0;
        if (bus->job && !bus->job_result && strcmp(job, bus->job) == 0)
                bus->job_result = strdup(job_result);
        return 0;
}

static int bus_connect(MachineBus *bus, const char *address) {
        int r;

        r = sd_bus_new(&bus->bus);
        if (r >= 0)
                r = sd_bus_set_address(bus->bus, address);
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(bus->bus, CALL_LIMIT_USEC);
        if (r >= 0)
                r = sd_bus_start(bus->bus);
        /* Before any job: it can end before the reply to its call is read. */
        if (r >= 0)
                r = sd_bus_match_signal(bus->bus, NULL, NULL, MANAGER_PATH, MANAGER_INTERFACE, "JobRemoved",
                                on_job_removed, bus);
        if (r >= 0)
                r = sd_bus_call_method(
                                bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, "Subscribe", NULL, NULL, NULL);
        return r;
}

int machine_bus_new(const char *address, MachineBus **ret_bus, Error *reterr) {
        CLEANUP(machine_bus_free_p) MachineBus *bus = calloc(1, sizeof(*bus));
        int r;

        if (!bus)
                return error_set(reterr, -ENOMEM, "out of memory");
        r = bus_connect(bus, address);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot talk to the service manager at %s", address);
        *ret_bus = TAKE_PTR(bus);
        return 0;
}

MachineBus *machine_bus_free(MachineBus *bus) {
        if (!bus)
                return NULL;

        sd_bus_close_unref(bus->bus);
        free(bus->job);
        free(bus->job_result);
        free(bus);
        return NULL;
}

static int read_boot_id(char boot_id[static 37]) {
        CLEANUP_FILE FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

        return file && fscanf(file, "%36s", boot_id) == 1 ? 0 : -EIO;
}

int machine_bus_manager(MachineBus *bus, char **ret_id, Error *reterr) {
        char boot_id[37];
        uint64_t usec;
        int r;

        r = sd_bus_get_property_trivial(bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE,
                        "UserspaceTimestampMonotonic", NULL, 't', &usec);
        if (r >= 0)
                r = read_boot_id(boot_id);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot tell which service manager this is");
        return asprintf(ret_id, "%s:%" PRIu64, boot_id, usec) < 0 ? error_set(reterr, -ENOMEM, "out of memory") : 0;
}

int machine_bus_control_group(MachineBus *bus, char **ret_path, Error *reterr) {
        int r = sd_bus_get_property_string(
                        bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, "ControlGroup", NULL, ret_path);

        return r < 0 ? error_set_errno(reterr, r, "cannot ask for the cgroup of the service manager") : 0;
}

int machine_bus_pid(MachineBus *bus, pid_t *ret_pid, Error *reterr) {
        struct ucred peer;
        socklen_t n_bytes = sizeof(peer);
        int fd = sd_bus_get_fd(bus->bus);

        if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n_bytes) < 0)
                return error_set_errno(reterr, fd < 0 ? fd : -errno, "cannot tell which process manages the units");
        *ret_pid = peer.pid;
        return 0;
}

int machine_bus_system_state(MachineBus *bus, char **ret_text, Error *reterr) {
        int r = sd_bus_get_property_string(
                        bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, "SystemState", NULL, ret_text);

        return r < 0 ? error_set_errno(reterr, r, "cannot ask for the state of the service manager") : 0;
}

static int error_of_call(Error *reterr, int r, const sd_bus_error *error, const char *method, const char *unit) {
        return error_set(reterr, r, "%s of %s: %s", method, unit ?: "the service manager",
                        error->message ?: strerror(-r));
}

int machine_bus_load(MachineBus *bus, const char *unit, char **ret_object, Error *reterr) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(message_unref_p) sd_bus_message *reply = NULL;
        const char *object;
        int r;

        r = sd_bus_call_method(
                        bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, "LoadUnit", &error, &reply, "s", unit);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &object);
        if (r < 0)
                return error_of_call(reterr, r, &error, "LoadUnit", unit);
        *ret_object = strdup(object);
        return *ret_object ? 0 : error_set(reterr, -ENOMEM, "out of memory");
}

static int write_basic(sd_bus_message *message, char type, Text *text) {
        union {
                const char *string;
                uint64_t u64;
                uint32_t u32;
                int32_t i32;
                int truth;
                uint64_t other;
        } value;
        int r = sd_bus_message_read_basic(message, type, &value);

        if (r <= 0)
                return r;
        if (text->n_bytes > 0)
                text_append(text, " ");
        if (type == 's' || type == 'o')
                text_append(text, value.string);
        else if (type == 'b')
                text_append(text, value.truth ? "yes" : "no");
        else if (type == 't')
                text_printf(text, "%" PRIu64, value.u64);
        else if (type == 'u')
                text_printf(text, "%" PRIu32, value.u32);
        else if (type == 'i')
                text_printf(text, "%" PRIi32, value.i32);
        else
                text_append(text, "?"); /* nothing that is asked for */
        return 1;
}

static int write_bytes(sd_bus_message *message, Text *text) {
        const void *bytes;
        size_t n_bytes;
        int r = sd_bus_message_read_array(message, 'y', &bytes, &n_bytes);

        for (size_t i = 0; r >= 0 && i < n_bytes; i++)
                text_printf(text, "%02x", ((const uint8_t *) bytes)[i]);
        return r;
}

/* All that is left in the container that was entered last, however it is nested: no deeper than D-Bus allows. */
static int write_items(sd_bus_message *message, Text *text) {
        const char *contents;
        char type;
        int r;

        while ((r = sd_bus_message_peek_type(message, &type, &contents)) > 0) {
                if (type == 'a' && strcmp(contents, "y") == 0)
                        r = write_bytes(message, text);
                else if (strchr("avre", type)) {
                        r = sd_bus_message_enter_container(message, type, contents);
                        if (r >= 0)
                                r = write_items(message, text);
                        if (r >= 0)
                                r = sd_bus_message_exit_container(message);
                } else
                        r = write_basic(message, type, text);
                if (r < 0)
                        return r;
        }
        return r;
}

int machine_bus_property(MachineBus *bus, const char *object, const char *interface, const char *property,
                char **ret_text, Error *reterr) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(message_unref_p) sd_bus_message *reply = NULL;
        CLEANUP_TEXT Text text = TEXT_INIT;
        char name[80];
        int r;

        (void) snprintf(name, sizeof(name), INTERFACE_PREFIX "%s", interface);
        r = sd_bus_call_method(bus->bus, NULL, object, "org.freedesktop.DBus.Properties", "Get", &error, &reply, "ss",
                        name, property);
        /* A property of another kind of unit, or of a later version. */
        if (r < 0 && !sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_PROPERTY) &&
                        !sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_INTERFACE))
                return error_of_call(reterr, r, &error, property, object);
        if (r >= 0)
                r = write_items(reply, &text);
        else
                r = 0;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read property %s", property);
        *ret_text = text_take(&text);
        return *ret_text ? 0 : error_set(reterr, -ENOMEM, "out of memory");
}

static int write_pairs(sd_bus_message *message, Text *pairs) {
        int r = sd_bus_message_enter_container(message, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                CLEANUP_TEXT Text value = TEXT_INIT;
                const char *name;

                r = sd_bus_message_read(message, "s", &name);
                if (r >= 0)
                        r = write_items(message, &value);
                if (r >= 0)
                        r = value.is_broken ? -ENOMEM : sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
                text_append_bytes(pairs, name, strlen(name) + 1);
                text_append_bytes(pairs, text_get(&value), value.n_bytes + 1);
        }
        return r < 0 ? r : pairs->is_broken ? -ENOMEM : 0;
}

int machine_bus_properties(
                MachineBus *bus, const char *object, const char *interface, Text *ret_pairs, Error *reterr) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(message_unref_p) sd_bus_message *reply = NULL;
        char name[80];
        int r;

        (void) snprintf(name, sizeof(name), INTERFACE_PREFIX "%s", interface);
        r = sd_bus_call_method(bus->bus, NULL, object, "org.freedesktop.DBus.Properties", "GetAll", &error, &reply,
                        "s", name);
        if (r < 0)
                return sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_INTERFACE)
                                       ? 0
                                       : error_of_call(reterr, r, &error, "GetAll", object);
        r = write_pairs(reply, ret_pairs);
        return r < 0 ? error_set_errno(reterr, r, "cannot read the properties of %s", object) : 0;
}

/* Where a unit is when the job that waits for it has run. Source: org.freedesktop.systemd1(5), "ListUnits()". */
static const char *state_to_be(const char *active_state, const char *job_type) {
        bool is_down = strcmp(active_state, "inactive") == 0 || strcmp(active_state, "failed") == 0;
        bool is_restart = strcmp(job_type, "restart") == 0;

        if (is_down && (is_restart || strcmp(job_type, "start") == 0))
                return "activating";
        if (!is_down && (is_restart || strcmp(job_type, "stop") == 0 || strcmp(job_type, "try-restart") == 0))
                return "deactivating";
        return active_state;
}

static int read_units(sd_bus_message *reply, Text *ret_units) {
        const char *name, *active_state, *job_type;
        int r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");

        while (r > 0) {
                r = sd_bus_message_read(reply, "(ssssssouso)", &name, NULL, NULL, &active_state, NULL, NULL, NULL,
                                NULL, &job_type, NULL);
                if (r > 0)
                        text_printf(ret_units, "%s %s\n", name, state_to_be(active_state, job_type));
        }
        return r >= 0 && ret_units->is_broken ? -ENOMEM : r;
}

int machine_bus_list(MachineBus *bus, Text *ret_units, Error *reterr) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(message_unref_p) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, "ListUnits", &error, &reply, NULL);
        if (r < 0)
                return error_of_call(reterr, r, &error, "ListUnits", NULL);
        r = read_units(reply, ret_units);
        return r < 0 ? error_set_errno(reterr, r, "cannot read the list of units") : 0;
}

int machine_bus_state(MachineBus *bus, const char *unit, char **ret_state, Error *reterr) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(message_unref_p) sd_bus_message *reply = NULL;
        CLEANUP_TEXT Text units = TEXT_INIT;
        const char *line;
        int r;

        r = sd_bus_call_method(bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, "ListUnitsByNames", &error, &reply,
                        "as", 1, unit);
        if (r < 0)
                return error_of_call(reterr, r, &error, "ListUnitsByNames", unit);
        r = read_units(reply, &units);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the state of %s", unit);
        line = strchr(text_get(&units), ' ');
        *ret_state = line ? strndup(line + 1, strcspn(line + 1, "\n")) : strdup("");
        return *ret_state ? 0 : error_set(reterr, -ENOMEM, "out of memory");
}

int machine_bus_unit_of(MachineBus *bus, pid_t pid, char **ret_unit, Error *reterr) {
        CLEANUP(message_unref_p) sd_bus_message *reply = NULL;
        const char *object;
        int r;

        r = sd_bus_call_method(bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, "GetUnitByPID", NULL, &reply, "u",
                        (uint32_t) pid);
        if (r < 0 || sd_bus_message_read(reply, "o", &object) < 0) {
                *ret_unit = strdup("");
                return *ret_unit ? 0 : error_set(reterr, -ENOMEM, "out of memory");
        }
        return machine_bus_property(bus, object, "Unit", "Id", ret_unit, reterr);
}

static bool is_about_absence(const sd_bus_error *error) {
        return sd_bus_error_has_name(error, "org.freedesktop.systemd1.NoSuchUnit") ||
               sd_bus_error_has_name(error, "org.freedesktop.systemd1.NoSuchProcess");
}

static int wait_for_job(MachineBus *bus, uint64_t deadline_usec) {
        int r = 0;

        while (!bus->job_result) {
                if (r == 0 && deadline_is_past(deadline_usec))
                        return -ETIMEDOUT;
                r = sd_bus_process(bus->bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus->bus, usec_sub(deadline_usec, clock_now_usec()));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int finish_job(MachineBus *bus, sd_bus_message *reply, const char *method, const char *unit,
                uint64_t deadline_usec, Error *reterr) {
        const char *job;
        int r;

        free(TAKE_PTR(bus->job));
        free(TAKE_PTR(bus->job_result));
        r = sd_bus_message_read(reply, "o", &job);
        if (r < 0)
                return error_set_errno(reterr, r, "%s of %s", method, unit);
        bus->job = strdup(job);
        if (!bus->job)
                return error_set(reterr, -ENOMEM, "out of memory");
        r = wait_for_job(bus, deadline_usec);
        if (r < 0)
                return error_set_errno(reterr, r, "%s of %s: the job did not end", method, unit);
        if (strcmp(bus->job_result, "done") != 0)
                return error_set(reterr, -EIO, "%s of %s: the job ended as \"%s\"", method, unit, bus->job_result);
        return 0;
}

int machine_bus_job(MachineBus *bus, const char *method, const char *unit, uint64_t deadline_usec, Error *reterr) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(message_unref_p) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, method, &error, &reply, "ss", unit,
                        "replace");
        if (r < 0 && strcmp(method, "StopUnit") == 0 && is_about_absence(&error))
                return 0;
        if (r < 0)
                return error_of_call(reterr, r, &error, method, unit);
        return finish_job(bus, reply, method, unit, deadline_usec, reterr);
}

int machine_bus_scope(MachineBus *bus, const char *scope, pid_t pid, uint64_t deadline_usec, Error *reterr) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(message_unref_p) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, "StartTransientUnit", &error, &reply,
                        "ssa(sv)a(sa(sv))", scope, "fail", 3, "Description", "s", "agenttest plays a scenario",
                        "PIDs", "au", 1, (uint32_t) pid, "CollectMode", "s", "inactive-or-failed", 0);
        if (r < 0)
                return error_of_call(reterr, r, &error, "StartTransientUnit", scope);
        return finish_job(bus, reply, "StartTransientUnit", scope, deadline_usec, reterr);
}

int machine_bus_kill(MachineBus *bus, const char *unit, int signal_number, Error *reterr) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call_method(bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, "KillUnit", &error, NULL, "ssi", unit,
                        "all", signal_number);
        return r < 0 && !is_about_absence(&error) ? error_of_call(reterr, r, &error, "KillUnit", unit) : 0;
}

int machine_bus_call(MachineBus *bus, const char *method, const char *unit, Error *reterr) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call_method(bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, method, &error, NULL, "s", unit);
        return r < 0 && !is_about_absence(&error) ? error_of_call(reterr, r, &error, method, unit) : 0;
}

int machine_bus_reload(MachineBus *bus, Error *reterr) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call_method(bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, "Reload", &error, NULL, NULL);
        return r < 0 ? error_of_call(reterr, r, &error, "Reload", NULL) : 0;
}

int machine_bus_is_empty(MachineBus *bus, const char *unit, bool *ret_is_empty, Error *reterr) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(message_unref_p) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(bus->bus, NULL, MANAGER_PATH, MANAGER_INTERFACE, "GetUnitProcesses", &error, &reply,
                        "s", unit);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sus)");
        if (r < 0 && !is_about_absence(&error))
                return error_of_call(reterr, r, &error, "GetUnitProcesses", unit);
        *ret_is_empty = r < 0 || sd_bus_message_at_end(reply, false) > 0;
        return 0;
}
