/* SPDX-License-Identifier: MIT */
#pragma once

/* The rows of the table in step.c, each defined in its own file. */

#include "perform/step.h"

extern const StepKind start_step, stop_step, restart_step; /* step-job.c */
extern const StepKind signal_step, crash_step;             /* step-signal.c */
extern const StepKind run_step;                            /* step-run.c */
extern const StepKind write_step, remove_step;             /* step-file.c */
extern const StepKind repeat_step;                         /* step-repeat.c */
extern const StepKind freeze_step, thaw_step;              /* step-job.c */
extern const StepKind set_property_step;                   /* step-property.c */
extern const StepKind hog_step, release_step;              /* step-hog.c */
