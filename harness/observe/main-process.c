/* SPDX-License-Identifier: MIT */
#include "observe/main-process.h"

#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>

#include "observe/host-pid.h"

struct MainProcess {
        Observer *observer;
        char *unit;
        pid_t pid;
        int pidfd;
        bool is_gone;
        sd_event_source *source;
};

static int record(MainProcess *process, EntryKind kind, uint64_t at_usec) {
        Entry *entry = observer_entry(process->observer, SOURCE_PROCESS, kind, at_usec, process->unit);

        if (entry)
                entry_set_number(entry, "pid", process->pid);
        return observer_append(process->observer, entry);
}

static int on_pidfd(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        MainProcess *process = userdata;

        process->is_gone = true;
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return record(process, ENTRY_MAIN_GONE, 0);
}

int main_process_new(Observer *observer, const char *unit, pid_t pid, MainProcess **ret_process) {
        CLEANUP(main_process_free_p) MainProcess *process = calloc(1, sizeof(*process));
        int r;

        if (!process)
                return -ENOMEM;
        *process = (MainProcess){ .observer = observer, .pid = pid, .unit = strdup(unit) };
        process->pidfd = pidfd_open(pid, 0);
        if (!process->unit)
                return -ENOMEM;
        if (process->pidfd < 0 && errno != ESRCH)
                return -errno;

        if (process->pidfd >= 0) {
                r = sd_event_add_io(observer->event, &process->source, process->pidfd, EPOLLIN, on_pidfd, process);
                /* Before the bus: a snapshot after the death should find the death recorded. */
                if (r >= 0)
                        r = sd_event_source_set_priority(process->source, SD_EVENT_PRIORITY_NORMAL - 10);
                if (r >= 0)
                        r = host_pid_record(observer, unit, "main", pid, process->pidfd);
        } else {
                process->is_gone = true;
                r = record(process, ENTRY_MAIN_GONE, 0);
        }
        if (r < 0)
                return r;
        *ret_process = TAKE_PTR(process);
        return 0;
}

MainProcess *main_process_free(MainProcess *process) {
        if (!process)
                return NULL;

        sd_event_source_disable_unref(process->source);
        close_p(&process->pidfd);
        free(process->unit);
        free(process);
        return NULL;
}

pid_t main_process_pid(const MainProcess *process) {
        return process->pid;
}

bool main_process_is_gone(const MainProcess *process) {
        return process->is_gone;
}

int main_process_check_alive(MainProcess *process) {
        struct pollfd pollfd = { .fd = process->pidfd, .events = POLLIN };
        uint64_t at_usec = clock_now_usec();

        if (process->is_gone || poll(&pollfd, 1, 0) != 0)
                return 0;
        return record(process, ENTRY_MAIN_ALIVE, at_usec);
}

int main_process_signal(const MainProcess *process, int signal) {
        if (process->is_gone)
                return -ESRCH;
        return pidfd_send_signal(process->pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}
