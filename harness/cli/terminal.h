/* SPDX-License-Identifier: MIT */
#pragma once

/* What the terminal (or what is there instead of one) can do. */

#include "cli/options.h"

/*
 * Color: --color, then NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE, CLICOLOR, and whether @file is a terminal.
 * Source: no-color.org, force-color.org, bixense.com/clicolors. Cursor movement only on a terminal, and not where CI
 * is set: what a CI system shows as one may not be one.
 */
TerminalOptions terminal_options(FILE *file, const Options *options);
