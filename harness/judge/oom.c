/* SPDX-License-Identifier: MIT */
#include "judge/oom.h"

#include <string.h>

#include "judge/counter-range.h"

/*
 * "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a/b.service,
 * task_memcg=/a/b.service,task=agentd,pid=123,uid=0"
 */
static const char *find_path(const char *message, size_t *ret_n) {
        const char *at = strstr(message, "oom-kill:") ? strstr(message, ",task_memcg=") : NULL;

        if (!at)
                return NULL;
        at += strlen(",task_memcg=");
        *ret_n = strcspn(at, ",");
        return at;
}

bool oom_record_names(const Entry *record, int64_t *ret_host_pid) {
        const char *message = entry_get(record, "MESSAGE") ?: "", *at = strstr(message, "Killed process ");

        if (!at)
                return false;
        *ret_host_pid = strtoll(at + strlen("Killed process "), NULL, 10);
        return *ret_host_pid > 0;
}

/* Of either line; 0 where it is none of them. */
static int64_t record_pid(const Entry *record) {
        const char *message = entry_get(record, "MESSAGE") ?: "", *at;
        int64_t host_pid;

        if (oom_record_names(record, &host_pid))
                return host_pid;
        at = strstr(message, "oom-kill:") ? strstr(message, ",pid=") : NULL;
        return at ? strtoll(at + strlen(",pid="), NULL, 10) : 0;
}

/* "/agenttest-1-0/system.slice/agent.service/sub" is in "/system.slice/agent.service" of the stage "agenttest-1-0".
 */
static bool path_is_in(const char *path, size_t n, const char *mark, const char *control_group) {
        size_t n_mark = strlen(mark), n_group = strlen(control_group);
        const char *at = memmem(path, n, mark, n_mark);
        const char *rest = at ? at + n_mark : NULL;

        return rest && (size_t) (path + n - rest) >= n_group && strncmp(rest, control_group, n_group) == 0 &&
               (rest + n_group == path + n || rest[n_group] == '/');
}

static const char *cgroup_mark(const Timeline *timeline) {
        const Entry *versions = timeline_next(timeline, 0, ENTRY_VERSIONS, NULL);

        return versions ? entry_get(versions, "cgroup-mark") : NULL;
}

/* Is it in a cgroup that an entry of @kind names by @field? */
static bool is_named(const Timeline *timeline, EntryKind kind, const char *field, const char *path, size_t n,
                const char *unit) {
        const char *mark = cgroup_mark(timeline);
        /* On the machine itself a record's path is the unit's: there is no mark before it. */
        bool is_known = mark && (*mark || timeline_is_shared(timeline));

        for (const Entry *entry = is_known ? timeline_next(timeline, 0, kind, unit) : NULL; entry;
                        entry = timeline_next(timeline, entry->index + 1, kind, unit)) {
                const char *control_group = entry_get(entry, field);

                if (control_group && *control_group && !entry_get(entry, "scope") &&
                                path_is_in(path, n, mark, control_group))
                        return true;
        }
        return false;
}

/* Any ControlGroup the unit had: the property is empty again when the unit is at rest. */
static bool is_in_unit(const Timeline *timeline, const char *path, size_t n, const char *unit) {
        return is_named(timeline, ENTRY_COUNTER, "group", path, n, unit) ||
               is_named(timeline, ENTRY_PROPERTIES, "ControlGroup", path, n, unit);
}

/* The last process that was recorded under this pid out there, of any unit. */
static const Entry *find_process(const Timeline *timeline, int64_t host_pid) {
        for (const Entry *entry = timeline_last(timeline, SIZE_MAX, ENTRY_HOST_PID, NULL); entry && host_pid > 0;
                        entry = timeline_last(timeline, entry->index, ENTRY_HOST_PID, NULL))
                if (entry_get_number(entry, "host-pid", 0) == host_pid)
                        return entry;
        return NULL;
}

static bool is_of_unit(const Entry *process, const char *unit) {
        return process && process->unit && strcmp(process->unit, unit) == 0;
}

bool oom_record_is_of(const Timeline *timeline, const Entry *record, const char *unit) {
        const char *message = entry_get(record, "MESSAGE") ?: "", *path;
        size_t n = 0;

        if (record->kind != ENTRY_KERNEL)
                return false;
        path = find_path(message, &n);
        if (path)
                return is_in_unit(timeline, path, n, unit);
        return is_of_unit(find_process(timeline, record_pid(record)), unit);
}

/* Is it known of every main process how it is called out there? Only then is another one a child. */
static bool are_mains_known(const Timeline *timeline, const char *unit) {
        bool is_any = false;

        for (const Entry *entry = timeline_next(timeline, 0, ENTRY_PROPERTIES, unit); entry;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_PROPERTIES, unit)) {
                int64_t pid = entry_get_number(entry, "ExecMainPID", 0);
                const Entry *known = timeline_next(timeline, 0, ENTRY_HOST_PID, unit);

                while (known && entry_get_number(known, "pid", 0) != pid)
                        known = timeline_next(timeline, known->index + 1, ENTRY_HOST_PID, unit);
                if (pid > 0 && !known)
                        return false;
                is_any |= pid > 0;
        }
        return is_any;
}

static OomVictim find_victim(const Timeline *timeline, int64_t host_pid, const char *unit) {
        const Entry *process = find_process(timeline, host_pid);

        if (is_of_unit(process, unit))
                return entry_has(process, "role", "main") ? OOM_VICTIM_MAIN : OOM_VICTIM_HOG;
        return are_mains_known(timeline, unit) ? OOM_VICTIM_CHILD : OOM_VICTIM_UNKNOWN;
}

static int take_kill(OomKills *kills, const Entry *record, int64_t host_pid, OomVictim victim) {
        OomKill *last = kills->n_items > 0 ? &kills->items[kills->n_items - 1] : NULL, *items;

        /* The second line about the same kill. */
        if (last && last->host_pid == host_pid) {
                last->record = record;
                return 0;
        }
        items = reallocarray(kills->items, kills->n_items + 1, sizeof(OomKill));
        if (!items)
                return -ENOMEM;
        kills->items = items;
        items[kills->n_items++] = (OomKill){ .record = record, .host_pid = host_pid, .victim = victim };
        return 0;
}

/* Lines about processes that no path and no pid gives to anybody: how many of them the unit's own counter accounts
 * for.
 */
static int count_unaccounted(
                const Case *facts, const Window *window, const char *unit, size_t n_known, size_t *ret_n) {
        CounterRange range;
        int r = counter_range(facts, window, unit, counter_kind("memory.oom-kills"), NULL, NULL, &range);

        if (r < 0)
                return r;
        *ret_n = range.n_low != SIZE_MAX && range.n_low > n_known ? range.n_low - n_known : 0;
        return 0;
}

typedef bool (*RecordFilter)(const Timeline *timeline, const Entry *record, const char *unit);

bool oom_record_is_bare(const Timeline *timeline, const Entry *record) {
        int64_t host_pid;

        if (!oom_record_names(record, &host_pid))
                return false;
        for (const Entry *other = timeline_last(timeline, record->index, ENTRY_KERNEL, NULL); other;
                        other = timeline_last(timeline, other->index, ENTRY_KERNEL, NULL))
                if (record_pid(other) == host_pid && strstr(entry_get(other, "MESSAGE") ?: "", "oom-kill:"))
                        return false;
        return true;
}

/* Nor is it a pid that anybody knows. */
static bool is_nobodys(const Timeline *timeline, const Entry *record, const char *unit) {
        return oom_record_is_bare(timeline, record) && !find_process(timeline, record_pid(record));
}

static int collect(const Case *facts, const Window *window, const char *unit, RecordFilter filter, size_t n_max,
                OomKills *kills) {
        const Timeline *timeline = facts->timeline;

        for (const Entry *record = timeline_next(timeline, window->anchor_index, ENTRY_KERNEL, NULL);
                        record && record->index < window->end_index && n_max > 0;
                        record = timeline_next(timeline, record->index + 1, ENTRY_KERNEL, NULL)) {
                int64_t host_pid = record_pid(record);
                int r;

                if (host_pid <= 0 || !filter(timeline, record, unit))
                        continue;
                r = take_kill(kills, record, host_pid, find_victim(timeline, host_pid, unit));
                if (r < 0)
                        return r;
                if (n_max != SIZE_MAX)
                        n_max--;
        }
        return 0;
}

int oom_kills_collect(const Case *facts, const Window *window, const char *unit, OomKills *ret_kills) {
        size_t n_unaccounted = 0;
        int r;

        r = collect(facts, window, unit, oom_record_is_of, SIZE_MAX, ret_kills);
        if (r >= 0)
                r = count_unaccounted(facts, window, unit, ret_kills->n_items, &n_unaccounted);
        if (r >= 0)
                r = collect(facts, window, unit, is_nobodys, n_unaccounted, ret_kills);
        return r;
}

void oom_kills_done(OomKills *kills) {
        free(kills->items);
        *kills = (OomKills){ 0 };
}

const char *oom_victim_name(OomVictim victim) {
        static const char *const names[] = {
                [OOM_VICTIM_UNKNOWN] = "a process nobody can tell",
                [OOM_VICTIM_MAIN] = "main",
                [OOM_VICTIM_CHILD] = "child",
                [OOM_VICTIM_HOG] = "hog",
        };

        return names[victim];
}
