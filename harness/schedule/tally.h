/* SPDX-License-Identifier: MIT */
#pragma once

#include "reports/report.h"

/* Counts one result into the summary of its run, and remembers the narrowest margin. */
void tally_add(RunSummary *summary, const PlayResult *result);
