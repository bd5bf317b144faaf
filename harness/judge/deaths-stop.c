/* SPDX-License-Identifier: MIT */

/*
 * Was a main process ended by a stop that none of our actions asked for? The manager itself stopped the unit: a
 * dependency, a conflict, a timer of the unit's own, somebody else's job.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "judge/deaths-private.h"
#include "judge/oom.h"

/*
 * Had the unit left the active state when its main process ended? Both stamps are PID 1's own, taken in the order in
 * which it works: who stops a unit says so before the death is seen, a death that comes by itself is seen first.
 */
static bool has_left_active_before(const Timeline *timeline, const char *unit, const MainExit *exit) {
        const char *left;
        uint64_t left_usec;

        if (exit->properties_index == SIZE_MAX || exit->stamp_usec == 0)
                return false;
        left = timeline_property(timeline, unit, exit->properties_index, "ActiveExitTimestampMonotonic");
        left_usec = left ? strtoull(left, NULL, 10) : 0;
        return left_usec > exit->start_usec && left_usec < exit->stamp_usec;
}

/*
 * By its line "Stopping". Both lines are PID 1's, which journald keeps in order; a line behind the exit belongs to
 * what came after it (the stop part of an automatic restart). A manager that logs at info (as on a real machine)
 * writes no line about a clean exit: there its stamps decide, because journald's stamp of the other line may be later
 * than the death.
 */
static bool is_told_by_line(const Timeline *timeline, const char *unit, const MainExit *exit) {
        bool has_left_active = has_left_active_before(timeline, unit, exit);
        uint64_t exit_seqnum = UINT64_MAX;

        if (exit->line_index != SIZE_MAX)
                exit_seqnum = entry_get_usec(timeline_get(timeline, exit->line_index), "seqnum", UINT64_MAX);
        for (const Entry *line = timeline_next(timeline, 0, ENTRY_MANAGER_LINE, unit); line;
                        line = timeline_next(timeline, line->index + 1, ENTRY_MANAGER_LINE, unit)) {
                const char *invocation = entry_get(line, "INVOCATION_ID");

                if (!entry_has(line, "MESSAGE_ID", MESSAGE_STOPPING))
                        continue;
                if (invocation && exit->invocation && strcmp(invocation, exit->invocation) != 0)
                        continue;
                if (exit_seqnum != UINT64_MAX ? entry_get_usec(line, "seqnum", UINT64_MAX) < exit_seqnum
                                              : line->at_usec >= exit->start_usec &&
                                                                (line->at_usec <= exit->upper_usec ||
                                                                                has_left_active))
                        return true;
        }
        return false;
}

/* Is this snapshot of the process in @exit, asked to end by the manager, and not because of a time-out? */
static bool shows_stopping(const Timeline *timeline, const Entry *snapshot, const char *unit, const MainExit *exit) {
        const char *invocation = timeline_property(timeline, unit, snapshot->index, "InvocationID");

        return entry_get_number(snapshot, "MainPID", 0) == exit->pid && invocation && exit->invocation &&
               strcmp(invocation, exit->invocation) == 0 && entry_has(snapshot, "Result", "success") &&
               (entry_has(snapshot, "SubState", "stop") || entry_has(snapshot, "SubState", "stop-sigterm"));
}

static const Entry *removal_of(const Timeline *timeline, const Entry *job) {
        const char *path = entry_get(job, "job") ?: "";
        const Entry *removed = timeline_next(timeline, job->index, ENTRY_JOB_REMOVED, job->unit);

        while (removed && !entry_has(removed, "job", path))
                removed = timeline_next(timeline, removed->index + 1, ENTRY_JOB_REMOVED, job->unit);
        return removed;
}

/* A job that came later may be one to start it again. */
static bool has_job_at(const Timeline *timeline, const char *unit, size_t stopping_index) {
        for (const Entry *job = timeline_next(timeline, 0, ENTRY_JOB_NEW, unit); job && job->index < stopping_index;
                        job = timeline_next(timeline, job->index + 1, ENTRY_JOB_NEW, unit)) {
                const Entry *removed = removal_of(timeline, job);

                if (!removed || removed->index > stopping_index)
                        return true;
        }
        return false;
}

/*
 * By what the bus says, where that line is kept back (LogLevelMax=, a manager that logs warnings only): the unit was
 * stopping while its main process was there, and a job was running for it. A daemon that goes by itself and says so
 * first (STOPPING=1) shows the same states, without a job.
 */
static bool is_told_by_bus(const Timeline *timeline, const char *unit, const MainExit *exit) {
        for (const Entry *snapshot = timeline_next(timeline, 0, ENTRY_PROPERTIES, unit); snapshot;
                        snapshot = timeline_next(timeline, snapshot->index + 1, ENTRY_PROPERTIES, unit))
                if (shows_stopping(timeline, snapshot, unit, exit))
                        return has_job_at(timeline, unit, snapshot->index);
        return false;
}

int was_stopped_for_a_hog(const Deaths *deaths, const char *unit, const MainExit *exit, bool *ret_was) {
        OomKills kills = { 0 };
        int r;

        *ret_was = false;
        if (!exit->unit_result || strcmp(exit->unit_result, "oom-kill") != 0 ||
                        (exit->code == EXIT_CODE_KILLED && exit->status == SIGKILL))
                return 0;
        r = oom_kills_collect(deaths->facts, &deaths->window, unit, &kills);
        FOREACH_ARRAY (kill, kills.items, kills.n_items)
                if (kill->victim == OOM_VICTIM_HOG && kill->record->at_usec <= exit->upper_usec)
                        *ret_was = true;
        oom_kills_done(&kills);
        return r;
}

bool was_stopped(const Timeline *timeline, const char *unit, const MainExit *exit) {
        return is_told_by_line(timeline, unit, exit) || is_told_by_bus(timeline, unit, exit);
}
