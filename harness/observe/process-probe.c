/* SPDX-License-Identifier: MIT */
#include "observe/process-probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "observe/proc-text.h"

static void set_file(Entry *entry, int process_fd, const char *name, int *error) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        int r = proc_read(process_fd, name, &text);

        if (r >= 0)
                entry_set_bytes(entry, name, text_get(&text), text.n_bytes);
        else if (*error == 0)
                *error = -r;
}

static void set_link(Entry *entry, int process_fd, const char *name) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(process_fd, name, target, sizeof(target));

        if (n >= 0) /* a zombie has none */
                entry_set_bytes(entry, name, target, (size_t) n);
}

static void set_fds(Entry *entry, int process_fd) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        int fd = openat(process_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
        int64_t n_fds = 0;

        if (!folder) {
                if (fd >= 0)
                        (void) close(fd);
                return;
        }
        for (struct dirent *item; (item = readdir(folder));) {
                char target[PATH_MAX];
                ssize_t n;

                if (item->d_name[0] == '.')
                        continue;
                n = readlinkat(fd, item->d_name, target, sizeof(target));
                text_printf(&text, "%s -> %.*s\n", item->d_name, n > 0 ? (int) n : 0, target);
                n_fds++;
        }
        (void) closedir(folder);
        entry_set_bytes(entry, "fds", text_get(&text), text.n_bytes);
        entry_set_number(entry, "n_fds", n_fds);
}

static void count_children(Entry *entry, pid_t pid, const ProcessBrief *processes, size_t n_processes) {
        int64_t n_children = 0, n_zombies = 0;

        FOREACH_ARRAY (process, processes, n_processes)
                if (process->parent_pid == pid) {
                        n_children++;
                        n_zombies += process->process_state == 'Z';
                }
        entry_set_number(entry, "n_children", n_children);
        entry_set_number(entry, "n_zombies", n_zombies);
}

static int record_no_main(Observer *observer, const char *unit) {
        Entry *entry = observer_entry(observer, SOURCE_PROCESS, ENTRY_PROCESS, 0, unit);

        if (entry) {
                entry_set_number(entry, "pid", 0);
                entry_set(entry, "role", "main");
                entry_set_usec(entry, "asked", entry->at_usec);
                entry_set_number(entry, "errno", ESRCH);
        }
        return observer_append(observer, entry);
}

static int probe_one(Observer *observer, const char *unit, pid_t pid, const char *role, const ProcessBrief *processes,
                size_t n_processes) {
        CLEANUP_CLOSE int process_fd = -EBADF;
        uint64_t asked_usec = clock_now_usec();
        int error = 0;
        char path[32];
        Entry *entry;

        entry = observer_entry(observer, SOURCE_PROCESS, ENTRY_PROCESS, 0, unit);
        if (!entry)
                return observer_append(observer, NULL);
        entry_set_number(entry, "pid", pid);
        entry_set(entry, "role", role);
        entry_set_usec(entry, "asked", asked_usec);

        /* One folder descriptor for all files: a process that comes later under this pid is not mistaken for it. */
        (void) snprintf(path, sizeof(path), "/proc/%d", pid);
        process_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process_fd >= 0) {
                set_file(entry, process_fd, "status", &error);
                set_file(entry, process_fd, "cmdline", &error);
                set_file(entry, process_fd, "limits", &error);
                set_link(entry, process_fd, "exe");
                set_link(entry, process_fd, "cwd");
                set_fds(entry, process_fd);
                count_children(entry, pid, processes, n_processes);
                /* The last: where it is no zombie in here, it was none in what was read before. */
                set_file(entry, process_fd, "stat", &error);
        } else {
                error = errno;
        }
        entry_set_number(entry, "errno", error);
        entry->at_usec = entry->seen_usec = clock_now_usec();
        return observer_append(observer, entry);
}

int process_probe(Observer *observer, const char *unit, pid_t main_pid) {
        CLEANUP_FREE ProcessBrief *processes = NULL;
        size_t n_processes = 0;
        int r;

        /* Parent 0 have PID 1, kthreadd, and what came into the namespace from outside: nobody's children. */
        if (main_pid <= 0)
                return record_no_main(observer, unit);
        r = process_list(&processes, &n_processes);
        if (r < 0)
                return r;
        r = probe_one(observer, unit, main_pid, "main", processes, n_processes);
        FOREACH_ARRAY (process, processes, n_processes)
                if (r >= 0 && process->parent_pid == main_pid)
                        r = probe_one(observer, unit, process->pid, "child", processes, n_processes);
        return r;
}
