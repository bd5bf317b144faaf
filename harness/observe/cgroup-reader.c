/* SPDX-License-Identifier: MIT */
#include "observe/cgroup-reader.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

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
        const char *v1_file;    /* NULL: v1 has nothing of the kind */
        const char *v1_key;     /* the word before the number that is meant; NULL: the file is one number */
        const char *v2_file;
        const char *v2_key;
} Counter;

/* Source: Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst of the kernel. */
static const Counter counters[] = {
        { "memory.peak", "memory", "memory.max_usage_in_bytes", NULL, "memory.peak", NULL },
        { "memory.current", "memory", "memory.usage_in_bytes", NULL, "memory.current", NULL },
        { "memory.max", "memory", "memory.limit_in_bytes", NULL, "memory.max", NULL },
        { "memory.high", "memory", NULL, NULL, "memory.high", NULL },
        { "memory.high-hits", "memory", NULL, NULL, "memory.events", "high" },
        { "memory.oom-kills", "memory", "memory.oom_control", "oom_kill", "memory.events", "oom_kill" },
        { "pids.peak", "pids", "pids.peak", NULL, "pids.peak", NULL },
        { "pids.current", "pids", "pids.current", NULL, "pids.current", NULL },
        { "pids.max", "pids", "pids.max", NULL, "pids.max", NULL },
        { "pids.denied", "pids", "pids.events", "max", "pids.events", "max" },
        { "cpu.throttled", "cpu", "cpu.stat", "nr_throttled", "cpu.stat", "nr_throttled" },
        { "cpu.periods", "cpu", "cpu.stat", "nr_periods", "cpu.stat", "nr_periods" },
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

/* What is read, and as what it is recorded. */
typedef struct Sample {
        const char *unit;
        const char *counter;
        const char *control_group; /* NULL: not known */
        const char *folder_path;
        const char *file; /* NULL: there is none on this machine */
        const char *key;
        const char *scope;  /* NULL: the unit's own cgroup */
        const char *moment; /* NULL: none in particular */
} Sample;

static void set_period(Entry *entry, int folder_fd) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        if (proc_read(folder_fd, "cpu.cfs_period_us", &text) >= 0)
                entry_set(entry, "period", text_get(&text));
}

static void fill_sample(Entry *entry, const Sample *sample, const struct stat *folder, int error) {
        entry_set(entry, "counter", sample->counter);
        entry_set(entry, "path", sample->folder_path);
        if (sample->control_group)
                entry_set(entry, "group", sample->control_group);
        entry_set(entry, "file", sample->file ?: "");
        if (sample->key)
                entry_set(entry, "key", sample->key);
        if (sample->scope)
                entry_set(entry, "scope", sample->scope);
        if (sample->moment)
                entry_set(entry, "moment", sample->moment);
        if (folder->st_ino != 0)
                entry_set_usec(entry, "cgroup", folder->st_ino);
        entry_set_number(entry, "errno", error);
}

/* Through one folder descriptor: another cgroup that comes under the same path is not mistaken for this one. */
static int sample_take(CgroupReader *reader, const Sample *sample) {
        uint64_t asked_usec = clock_now_usec();
        CLEANUP_CLOSE int folder_fd = open(sample->folder_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CLEANUP_TEXT Text text = TEXT_INIT;
        struct stat folder = { 0 };
        Entry *entry;
        int r = 0;

        if (folder_fd < 0 || fstat(folder_fd, &folder) < 0)
                r = -errno;
        else
                r = sample->file ? proc_read(folder_fd, sample->file, &text) : -EOPNOTSUPP;
        if (r == -ENOMEM)
                return r;
        entry = observer_entry(reader->observer, SOURCE_CGROUP, ENTRY_COUNTER, 0, sample->unit);
        if (entry) {
                fill_sample(entry, sample, &folder, -r);
                entry_set(entry, "text", text_get(&text));
                entry_set_usec(entry, "asked", asked_usec);
                if (sample->file && strcmp(sample->file, "cpu.cfs_quota_us") == 0)
                        set_period(entry, folder_fd);
        }
        return observer_append(reader->observer, entry);
}

static int sample_counter(CgroupReader *reader, Sample sample, const char *control_group, const Counter *counter) {
        const Hierarchy *v1 = counter->controller ? find_v1(reader, counter->controller) : NULL;
        const Hierarchy *hierarchy = v1 ? v1 : find_v2(reader);
        CLEANUP_FREE char *path = NULL;

        if (asprintf(&path, "%s%s", hierarchy ? hierarchy->mount_path : "/sys/fs/cgroup", control_group) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        sample.folder_path = path;
        sample.file = v1 ? counter->v1_file : counter->v2_file;
        sample.key = v1 ? counter->v1_key : counter->v2_key;
        return sample_take(reader, &sample);
}

/* The first hierarchy whose cgroup has the file; where none has, the last one tried says so in its entry. */
static int sample_raw(CgroupReader *reader, Sample sample, const char *control_group) {
        for (size_t i = 0; i < reader->n_hierarchies; i++) {
                CLEANUP_FREE char *folder = NULL, *path = NULL;

                if (asprintf(&folder, "%s%s", reader->hierarchies[i].mount_path, control_group) < 0)
                        folder = NULL;
                if (!folder || asprintf(&path, "%s/%s", folder, sample.file) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                sample.folder_path = folder;
                if (access(path, F_OK) == 0 || i + 1 == reader->n_hierarchies)
                        return sample_take(reader, &sample);
        }
        return -ENOENT;
}

static const Counter *find_counter(const char *name) {
        FOREACH_ARRAY (counter, counters, ELEMENTS_OF(counters))
                if (strcmp(counter->name, name) == 0)
                        return counter;
        return NULL;
}

static int record_no_cgroup(CgroupReader *reader, const Sample *sample) {
        Entry *entry = observer_entry(reader->observer, SOURCE_CGROUP, ENTRY_COUNTER, 0, sample->unit);
        Sample nowhere = *sample;
        struct stat none = { 0 };

        nowhere.folder_path = "";
        if (entry) {
                fill_sample(entry, &nowhere, &none, ENODATA);
                entry_set(entry, "text", "");
                entry_set_usec(entry, "asked", entry->at_usec);
        }
        return observer_append(reader->observer, entry);
}

static int reader_sample(CgroupReader *reader, Sample sample, const char *control_group) {
        const Counter *counter = find_counter(sample.counter);
        bool is_raw = strncmp(sample.counter, "file:", 5) == 0 && !strchr(sample.counter, '/');

        if (!counter && !is_raw)
                return -EINVAL;
        sample.control_group = control_group;
        if (is_raw)
                sample.file = sample.counter + 5;
        if (!control_group)
                return record_no_cgroup(reader, &sample);
        return is_raw ? sample_raw(reader, sample, control_group)
                      : sample_counter(reader, sample, control_group, counter);
}

int cgroup_reader_sample(CgroupReader *reader, const char *unit, const char *control_group, const char *counter,
                const char *moment) {
        Sample sample = { .unit = unit, .counter = counter, .moment = moment };

        return reader_sample(reader, sample, control_group);
}

int cgroup_reader_sample_slice(
                CgroupReader *reader, const char *unit, const char *control_group, const char *counter) {
        Sample sample = { .unit = unit, .counter = counter, .scope = "slice" };
        CLEANUP_FREE char *slice = strdup(control_group);
        char *slash = slice ? strrchr(slice, '/') : NULL;

        if (!slice)
                return -ENOMEM;
        /* A unit directly below the root has no slice whose counters could stand for its own. */
        if (!slash || slash == slice)
                return 0;
        *slash = '\0';
        return reader_sample(reader, sample, slice);
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

void cgroup_paths_free(char **paths) {
        for (char **path = paths; path && *path; path++)
                free(*path);
        free(paths);
}

static void paths_free_p(char ***paths) {
        cgroup_paths_free(*paths);
}

/* The v2 cgroup of the process, where it is one in @control_group; NULL: another one, or not known. */
static const char *find_cgroup_in(const Text *cgroups, const char *control_group) {
        size_t n_group = strlen(control_group);
        char *path = cgroups->bytes ? strstr(cgroups->bytes, "0::") : NULL;

        if (!path || (path != cgroups->bytes && path[-1] != '\n'))
                return NULL;
        path += strlen("0::");
        path[strcspn(path, "\n")] = '\0';
        return strncmp(path, control_group, n_group) == 0 && path[n_group] == '/' ? path : NULL;
}

int cgroup_reader_entries(const CgroupReader *reader, const char *control_group, pid_t main_pid, char ***ret_paths) {
        CLEANUP(paths_free_p) char **paths = calloc(reader->n_hierarchies + 1, sizeof(char *));
        CLEANUP_TEXT Text cgroups = TEXT_INIT;
        char proc_path[64];
        size_t n_paths = 0;

        if (!paths)
                return -ENOMEM;
        (void) snprintf(proc_path, sizeof(proc_path), "/proc/%d/cgroup", (int) main_pid);
        if (main_pid > 0 && strcmp(reader->layout, "v2") == 0 && proc_read(AT_FDCWD, proc_path, &cgroups) >= 0)
                control_group = find_cgroup_in(&cgroups, control_group) ?: control_group;
        FOREACH_ARRAY (hierarchy, reader->hierarchies, reader->n_hierarchies) {
                char **path = &paths[n_paths];

                if (asprintf(path, "%s%s/cgroup.procs", hierarchy->mount_path, control_group) < 0) {
                        *path = NULL;
                        return -ENOMEM;
                }
                if (access(*path, W_OK) == 0)
                        n_paths++;
                else {
                        free(*path);
                        *path = NULL;
                }
        }
        if (n_paths == 0)
                return -ENOENT;
        *ret_paths = TAKE_PTR(paths);
        return 0;
}
