/* SPDX-License-Identifier: MIT */
#include "perform/lateness.h"

#include "base/clock.h"
#include "base/quantity.h"

#define INTERVAL_USEC (50 * USEC_PER_MSEC)
/* Told at once from here on, where it has doubled. */
#define TOLD_USEC     (20 * USEC_PER_MSEC)

struct Lateness {
        Run *run;
        uint64_t due_usec;
        uint64_t worst_usec;
        uint64_t told_usec;
        uint64_t n_times;
        sd_event_source *timer;
};

Lateness *lateness_free(Lateness *lateness) {
        if (!lateness)
                return NULL;
        sd_event_source_disable_unref(lateness->timer);
        free(lateness);
        return NULL;
}

void lateness_note(Lateness *lateness) {
        Entry *entry = run_note(lateness->run, ENTRY_LATENESS, NULL);

        if (entry) {
                entry_set_usec(entry, "worst", lateness->worst_usec);
                entry_set_usec(entry, "times", lateness->n_times);
        }
        lateness->told_usec = lateness->worst_usec;
        run_append(lateness->run, entry);
}

static int lateness_plan(Lateness *lateness) {
        int r;

        lateness->due_usec = usec_add(clock_now_usec(), INTERVAL_USEC);
        r = sd_event_source_set_time(lateness->timer, lateness->due_usec);
        return r < 0 ? r : sd_event_source_set_enabled(lateness->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Lateness *lateness = userdata;
        uint64_t late_usec = usec_sub(clock_now_usec(), lateness->due_usec);

        lateness->n_times++;
        if (late_usec > lateness->worst_usec)
                lateness->worst_usec = late_usec;
        if (lateness->worst_usec >= TOLD_USEC && lateness->worst_usec >= 2 * lateness->told_usec)
                lateness_note(lateness);
        return lateness_plan(lateness);
}

int lateness_new(Run *run, Lateness **ret_lateness) {
        CLEANUP(lateness_free_p) Lateness *lateness = calloc(1, sizeof(*lateness));
        int r;

        if (!lateness)
                return -ENOMEM;
        lateness->run = run;
        r = sd_event_add_time(run->observer.event, &lateness->timer, CLOCK_MONOTONIC, 0, 1, on_timer, lateness);
        /* First of all sources: what it measures is how late the process came to run, not what was done before. */
        if (r >= 0)
                r = sd_event_source_set_priority(lateness->timer, SD_EVENT_PRIORITY_IMPORTANT);
        if (r >= 0)
                r = lateness_plan(lateness);
        if (r < 0)
                return r;
        *ret_lateness = TAKE_PTR(lateness);
        return 0;
}
