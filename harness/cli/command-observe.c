/* SPDX-License-Identifier: MIT */

/* agenttest observe: units as they run on this machine, judged by a scenario without a single action. */

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/language.h"
#include "cli/suite.h"
#include "scenario/unit-property.h"
#include "stage/machine-bus.h"
#include "stage/undo.h"

/*
 * What may come with a few clients more, or an arena of the allocator, while one looks at a machine at work: less
 * than a leak makes of a window. A scenario with `trend` says it more strictly, and under a load of its own.
 */
#define GROWTH "{ fds: 8, threads: 8, children: 8, memory: 8M }"

/* A limit that the unit declares, as the manager holds it. Source: org.freedesktop.systemd1(5). */
typedef struct DeclaredLimit {
        const char *property; /* on the bus */
        const char *name;     /* in the unit file, and of `limit` */
        enum { LIMIT_BYTES, LIMIT_COUNT, LIMIT_PERCENT } unit;
} DeclaredLimit;

static const DeclaredLimit limits[] = {
        { "MemoryMax", "MemoryMax", LIMIT_BYTES },
        { "TasksMax", "TasksMax", LIMIT_COUNT },
        { "CPUQuotaPerSecUSec", "CPUQuota", LIMIT_PERCENT },
        { "LimitNOFILESoft", "LimitNOFILE", LIMIT_COUNT },
};

/* What is known of the unit when its scenario is written. */
typedef struct Unit {
        const char *name;
        MachineBus *bus;
        char *object;
        pid_t main_pid; /* 0: it has no main process, as a oneshot that is over, or a socket */
} Unit;

static void unit_done(Unit *unit) {
        unit->bus = machine_bus_free(unit->bus);
        free(unit->object);
}

static int read_number(const Unit *unit, const char *property, uint64_t *ret_number, Error *reterr) {
        CLEANUP_FREE char *value = NULL;
        int r = machine_bus_property(unit->bus, unit->object, "Service", property, &value, reterr);

        if (r >= 0)
                *ret_number = value[0] ? strtoull(value, NULL, 10) : UINT64_MAX;
        return r;
}

static int unit_read(Unit *unit, bool is_user, Error *reterr) {
        CLEANUP_FREE char *address = machine_address(is_user);
        uint64_t main_pid;
        int r;

        if (!string_ends_with(unit->name, ".service"))
                return 0;
        r = address ? machine_bus_new(address, &unit->bus, reterr)
                    : error_set(reterr, -ENOENT, "there is no service manager of this user");
        if (r >= 0)
                r = machine_bus_load(unit->bus, unit->name, &unit->object, reterr);
        if (r >= 0)
                r = read_number(unit, "MainPID", &main_pid, reterr);
        if (r >= 0 && main_pid <= INT_MAX)
                unit->main_pid = (pid_t) main_pid;
        return r;
}

static void write_unit(Text *text, const Unit *unit) {
        text_printf(text, "about: %s as it runs, watched and not touched\nunits: { %s: installed }\n", unit->name,
                        unit->name);
        text_append(text, "always:\n"
                          "  - { state: { ActiveState: active } }\n"
                          "  - { state: { NeedDaemonReload: no } }\n");
        if (unit->main_pid > 0)
                text_append(text, "  - { process: { executable: { not: '/ \\(deleted\\)$/' } } }\n");
}

/* A daemon may raise its soft limit by itself, as far as the hard one: what was declared is not what is in force
 * then, and nothing is wrong. */
static bool has_raised(const Unit *unit, uint64_t declared) {
        struct rlimit own;

        return prlimit(unit->main_pid, RLIMIT_NOFILE, NULL, &own) >= 0 && own.rlim_cur > declared;
}

static int add_limit(const Unit *unit, const DeclaredLimit *limit, Text *text, Error *reterr) {
        uint64_t number, page = (uint64_t) sysconf(_SC_PAGESIZE);
        int r = read_number(unit, limit->property, &number, reterr);

        if (r < 0 || number == UINT64_MAX)
                return r;
        if (strcmp(limit->name, "LimitNOFILE") == 0 && has_raised(unit, number))
                return 0;
        text_printf(text, "%s%s: ", text->n_bytes > 0 ? ", " : "", limit->name);
        /* The kernel counts whole pages; quotas are microseconds a second, and may be parts of a percent. */
        if (limit->unit == LIMIT_PERCENT)
                text_printf(text, number % 10000 ? "%.1f" : "%.0f", (double) number / 10000);
        else
                text_printf(text, "%" PRIu64, limit->unit == LIMIT_BYTES ? number - number % page : number);
        return 0;
}

/* "limit: { TasksMax: 100 }, ", or nothing. */
static int write_limits(Text *text, const Unit *unit, Error *reterr) {
        CLEANUP_TEXT Text declared = TEXT_INIT;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(limits); i++)
                r = add_limit(unit, &limits[i], &declared, reterr);
        if (declared.n_bytes > 0)
                text_printf(text, "limit: { %s }, ", text_get(&declared));
        return r;
}

static int write_steps(Text *text, const Unit *unit, uint64_t for_usec, Error *reterr) {
        int r;

        if (unit->main_pid == 0) {
                text_printf(text,
                                "steps:\n  - expect: { state: { ActiveState: active } }\n    within: 1s\n"
                                "    for: %" PRIu64 "ms\n",
                                for_usec / USEC_PER_MSEC);
                return 0;
        }
        text_append(text, "steps:\n  - expect: { ");
        r = write_limits(text, unit, reterr);
        text_printf(text, "trend: " GROWTH " }\n    within: %" PRIu64 "ms\n", for_usec / USEC_PER_MSEC);
        return r;
}

static int add_unit(Library *library, const char *unit, const Options *options, Error *reterr) {
        SourceFile *file = &library->files[library->n_files];
        CLEANUP(unit_done) Unit known = { .name = unit };
        CLEANUP_TEXT Text text = TEXT_INIT, problems = TEXT_INIT;
        Language language = language_known();
        ParseOptions parse_options = { .language = &language };
        int r;

        if (!unit_name_is_valid(unit))
                return error_set(
                                reterr, -EINVAL, "\"%s\" is no unit name: it ends with .service, .socket, ...", unit);
        r = unit_read(&known, options->stage == &user_stage, reterr);
        if (r < 0)
                return r;
        write_unit(&text, &known);
        r = write_steps(&text, &known, options->for_usec, reterr);
        if (r < 0)
                return r;
        library->n_files++;
        file->path = strdup(unit);
        file->n_bytes = text.n_bytes;
        file->text = text_take(&text);
        if (!file->path || !file->text || source_file_parse(file, &parse_options, &problems) < 0)
                return error_set(reterr, -ENOMEM, "out of memory");
        if (problems.n_bytes > 0)
                return error_set(reterr, -EINVAL, "%s", text_get(&problems));
        return 0;
}

int command_observe(const Options *options) {
        CLEANUP(library_done) Library library = LIBRARY_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;
        Options observing = *options;
        int r = 0;

        if (!observing.stage->is_shared)
                observing.stage = &system_stage;
        library.files = calloc(options->paths.n_items, sizeof(*library.files));
        if (!library.files)
                r = error_set(&error, -ENOMEM, "out of memory");
        for (size_t i = 0; r >= 0 && i < options->paths.n_items; i++)
                r = add_unit(&library, options->paths.items[i], options, &error);
        if (r < 0) {
                complain("%s", error_text(&error));
                return r == -EINVAL ? STATUS_USAGE : STATUS_ERROR;
        }
        return play_library(&observing, &library, true);
}
