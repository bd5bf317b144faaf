/* SPDX-License-Identifier: MIT */
#include "observe/proc-text.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

/* Field "flags" of /proc/PID/stat. Source: include/linux/sched.h. */
#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000

int proc_read(int at_fd, const char *path, Text *ret_text) {
        CLEANUP_CLOSE int fd = openat(at_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        char bytes[4096];
        ssize_t n;

        if (fd < 0)
                return -errno;
        while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                text_append_bytes(ret_text, bytes, (size_t) n);
        }
        return ret_text->is_broken ? -ENOMEM : 0;
}

static int brief_parse(const char *text, ProcessBrief *brief) {
        const char *open = strchr(text, '('), *close = strrchr(text, ')');
        unsigned flags;
        int n;

        /* The name may hold anything, parentheses too: it ends at the last one. */
        if (!open || !close || close < open)
                return -EBADMSG;
        n = (int) (close - open - 1);
        (void) snprintf(brief->comm, sizeof(brief->comm), "%.*s", n, open + 1);
        /* Source: proc_pid_stat(5), fields 3 (state) to 22 (starttime). */
        if (sscanf(close + 1,
                            " %c %d %*d %d %*d %*d %u"
                            " %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %" SCNd64 " %*d %" SCNu64,
                            &brief->process_state, &brief->parent_pid, &brief->session, &flags, &brief->n_threads,
                            &brief->start_ticks) != 6)
                return -EBADMSG;
        brief->is_kernel_thread = flags & PF_KTHREAD;
        brief->is_exiting = flags & PF_EXITING;
        return 0;
}

int process_brief(pid_t pid, ProcessBrief *ret_brief) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        char path[32];
        int r;

        (void) snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        *ret_brief = (ProcessBrief){ .pid = pid };
        r = proc_read(AT_FDCWD, path, &text);
        return r < 0 ? r : brief_parse(text_get(&text), ret_brief);
}

bool process_is_ending(const ProcessBrief *process) {
        bool is_ending = process->is_exiting;
        char path[32];
        DIR *threads;

        if (!is_ending || process->n_threads <= 1)
                return is_ending;
        (void) snprintf(path, sizeof(path), "/proc/%d/task", process->pid);
        threads = opendir(path);
        if (!threads)
                return true;
        for (struct dirent *item; is_ending && (item = readdir(threads));) {
                ProcessBrief thread;

                /* The stat of a thread is there under its own number, too. One that is gone meanwhile has ended. */
                if (isdigit((unsigned char) item->d_name[0]) &&
                                process_brief((pid_t) strtol(item->d_name, NULL, 10), &thread) == 0)
                        is_ending = thread.is_exiting;
        }
        (void) closedir(threads);
        return is_ending;
}

static int compare_pids(const void *a, const void *b) {
        pid_t left = ((const ProcessBrief *) a)->pid, right = ((const ProcessBrief *) b)->pid;

        return (left > right) - (left < right);
}

static int list_add(ProcessBrief **processes, size_t *n_processes, pid_t pid) {
        ProcessBrief brief, *grown;

        if (process_brief(pid, &brief) < 0) /* gone meanwhile */
                return 0;
        grown = reallocarray(*processes, *n_processes + 1, sizeof(brief));
        if (!grown)
                return -ENOMEM;
        *processes = grown;
        grown[(*n_processes)++] = brief;
        return 0;
}

int process_list(ProcessBrief **ret_processes, size_t *ret_n_processes) {
        CLEANUP_FREE ProcessBrief *processes = NULL;
        size_t n_processes = 0;
        DIR *folder;
        int r = 0;

        folder = opendir("/proc");
        if (!folder)
                return -errno;
        for (struct dirent *item; r >= 0 && (item = readdir(folder));)
                if (isdigit((unsigned char) item->d_name[0]))
                        r = list_add(&processes, &n_processes, (pid_t) strtol(item->d_name, NULL, 10));
        (void) closedir(folder);
        if (r < 0)
                return r;

        if (n_processes > 0)
                qsort(processes, n_processes, sizeof(*processes), compare_pids);
        *ret_processes = TAKE_PTR(processes);
        *ret_n_processes = n_processes;
        return 0;
}
