/* SPDX-License-Identifier: MIT */

/* Rule 6 (ii): any other process on the stage that died by a signal needs a cause. */

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/quantity.h"
#include "judge/counters.h"
#include "judge/deaths-private.h"
#include "judge/oom.h"

/*
 * A time in which the manager ends what is left of a unit: from the stop, or the main process's end, to the barrier
 * behind the unit's rest. Deaths are read from the accounting file some time after they happened; what is in the
 * timeline before that barrier may have happened in the phase.
 */
typedef struct Phase {
        uint64_t from_usec;
        size_t until_index; /* SIZE_MAX: it did not end */
} Phase;

typedef struct OtherDeath {
        Deaths *deaths;
        const Entry *entry;
        pid_t pid, parent;
        int signal_number;
        const DeathUnit *unit; /* whose main process is its parent; NULL: nobody knows */
} OtherDeath;

/* The barrier that drained accounting first behind @index. */
static size_t settled_index(const Timeline *timeline, size_t index) {
        for (const Entry *barrier = index == SIZE_MAX ? NULL : timeline_next(timeline, index, ENTRY_BARRIER, NULL);
                        barrier; barrier = timeline_next(timeline, barrier->index + 1, ENTRY_BARRIER, NULL)) {
                const char *channels = entry_get(barrier, "channels");

                if (channels && strstr(channels, "acct"))
                        return barrier->index;
        }
        return SIZE_MAX;
}

static bool phase_holds(Phase phase, const OtherDeath *death) {
        return death->entry->at_usec >= phase.from_usec && death->entry->index <= phase.until_index;
}

/* Signals that tell of a fault of the process itself are none that a stop sends. */
static bool is_fault(int signal_number) {
        static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGTRAP };

        FOREACH_ARRAY (number, faults, ELEMENTS_OF(faults))
                if (*number == signal_number)
                        return true;
        return false;
}

/* ---- whose process it was ---- */

static bool unit_had_main(const DeathUnit *unit, pid_t pid) {
        FOREACH_ARRAY (exit, unit->exits.items, unit->exits.n_items)
                if (exit->pid == pid)
                        return true;
        FOREACH_ARRAY (start, unit->starts.items, unit->starts.n_items)
                if (start->pid == pid)
                        return true;
        return false;
}

static const DeathUnit *find_unit_of_main(const Deaths *deaths, pid_t pid) {
        FOREACH_ARRAY (unit, deaths->units, deaths->n_units)
                if (unit_had_main(unit, pid))
                        return unit;
        return NULL;
}

/* What a hog started goes with it, and then has PID 1 for a parent: it is told by its name. */
static bool is_of_hog(const Timeline *timeline, const Entry *death) {
        return entry_has(death, "comm", "agenttest-hog") && timeline_next(timeline, 0, ENTRY_HOG, NULL);
}

/* Commands of the scenario and the harness's own helpers: the performer's children, and theirs. */
static bool is_of_harness(const Deaths *deaths, pid_t pid, pid_t parent) {
        const Timeline *timeline = deaths->facts->timeline;
        const Entry *versions = timeline_next(timeline, 0, ENTRY_VERSIONS, NULL);
        pid_t performer = versions ? (pid_t) entry_get_number(versions, "performer", 0) : 0;
        size_t depth = 0;

        while (performer > 0 && depth++ < 64) {
                const Entry *ancestor = NULL;

                if (pid == performer || parent == performer)
                        return true;
                for (ancestor = timeline_next(timeline, 0, ENTRY_DEATH, NULL);
                                ancestor && entry_get_number(ancestor, "pid", 0) != parent;
                                ancestor = timeline_next(timeline, ancestor->index + 1, ENTRY_DEATH, NULL))
                        ;
                if (!ancestor || parent <= 1)
                        return false;
                pid = parent;
                parent = (pid_t) entry_get_number(ancestor, "ppid", 0);
        }
        return false;
}

/* systemd's children before they execute anything, "(agentd)", its helpers, "(sd-pam)", and its own daemons. */
static bool is_of_manager(const Entry *entry) {
        const char *comm = entry_get(entry, "comm") ?: "";

        return comm[0] == '(' || (strncmp(comm, "systemd-", 8) == 0 && entry_get_number(entry, "ppid", 0) == 1);
}

/* ---- causes ---- */

/* A signal to a whole unit may be what a process dies of until the unit's main process is another one. */
static bool signal_reaches(const Entry *action, const OtherDeath *death) {
        uint64_t sent_usec = entry_get_usec(action, "asked", action->at_usec);

        if (entry_get_number(action, "pid", 0) == death->pid)
                return true;
        if (!entry_has(action, "who", "all") && !entry_has(action, "who", "control"))
                return false;
        if (!death->unit)
                return true; /* nobody can tell whose it was */
        if (!action->unit || strcmp(action->unit, death->unit->name) != 0)
                return false;
        FOREACH_ARRAY (start, death->unit->starts.items, death->unit->starts.n_items)
                if (start->start_usec > sent_usec && start->pid == death->parent)
                        return false;
        return true;
}

static bool is_explained_by_signal(const OtherDeath *death) {
        const Timeline *timeline = death->deaths->facts->timeline;

        for (const Entry *action = timeline_next(timeline, 0, ENTRY_SIGNAL_ACTION, NULL); action;
                        action = timeline_next(timeline, action->index + 1, ENTRY_SIGNAL_ACTION, NULL))
                if (entry_get_number(action, "errno", 0) == 0 &&
                                entry_get_usec(action, "asked", action->at_usec) <= death->entry->at_usec &&
                                entry_get_number(action, "signal", 0) == death->signal_number &&
                                signal_reaches(action, death))
                        return true;
        return false;
}

static bool is_in_job_phase(const OtherDeath *death, const char *unit) {
        const Timeline *timeline = death->deaths->facts->timeline;

        for (const Entry *action = timeline_next(timeline, 0, ENTRY_JOB_ACTION, unit); action;
                        action = timeline_next(timeline, action->index + 1, ENTRY_JOB_ACTION, unit)) {
                const Entry *removed = job_removed(timeline, action, 0, SIZE_MAX);
                Phase phase = {
                        .from_usec = entry_get_usec(action, "asked", action->at_usec),
                        .until_index = settled_index(timeline, removed ? removed->index : SIZE_MAX),
                };

                if (is_stop_action(action) && phase_holds(phase, death))
                        return true;
        }
        return false;
}

/* The first snapshot behind @index that shows the unit at rest, or with its next main process. */
static size_t rest_index(const Timeline *timeline, const char *unit, size_t index) {
        for (const Entry *snapshot = timeline_next(timeline, index, ENTRY_PROPERTIES, unit); snapshot;
                        snapshot = timeline_next(timeline, snapshot->index + 1, ENTRY_PROPERTIES, unit))
                if (entry_has(snapshot, "ActiveState", "inactive") || entry_has(snapshot, "ActiveState", "failed") ||
                                entry_has(snapshot, "ActiveState", "active"))
                        return snapshot->index;
        return SIZE_MAX;
}

static bool is_in_stopping_phase(const OtherDeath *death, const char *unit) {
        const Timeline *timeline = death->deaths->facts->timeline;

        for (const Entry *line = timeline_next(timeline, 0, ENTRY_MANAGER_LINE, unit); line;
                        line = timeline_next(timeline, line->index + 1, ENTRY_MANAGER_LINE, unit)) {
                Phase phase = {
                        .from_usec = line->at_usec,
                        .until_index = settled_index(timeline, rest_index(timeline, unit, line->index)),
                };

                if (entry_has(line, "MESSAGE_ID", MESSAGE_STOPPING) && phase_holds(phase, death))
                        return true;
        }
        return false;
}

static const MainStart *next_start(const DeathUnit *unit, uint64_t usec) {
        FOREACH_ARRAY (start, unit->starts.items, unit->starts.n_items)
                if (start->start_usec > usec)
                        return start;
        return NULL;
}

static const MainStart *last_start(const DeathUnit *unit, uint64_t usec) {
        const MainStart *last = NULL;

        FOREACH_ARRAY (start, unit->starts.items, unit->starts.n_items)
                if (start->start_usec <= usec)
                        last = start;
        return last;
}

/* Once the main process is gone, the manager ends the rest of the unit (KillMode=). */
static bool is_behind_main_exit(const OtherDeath *death, const DeathUnit *unit) {
        const Timeline *timeline = death->deaths->facts->timeline;

        FOREACH_ARRAY (exit, unit->exits.items, unit->exits.n_items) {
                const MainStart *next = next_start(unit, exit->upper_usec);
                Phase phase = {
                        .from_usec = exit->upper_usec,
                        .until_index = settled_index(timeline, next ? next->index : SIZE_MAX),
                };

                if (phase_holds(phase, death))
                        return true;
        }
        return false;
}

static bool names_time_out(const Entry *entry) {
        static const char *const reasons[] = { "timeout", "watchdog" };

        FOREACH_ARRAY (reason, reasons, ELEMENTS_OF(reasons))
                if ((entry->kind == ENTRY_PROPERTIES && entry_has(entry, "Result", *reason)) ||
                                (entry->kind == ENTRY_MANAGER_LINE &&
                                                entry_has(entry, "MESSAGE_ID", MESSAGE_FAILURE_RESULT) &&
                                                entry_has(entry, "UNIT_RESULT", *reason)))
                        return true;
        return false;
}

/* The watchdog or a time-out ended this run of the unit: whatever of it died by then was killed with it. */
static bool is_in_time_out(const OtherDeath *death, const DeathUnit *unit) {
        const Timeline *timeline = death->deaths->facts->timeline;

        for (size_t i = 0; i < timeline_length(timeline); i++) {
                const Entry *entry = timeline_get(timeline, i);
                const MainStart *start;
                Phase phase;

                if (!entry->unit || strcmp(entry->unit, unit->name) != 0 || !names_time_out(entry))
                        continue;
                start = last_start(unit, entry->at_usec);
                phase = (Phase){
                        .from_usec = start ? start->start_usec : 0,
                        .until_index = settled_index(timeline, i),
                };
                if (phase_holds(phase, death))
                        return true;
        }
        return false;
}

static bool is_ended_with_unit(const OtherDeath *death, const DeathUnit *unit) {
        if (is_fault(death->signal_number))
                return false;
        return is_in_job_phase(death, unit->name) || is_in_stopping_phase(death, unit->name) ||
               is_behind_main_exit(death, unit) || is_in_time_out(death, unit);
}

/* A unit that is known to own the process, else any: nobody can tell whose it was. */
static bool is_explained_by_units(const OtherDeath *death) {
        if (death->unit)
                return is_ended_with_unit(death, death->unit);
        FOREACH_ARRAY (unit, death->deaths->units, death->deaths->n_units)
                if (is_ended_with_unit(death, unit))
                        return true;
        return false;
}

/* "...,task=agentd,pid=123,uid=0": kernel/oom. By the name: the kernel's pid is that of its outermost namespace. */
static bool names_victim(const char *message, const char *comm) {
        CLEANUP_FREE char *by_name = NULL;

        if (asprintf(&by_name, "task=%s,", comm) < 0)
                by_name = NULL;
        return by_name && strstr(message, by_name);
}

/*
 * The kernel's log is the whole machine's: a process of the same name may have been killed elsewhere, in a scenario
 * played side by side for one. A path of "/" is no answer: nobody has mounted the memory controller.
 */
static bool is_of_this_stage(const Timeline *timeline, const char *message) {
        const Entry *versions = timeline_next(timeline, 0, ENTRY_VERSIONS, NULL);
        const char *mark = versions ? entry_get(versions, "cgroup-mark") : NULL;
        const char *path = strstr(message, "task_memcg=/");
        size_t n_mark = mark ? strlen(mark) : 0;

        path = path ? path + strlen("task_memcg=") : "";
        if (n_mark == 0 || !path[0] || path[1] == ',')
                return true;
        for (const char *at = strstr(path, mark); at; at = strstr(at + 1, mark))
                if (at[-1] == '/' && (at[n_mark] == '/' || at[n_mark] == ','))
                        return true;
        return false;
}

/* The stage's own counters tell of a kill: of any unit, where nobody knows whose the process was. */
static bool has_counted_kill(const OtherDeath *death) {
        const Timeline *timeline = death->deaths->facts->timeline;
        const char *unit = death->unit ? death->unit->name : NULL;
        double n_kills;

        for (const Entry *entry = timeline_next(timeline, 0, ENTRY_COUNTER, unit); entry;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_COUNTER, unit))
                if (entry_has(entry, "counter", "memory.oom-kills") && counter_number(entry, &n_kills) && n_kills > 0)
                        return true;
        return false;
}

/*
 * "Memory cgroup out of memory: Killed process 123 (agentd) total-vm...": the second line of a kill, which is always
 * written, where the first with the cgroup's path was held back (judge/oom.h). Whose kill it was, the counters tell.
 */
static bool is_bare_record(const OtherDeath *death, const Entry *record, const char *comm) {
        const char *message = entry_get(record, "MESSAGE") ?: "", *name = strchr(message, '(');

        return oom_record_is_bare(death->deaths->facts->timeline, record) && name &&
               strncmp(name + 1, comm, strlen(comm)) == 0 && name[1 + strlen(comm)] == ')' && has_counted_kill(death);
}

static bool is_full_record(const OtherDeath *death, const Entry *record, const char *comm) {
        const char *message = entry_get(record, "MESSAGE") ?: "";

        return strstr(message, "oom-kill:") && names_victim(message, comm) &&
               is_of_this_stage(death->deaths->facts->timeline, message);
}

static bool is_explained_by_kernel(OtherDeath *death) {
        const Timeline *timeline = death->deaths->facts->timeline;
        const char *comm = entry_get(death->entry, "comm") ?: "";

        if (death->signal_number != SIGKILL)
                return false;
        for (const Entry *record = timeline_next(timeline, 0, ENTRY_KERNEL, NULL); record;
                        record = timeline_next(timeline, record->index + 1, ENTRY_KERNEL, NULL)) {
                /* One record, one victim. */
                if (death->deaths->n_uses[record->index] > 0 ||
                                (!is_full_record(death, record, comm) && !is_bare_record(death, record, comm)))
                        continue;
                death->deaths->n_uses[record->index]++;
                return true;
        }
        return false;
}

static bool is_explained_by_parent(const OtherDeath *death) {
        return death->deaths->facts->scenario->allows_child_signals && death->parent > 1;
}

static int report_other(OtherDeath *death) {
        char name[SIGNAL_TEXT_MAX], moment[WINDOW_MOMENT_MAX];
        CLEANUP_FREE char *sentence = NULL;
        const char *comm = entry_get(death->entry, "comm") ?: "?";

        if (asprintf(&sentence, "process %d (%s), a child of %d, was killed by %s, noticed %s", (int) death->pid,
                            comm, (int) death->parent, signal_text(death->signal_number, name),
                            window_moment(death->deaths->facts, &death->deaths->window, death->entry->at_usec,
                                            moment)) < 0) {
                sentence = NULL;
                return -ENOMEM;
        }
        return deaths_report(death->deaths, &death->entry->index, 1, death->entry->at_usec, death->signal_number,
                        sentence);
}

static int judge_death(Deaths *deaths, const Entry *entry) {
        int wait_status = (int) entry_get_number(entry, "status", 0);
        OtherDeath death = {
                .deaths = deaths,
                .entry = entry,
                .pid = (pid_t) entry_get_number(entry, "pid", 0),
                .parent = (pid_t) entry_get_number(entry, "ppid", 0),
                .signal_number = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0,
        };

        if (death.signal_number == 0 || find_unit_of_main(deaths, death.pid) || is_of_manager(entry) ||
                        is_of_hog(deaths->facts->timeline, entry) || is_of_harness(deaths, death.pid, death.parent))
                return 0;
        death.unit = find_unit_of_main(deaths, death.parent);
        if (is_explained_by_signal(&death) || is_explained_by_units(&death) || is_explained_by_kernel(&death) ||
                        is_explained_by_parent(&death))
                return 0;
        return report_other(&death);
}

int judge_other_deaths(Deaths *deaths) {
        const Timeline *timeline = deaths->facts->timeline;

        for (const Entry *entry = timeline_next(timeline, 0, ENTRY_DEATH, NULL); entry;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_DEATH, NULL)) {
                int r = judge_death(deaths, entry);

                if (r < 0)
                        return r;
        }
        return 0;
}
