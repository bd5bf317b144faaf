/* SPDX-License-Identifier: MIT */
#include "judge/hog.h"

#include <string.h>

#include "judge/counters.h"
#include "judge/oom.h"
#include "judge/quota.h"

typedef struct Resource {
        const char *name;
        const char *counters[3];
        bool is_done_when_taken; /* what it holds either has its effect at once, or never */
} Resource;

static const Resource resources[] = {
        { "memory", { "memory.oom-kills", "memory.high-hits" }, true }, { "tasks", { "pids.denied" }, true },
        { "cpu", { "cpu.throttled" }, false },
        { "fds", { "limits" }, false }, /* of the main process, which takes connections in its own time */
};

static const Resource *find_resource(const char *name) {
        static const Resource unknown = { .name = "" };

        FOREACH_ARRAY (resource, resources, ELEMENTS_OF(resources))
                if (strcmp(resource->name, name) == 0)
                        return resource;
        return &unknown;
}

const char *const *hog_counters(const char *resource) {
        return find_resource(resource)->counters;
}

/* The latest reading, of the cgroup that was there when the step began, that is above where it stood then. */
static const Entry *find_moved(
                const Timeline *timeline, const char *unit, const char *counter, size_t begin, size_t end) {
        const Entry *last = counter_latest(timeline, unit, counter, begin, end), *first = last;
        double from = 0, to = 0;

        for (const Entry *entry = last; entry && entry->index >= begin;
                        entry = timeline_last(timeline, entry->index, ENTRY_COUNTER, unit))
                if (is_reading(entry, unit, counter) && counter_number(entry, &from) &&
                                entry_has(entry, "cgroup", entry_get(last, "cgroup") ?: ""))
                        first = entry;
        if (!last || !counter_number(first, &from) || !counter_number(last, &to))
                return NULL;
        return to > from ? last : NULL;
}

static const Entry *find_record(const Timeline *timeline, const char *unit, size_t begin, size_t end) {
        for (const Entry *record = timeline_next(timeline, begin, ENTRY_KERNEL, NULL); record && record->index < end;
                        record = timeline_next(timeline, record->index + 1, ENTRY_KERNEL, NULL))
                if (oom_record_is_of(timeline, record, unit))
                        return record;
        return NULL;
}

/* The look at the main process that finds it with at least @share of the descriptors that it may have. */
static const Entry *find_filled(const Timeline *timeline, const char *unit, double share, size_t begin, size_t end) {
        double limit;

        for (const Entry *look = timeline_next(timeline, begin, ENTRY_PROCESS, unit); look && look->index < end;
                        look = timeline_next(timeline, look->index + 1, ENTRY_PROCESS, unit))
                if (entry_has(look, "role", "main") && process_limit(look, "Max open files", &limit) &&
                                (double) entry_get_number(look, "n_fds", 0) >= share * limit)
                        return look;
        return NULL;
}

/*
 * The main process has as many descriptors as it may have. Or it refused one more and keeps a reserve for its own
 * files, as servers do that read LimitNOFILE=; one that refuses with most of them free has another reason.
 */
static const Entry *find_full(const Timeline *timeline, const char *unit, size_t begin, size_t end) {
        const Entry *full = find_filled(timeline, unit, 1, begin, end);

        if (full || !find_filled(timeline, unit, 0.5, begin, end))
                return full;
        for (const Entry *hog = timeline_next(timeline, begin, ENTRY_HOG, unit); hog && hog->index < end;
                        hog = timeline_next(timeline, hog->index + 1, ENTRY_HOG, unit))
                if (strncmp(entry_get(hog, "text") ?: "", "denied ", 7) == 0)
                        return hog;
        return NULL;
}

/* It says that it has all, or is gone: after that nothing more comes of it. */
static const Entry *find_last_word(
                const Timeline *timeline, const char *unit, size_t begin, size_t end, bool is_done_when_taken) {
        for (const Entry *hog = timeline_next(timeline, begin, ENTRY_HOG, unit); hog && hog->index < end;
                        hog = timeline_next(timeline, hog->index + 1, ENTRY_HOG, unit)) {
                bool has_taken = entry_has(hog, "phase", "report") &&
                                 strncmp(entry_get(hog, "text") ?: "", "denied ", 7) != 0;

                if (entry_has(hog, "phase", "end") || (has_taken && is_done_when_taken))
                        return hog;
        }
        return NULL;
}

/* Were the counters read once more behind @word? */
static bool is_read_behind(
                const Timeline *timeline, const char *unit, EntryKind kind, const Entry *word, size_t end) {
        const Entry *reading = timeline_next(timeline, word->index, kind, unit);

        return reading && reading->index < end;
}

/*
 * With both limits on memory the lower one slows the hog down on its way to the other: it counts only where that one
 * is not in force.
 */
static bool is_on_the_way(const Timeline *timeline, const char *unit, const char *counter, size_t begin, size_t end) {
        bool is_in_force = false;

        if (strcmp(counter, "memory.high-hits") == 0)
                (void) quota_limit(timeline, unit, counter_kind("memory.oom-kills"), begin, end, false, &is_in_force);
        return is_in_force;
}

HogEffect hog_effect(const Timeline *timeline, const char *unit, const char *resource, size_t begin, size_t end,
                const Entry **ret_proof) {
        bool is_fds = strcmp(resource, "fds") == 0;
        const Entry *proof = NULL, *word;

        for (const char *const *counter = hog_counters(resource); *counter && !proof; counter++)
                if (!is_on_the_way(timeline, unit, *counter, begin, end))
                        proof = find_moved(timeline, unit, *counter, begin, end);
        if (!proof && strcmp(resource, "memory") == 0)
                proof = find_record(timeline, unit, begin, end);
        if (!proof && is_fds)
                proof = find_full(timeline, unit, begin, end);
        if (ret_proof)
                *ret_proof = proof;
        if (proof)
                return HOG_REACHED;
        word = find_last_word(timeline, unit, begin, end, find_resource(resource)->is_done_when_taken);
        return word && is_read_behind(timeline, unit, is_fds ? ENTRY_PROCESS : ENTRY_COUNTER, word, end) ? HOG_SPENT
                                                                                                         : HOG_TRYING;
}
