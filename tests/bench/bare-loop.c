/* SPDX-License-Identifier: MIT */

/*
 * usage: bare-loop UNIT N
 *
 * The least a program can do over sd-bus to start a unit, wait for the job, stop it, wait for the job, N times. The
 * yardstick of `./dev bench` for a cycle of the harness; run on the same stage. Prints microseconds a cycle.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define MANAGER_NAME      "org.freedesktop.systemd1"
#define MANAGER_PATH      "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

static uint64_t clock_usec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

/* Path of the last removed job. A job may be removed before the reply with its path was read. */
typedef struct Removed {
        char paths[16][64];
        unsigned n_removed;
} Removed;

static int on_removed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Removed *removed = userdata;
        const char *path = NULL;
        uint32_t id;

        if (sd_bus_message_read(message, "uo", &id, &path) > 0)
                (void) snprintf(removed->paths[removed->n_removed++ % 16], 64, "%s", path);
        return 0;
}

static int has_removed(const Removed *removed, const char *path) {
        for (size_t i = 0; i < 16; i++)
                if (strcmp(removed->paths[i], path) == 0)
                        return 1;
        return 0;
}

static int do_job(sd_bus *bus, Removed *removed, const char *method, const char *unit) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *path;
        int r;

        r = sd_bus_call_method(bus, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, method, &error, &reply, "ss", unit,
                        "replace");
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        while (r >= 0 && !has_removed(removed, path)) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, 10 * 1000000);
        }
        if (r < 0)
                fprintf(stderr, "bare-loop: %s of %s failed: %s\n", method, unit,
                                error.message ? error.message : strerror(-r));
        sd_bus_message_unref(reply);
        sd_bus_error_free(&error);
        return r;
}

static int connect_private(sd_bus **ret_bus) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, "unix:path=/run/systemd/private");
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        *ret_bus = bus;
        return 0;
}

int main(int argc, char *argv[]) {
        Removed removed = { 0 };
        sd_bus *bus = NULL;
        uint64_t started;
        long n;
        int r;

        if (argc != 3 || (n = strtol(argv[2], NULL, 10)) <= 0) {
                fprintf(stderr, "usage: bare-loop UNIT N\n");
                return 64;
        }
        r = connect_private(&bus);
        if (r >= 0)
                r = sd_bus_match_signal(
                                bus, NULL, NULL, MANAGER_PATH, MANAGER_INTERFACE, "JobRemoved", on_removed, &removed);
        if (r >= 0)
                r = sd_bus_call_method(
                                bus, MANAGER_NAME, MANAGER_PATH, MANAGER_INTERFACE, "Subscribe", NULL, NULL, "");
        if (r < 0) {
                fprintf(stderr, "bare-loop: cannot talk to the manager: %s\n", strerror(-r));
                return 1;
        }

        started = clock_usec();
        for (long i = 0; i < n; i++) {
                if (do_job(bus, &removed, "StartUnit", argv[1]) < 0 || do_job(bus, &removed, "StopUnit", argv[1]) < 0)
                        return 1;
        }
        printf("%" PRIu64 "\n", (clock_usec() - started) / (uint64_t) n);
        sd_bus_unref(bus);
        return 0;
}
