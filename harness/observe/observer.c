/* SPDX-License-Identifier: MIT */
#include "observe/observer.h"

#include "base/text.h"

Entry *observer_entry(Observer *observer, EntrySource source, EntryKind kind, uint64_t at_usec, const char *unit) {
        uint64_t seen_usec = clock_now_usec();

        return entry_new(source, kind, at_usec ? at_usec : seen_usec, seen_usec, unit);
}

int observer_append(Observer *observer, Entry *entry) {
        int r;

        r = entry ? timeline_append(observer->timeline, entry) : -ENOMEM;
        if (r < 0)
                (void) sd_event_exit(observer->event, r);
        return r;
}

int observer_channel(Observer *observer, EntrySource source, const char *channel, const char *health,
                const char *format, ...) {
        CLEANUP_FREE char *text = NULL;
        Entry *entry;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (n < 0) {
                text = NULL;
                return observer_append(observer, NULL);
        }

        entry = observer_entry(observer, source, ENTRY_CHANNEL, 0, NULL);
        if (entry) {
                entry_set(entry, "channel", channel);
                entry_set(entry, "health", health);
                entry_set(entry, "text", text);
        }
        return observer_append(observer, entry);
}
