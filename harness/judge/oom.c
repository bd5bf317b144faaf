/* SPDX-License-Identifier: MIT */
#include "judge/oom.h"

#include <string.h>

#include "judge/counter-range.h"
#include "judge/window.h"

/*
 * "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a/b.service,
 * task_memcg=/a/b.service,task=agentd,pid=123,uid=0"; "global_oom" in the place of oom_memcg= where no limit was it.
 */
static const char *find_path(const char *message, const char *field, size_t *ret_n) {
        const char *at = strstr(message, "oom-kill:") ? strstr(message, field) : NULL;

        if (!at)
                return NULL;
        at += strlen(field);
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

static const char *message_of(const Entry *record) {
        return entry_get(record, "MESSAGE") ?: "";
}

static bool is_first_line(const Entry *record) {
        return strstr(message_of(record), "oom-kill:");
}

/*
 * "/agenttest-1-0/system.slice/agent.service/sub" is "/sub" in "/system.slice/agent.service" of the stage
 * "agenttest-1-0". NULL: not in it.
 */
static const char *path_below(const char *path, size_t n, const char *mark, const char *control_group) {
        size_t n_mark = strlen(mark), n_group = strlen(control_group);
        const char *at = memmem(path, n, mark, n_mark);
        const char *rest = at ? at + n_mark : NULL;

        if (!rest || (size_t) (path + n - rest) < n_group || strncmp(rest, control_group, n_group) != 0)
                return NULL;
        return rest + n_group == path + n || rest[n_group] == '/' ? rest + n_group : NULL;
}

static const char *cgroup_mark(const Timeline *timeline) {
        const Entry *versions = timeline_next(timeline, 0, ENTRY_VERSIONS, NULL);

        return versions ? entry_get(versions, "cgroup-mark") : NULL;
}

typedef struct Path {
        const char *bytes;
        size_t n;
        bool is_whole; /* it has to be the cgroup itself, and not one in it */
} Path;

/* Is it in a cgroup that an entry of @kind names by @field? */
static bool is_named(
                const Timeline *timeline, EntryKind kind, const char *field, const Path *path, const char *unit) {
        const char *mark = cgroup_mark(timeline);
        /* On the machine itself a record's path is the unit's: there is no mark before it. */
        bool is_known = mark && (*mark || timeline_is_shared(timeline));

        for (const Entry *entry = is_known ? timeline_next(timeline, 0, kind, unit) : NULL; entry;
                        entry = timeline_next(timeline, entry->index + 1, kind, unit)) {
                const char *control_group = entry_get(entry, field), *below;

                if (!control_group || !*control_group || entry_get(entry, "scope"))
                        continue;
                below = path_below(path->bytes, path->n, mark, control_group);
                if (below && (!path->is_whole || below == path->bytes + path->n))
                        return true;
        }
        return false;
}

/* Any ControlGroup the unit had: the property is empty again when the unit is at rest. */
static bool is_in_unit(const Timeline *timeline, const Path *path, const char *unit) {
        return is_named(timeline, ENTRY_COUNTER, "group", path, unit) ||
               is_named(timeline, ENTRY_PROPERTIES, "ControlGroup", path, unit);
}

static OomLimit limit_of(const Timeline *timeline, const Entry *first, const char *unit) {
        Path path = { .is_whole = true };

        path.bytes = find_path(message_of(first), ",oom_memcg=", &path.n);
        return path.bytes && is_in_unit(timeline, &path, unit) ? OOM_LIMIT_OWN : OOM_LIMIT_OTHER;
}

void oom_limit_name(const Timeline *timeline, const Entry *first, Text *ret_name) {
        const char *mark = cgroup_mark(timeline) ?: "";
        size_t n = 0;
        const char *path = find_path(message_of(first), ",oom_memcg=", &n);
        const char *at = path && *mark ? memmem(path, n, mark, strlen(mark)) : NULL;

        if (!path) {
                text_append(ret_name, "the whole machine");
                return;
        }
        if (at) {
                n -= (size_t) (at + strlen(mark) - path);
                path = at + strlen(mark);
        }
        text_append_bytes(ret_name, n > 0 ? path : "/", n > 0 ? n : 1);
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
        Path path = { 0 };

        if (record->kind != ENTRY_KERNEL)
                return false;
        path.bytes = find_path(message_of(record), ",task_memcg=", &path.n);
        if (path.bytes)
                return is_in_unit(timeline, &path, unit);
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

/* Where @record is one more line about a kill: none of another kill has begun since (@burst_index). */
static OomKill *find_kill(OomKills *kills, int64_t host_pid, size_t burst_index) {
        for (size_t i = kills->n_items; i > 0; i--) {
                OomKill *kill = &kills->items[i - 1];

                if (kill->host_pid == host_pid && kill->record->index >= burst_index)
                        return kill;
        }
        return NULL;
}

static int add_kill(OomKills *kills, const OomKill *kill) {
        OomKill *items = reallocarray(kills->items, kills->n_items + 1, sizeof(OomKill));

        if (!items)
                return -ENOMEM;
        kills->items = items;
        items[kills->n_items++] = *kill;
        return 0;
}

static int take_record(OomKills *kills, const Timeline *timeline, const Entry *record, size_t burst_index,
                const char *unit) {
        int64_t host_pid = record_pid(record);
        OomKill *known = find_kill(kills, host_pid, burst_index);
        OomKill kill = {
                .record = record,
                .host_pid = host_pid,
                .at_usec = record->at_usec,
                .victim = find_victim(timeline, host_pid, unit),
        };

        if (known) {
                known->record = record;
                known->at_usec = record->at_usec;
                known->n_lines++;
                return 0;
        }
        if (is_first_line(record)) {
                kill.first = record;
                kill.limit = limit_of(timeline, record, unit);
        } else
                kill.n_lines = 1;
        return add_kill(kills, &kill);
}

bool oom_record_is_bare(const Timeline *timeline, const Entry *record) {
        int64_t host_pid;

        if (!oom_record_names(record, &host_pid))
                return false;
        for (const Entry *other = timeline_last(timeline, record->index, ENTRY_KERNEL, NULL); other;
                        other = timeline_last(timeline, other->index, ENTRY_KERNEL, NULL))
                if (record_pid(other) == host_pid && is_first_line(other))
                        return false;
        return true;
}

/* Nor is it a pid that anybody knows. */
static bool is_nobodys(const Timeline *timeline, const Entry *record, const char *unit) {
        return oom_record_is_bare(timeline, record) && !find_process(timeline, record_pid(record));
}

typedef bool (*RecordFilter)(const Timeline *timeline, const Entry *record, const char *unit);

static int collect(const Timeline *timeline, size_t begin, size_t end, const char *unit, RecordFilter filter,
                OomKills *kills) {
        size_t burst_index = begin;

        for (const Entry *record = timeline_next(timeline, begin, ENTRY_KERNEL, NULL); record && record->index < end;
                        record = timeline_next(timeline, record->index + 1, ENTRY_KERNEL, NULL)) {
                int r;

                if (is_first_line(record))
                        burst_index = record->index;
                if (record_pid(record) <= 0 || !filter(timeline, record, unit))
                        continue;
                r = take_record(kills, timeline, record, burst_index, unit);
                if (r < 0)
                        return r;
        }
        return 0;
}

static size_t count_lines(const OomKills *kills) {
        size_t n_lines = 0;

        FOREACH_ARRAY (kill, kills->items, kills->n_items)
                n_lines += kill->n_lines > 0 ? kill->n_lines : 1;
        return n_lines;
}

/* The first reading of the same cgroup that says what @last says: by then it had happened. */
static const Entry *first_like(const Timeline *timeline, const Entry *last) {
        const Entry *first = last;
        double number, wanted;

        if (!counter_number(last, &wanted))
                return last;
        for (const Entry *entry = timeline_last(timeline, last->index, ENTRY_COUNTER, last->unit); entry;
                        entry = timeline_last(timeline, entry->index, ENTRY_COUNTER, last->unit)) {
                if (!is_reading(entry, last->unit, "memory.oom-kills"))
                        continue;
                if (!entry_has(entry, "cgroup", entry_get(last, "cgroup") ?: "") || !counter_number(entry, &number) ||
                                number < wanted)
                        break;
                first = entry;
        }
        return first;
}

/* Which of several lines it were is not known; how many kills, and by when, the unit's own counter tells. */
static int add_unnamed(OomKills *kills, const Timeline *timeline, const CounterRange *range, size_t n_known,
                uint64_t deadline_usec, OomVictim victim) {
        const Entry *reading = first_like(timeline, range->last);

        for (size_t n = n_known + 1; n <= range->n_low; n++) {
                OomKill kill = { .record = reading, .at_usec = reading->at_usec, .victim = victim };
                int r;

                if (n <= range->n_low_timed && kill.at_usec > deadline_usec)
                        kill.at_usec = deadline_usec;
                r = add_kill(kills, &kill);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Lines about processes that no path and no pid gives to anybody, as far as the unit's own counter asks for them. */
static int add_nobodys(const Case *facts, const Window *window, const char *unit, OomKills *kills) {
        CLEANUP(oom_kills_done) OomKills candidates = { 0 };
        size_t n_known = count_lines(kills), n_lines;
        CounterRange range;
        bool is_read;
        int r;

        r = counter_range(facts, window, unit, counter_kind("memory.oom-kills"), NULL, NULL, &range);
        if (r < 0 || range.n_low == SIZE_MAX || range.n_low <= n_known)
                return r;
        r = collect(facts->timeline, window->anchor_index, window->end_index, unit, is_nobodys, &candidates);
        if (r < 0)
                return r;
        n_lines = count_lines(&candidates);
        is_read = window->is_closed && window_is_complete(facts, window, CHANNEL_KMSG, unit, NULL);
        /* As long as the log was not read to its end, a line may still come that names the unit's own victim. */
        if (n_lines > 0 && (!is_read || n_lines > range.n_low - n_known))
                return add_unnamed(kills, facts->timeline, &range, n_known, window->deadline_usec,
                                is_read ? candidates.items[0].victim : OOM_VICTIM_UNKNOWN);
        FOREACH_ARRAY (kill, candidates.items, candidates.n_items) {
                r = add_kill(kills, kill);
                if (r < 0)
                        return r;
        }
        kills->n_unrecorded = range.n_low - n_known - n_lines;
        return 0;
}

int oom_kills_collect(const Case *facts, const Window *window, const char *unit, OomKills *ret_kills) {
        int r = collect(facts->timeline, window->anchor_index, window->end_index, unit, oom_record_is_of, ret_kills);

        return r < 0 ? r : add_nobodys(facts, window, unit, ret_kills);
}

size_t oom_records_count(const Timeline *timeline, const char *unit) {
        CLEANUP(oom_kills_done) OomKills kills = { 0 };

        return collect(timeline, 0, SIZE_MAX, unit, oom_record_is_of, &kills) < 0 ? 0 : kills.n_items;
}

const Entry *oom_other_limit(const Timeline *timeline, const char *unit, size_t begin, size_t end) {
        CLEANUP(oom_kills_done) OomKills kills = { 0 };
        const Entry *other = NULL;

        if (collect(timeline, begin, end, unit, oom_record_is_of, &kills) < 0)
                return NULL;
        FOREACH_ARRAY (kill, kills.items, kills.n_items) {
                if (kill->limit != OOM_LIMIT_OTHER)
                        return NULL;
                other = kill->first;
        }
        return other;
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
