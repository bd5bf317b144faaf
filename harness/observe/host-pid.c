/* SPDX-License-Identifier: MIT */
#include "observe/host-pid.h"

#include <string.h>

#include "observe/proc-text.h"

int host_pid_of(const Observer *observer, int pidfd, pid_t *ret_host_pid) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        const char *line;
        char path[64];
        long pid;
        int r;

        if (observer->host_proc_fd <= 0)
                return -EOPNOTSUPP;
        (void) snprintf(path, sizeof(path), "self/fdinfo/%d", pidfd);
        r = proc_read(observer->host_proc_fd, path, &text);
        if (r < 0)
                return r;
        line = strstr(text_get(&text), "\nPid:");
        pid = line ? strtol(line + strlen("\nPid:"), NULL, 10) : 0;
        if (pid <= 0)
                return -ESRCH;
        *ret_host_pid = (pid_t) pid;
        return 0;
}

int host_pid_record(Observer *observer, const char *unit, const char *role, pid_t pid, int pidfd) {
        pid_t host_pid;
        Entry *entry;

        if (host_pid_of(observer, pidfd, &host_pid) < 0)
                return 0;
        entry = observer_entry(observer, SOURCE_PROCESS, ENTRY_HOST_PID, 0, unit);
        if (entry) {
                entry_set_number(entry, "pid", pid);
                entry_set_number(entry, "host-pid", host_pid);
                entry_set(entry, "role", role);
        }
        return observer_append(observer, entry);
}
