/* SPDX-License-Identifier: MIT */
#include "observe/kmsg-watch.h"

#include <string.h>
#include <sys/epoll.h>

/* The kernel hands out one record a read; a buffer too small for it is an error. Source: CONSOLE_EXT_LOG_MAX. */
#define RECORD_MAX_BYTES 8192

struct KmsgWatch {
        Observer *observer;
        int fd; /* borrowed */
        sd_event_source *source;
};

bool kmsg_is_relevant(const char *message) {
        static const char *const marks[] = {
                "oom-kill:",
                "Out of memory",
                "Memory cgroup out of memory",
                "oom_reaper:",
                "invoked oom-killer",
                "fork rejected by pids controller",
                "segfault at",
                "traps: ",
                "general protection",
                "potentially unexpected fatal signal",
        };

        for (size_t i = 0; i < ELEMENTS_OF(marks); i++)
                if (strstr(message, marks[i]))
                        return true;
        return false;
}

static int hex_digit(char c) {
        static const char digits[] = "0123456789abcdef";
        const char *at = c ? strchr(digits, c) : NULL;

        return at ? (int) (at - digits) : -1;
}

/*
 * The kernel writes a backslash and every byte that is not printable ASCII as "\\xNN"; a unit's cgroup may be called
 * "system-my\\x2dagent.slice". Source: Documentation/ABI/testing/dev-kmsg.
 */
static void unescape(char *text) {
        char *to = text;

        for (const char *from = text; *from; to++) {
                int high = strncmp(from, "\\x", 2) == 0 ? hex_digit(from[2]) : -1;
                int low = high >= 0 ? hex_digit(from[3]) : -1;
                bool is_escaped = low >= 0 && high + low > 0;

                *to = is_escaped ? (char) (high * 16 + low) : *from;
                from += is_escaped ? 4 : 1;
        }
        *to = '\0';
}

/* "6,1234,5678901,-;text\n KEY=value\n": priority, number, stamp, flags; then the text, then a dictionary. */
static int take_record(KmsgWatch *watch, char *record) {
        char *text = strchr(record, ';');
        const char *number = strchr(record, ',');
        Entry *entry;
        char *end;

        if (!text || !number || number > text)
                return 0;
        *text++ = '\0';
        end = strchr(text, '\n');
        if (end)
                *end = '\0';
        unescape(text);
        if (!kmsg_is_relevant(text))
                return 0;

        entry = observer_entry(watch->observer, SOURCE_KMSG, ENTRY_KERNEL, 0, NULL);
        if (entry) {
                entry_set_number(entry, "seqnum", strtoll(number + 1, NULL, 10));
                entry_set(entry, "MESSAGE", text);
        }
        return observer_append(watch->observer, entry);
}

int kmsg_watch_drain(KmsgWatch *watch) {
        char record[RECORD_MAX_BYTES + 1];
        ssize_t n;
        int r;

        while (watch->fd >= 0) {
                n = read(watch->fd, record, sizeof(record) - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return 0;
                if (n < 0 && errno == EPIPE) {
                        /* Overwritten before it was read; the next read goes on with the oldest that is left. */
                        r = observer_channel(watch->observer, SOURCE_KMSG, "kmsg", "lost",
                                        "the kernel log overran its reader");
                        if (r < 0)
                                return r;
                        continue;
                }
                if (n <= 0) {
                        watch->source = sd_event_source_disable_unref(watch->source);
                        watch->fd = -EBADF;
                        return observer_channel(watch->observer, SOURCE_KMSG, "kmsg", "lost",
                                        "the kernel log cannot be read: %s", n < 0 ? strerror(errno) : "end of file");
                }
                record[n] = '\0';
                r = take_record(watch, record);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void) kmsg_watch_drain(userdata);
        return 0;
}

int kmsg_watch_new(Observer *observer, int kmsg_fd, KmsgWatch **ret_watch, Error *reterr) {
        CLEANUP(kmsg_watch_free_p) KmsgWatch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return error_set_errno(reterr, -ENOMEM, "kernel log");
        *watch = (KmsgWatch){ .observer = observer, .fd = kmsg_fd };
        if (kmsg_fd >= 0)
                r = sd_event_add_io(observer->event, &watch->source, kmsg_fd, EPOLLIN, on_readable, watch);
        else
                r = observer_channel(observer, SOURCE_KMSG, "kmsg", "absent", "/dev/kmsg is not to be had here");
        if (r < 0)
                return error_set_errno(reterr, r, "kernel log");
        *ret_watch = TAKE_PTR(watch);
        return 0;
}

KmsgWatch *kmsg_watch_free(KmsgWatch *watch) {
        if (!watch)
                return NULL;

        sd_event_source_disable_unref(watch->source);
        free(watch);
        return NULL;
}
