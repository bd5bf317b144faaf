/* SPDX-License-Identifier: MIT */
#pragma once

#include "scenario/diagnostic.h"
#include "scenario/kind.h"

/* For the `check` of kinds: a socket's address that nobody could connect to is told before anything runs. One with
 * ${captures} is known only then. */
void check_address(const Value *address, DiagnosticList *diagnostics);
