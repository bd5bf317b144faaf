/* SPDX-License-Identifier: MIT */
#include "observe/acct-watch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/acct.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#define ACCT_TICKS_PER_SEC 100 /* AHZ: the unit of ac_etime. Source: linux/acct.h */

struct AcctWatch {
        Observer *observer;
        char *path;
        int fd; /* -EBADF: accounting is not to be had */
        bool is_lost;
        sd_event_source *modified;

        /* The barrier: a child whose record has to come. */
        BarrierCallback on_barrier; /* NULL: none under way */
        void *barrier_userdata;
        pid_t canary_pid; /* 0: none */
        int canary_pidfd;
        bool has_canary_record;
        sd_event_source *canary;
        sd_event_source *soon; /* where there is nothing to drain: the answer, from the loop */
};

static int record_death(AcctWatch *watch, const struct acct_v3 *record) {
        Entry *entry = observer_entry(watch->observer, SOURCE_ACCT, ENTRY_DEATH, 0, NULL);

        if (entry) {
                entry_set_number(entry, "pid", record->ac_pid);
                entry_set_number(entry, "ppid", record->ac_ppid);
                entry_set_bytes(entry, "comm", record->ac_comm, strnlen(record->ac_comm, sizeof(record->ac_comm)));
                entry_set_number(entry, "status", record->ac_exitcode);
                entry_set_number(entry, "uid", record->ac_uid);
                entry_set_number(entry, "flags", record->ac_flag);
                entry_set_usec(entry, "etime", (uint64_t) (record->ac_etime * (1000000.0F / ACCT_TICKS_PER_SEC)));
                entry_set_number(entry, "begin", record->ac_btime);
        }
        return observer_append(watch->observer, entry);
}

static int watch_lose(AcctWatch *watch, const char *why) {
        struct statfs statfs;
        unsigned long free_percent = 100;

        if (watch->is_lost)
                return 0;
        watch->is_lost = true;
        if (fstatfs(watch->fd, &statfs) == 0 && statfs.f_blocks > 0)
                free_percent = 100UL * statfs.f_bavail / statfs.f_blocks;
        return observer_channel(watch->observer, SOURCE_ACCT, "acct", "lost",
                        "%s; the file system of %s is %lu%% free, the kernel pauses below /proc/sys/kernel/acct", why,
                        watch->path, free_percent);
}

int acct_watch_drain(AcctWatch *watch) {
        struct acct_v3 record;
        ssize_t n;
        int r = 0;

        if (watch->fd < 0)
                return 0;
        /* The kernel writes whole records, each in one go. */
        while (r >= 0 && (n = read(watch->fd, &record, sizeof(record))) == sizeof(record)) {
                if ((record.ac_version & 0x0f) != 3)
                        return watch_lose(watch, "the kernel writes another format of records");
                if (watch->canary_pid > 0 && record.ac_pid == (uint32_t) watch->canary_pid)
                        watch->has_canary_record = true;
                else
                        r = record_death(watch, &record);
        }
        return r;
}

static int on_modified(sd_event_source *source, const struct inotify_event *inotify, void *userdata) {
        (void) acct_watch_drain(userdata);
        return 0;
}

/* 1 where accounting is on, 0 where it is not to be had. */
static int watch_switch_on(AcctWatch *watch, Error *reterr) {
        int r;

        watch->fd = open(watch->path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (watch->fd < 0)
                return error_set_errno(reterr, -errno, "process accounting file %s", watch->path);
        if (acct(watch->path) == 0)
                return 1;

        r = -errno;
        close_p(&watch->fd);
        watch->fd = -EBADF;
        (void) unlink(watch->path);
        (void) observer_channel(watch->observer, SOURCE_ACCT, "acct", "absent",
                        "process accounting is not to be had here: %s", strerror(-r));
        return 0;
}

int acct_watch_new(Observer *observer, const char *path, AcctWatch **ret_watch, Error *reterr) {
        CLEANUP(acct_watch_free_p) AcctWatch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return error_set_errno(reterr, -ENOMEM, "process accounting");
        *watch = (AcctWatch){ .observer = observer, .fd = -EBADF, .canary_pidfd = -EBADF };
        if (!path) {
                r = observer_channel(observer, SOURCE_ACCT, "acct", "absent",
                                "process accounting is the whole machine's on this stage and is not switched on");
                *ret_watch = TAKE_PTR(watch);
                return r;
        }
        watch->path = strdup(path);
        if (!watch->path)
                return error_set_errno(reterr, -ENOMEM, "process accounting");
        r = watch_switch_on(watch, reterr);
        if (r > 0)
                r = sd_event_add_inotify(observer->event, &watch->modified, path, IN_MODIFY, on_modified, watch);
        if (r < 0)
                return error_set_errno(reterr, r, "process accounting file %s", path);
        *ret_watch = TAKE_PTR(watch);
        return 0;
}

static void watch_reap_canary(AcctWatch *watch) {
        if (watch->canary_pid > 0)
                (void) waitpid(watch->canary_pid, NULL, 0); /* it exits at once, nothing holds it up */
        watch->canary = sd_event_source_disable_unref(watch->canary);
        close_p(&watch->canary_pidfd);
        watch->canary_pidfd = -EBADF;
        watch->canary_pid = 0;
}

AcctWatch *acct_watch_free(AcctWatch *watch) {
        if (!watch)
                return NULL;

        watch_reap_canary(watch);
        sd_event_source_disable_unref(watch->modified);
        sd_event_source_disable_unref(watch->soon);
        if (watch->fd >= 0) {
                (void) acct(NULL);
                (void) unlink(watch->path);
        }
        close_p(&watch->fd);
        free(watch->path);
        free(watch);
        return NULL;
}

static void watch_end_barrier(AcctWatch *watch) {
        BarrierCallback on_barrier = TAKE_PTR(watch->on_barrier);

        if (on_barrier)
                on_barrier(watch->is_lost ? -ENODATA : 0, watch->barrier_userdata);
}

static int on_soon(sd_event_source *source, void *userdata) {
        watch_end_barrier(userdata);
        return 0;
}

static int on_canary(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        AcctWatch *watch = userdata;

        (void) acct_watch_drain(watch);
        watch_reap_canary(watch);
        if (!watch->has_canary_record)
                (void) watch_lose(watch, "a process of ours ended and no record of it came");
        watch_end_barrier(watch);
        return 0;
}

static int watch_send_canary(AcctWatch *watch) {
        int r;

        watch->has_canary_record = false;
        watch->canary_pid = fork();
        if (watch->canary_pid < 0) {
                watch->canary_pid = 0;
                return -errno;
        }
        if (watch->canary_pid == 0)
                _exit(EXIT_SUCCESS);

        watch->canary_pidfd = pidfd_open(watch->canary_pid, 0);
        r = watch->canary_pidfd < 0 ? -errno
                                    : sd_event_add_io(watch->observer->event, &watch->canary, watch->canary_pidfd,
                                                      EPOLLIN, on_canary, watch);
        if (r < 0)
                watch_reap_canary(watch);
        return r;
}

int acct_watch_barrier(AcctWatch *watch, BarrierCallback callback, void *userdata) {
        int r;

        if (watch->on_barrier)
                return -EBUSY;
        if (watch->fd >= 0) {
                r = watch_send_canary(watch);
        } else {
                watch->soon = sd_event_source_disable_unref(watch->soon);
                r = sd_event_add_defer(watch->observer->event, &watch->soon, on_soon, watch);
        }
        if (r < 0)
                return r;
        watch->on_barrier = callback;
        watch->barrier_userdata = userdata;
        return 0;
}
