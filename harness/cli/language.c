/* SPDX-License-Identifier: MIT */
#include "cli/language.h"

#include "judge/expect.h"
#include "perform/step.h"

Language language_known(void) {
        Language language = { .unbuilt_steps = step_unbuilt(), .unbuilt_expectations = expect_unbuilt() };

        language.steps = step_kinds(&language.n_steps);
        language.expectations = expect_kinds(&language.n_expectations);
        return language;
}
