/* SPDX-License-Identifier: MIT */
#include "perform/step.h"

#include <string.h>

#include "perform/step-kinds.h"

/* The one table of steps. A new kind is its own file and a row here. */
static const KindSpec *const kinds[] = {
        &start_step.spec,
        &stop_step.spec,
        &restart_step.spec,
        &signal_step.spec,
        &crash_step.spec,
        &run_step.spec,
        &write_step.spec,
        &remove_step.spec,
        &repeat_step.spec,
        &set_property_step.spec,
        &freeze_step.spec,
        &thaw_step.spec,
        &hog_step.spec,
        &release_step.spec,
};

static const char *const unbuilt[] = {
        "try-restart",
        "reload",
        "daemon-reload",
        "hang-up",
        "corrupt",
        "fill",
        "hold",
        "serve",
        "sweep",
        "sleep",
        NULL,
};

const KindSpec *const *step_kinds(size_t *ret_n_kinds) {
        *ret_n_kinds = ELEMENTS_OF(kinds);
        return kinds;
}

const char *const *step_unbuilt(void) {
        return unbuilt;
}

static int check_shared(
                const Scenario *scenario, const Step *steps, size_t n_steps, const char *stage_name, Error *reterr) {
        int r = 0;

        FOREACH_ARRAY (step, steps, n_steps) {
                if (step->kind && !step_kind(step)->is_shareable)
                        return error_set(reterr, -EPERM, "%s:%u:%u: what `%s` does cannot be undone on stage %s",
                                        scenario->path, step->mark.line, step->mark.column, step->kind->name,
                                        stage_name);
                for (size_t i = 0; r >= 0 && step->kind && i < step->kind->n_keys; i++)
                        r = check_shared(
                                        scenario, step->values[i].steps, step->values[i].n_steps, stage_name, reterr);
        }
        return r;
}

static bool need_reload(const Step *steps, size_t n_steps) {
        FOREACH_ARRAY (step, steps, n_steps) {
                if (step->kind && step_kind(step)->is_undone_by_reload)
                        return true;
                for (size_t i = 0; step->kind && i < step->kind->n_keys; i++)
                        if (need_reload(step->values[i].steps, step->values[i].n_steps))
                                return true;
        }
        return false;
}

bool steps_need_reload(const Scenario *scenario) {
        return need_reload(scenario->steps, scenario->n_steps);
}

int steps_check_shared(const Scenario *scenario, const char *stage_name, Error *reterr) {
        return check_shared(scenario, scenario->steps, scenario->n_steps, stage_name, reterr);
}

static bool has_signal(const Step *steps, size_t n_steps, const char *unit) {
        FOREACH_ARRAY (step, steps, n_steps) {
                if (step->kind && step_kind(step)->is_signal && step->unit && strcmp(step->unit, unit) == 0)
                        return true;
                for (size_t i = 0; step->kind && i < step->kind->n_keys; i++)
                        if (has_signal(step->values[i].steps, step->values[i].n_steps, unit))
                                return true;
        }
        return false;
}

bool steps_signal(const Scenario *scenario, const char *unit) {
        return has_signal(scenario->steps, scenario->n_steps, unit);
}
