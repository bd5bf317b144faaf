/* SPDX-License-Identifier: MIT */
#include "judge/exits.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/quantity.h"

void main_exits_done(MainExits *exits) {
        free(exits->items);
        *exits = (MainExits){ 0 };
}

static bool is_same(const char *a, const char *b) {
        return a && b && strcmp(a, b) == 0;
}

static uint64_t usec_min(uint64_t a, uint64_t b) {
        return a < b ? a : b;
}

static uint64_t usec_max(uint64_t a, uint64_t b) {
        return a > b ? a : b;
}

/* A main process that is known of, ended or not; those that did not end are dropped at last. */
static MainExit *exits_add(MainExits *exits, pid_t pid, const char *invocation, uint64_t start_usec) {
        MainExit *items = reallocarray(exits->items, exits->n_items + 1, sizeof(MainExit));

        if (!items)
                return NULL;
        exits->items = items;
        items[exits->n_items] = (MainExit){
                .pid = pid,
                .invocation = invocation,
                .start_usec = start_usec,
                .upper_usec = USEC_INFINITY,
                .properties_index = SIZE_MAX,
                .line_index = SIZE_MAX,
                .gone_index = SIZE_MAX,
                .death_index = SIZE_MAX,
        };
        return &items[exits->n_items++];
}

static bool main_exit_is_ended(const MainExit *exit) {
        return exit->upper_usec != USEC_INFINITY;
}

/* ---- the manager's properties ---- */

static MainExit *find_run(MainExits *exits, pid_t pid, uint64_t start_usec) {
        FOREACH_ARRAY (exit, exits->items, exits->n_items)
                if (exit->pid == pid && exit->start_usec == start_usec)
                        return exit;
        return NULL;
}

/* Behind a main process that lived, a unit without any is one that was unloaded: the exit facts are lost (rule 5). */
static void take_unloaded(MainExits *exits, const Entry *snapshot) {
        MainExit *last = exits->n_items > 0 ? &exits->items[exits->n_items - 1] : NULL;

        if (!last || main_exit_is_ended(last) || !entry_has(snapshot, "ActiveState", "inactive"))
                return;
        last->upper_usec = snapshot->at_usec;
        last->properties_index = snapshot->index;
        last->is_settled = true;
}

static void take_exit_facts(MainExit *exit, const Entry *snapshot, uint64_t stamp_usec) {
        /* In the next invocation the manager still shows the last one's ExecMain*, but Result has been reset. */
        if (exit->invocation && !entry_has(snapshot, "InvocationID", exit->invocation)) {
                exit->is_settled = true;
                if (exit->properties_index != SIZE_MAX)
                        return;
        } else {
                exit->unit_result = entry_get(snapshot, "Result");
                exit->is_settled = !entry_has(snapshot, "ActiveState", "deactivating");
        }
        exit->stamp_usec = stamp_usec;
        exit->upper_usec = stamp_usec > 0 ? stamp_usec : usec_min(exit->upper_usec, snapshot->at_usec);
        exit->code = (ExitCode) entry_get_number(snapshot, "ExecMainCode", 0);
        exit->status = (int) entry_get_number(snapshot, "ExecMainStatus", 0);
        exit->properties_index = snapshot->index;
}

static int take_snapshot(MainExits *exits, const Entry *snapshot) {
        pid_t pid = (pid_t) entry_get_number(snapshot, "ExecMainPID", 0);
        uint64_t start_usec = entry_get_usec(snapshot, "ExecMainStartTimestampMonotonic", 0);
        uint64_t stamp_usec = entry_get_usec(snapshot, "ExecMainExitTimestampMonotonic", 0);
        MainExit *exit;

        if (entry_get_number(snapshot, "errno", 0) != 0)
                return 0;
        if (pid == 0) {
                take_unloaded(exits, snapshot);
                return 0;
        }
        exit = find_run(exits, pid, start_usec);
        if (!exit)
                exit = exits_add(exits, pid, entry_get(snapshot, "InvocationID"), start_usec);
        if (!exit)
                return -ENOMEM;
        if (stamp_usec > 0 || entry_get_number(snapshot, "ExecMainCode", 0) != 0)
                take_exit_facts(exit, snapshot, stamp_usec);
        else if (entry_get_number(snapshot, "MainPID", 0) == pid)
                /* The manager takes in a child's death before it reads questions, so at `asked` it lived. */
                exit->lower_usec = usec_max(exit->lower_usec, entry_get_usec(snapshot, "asked", 0));
        return 0;
}

/* ---- the manager's lines ---- */

static ExitCode exit_code_from_name(const char *name) {
        if (is_same(name, "exited"))
                return EXIT_CODE_EXITED;
        if (is_same(name, "killed"))
                return EXIT_CODE_KILLED;
        return is_same(name, "dumped") ? EXIT_CODE_DUMPED : EXIT_CODE_UNKNOWN;
}

/*
 * The line does not name the process. COMMAND tells a main process (ExecStart) from the control ones, except with
 * Type=forking, where the process of ExecStart is a control process: there only the wording is left.
 */
static bool is_about_main(const Entry *line) {
        const char *message = entry_get(line, "MESSAGE");

        return entry_has(line, "MESSAGE_ID", MESSAGE_PROCESS_EXIT) && entry_has(line, "COMMAND", "ExecStart") &&
               !(message && strstr(message, "Control process"));
}

/* The run that the line tells the end of: of its invocation, with the same facts or none yet. */
static MainExit *find_by_line(MainExits *exits, const Entry *line, ExitCode code, int status) {
        const char *invocation = entry_get(line, "INVOCATION_ID");

        FOREACH_ARRAY (exit, exits->items, exits->n_items)
                if (exit->line_index == SIZE_MAX &&
                                (!invocation || !exit->invocation || strcmp(invocation, exit->invocation) == 0) &&
                                (exit->code == EXIT_CODE_UNKNOWN || (exit->code == code && exit->status == status)))
                        return exit;
        return NULL;
}

static int take_line(MainExits *exits, const Entry *line) {
        ExitCode code = exit_code_from_name(entry_get(line, "EXIT_CODE"));
        int status = (int) entry_get_number(line, "EXIT_STATUS", 0);
        MainExit *exit;

        if (!is_about_main(line))
                return 0;
        exit = find_by_line(exits, line, code, status);
        if (!exit)
                exit = exits_add(exits, 0, entry_get(line, "INVOCATION_ID"), 0);
        if (!exit)
                return -ENOMEM;
        exit->line_index = line->index;
        exit->upper_usec = usec_min(exit->upper_usec, line->at_usec);
        if (exit->code == EXIT_CODE_UNKNOWN) {
                exit->code = code;
                exit->status = status;
        }
        return 0;
}

/* What the run came to, where no snapshot was taken before the next one began. */
static void take_result_line(MainExits *exits, const Entry *line) {
        const char *invocation = entry_get(line, "INVOCATION_ID");
        const char *unit_result = NULL;

        if (entry_has(line, "MESSAGE_ID", MESSAGE_FAILURE_RESULT))
                unit_result = entry_get(line, "UNIT_RESULT");
        else if (entry_has(line, "MESSAGE_ID", MESSAGE_SUCCESS))
                unit_result = "success";
        if (!unit_result || !invocation)
                return;
        FOREACH_ARRAY (exit, exits->items, exits->n_items)
                if (is_same(exit->invocation, invocation)) {
                        exit->unit_result = unit_result;
                        exit->is_settled = true;
                }
}

/* ---- pidfds and process accounting ---- */

static int take_gone(MainExits *exits, const Entry *gone) {
        pid_t pid = (pid_t) entry_get_number(gone, "pid", 0);
        MainExit *exit = NULL;

        /* Of two processes that had the same pid, the one that had begun by then, the later one first. */
        FOREACH_ARRAY (candidate, exits->items, exits->n_items)
                if (candidate->pid == pid && candidate->gone_index == SIZE_MAX &&
                                candidate->start_usec <= gone->at_usec)
                        exit = candidate;
        if (!exit)
                exit = exits_add(exits, pid, NULL, 0);
        if (!exit)
                return -ENOMEM;
        exit->gone_index = gone->index;
        exit->upper_usec = usec_min(exit->upper_usec, gone->at_usec);
        return 0;
}

static void take_death(MainExits *exits, const Entry *death) {
        pid_t pid = (pid_t) entry_get_number(death, "pid", 0);

        FOREACH_ARRAY (exit, exits->items, exits->n_items)
                if (exit->pid == pid && exit->death_index == SIZE_MAX && death->at_usec >= exit->start_usec) {
                        exit->death_index = death->index;
                        exit->upper_usec = usec_min(exit->upper_usec, death->at_usec);
                        return;
                }
}

static void take_alive(MainExits *exits, const Entry *alive) {
        pid_t pid = (pid_t) entry_get_number(alive, "pid", 0);

        FOREACH_ARRAY (exit, exits->items, exits->n_items)
                if (exit->pid == pid && alive->at_usec >= exit->start_usec && alive->at_usec <= exit->upper_usec)
                        exit->lower_usec = usec_max(exit->lower_usec, alive->at_usec);
}

/* ---- all together ---- */

typedef int (*TakeEntry)(MainExits *exits, const Entry *entry);

static int take_result_of_line(MainExits *exits, const Entry *line) {
        take_result_line(exits, line);
        return 0;
}

static int take_one_death(MainExits *exits, const Entry *death) {
        take_death(exits, death);
        return 0;
}

static int take_one_alive(MainExits *exits, const Entry *alive) {
        take_alive(exits, alive);
        return 0;
}

static int take_all(MainExits *exits, const Timeline *timeline, EntryKind kind, const char *unit, size_t end,
                TakeEntry take) {
        for (const Entry *entry = timeline_next(timeline, 0, kind, unit); entry && entry->index < end;
                        entry = timeline_next(timeline, entry->index + 1, kind, unit)) {
                int r = take(exits, entry);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The daemon handed over to another main process (MAINPID=) and ended: that is no exit of the service. */
static bool is_handed_over(const MainExits *exits, const MainExit *exit) {
        if (exit->code != EXIT_CODE_UNKNOWN || !exit->invocation)
                return false;
        FOREACH_ARRAY (other, exits->items, exits->n_items)
                if (other != exit && is_same(other->invocation, exit->invocation) &&
                                other->start_usec > exit->start_usec)
                        return true;
        return false;
}

static int compare_exits(const void *a, const void *b) {
        const MainExit *x = a, *y = b;

        if (x->upper_usec != y->upper_usec)
                return x->upper_usec < y->upper_usec ? -1 : 1;
        return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Keeps the ends of this recording: a unit that ran before may show an exit of long ago. */
static void exits_filter(MainExits *exits, const Timeline *timeline) {
        uint64_t first_usec = timeline_length(timeline) > 0 ? timeline_get(timeline, 0)->at_usec : 0;
        size_t n_kept = 0;

        for (size_t i = 0; i < exits->n_items; i++) {
                MainExit *exit = &exits->items[i];

                if (is_handed_over(exits, exit))
                        exit->upper_usec = USEC_INFINITY;
        }
        for (size_t i = 0; i < exits->n_items; i++)
                if (main_exit_is_ended(&exits->items[i]) && exits->items[i].upper_usec >= first_usec)
                        exits->items[n_kept++] = exits->items[i];
        exits->n_items = n_kept;
}

int main_exits_collect(const Timeline *timeline, const char *unit, size_t end, MainExits *ret_exits) {
        static const struct {
                EntryKind kind;
                bool is_of_unit;
                TakeEntry take;
        } witnesses[] = {
                /* In this order: who knows most of the process comes first. */
                { ENTRY_PROPERTIES, true, take_snapshot },
                { ENTRY_MANAGER_LINE, true, take_line },
                { ENTRY_MANAGER_LINE, true, take_result_of_line },
                { ENTRY_MAIN_GONE, true, take_gone },
                { ENTRY_DEATH, false, take_one_death },
                { ENTRY_MAIN_ALIVE, true, take_one_alive },
        };
        CLEANUP(main_exits_done) MainExits exits = { 0 };

        FOREACH_ARRAY (witness, witnesses, ELEMENTS_OF(witnesses)) {
                int r = take_all(&exits, timeline, witness->kind, witness->is_of_unit ? unit : NULL, end,
                                witness->take);

                if (r < 0)
                        return r;
        }
        exits_filter(&exits, timeline);
        if (exits.n_items > 1)
                qsort(exits.items, exits.n_items, sizeof(MainExit), compare_exits);
        *ret_exits = exits;
        exits = (MainExits){ 0 };
        return 0;
}

bool main_exit_has_stamp(const MainExit *exit) {
        return exit->stamp_usec > 0 || exit->line_index != SIZE_MAX;
}

bool main_exit_is_clean(const MainExit *exit) {
        return exit->code == EXIT_CODE_EXITED && exit->status == 0 && is_same(exit->unit_result, "success");
}

bool main_exit_is_contradicted(const MainExit *exit, const Timeline *timeline) {
        int wait_status;

        if (exit->death_index == SIZE_MAX || exit->code == EXIT_CODE_UNKNOWN)
                return false;
        wait_status = (int) entry_get_number(timeline_get(timeline, exit->death_index), "status", 0);
        if (exit->code == EXIT_CODE_EXITED)
                return !WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != exit->status;
        return !WIFSIGNALED(wait_status) || WTERMSIG(wait_status) != exit->status;
}

/*
 * The manager's own child ends so where it cannot become the program; a program may use the same numbers.
 * Source: systemd.exec(5), "Process Exit Codes".
 */
static const char *manager_step(int status) {
        switch (status) {
        case 200:
                return "200/CHDIR: systemd's word for a WorkingDirectory= it cannot enter";
        case 203:
                return "203/EXEC: systemd's word for a program that does not exist or cannot be executed";
        case 209:
                return "209/STDOUT: systemd's word for a standard output it cannot set up";
        case 216:
                return "216/GROUP: systemd's word for a Group= it cannot take on";
        case 217:
                return "217/USER: systemd's word for a User= it cannot take on";
        case 218:
                return "218/CAPABILITIES: systemd's word for capabilities it cannot set";
        case 226:
                return "226/NAMESPACE: systemd's word for mounts it cannot make";
        case 228:
                return "228/SECCOMP: systemd's word for a SystemCallFilter= it cannot install";
        case 238:
                return "238/STATE_DIRECTORY: systemd's word for a StateDirectory= it cannot make";
        default:
                return NULL;
        }
}

const char *main_exit_text(const MainExit *exit, char buffer[static MAIN_EXIT_TEXT_MAX]) {
        char name[SIGNAL_TEXT_MAX];
        const char *step;

        switch (exit->code) {
        case EXIT_CODE_EXITED:
                step = manager_step(exit->status);
                if (step)
                        (void) snprintf(buffer, MAIN_EXIT_TEXT_MAX, "exited with status %d (%s)", exit->status, step);
                else
                        (void) snprintf(buffer, MAIN_EXIT_TEXT_MAX, "exited with status %d", exit->status);
                break;
        case EXIT_CODE_KILLED:
                (void) snprintf(buffer, MAIN_EXIT_TEXT_MAX, "was killed by %s", signal_text(exit->status, name));
                break;
        case EXIT_CODE_DUMPED:
                (void) snprintf(buffer, MAIN_EXIT_TEXT_MAX, "dumped core on %s", signal_text(exit->status, name));
                break;
        default:
                (void) snprintf(buffer, MAIN_EXIT_TEXT_MAX, "ended in an unknown way");
        }
        return buffer;
}

int main_exit_cite(const MainExit *exit, Verdict *verdict) {
        const size_t witnesses[] = { exit->properties_index, exit->line_index, exit->gone_index, exit->death_index };

        FOREACH_ARRAY (index, witnesses, ELEMENTS_OF(witnesses)) {
                int r = verdict_rest_on(verdict, *index);

                if (r < 0)
                        return r;
        }
        return 0;
}
