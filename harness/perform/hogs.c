/* SPDX-License-Identifier: MIT */
#include "perform/hogs.h"

#include <string.h>

#include "base/clock.h"
#include "judge/counters.h"
#include "judge/hog.h"

#define INTERVAL_MIN_USEC (10 * USEC_PER_MSEC)
#define INTERVAL_MAX_USEC (250 * USEC_PER_MSEC)

struct Hogs {
        Run *run;
        Hog **items;
        size_t n_items;
        char *unit; /* whose counters are sampled; NULL: none */
        const char *resource;
        uint64_t interval_usec;
        sd_event_source *again;
};

Hogs *hogs_free(Hogs *hogs) {
        if (!hogs)
                return NULL;
        for (size_t i = 0; i < hogs->n_items; i++)
                (void) hog_free(hogs->items[i]);
        free(hogs->items);
        free(hogs->unit);
        sd_event_source_disable_unref(hogs->again);
        free(hogs);
        return NULL;
}

static void plan_next(Hogs *hogs) {
        (void) sd_event_source_set_time(hogs->again, usec_add(clock_now_usec(), hogs->interval_usec));
        (void) sd_event_source_set_enabled(hogs->again, SD_EVENT_ONESHOT);
        hogs->interval_usec += hogs->interval_usec / 2;
        if (hogs->interval_usec > INTERVAL_MAX_USEC)
                hogs->interval_usec = INTERVAL_MAX_USEC;
}

void hogs_sample(Hogs *hogs) {
        if (!hogs->unit)
                return;
        for (const char *const *counter = hog_counters(hogs->resource); *counter; counter++)
                run_sample_counter(hogs->run, hogs->unit, *counter, NULL);
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        Hogs *hogs = userdata;

        hogs_sample(hogs);
        plan_next(hogs);
        return 0;
}

int hogs_new(Run *run, Hogs **ret_hogs) {
        CLEANUP(hogs_free_p) Hogs *hogs = calloc(1, sizeof(*hogs));
        int r;

        if (!hogs)
                return -ENOMEM;
        hogs->run = run;
        r = sd_event_add_time(run->observer.event, &hogs->again, CLOCK_MONOTONIC, 0, 1, on_again, hogs);
        if (r >= 0)
                r = sd_event_source_set_enabled(hogs->again, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret_hogs = TAKE_PTR(hogs);
        return 0;
}

static int find_entries(const Hogs *hogs, const char *unit, char ***ret_paths, Error *reterr) {
        const char *control_group = bus_watch_control_group(hogs->run->bus, unit);
        pid_t main_pid = bus_watch_main_pid(hogs->run->bus, unit);
        int r = control_group ? cgroup_reader_entries(hogs->run->cgroups, control_group, main_pid, ret_paths)
                              : -ENOENT;

        if (r == -ENOENT)
                return error_set(reterr, r, "%s has no cgroup that a hog could be put into: is it running?", unit);
        return r < 0 ? error_set_errno(reterr, r, "the cgroup of %s", unit) : 0;
}

static void paths_free_p(char ***paths) {
        cgroup_paths_free(*paths);
}

static int add_hog(Hogs *hogs, const HogRequest *request, Error *reterr) {
        Hog **items = reallocarray(hogs->items, hogs->n_items + 1, sizeof(*items));
        int r;

        if (!items)
                return -ENOMEM;
        hogs->items = items;
        r = hog_start(&hogs->run->observer, request, &items[hogs->n_items], reterr);
        if (r >= 0)
                hogs->n_items++;
        return r;
}

int hogs_start(Hogs *hogs, const char *unit, const char *resource, uint64_t amount, const char *address,
                Error *reterr) {
        CLEANUP(paths_free_p) char **paths = NULL;
        HogRequest request = {
                .unit = unit,
                .resource = resource,
                .amount = amount,
                .address = address,
                .program_fd = hogs->run->hog_fd,
                .cgroup_ns_fd = hogs->run->cgroup_ns_fd,
        };
        int r;

        if (request.program_fd < 0)
                return error_set(reterr, -ENOENT, "agenttest-hog is not beside agenttest: it is built with it");
        r = find_entries(hogs, unit, &paths, reterr);
        if (r < 0)
                return r;
        request.cgroup_paths = (const char *const *) paths;
        r = add_hog(hogs, &request, reterr);
        if (r < 0)
                return r;
        free(hogs->unit);
        hogs->unit = strdup(unit);
        hogs->resource = resource;
        hogs->interval_usec = INTERVAL_MIN_USEC;
        plan_next(hogs);
        return hogs->unit ? 0 : -ENOMEM;
}

void hogs_settle(Hogs *hogs) {
        hogs_sample(hogs);
        /* Behind the counter: whether it was the unit's own limit that moved it. */
        for (const char *const *counter = hogs->unit ? hog_counters(hogs->resource) : NULL; counter && *counter;
                        counter++) {
                const CounterKind *kind = counter_kind(*counter);

                if (kind && kind->peak)
                        run_sample_counter(hogs->run, hogs->unit, kind->peak, NULL);
        }
        (void) sd_event_source_set_enabled(hogs->again, SD_EVENT_OFF);
        free(hogs->unit);
        hogs->unit = NULL;
}

void hogs_release(Hogs *hogs, const char *unit) {
        for (size_t i = 0; i < hogs->n_items;) {
                if (strcmp(hog_unit(hogs->items[i]), unit) != 0) {
                        i++;
                        continue;
                }
                hog_release(hogs->items[i]);
                (void) hog_free(hogs->items[i]);
                hogs->items[i] = hogs->items[--hogs->n_items];
        }
}
