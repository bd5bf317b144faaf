/* SPDX-License-Identifier: MIT */
#pragma once

/* How CI systems want a file to be named. */

#include "base/text.h"

/**
 * place_below() - @path relative to @folder, appended
 * @folder: absolute; NULL: @path stays as it is
 *
 * A path that does not lie in @folder becomes absolute; one that does not exist stays as it is.
 */
void place_below(const char *folder, const char *path, Text *ret_text);

/**
 * place_class() - "agenttest.scenarios.real.redis" for "scenarios/real/redis.yaml", appended
 *
 * Every dot is a level: Jenkins takes what is before the last one for the package. In the parts a dot becomes "_".
 */
void place_class(const char *path, Text *ret_text);
