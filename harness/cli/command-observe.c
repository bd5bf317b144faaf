/* SPDX-License-Identifier: MIT */

/* agenttest observe: units as they run on this machine, judged by a scenario without a single action. */

#include <inttypes.h>
#include <string.h>

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

static bool is_service(const char *unit) {
        const char *dot = strrchr(unit, '.');

        return dot && strcmp(dot, ".service") == 0;
}

static void write_unit(Text *text, const char *unit) {
        text_printf(text, "about: %s as it runs, watched and not touched\nunits: { %s: installed }\n", unit, unit);
        text_printf(text, "always:\n"
                          "  - { state: { ActiveState: active } }\n"
                          "  - { state: { NeedDaemonReload: no } }\n");
        if (is_service(unit))
                text_append(text, "  - { process: { executable: { not: '/ \\(deleted\\)$/' } } }\n");
}

/* A limit that the unit declares, as the manager holds it. Source: org.freedesktop.systemd1(5). */
typedef struct DeclaredLimit {
        const char *property; /* on the bus */
        const char *name;     /* in the unit file, and of `limit` */
        uint64_t divisor;     /* of microseconds a second to percent; else 1 */
        const char *unit;
} DeclaredLimit;

static const DeclaredLimit limits[] = {
        { "MemoryMax", "MemoryMax", 1, "" },
        { "TasksMax", "TasksMax", 1, "" },
        { "CPUQuotaPerSecUSec", "CPUQuota", 10000, "%" },
        { "LimitNOFILESoft", "LimitNOFILE", 1, "" },
};

static int add_limit(MachineBus *bus, const char *object, const DeclaredLimit *limit, Text *text, Error *reterr) {
        CLEANUP_FREE char *value = NULL;
        uint64_t number;
        int r = machine_bus_property(bus, object, "Service", limit->property, &value, reterr);

        if (r < 0)
                return r;
        number = value[0] ? strtoull(value, NULL, 10) : UINT64_MAX;
        if (number != UINT64_MAX)
                text_printf(text, "%s%s: %" PRIu64 "%s", text->n_bytes > 0 ? ", " : "", limit->name,
                                number / limit->divisor, limit->unit);
        return 0;
}

/* "limit: { TasksMax: 100 }, ", or nothing. */
static int find_limits(const char *unit, bool is_user, Text *ret_text, Error *reterr) {
        CLEANUP(machine_bus_free_p) MachineBus *bus = NULL;
        CLEANUP_FREE char *address = machine_address(is_user), *object = NULL;
        CLEANUP_TEXT Text text = TEXT_INIT;
        int r;

        r = address ? machine_bus_new(address, &bus, reterr)
                    : error_set(reterr, -ENOENT, "there is no service manager of this user");
        if (r >= 0)
                r = machine_bus_load(bus, unit, &object, reterr);
        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(limits); i++)
                r = add_limit(bus, object, &limits[i], &text, reterr);
        if (r >= 0 && text.n_bytes > 0)
                text_printf(ret_text, "limit: { %s }, ", text_get(&text));
        return r;
}

static int write_steps(Text *text, const char *unit, const Options *options, Error *reterr) {
        CLEANUP_TEXT Text declared = TEXT_INIT;
        int r = 0;

        if (is_service(unit)) {
                r = find_limits(unit, options->stage == &user_stage, &declared, reterr);
                text_printf(text, "steps:\n  - expect: { %strend: " GROWTH " }\n    within: %" PRIu64 "ms\n",
                                text_get(&declared), options->for_usec / USEC_PER_MSEC);
        } else
                text_printf(text,
                                "steps:\n  - expect: { state: { ActiveState: active } }\n    within: 1s\n"
                                "    for: %" PRIu64 "ms\n",
                                options->for_usec / USEC_PER_MSEC);
        return r;
}

static int add_unit(Library *library, const char *unit, const Options *options, Error *reterr) {
        SourceFile *file = &library->files[library->n_files];
        CLEANUP_TEXT Text text = TEXT_INIT, problems = TEXT_INIT;
        Language language = language_known();
        ParseOptions parse_options = { .language = &language };
        int r;

        if (!unit_name_is_valid(unit))
                return error_set(
                                reterr, -EINVAL, "\"%s\" is no unit name: it ends with .service, .socket, ...", unit);
        write_unit(&text, unit);
        r = write_steps(&text, unit, options, reterr);
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
