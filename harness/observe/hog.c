/* SPDX-License-Identifier: MIT */
#include "observe/hog.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "observe/command-spawn.h"
#include "observe/host-pid.h"

/* A killed process is gone in microseconds, unless it hangs in the kernel; then nobody can end it. */
#define KILL_TIMEOUT_MSEC 5000
/* In a cgroup that has little of the processor it has to be scheduled for that. */
#define END_TIMEOUT_MSEC  2000

struct Hog {
        Observer *observer;
        char *unit;
        const char *resource;
        SpawnedCommand spawned;
        bool has_ended;
        sd_event_source *said;
        sd_event_source *exited;
};

static Entry *hog_entry(const Hog *hog, const char *phase) {
        Entry *entry = observer_entry(hog->observer, SOURCE_HARNESS, ENTRY_HOG, 0, hog->unit);

        if (entry) {
                entry_set(entry, "phase", phase);
                entry_set(entry, "resource", hog->resource);
                entry_set_number(entry, "pid", hog->spawned.pid);
        }
        return entry;
}

static void drain_reports(Hog *hog) {
        char bytes[1024];
        ssize_t n;

        while ((n = read(hog->spawned.stdout_fd, bytes, sizeof(bytes) - 1)) > 0) {
                char *next = NULL;

                bytes[n] = '\0';
                for (char *line = strtok_r(bytes, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
                        Entry *entry = hog_entry(hog, "report");

                        if (entry)
                                entry_set(entry, "text", line);
                        (void) observer_append(hog->observer, entry);
                }
        }
        if (n == 0)
                (void) sd_event_source_set_enabled(hog->said, SD_EVENT_OFF);
}

static int on_said(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        drain_reports(userdata);
        return 0;
}

static void record_end(Hog *hog, int wait_status, bool is_released) {
        Entry *entry = hog_entry(hog, "end");
        int error = 0;

        hog->has_ended = true;
        if (read(hog->spawned.error_fd, &error, sizeof(error)) != sizeof(error))
                error = 0;
        if (entry) {
                entry_set_number(entry, "status", wait_status);
                entry_set_number(entry, "errno", error);
                if (is_released)
                        entry_set(entry, "released", "yes");
        }
        (void) observer_append(hog->observer, entry);
}

/* It is reaped here, so nothing of it is left in the unit's cgroup. */
static int on_exited(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Hog *hog = userdata;
        int wait_status = 0;

        if (waitpid(hog->spawned.pid, &wait_status, WNOHANG) != hog->spawned.pid)
                return 0;
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        drain_reports(hog);
        record_end(hog, wait_status, false);
        return 0;
}

static int hog_watch(Hog *hog) {
        sd_event *event = hog->observer->event;
        int r;

        r = sd_event_add_io(event, &hog->said, hog->spawned.stdout_fd, EPOLLIN, on_said, hog);
        if (r >= 0)
                r = sd_event_add_io(event, &hog->exited, hog->spawned.pidfd, EPOLLIN, on_exited, hog);
        return r;
}

static int hog_record_begin(Hog *hog, const HogRequest *request) {
        Entry *entry = hog_entry(hog, "begin");
        int r;

        if (entry)
                entry_set_usec(entry, "wanted", request->amount);
        r = observer_append(hog->observer, entry);
        return r < 0 ? r : host_pid_record(hog->observer, hog->unit, "hog", hog->spawned.pid, hog->spawned.pidfd);
}

int hog_start(Observer *observer, const HogRequest *request, Hog **ret_hog, Error *reterr) {
        CLEANUP(hog_free_p) Hog *hog = calloc(1, sizeof(*hog));
        char program[64], amount[32];
        const char *const argv[] = { program, request->resource, amount, request->address, NULL };
        CommandRequest command = {
                .argv = argv, .enter_paths = request->cgroup_paths, .cgroup_ns_fd = request->cgroup_ns_fd
        };
        int r;

        (void) snprintf(program, sizeof(program), "/proc/self/fd/%d", request->program_fd);
        (void) snprintf(amount, sizeof(amount), "%" PRIu64, request->amount);
        if (!hog)
                return error_set_errno(reterr, -ENOMEM, "starting a hog");
        *hog = (Hog){
                .observer = observer,
                .unit = strdup(request->unit),
                .resource = request->resource,
                .spawned = SPAWNED_COMMAND_INIT,
        };
        if (!hog->unit)
                return error_set_errno(reterr, -ENOMEM, "starting a hog");
        r = command_spawn(&command, &hog->spawned);
        if (r >= 0)
                r = hog_watch(hog);
        if (r >= 0)
                r = hog_record_begin(hog, request);
        if (r < 0)
                return error_set_errno(reterr, r, "starting a hog");
        *ret_hog = TAKE_PTR(hog);
        return 0;
}

/*
 * Asked to end, it takes its children along and waits for them: what it took is free behind this. One that does not
 * come to it is killed; then its children die with it (PR_SET_PDEATHSIG), and are the sandbox's PID 1's to reap.
 */
static int hog_kill(Hog *hog) {
        struct pollfd pollfd = { .fd = hog->spawned.pidfd, .events = POLLIN };
        int wait_status = 0;

        (void) kill(hog->spawned.pid, SIGTERM); /* not reaped yet, so the pid is still its own */
        if (poll(&pollfd, 1, END_TIMEOUT_MSEC) <= 0) {
                (void) kill(hog->spawned.pid, SIGKILL);
                (void) poll(&pollfd, 1, KILL_TIMEOUT_MSEC);
        }
        (void) waitpid(hog->spawned.pid, &wait_status, WNOHANG);
        return wait_status;
}

void hog_release(Hog *hog) {
        int wait_status;

        if (hog->has_ended)
                return;
        (void) sd_event_source_set_enabled(hog->exited, SD_EVENT_OFF);
        wait_status = hog_kill(hog);
        drain_reports(hog);
        record_end(hog, wait_status, true);
}

Hog *hog_free(Hog *hog) {
        if (!hog)
                return NULL;

        if (!hog->has_ended && hog->spawned.pid > 0)
                (void) hog_kill(hog);
        sd_event_source_disable_unref(hog->said);
        sd_event_source_disable_unref(hog->exited);
        spawned_command_close(&hog->spawned);
        free(hog->unit);
        free(hog);
        return NULL;
}

const char *hog_unit(const Hog *hog) {
        return hog->unit;
}
