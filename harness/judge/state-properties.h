/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Names of the properties that units have on D-Bus and that have a text: those an ENTRY_PROPERTIES can hold.
 * Structures (ExecStart, Conditions) are not among them.
 */

/* Of units of all types, sorted; the last one is NULL. */
extern const char *const state_properties[];
