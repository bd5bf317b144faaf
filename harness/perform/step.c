/* SPDX-License-Identifier: MIT */
#include "perform/step.h"

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
