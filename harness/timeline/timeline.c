/* SPDX-License-Identifier: MIT */
#include "timeline/timeline.h"

#include <string.h>

/* Places of the entries of one kind, so that questions about a kind do not read the whole timeline. */
typedef struct Places {
        size_t *indexes; /* rising */
        size_t n_indexes;
        size_t n_allocated;
} Places;

struct Timeline {
        Entry **entries;
        size_t n_entries;
        size_t n_allocated;
        Places places[N_ENTRY_KINDS];
        TimelineListener listener;
        void *userdata;
};

Timeline *timeline_new(void) {
        return calloc(1, sizeof(Timeline));
}

Timeline *timeline_free(Timeline *timeline) {
        if (!timeline)
                return NULL;
        for (size_t i = 0; i < timeline->n_entries; i++)
                (void) entry_free(timeline->entries[i]);
        FOREACH_ARRAY (places, timeline->places, N_ENTRY_KINDS)
                free(places->indexes);
        free(timeline->entries);
        free(timeline);
        return NULL;
}

void timeline_set_listener(Timeline *timeline, TimelineListener listener, void *userdata) {
        timeline->listener = listener;
        timeline->userdata = userdata;
}

/* @array with room for one more element of @size behind the first @n; NULL: out of memory, and nothing changed. */
static void *array_reserve(void *array, size_t n, size_t *n_allocated, size_t size) {
        size_t n_wanted = *n_allocated > 0 ? *n_allocated * 2 : 64;
        void *grown;

        if (n < *n_allocated)
                return array;
        grown = reallocarray(array, n_wanted, size);
        if (grown)
                *n_allocated = n_wanted;
        return grown;
}

static int timeline_reserve(Timeline *timeline, EntryKind kind) {
        Places *places = &timeline->places[kind];
        size_t *indexes = array_reserve(places->indexes, places->n_indexes, &places->n_allocated, sizeof(size_t));
        Entry **entries;

        if (!indexes)
                return -ENOMEM;
        places->indexes = indexes;
        entries = array_reserve(timeline->entries, timeline->n_entries, &timeline->n_allocated, sizeof(Entry *));
        if (!entries)
                return -ENOMEM;
        timeline->entries = entries;
        return 0;
}

int timeline_append(Timeline *timeline, Entry *entry) {
        CLEANUP(entry_free_p) Entry *owned = entry;
        Places *places;
        int r;

        /* entry.c marks an entry that could not be filled. */
        if (!owned || owned->index == SIZE_MAX)
                return -ENOMEM;
        if (timeline->n_entries > 0 && owned->seen_usec < timeline->entries[timeline->n_entries - 1]->seen_usec)
                return -ERANGE;

        r = timeline_reserve(timeline, owned->kind);
        if (r < 0)
                return r;

        places = &timeline->places[owned->kind];
        owned->index = timeline->n_entries;
        places->indexes[places->n_indexes++] = owned->index;
        timeline->entries[timeline->n_entries++] = TAKE_PTR(owned);
        if (timeline->listener)
                timeline->listener(entry, timeline->userdata);
        return 0;
}

size_t timeline_length(const Timeline *timeline) {
        return timeline->n_entries;
}

const Entry *timeline_get(const Timeline *timeline, size_t index) {
        assert(index < timeline->n_entries);
        return timeline->entries[index];
}

/* How many places are before @index. */
static size_t places_before(const Places *places, size_t index) {
        size_t low = 0, high = places->n_indexes;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (places->indexes[middle] < index)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static bool entry_is_about(const Entry *entry, const char *unit) {
        return !unit || (entry->unit && strcmp(entry->unit, unit) == 0);
}

const Entry *timeline_next(const Timeline *timeline, size_t from, EntryKind kind, const char *unit) {
        const Places *places = &timeline->places[kind];

        for (size_t i = places_before(places, from); i < places->n_indexes; i++) {
                const Entry *entry = timeline->entries[places->indexes[i]];

                if (entry_is_about(entry, unit))
                        return entry;
        }
        return NULL;
}

const Entry *timeline_last(const Timeline *timeline, size_t before, EntryKind kind, const char *unit) {
        const Places *places = &timeline->places[kind];

        for (size_t i = places_before(places, before); i > 0; i--) {
                const Entry *entry = timeline->entries[places->indexes[i - 1]];

                if (entry_is_about(entry, unit))
                        return entry;
        }
        return NULL;
}

const char *timeline_property(const Timeline *timeline, const char *unit, size_t index, const char *name) {
        size_t before = index == SIZE_MAX ? SIZE_MAX : index + 1;

        for (const Entry *entry = timeline_last(timeline, before, ENTRY_PROPERTIES, unit); entry;
                        entry = timeline_last(timeline, entry->index, ENTRY_PROPERTIES, unit)) {
                const char *value = entry_get(entry, name);

                /* Of a question that failed, only `asked` and `errno` are there, and these are no properties. */
                if (value && strcmp(name, "asked") != 0 && strcmp(name, "errno") != 0)
                        return value;
        }
        return NULL;
}

bool timeline_is_shared(const Timeline *timeline) {
        const Entry *versions = timeline_next(timeline, 0, ENTRY_VERSIONS, NULL);

        return versions && entry_has(versions, "shared", "yes");
}

pid_t timeline_user_manager(const Timeline *timeline) {
        const Entry *versions = timeline_next(timeline, 0, ENTRY_VERSIONS, NULL);

        return versions ? (pid_t) entry_get_number(versions, "user-manager", 0) : 0;
}
