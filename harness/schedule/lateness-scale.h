/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How much slower than an ordinary machine is this one at what decides how late a restart is: making a process? An
 * emulated machine is, by a factor; a loaded one is not meant. So the least of many attempts counts: load comes and
 * goes, what the machine needs at its best does not.
 */

#include <stdint.h>

#include "base/error.h"

enum { LATENESS_SCALE_MAX = 1000 };

/* From fork to the reaped child, at best, on the machine the shipped budgets were written on (2 cores, kernel 6.18).
 */
#define LATENESS_REFERENCE_USEC 200

/* Errors: no process could be made. */
int lateness_probe(uint64_t *ret_usec, Error *reterr);

/* The factor for what the probe took: rounded to a whole number, from 1 to LATENESS_SCALE_MAX. */
unsigned lateness_scale_of(uint64_t probe_usec);
