/* SPDX-License-Identifier: MIT */

/* set-property: changes settings of a running unit, as an admin would. */

#include <string.h>

#include "base/clock.h"
#include "perform/player.h"
#include "perform/step-kinds.h"
#include "scenario/diagnostic.h"

enum { PROPERTY_SETTINGS, N_PROPERTY_KEYS };

#define PROPERTY_WITHIN_USEC (30 * USEC_PER_SEC)

/* systemctl knows the type and the spelling of every property, and asks the manager over the bus. */
static int begin_property(const Step *step, Run *run, StepProgress *ret_progress, Error *reterr) {
        const Value *settings = step_value(step, "settings");
        const char **argv = calloc(settings->n_strings + 6, sizeof(char *));
        uint64_t within_usec = step->within_usec == USEC_INFINITY ? PROPERTY_WITHIN_USEC : step->within_usec;
        CommandRequest request = {
                .owner = step->id,
                .run = (unsigned) player_step_run(run->player),
                .environment = run->environment,
                .deadline_usec = usec_add(clock_now_usec(), within_usec),
        };
        size_t n = 0;
        int r;

        if (!argv)
                return -ENOMEM;
        argv[n++] = "systemctl";
        argv[n++] = "set-property";
        argv[n++] = "--runtime";
        argv[n++] = "--";
        argv[n++] = step->unit;
        for (size_t i = 0; i < settings->n_strings; i++)
                argv[n++] = settings->strings[i];
        *ret_progress = STEP_WAITING;
        request.argv = argv;
        run->command = command_free(run->command);
        r = command_start(&run->observer, &request, NULL, NULL, &run->command, reterr);
        free(argv);
        return r;
}

static int observe_property(
                const Step *step, Run *run, const Entry *entry, StepProgress *ret_progress, Error *reterr) {
        if (entry->kind == ENTRY_COMMAND && entry_has(entry, "owner", step->id))
                *ret_progress = STEP_FINISHED;
        return 0;
}

static void check_property(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *settings = &values[PROPERTY_SETTINGS];

        for (size_t i = 0; i < settings->n_strings; i++)
                if (!strchr(settings->strings[i], '='))
                        diagnostic_add(diagnostics, settings->mark, 0,
                                        "`set-property` takes settings like `MemoryMax=64M`, and this is \"%s\"",
                                        settings->strings[i]);
}

static const KeySpec property_keys[] = {
        [PROPERTY_SETTINGS] = { .name = "settings",
                        .type = VALUE_STRING_LIST,
                        .is_required = true,
                        .doc = "In systemd's words, `NAME=VALUE`, one or a list." },
};

const StepKind set_property_step = {
        .spec = {
                .name = "set-property",
                .doc = "Change settings of a unit while it runs, until the scenario ends (`systemctl set-property "
                       "--runtime`). Whether they are in force is what `limit` asks.",
                .example = "set-property: MemoryMax=64M",
                .keys = property_keys,
                .n_keys = N_PROPERTY_KEYS,
                .shorthand = PROPERTY_SETTINGS,
                .takes_unit = true,
                .check = check_property,
        },
        .is_shareable = true,
        .default_within_usec = USEC_INFINITY,
        .begin = begin_property,
        .observe = observe_property,
};
