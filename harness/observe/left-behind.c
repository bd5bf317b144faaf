/* SPDX-License-Identifier: MIT */
#include "observe/left-behind.h"

#include <fcntl.h>
#include <string.h>

#include "observe/cgroup-reader.h"
#include "observe/listening-sockets.h"
#include "observe/proc-text.h"

struct LeftBehind {
        Observer *observer;
        CgroupReader *cgroups;
        ProcessBrief *processes; /* of the base line */
        size_t n_processes;
        ListeningSockets sockets;
};

int left_behind_new(Observer *observer, LeftBehind **ret_probe, Error *reterr) {
        CLEANUP(left_behind_free_p) LeftBehind *probe = calloc(1, sizeof(*probe));
        int r;

        if (!probe)
                return error_set_errno(reterr, -ENOMEM, "processes on the stage");
        probe->observer = observer;
        r = cgroup_reader_new(observer, &probe->cgroups, reterr);
        if (r >= 0)
                r = process_list(&probe->processes, &probe->n_processes);
        if (r >= 0)
                r = listening_sockets_read(&probe->sockets);
        if (r < 0)
                return error_set_errno(reterr, r, "listing processes and sockets on the stage");
        *ret_probe = TAKE_PTR(probe);
        return 0;
}

LeftBehind *left_behind_free(LeftBehind *probe) {
        if (!probe)
                return NULL;

        (void) cgroup_reader_free(probe->cgroups);
        listening_sockets_done(&probe->sockets);
        free(probe->processes);
        free(probe);
        return NULL;
}

static const ProcessBrief *find_process(const ProcessBrief *processes, size_t n_processes, pid_t pid) {
        FOREACH_ARRAY (process, processes, n_processes)
                if (process->pid == pid)
                        return process;
        return NULL;
}

static bool is_same(const ProcessBrief *a, const ProcessBrief *b) {
        return a->pid == b->pid && a->start_ticks == b->start_ticks;
}

/* The base line's process, and not one that came later under its pid? */
static bool was_there(const LeftBehind *probe, const ProcessBrief *process) {
        const ProcessBrief *before = find_process(probe->processes, probe->n_processes, process->pid);

        return before && is_same(before, process);
}

/* A process may end between the list and the look at its cgroup, which it has left by then. */
static bool is_still_there(const ProcessBrief *process) {
        ProcessBrief now;

        return process_brief(process->pid, &now) == 0 && is_same(&now, process) && !process_is_ending(&now);
}

static bool is_ours(const ProcessBrief *processes, size_t n_processes, const ProcessBrief *process) {
        /* A chain of parents cannot be longer than the list, whatever changed while it was made. */
        for (size_t i = 0; process && i <= n_processes; i++) {
                if (process->pid == getpid())
                        return true;
                process = find_process(processes, n_processes, process->parent_pid);
        }
        return false;
}

/* systemd's own tree of cgroups: "name=systemd" on v1, the only one on v2. */
static void append_cgroup(Text *text, pid_t pid) {
        CLEANUP_TEXT Text cgroups = TEXT_INIT;
        const char *line;
        char path[40];

        (void) snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
        if (proc_read(AT_FDCWD, path, &cgroups) < 0)
                return;
        line = strstr(text_get(&cgroups), ":name=systemd:");
        line = line ? line + strlen(":name=systemd:") : strstr(text_get(&cgroups), "0::");
        if (line && *line == '0')
                line += strlen("0::");
        if (line)
                text_append_bytes(text, line, strcspn(line, "\n"));
}

static void append_process(Text *text, const ProcessBrief *process) {
        size_t n_before = text->n_bytes;

        text_printf(text, "%d %s ", process->pid, process->comm);
        append_cgroup(text, process->pid);
        text_append(text, "\n");
        if (!is_still_there(process))
                text_truncate(text, n_before);
}

static int set_processes(const LeftBehind *probe, Entry *entry) {
        CLEANUP_FREE ProcessBrief *processes = NULL;
        CLEANUP_TEXT Text text = TEXT_INIT;
        size_t n_processes = 0;
        int r;

        r = process_list(&processes, &n_processes);
        if (r < 0)
                return r;
        FOREACH_ARRAY (process, processes, n_processes) {
                /* A zombie is for its parent to reap; on a stage with a foreign PID 1 that may be seconds later. */
                if (process->pid == 1 || process->is_kernel_thread || process_is_ending(process) ||
                                was_there(probe, process) || is_ours(processes, n_processes, process))
                        continue;
                append_process(&text, process);
        }
        entry_set(entry, "processes", text_get(&text));
        return text.is_broken ? -ENOMEM : 0;
}

static bool has_socket(const ListeningSockets *sockets, const ListeningSocket *wanted) {
        FOREACH_ARRAY (socket, sockets->items, sockets->n_items)
                if (socket->inode == wanted->inode)
                        return true;
        return false;
}

static int set_sockets(const LeftBehind *probe, Entry *entry) {
        CLEANUP(listening_sockets_done) ListeningSockets sockets = { 0 };
        CLEANUP_TEXT Text text = TEXT_INIT;
        int r;

        r = listening_sockets_read(&sockets);
        if (r < 0)
                return r;
        FOREACH_ARRAY (socket, sockets.items, sockets.n_items)
                if (!has_socket(&probe->sockets, socket))
                        text_printf(&text, "%s\n", socket->name);
        entry_set(entry, "sockets", text_get(&text));
        return text.is_broken ? -ENOMEM : 0;
}

int left_behind_probe(LeftBehind *probe, const char *unit, const char *control_group) {
        CLEANUP(entry_free_p) Entry *entry = NULL;
        CLEANUP_FREE char *path = NULL;
        uint64_t asked_usec = clock_now_usec();
        int r = 0;

        entry = observer_entry(probe->observer, SOURCE_PROCESS, ENTRY_LEFT_BEHIND, 0, unit);
        if (!entry)
                return observer_append(probe->observer, NULL);
        entry_set_usec(entry, "asked", asked_usec);
        if (control_group)
                r = cgroup_reader_find(probe->cgroups, control_group, &path);
        if (path)
                entry_set(entry, "cgroup", path);
        if (r >= 0)
                r = set_processes(probe, entry);
        if (r >= 0)
                r = set_sockets(probe, entry);
        if (r < 0)
                return r;
        entry->at_usec = entry->seen_usec = clock_now_usec();
        return observer_append(probe->observer, TAKE_PTR(entry));
}
