/* SPDX-License-Identifier: MIT */
#pragma once

/* The language as this program speaks it: the tables of the performer and of the judge, put together for the parser.
 */

#include "scenario/kind.h"

Language language_known(void);
