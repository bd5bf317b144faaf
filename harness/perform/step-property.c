/* SPDX-License-Identifier: MIT */

/* set-property: changes settings of a running unit, as an admin would. */

#include <string.h>

#include "base/clock.h"
#include "perform/player.h"
#include "perform/step-kinds.h"
#include "scenario/diagnostic.h"
#include "scenario/template.h"
#include "scenario/unit-property.h"

enum { PROPERTY_SETTINGS, N_PROPERTY_KEYS };

#define PROPERTY_WITHIN_USEC (30 * USEC_PER_SEC)

static void words_free(char **words) {
        for (char **word = words; word && *word; word++)
                free(*word);
        free(words);
}

static void words_free_p(char ***words) {
        words_free(*words);
}

/* systemctl knows the type and the spelling of every property, and asks the manager over the bus. */
static int make_command(const Step *step, const Run *run, char ***ret_words, Error *reterr) {
        const char *const fixed[] = { "systemctl", "set-property", "--runtime", "--", step->unit };
        const Value *settings = step_value(step, "settings");
        CLEANUP(words_free_p) char **words = calloc(ELEMENTS_OF(fixed) + settings->n_strings + 1, sizeof(char *));
        size_t n = 0;

        if (!words)
                return -ENOMEM;
        FOREACH_ARRAY (word, fixed, ELEMENTS_OF(fixed)) {
                words[n++] = strdup(*word);
                if (!words[n - 1])
                        return -ENOMEM;
        }
        for (size_t i = 0; i < settings->n_strings; i++) {
                int r = run_resolve(run, settings->strings[i], &words[n++], reterr);

                if (r < 0)
                        return r;
        }
        *ret_words = TAKE_PTR(words);
        return 0;
}

static int begin_property(const Step *step, Run *run, StepProgress *ret_progress, Error *reterr) {
        CLEANUP(words_free_p) char **words = NULL;
        uint64_t within_usec = step->within_usec == USEC_INFINITY ? PROPERTY_WITHIN_USEC : step->within_usec;
        CommandRequest request = {
                .owner = step->id,
                .run = (unsigned) player_step_run(run->player),
                .environment = run->environment,
                .deadline_usec = usec_add(clock_now_usec(), within_usec),
        };
        int r;

        r = make_command(step, run, &words, reterr);
        if (r < 0)
                return r;
        *ret_progress = STEP_WAITING;
        request.argv = (const char *const *) words;
        run->command = command_free(run->command);
        return command_start(&run->observer, &request, NULL, NULL, &run->command, reterr);
}

static int observe_property(
                const Step *step, Run *run, const Entry *entry, StepProgress *ret_progress, Error *reterr) {
        if (entry->kind == ENTRY_COMMAND && entry_has(entry, "owner", step->id))
                *ret_progress = STEP_FINISHED;
        return 0;
}

/* Refused by the manager, a misspelt name would be a failure of the daemon. */
static void check_name(const char *setting, size_t n_name, Mark mark, DiagnosticList *diagnostics) {
        CLEANUP_FREE char *name = strndup(setting, n_name);
        Nearest nearest = NEAREST_INIT(name ?: "");

        if (!name || template_has_variables(name))
                return;
        for (const UnitProperty *known = unit_properties; known->name; known++) {
                if (strcmp(known->name, name) == 0)
                        return;
                nearest_offer(&nearest, known->name);
        }
        if (nearest.best)
                diagnostic_add(diagnostics, mark, 0, "no unit has a setting `%s`; did you mean `%s`?", name,
                                nearest.best);
        else
                diagnostic_add(diagnostics, mark, 0, "no unit has a setting `%s`", name);
}

static void check_property(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *settings = &values[PROPERTY_SETTINGS];

        for (size_t i = 0; i < settings->n_strings; i++) {
                const char *setting = settings->strings[i], *equals = strchr(setting, '=');

                if (!equals || equals == setting)
                        diagnostic_add(diagnostics, settings->mark, 0,
                                        "`set-property` takes settings like `MemoryMax=64M`, and this is \"%s\"",
                                        setting);
                else
                        check_name(setting, (size_t) (equals - setting), settings->mark, diagnostics);
        }
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
        .is_undone_by_reload = true,
        .default_within_usec = USEC_INFINITY,
        .begin = begin_property,
        .observe = observe_property,
};
