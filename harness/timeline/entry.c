/* SPDX-License-Identifier: MIT */
#include "timeline/entry.h"

#include <inttypes.h>
#include <string.h>

#include "base/quantity.h"

/* In `index` of an entry that no timeline has taken yet: a field was lost for lack of memory. */
#define INDEX_BROKEN SIZE_MAX

static const char *const source_names[N_SOURCES] = {
        [SOURCE_HARNESS] = "harness",
        [SOURCE_BUS] = "bus",
        [SOURCE_JOURNAL] = "journal",
        [SOURCE_ACCT] = "acct",
        [SOURCE_PROCESS] = "process",
        [SOURCE_CGROUP] = "cgroup",
        [SOURCE_KMSG] = "kmsg",
        [SOURCE_FILE] = "file",
        [SOURCE_SQLITE] = "sqlite",
        [SOURCE_SOCKET] = "socket",
        [SOURCE_COMMAND] = "command",
};

static const char *const kind_names[N_ENTRY_KINDS] = {
        [ENTRY_VERSIONS] = "versions",
        [ENTRY_STEP_BEGIN] = "step-begin",
        [ENTRY_STEP_END] = "step-end",
        [ENTRY_WINDOW] = "window",
        [ENTRY_DEADLINE] = "deadline",
        [ENTRY_BARRIER] = "barrier",
        [ENTRY_JOB_ACTION] = "job-action",
        [ENTRY_SIGNAL_ACTION] = "signal-action",
        [ENTRY_CAPTURE] = "capture",
        [ENTRY_CHANNEL] = "channel",
        [ENTRY_HOG] = "hog",
        [ENTRY_LATENESS] = "lateness",
        [ENTRY_SCENARIO_END] = "scenario-end",
        [ENTRY_PROPERTIES] = "properties",
        [ENTRY_JOB_NEW] = "job-new",
        [ENTRY_JOB_REMOVED] = "job-removed",
        [ENTRY_MANAGER_LINE] = "manager-line",
        [ENTRY_LOG] = "log",
        [ENTRY_JOURNAL_LOSS] = "journal-loss",
        [ENTRY_DEATH] = "death",
        [ENTRY_MAIN_GONE] = "main-gone",
        [ENTRY_HOST_PID] = "host-pid",
        [ENTRY_MAIN_ALIVE] = "main-alive",
        [ENTRY_PROCESS] = "process",
        [ENTRY_LEFT_BEHIND] = "left-behind",
        [ENTRY_COUNTER] = "counter",
        [ENTRY_KERNEL] = "kernel",
        [ENTRY_FILE] = "file",
        [ENTRY_DATABASE] = "database",
        [ENTRY_SOCKET] = "socket",
        [ENTRY_COMMAND] = "command",
};

Entry *entry_new(EntrySource source, EntryKind kind, uint64_t at_usec, uint64_t seen_usec, const char *unit) {
        CLEANUP(entry_free_p) Entry *entry = calloc(1, sizeof(Entry));

        if (!entry)
                return NULL;
        entry->source = source;
        entry->kind = kind;
        entry->at_usec = at_usec;
        entry->seen_usec = seen_usec;
        if (unit) {
                entry->unit = strdup(unit);
                if (!entry->unit)
                        return NULL;
        }
        return TAKE_PTR(entry);
}

static void field_done(Field *field) {
        free(field->key);
        free(field->bytes);
}

Entry *entry_free(Entry *entry) {
        if (!entry)
                return NULL;
        FOREACH_ARRAY (field, entry->fields, entry->n_fields)
                field_done(field);
        free(entry->fields);
        free(entry->unit);
        free(entry);
        return NULL;
}

/* The field called @key, a new one where there is none; NULL: out of memory. */
static Field *entry_make_field(Entry *entry, const char *key) {
        Field *fields;
        char *copy;

        FOREACH_ARRAY (field, entry->fields, entry->n_fields)
                if (strcmp(field->key, key) == 0)
                        return field;

        fields = reallocarray(entry->fields, entry->n_fields + 1, sizeof(Field));
        if (!fields)
                return NULL;
        entry->fields = fields;
        copy = strdup(key);
        if (!copy)
                return NULL;
        fields[entry->n_fields] = (Field){ .key = copy };
        return &fields[entry->n_fields++];
}

void entry_set_bytes(Entry *entry, const char *key, const void *bytes, size_t n_bytes) {
        char *copy = malloc(n_bytes + 1);
        Field *field = copy ? entry_make_field(entry, key) : NULL;

        if (!field) {
                free(copy);
                entry->index = INDEX_BROKEN;
                return;
        }
        if (n_bytes > 0)
                memcpy(copy, bytes, n_bytes);
        copy[n_bytes] = '\0';
        free(field->bytes);
        field->bytes = copy;
        field->n_bytes = n_bytes;
}

void entry_set(Entry *entry, const char *key, const char *text) {
        entry_set_bytes(entry, key, text, strlen(text));
}

void entry_set_number(Entry *entry, const char *key, int64_t number) {
        char text[32];

        (void) snprintf(text, sizeof(text), "%" PRIi64, number);
        entry_set(entry, key, text);
}

void entry_set_usec(Entry *entry, const char *key, uint64_t usec) {
        char text[32] = "infinity";

        if (usec != USEC_INFINITY)
                (void) snprintf(text, sizeof(text), "%" PRIu64, usec);
        entry_set(entry, key, text);
}

const Field *entry_find(const Entry *entry, const char *key) {
        FOREACH_ARRAY (field, entry->fields, entry->n_fields)
                if (strcmp(field->key, key) == 0)
                        return field;
        return NULL;
}

const char *entry_get(const Entry *entry, const char *key) {
        const Field *field = entry_find(entry, key);

        return field ? field->bytes : NULL;
}

int64_t entry_get_number(const Entry *entry, const char *key, int64_t fallback) {
        const char *text = entry_get(entry, key);
        char *end = NULL;
        long long number;

        if (!text || !*text)
                return fallback;
        errno = 0;
        number = strtoll(text, &end, 10);
        return errno != 0 || *end ? fallback : number;
}

uint64_t entry_get_usec(const Entry *entry, const char *key, uint64_t fallback) {
        const char *text = entry_get(entry, key);
        char *end = NULL;
        unsigned long long number;

        if (!text || !*text || *text == '-')
                return fallback;
        if (strcmp(text, "infinity") == 0)
                return USEC_INFINITY;
        errno = 0;
        number = strtoull(text, &end, 10);
        return errno != 0 || *end ? fallback : number;
}

bool entry_has(const Entry *entry, const char *key, const char *text) {
        const Field *field = entry_find(entry, key);

        return field && text && strlen(text) == field->n_bytes && memcmp(field->bytes, text, field->n_bytes) == 0;
}

static int name_find(const char *const *names, size_t n_names, const char *name) {
        for (size_t i = 0; i < n_names; i++)
                if (strcmp(names[i], name) == 0)
                        return (int) i;
        return -EINVAL;
}

const char *entry_source_name(EntrySource source) {
        assert(source < N_SOURCES);
        return source_names[source];
}

const char *entry_kind_name(EntryKind kind) {
        assert(kind < N_ENTRY_KINDS);
        return kind_names[kind];
}

int entry_source_from_name(const char *name) {
        return name_find(source_names, N_SOURCES, name);
}

int entry_kind_from_name(const char *name) {
        return name_find(kind_names, N_ENTRY_KINDS, name);
}
