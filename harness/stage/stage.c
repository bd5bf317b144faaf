/* SPDX-License-Identifier: MIT */
#include "stage/stage.h"

const StageKind *const stage_kinds[] = { &sandbox_stage, &system_stage, &user_stage };
const size_t n_stage_kinds = ELEMENTS_OF(stage_kinds);
