/* SPDX-License-Identifier: MIT */

/* The starts of a unit's main processes, from the snapshots of its properties. */

#include "judge/exits.h"

void main_starts_done(MainStarts *starts) {
        free(starts->items);
        *starts = (MainStarts){ 0 };
}

static bool starts_have(const MainStarts *starts, pid_t pid, uint64_t start_usec) {
        FOREACH_ARRAY (start, starts->items, starts->n_items)
                if (start->pid == pid && start->start_usec == start_usec)
                        return true;
        return false;
}

static int starts_take(MainStarts *starts, const Entry *snapshot) {
        pid_t pid = (pid_t) entry_get_number(snapshot, "ExecMainPID", 0);
        uint64_t start_usec = entry_get_usec(snapshot, "ExecMainStartTimestampMonotonic", 0);
        MainStart *items;

        if (pid == 0 || start_usec == 0 || starts_have(starts, pid, start_usec))
                return 0;
        items = reallocarray(starts->items, starts->n_items + 1, sizeof(MainStart));
        if (!items)
                return -ENOMEM;
        starts->items = items;
        items[starts->n_items++] = (MainStart){
                .pid = pid,
                .invocation = entry_get(snapshot, "InvocationID"),
                .start_usec = start_usec,
                .asked_usec = entry_get_usec(snapshot, "asked", snapshot->at_usec),
                .index = snapshot->index,
        };
        return 0;
}

static int compare_starts(const void *a, const void *b) {
        const MainStart *x = a, *y = b;

        return (x->start_usec > y->start_usec) - (x->start_usec < y->start_usec);
}

int main_starts_collect(const Timeline *timeline, const char *unit, size_t end, MainStarts *ret_starts) {
        CLEANUP(main_starts_done) MainStarts starts = { 0 };

        for (const Entry *snapshot = timeline_next(timeline, 0, ENTRY_PROPERTIES, unit);
                        snapshot && snapshot->index < end;
                        snapshot = timeline_next(timeline, snapshot->index + 1, ENTRY_PROPERTIES, unit)) {
                int r = starts_take(&starts, snapshot);

                if (r < 0)
                        return r;
        }
        if (starts.n_items > 1)
                qsort(starts.items, starts.n_items, sizeof(MainStart), compare_starts);
        *ret_starts = starts;
        starts = (MainStarts){ 0 };
        return 0;
}
