/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A language for tests: the words of the real one, with rows that do nothing. So this layer is tested with none of
 * the layers above it, which hold the real rows.
 */

#include "scenario/kind.h"

extern const Language test_language;
