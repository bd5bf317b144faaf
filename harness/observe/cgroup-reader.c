/* SPDX-License-Identifier: MIT */
#include "observe/cgroup-reader.h"

#include <fcntl.h>
#include <string.h>

#include "observe/proc-text.h"

typedef struct Hierarchy {
        char *mount_path;
        char *options; /* of a v1 hierarchy: ",memory,rw," with its controllers; NULL: v2 */
} Hierarchy;

struct CgroupReader {
        Observer *observer;
        Hierarchy *hierarchies;
        size_t n_hierarchies;
        const char *layout;
};

typedef struct Counter {
        const char *name;
        const char *controller; /* whose v1 hierarchy has v1_file; NULL: only the v2 tree, also beside v1 */
        const char *v1_file;
        const char *v1_key; /* the word before the number that is meant; NULL: the file is one number */
        const char *v2_file;
        const char *v2_key;
} Counter;

/* Source: Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst of the kernel. */
static const Counter counters[] = {
        { "memory.peak", "memory", "memory.max_usage_in_bytes", NULL, "memory.peak", NULL },
        { "memory.current", "memory", "memory.usage_in_bytes", NULL, "memory.current", NULL },
        { "memory.max", "memory", "memory.limit_in_bytes", NULL, "memory.max", NULL },
        { "memory.oom-kills", "memory", "memory.oom_control", "oom_kill", "memory.events", "oom_kill" },
        { "pids.peak", "pids", "pids.peak", NULL, "pids.peak", NULL },
        { "pids.current", "pids", "pids.current", NULL, "pids.current", NULL },
        { "pids.max", "pids", "pids.max", NULL, "pids.max", NULL },
        { "pids.denied", "pids", "pids.events", "max", "pids.events", "max" },
        { "cpu.throttled", "cpu", "cpu.stat", "nr_throttled", "cpu.stat", "nr_throttled" },
        { "cpu.max", "cpu", "cpu.cfs_quota_us", NULL, "cpu.max", NULL },
        { "cpu.usage", NULL, NULL, NULL, "cpu.stat", "usage_usec" },
        { "populated", NULL, NULL, NULL, "cgroup.events", "populated" },
        { "procs", NULL, NULL, NULL, "cgroup.procs", NULL },
};

static int reader_add(CgroupReader *reader, const char *mount_path, const char *options) {
        Hierarchy *grown = reallocarray(reader->hierarchies, reader->n_hierarchies + 1, sizeof(*grown));
        Hierarchy *hierarchy;

        if (!grown)
                return -ENOMEM;
        reader->hierarchies = grown;
        hierarchy = &grown[reader->n_hierarchies];
        *hierarchy = (Hierarchy){ .mount_path = strdup(mount_path) };
        if (!hierarchy->mount_path)
                return -ENOMEM;
        reader->n_hierarchies++;
        if (options && asprintf(&hierarchy->options, ",%s,", options) < 0) {
                hierarchy->options = NULL;
                return -ENOMEM;
        }
        return 0;
}

/* "36 35 98:0 /root /mount/point rw,noatime shared:1 - cgroup source options"; Source: proc_pid_mountinfo(5). */
static int reader_take_mount(CgroupReader *reader, char *line) {
        char *type = strstr(line, " - "), *next = NULL, *mount_path = NULL, *options = NULL;

        if (!type)
                return 0;
        *type = '\0';
        type = strtok_r(type + 3, " ", &next);
        (void) strtok_r(NULL, " ", &next);
        options = strtok_r(NULL, " ", &next);
        if (!type || (strcmp(type, "cgroup") != 0 && strcmp(type, "cgroup2") != 0))
                return 0;
        (void) strtok_r(line, " ", &next);
        for (unsigned i = 0; i < 4; i++)
                mount_path = strtok_r(NULL, " ", &next);
        if (!mount_path)
                return 0;
        string_unescape_octal(mount_path);
        return reader_add(reader, mount_path, strcmp(type, "cgroup") == 0 ? options : NULL);
}

static const char *find_layout(const CgroupReader *reader) {
        bool has_controller = false, has_v2 = false;

        FOREACH_ARRAY (hierarchy, reader->hierarchies, reader->n_hierarchies) {
                if (!hierarchy->options)
                        has_v2 = true;
                else if (!strstr(hierarchy->options, ",name="))
                        has_controller = true;
        }
        if (!has_controller)
                return has_v2 ? "v2" : "v1";
        return has_v2 ? "v1 hybrid" : "v1";
}

static int reader_find_mounts(CgroupReader *reader) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        char *next = NULL;
        int r;

        r = proc_read(AT_FDCWD, "/proc/self/mountinfo", &text);
        if (r < 0)
                return r;
        if (text.n_bytes == 0)
                return -ENOENT;
        for (char *line = strtok_r(text.bytes, "\n", &next); line && r >= 0; line = strtok_r(NULL, "\n", &next))
                r = reader_take_mount(reader, line);
        return r < 0 ? r : reader->n_hierarchies == 0 ? -ENOENT : 0;
}

int cgroup_reader_new(Observer *observer, CgroupReader **ret_reader, Error *reterr) {
        CLEANUP(cgroup_reader_free_p) CgroupReader *reader = calloc(1, sizeof(*reader));
        int r;

        if (!reader)
                return error_set_errno(reterr, -ENOMEM, "cgroups");
        reader->observer = observer;
        r = reader_find_mounts(reader);
        if (r == -ENOENT)
                return error_set(reterr, r, "no cgroup file system is mounted here");
        if (r < 0)
                return error_set_errno(reterr, r, "reading /proc/self/mountinfo");
        reader->layout = find_layout(reader);
        *ret_reader = TAKE_PTR(reader);
        return 0;
}

CgroupReader *cgroup_reader_free(CgroupReader *reader) {
        if (!reader)
                return NULL;

        FOREACH_ARRAY (hierarchy, reader->hierarchies, reader->n_hierarchies) {
                free(hierarchy->mount_path);
                free(hierarchy->options);
        }
        free(reader->hierarchies);
        free(reader);
        return NULL;
}

const char *cgroup_reader_layout(const CgroupReader *reader) {
        return reader->layout;
}

/* The hierarchy that has v1 @controller; NULL where it is not on v1. */
static const Hierarchy *find_v1(const CgroupReader *reader, const char *controller) {
        FOREACH_ARRAY (hierarchy, reader->hierarchies, reader->n_hierarchies) {
                char word[64];

                (void) snprintf(word, sizeof(word), ",%s,", controller);
                if (hierarchy->options && strstr(hierarchy->options, word))
                        return hierarchy;
        }
        return NULL;
}

static const Hierarchy *find_v2(const CgroupReader *reader) {
        FOREACH_ARRAY (hierarchy, reader->hierarchies, reader->n_hierarchies)
                if (!hierarchy->options)
                        return hierarchy;
        return NULL;
}

static int sample_file(
                CgroupReader *reader, const char *unit, const char *counter, const char *path, const char *key) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        uint64_t asked_usec = clock_now_usec();
        Entry *entry;
        int r;

        r = proc_read(AT_FDCWD, path, &text);
        if (r == -ENOMEM)
                return r;
        entry = observer_entry(reader->observer, SOURCE_CGROUP, ENTRY_COUNTER, 0, unit);
        if (entry) {
                const char *slash = strrchr(path, '/');

                entry_set(entry, "counter", counter);
                entry_set_bytes(entry, "path", path, (size_t) (slash - path));
                entry_set(entry, "file", slash + 1);
                if (key)
                        entry_set(entry, "key", key);
                entry_set_number(entry, "errno", -r);
                entry_set(entry, "text", text_get(&text));
                entry_set_usec(entry, "asked", asked_usec);
        }
        return observer_append(reader->observer, entry);
}

static int sample_counter(CgroupReader *reader, const char *unit, const char *control_group, const Counter *counter) {
        const Hierarchy *v1 = counter->controller ? find_v1(reader, counter->controller) : NULL;
        const Hierarchy *hierarchy = v1 ? v1 : find_v2(reader);
        CLEANUP_FREE char *path = NULL;

        if (asprintf(&path, "%s%s/%s", hierarchy ? hierarchy->mount_path : "/sys/fs/cgroup", control_group,
                            v1 ? counter->v1_file : counter->v2_file) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return sample_file(reader, unit, counter->name, path, v1 ? counter->v1_key : counter->v2_key);
}

/* The first hierarchy whose cgroup has the file; where none has, the last one tried says so in its entry. */
static int sample_raw(CgroupReader *reader, const char *unit, const char *control_group, const char *counter,
                const char *file) {
        for (size_t i = 0; i < reader->n_hierarchies; i++) {
                CLEANUP_FREE char *path = NULL;

                if (asprintf(&path, "%s%s/%s", reader->hierarchies[i].mount_path, control_group, file) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                if (access(path, F_OK) == 0 || i + 1 == reader->n_hierarchies)
                        return sample_file(reader, unit, counter, path, NULL);
        }
        return -ENOENT;
}

int cgroup_reader_sample(CgroupReader *reader, const char *unit, const char *control_group, const char *counter) {
        if (strncmp(counter, "file:", 5) == 0 && !strchr(counter, '/'))
                return sample_raw(reader, unit, control_group, counter, counter + 5);
        for (size_t i = 0; i < ELEMENTS_OF(counters); i++)
                if (strcmp(counters[i].name, counter) == 0)
                        return sample_counter(reader, unit, control_group, &counters[i]);
        return -EINVAL;
}

int cgroup_reader_find(const CgroupReader *reader, const char *control_group, char **ret_path) {
        *ret_path = NULL;
        FOREACH_ARRAY (hierarchy, reader->hierarchies, reader->n_hierarchies) {
                CLEANUP_FREE char *path = NULL;

                if (asprintf(&path, "%s%s", hierarchy->mount_path, control_group) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                if (access(path, F_OK) == 0) {
                        *ret_path = TAKE_PTR(path);
                        return 0;
                }
        }
        return 0;
}
