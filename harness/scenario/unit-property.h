/* SPDX-License-Identifier: MIT */
#pragma once

/* Settings of unit files: which there are, and in which section of a drop-in they belong. */

#include <stdbool.h>

#include "scenario/nearest.h"

typedef struct UnitProperty {
        const char *section; /* "Unit", "Service", ... */
        const char *name;
} UnitProperty;

/* All of them; the last row is NULL, NULL. */
extern const UnitProperty unit_properties[];

/**
 * unit_property_section() - where a setting goes in a drop-in for a unit
 * @unit: its name, which says its type
 *
 * Returns "Unit", "Service", ...; NULL where units of that type have no such setting.
 */
const char *unit_property_section(const char *unit, const char *property);

/* Offers the settings that @unit may have. */
void unit_property_offer(const char *unit, Nearest *nearest);

/* A valid unit name with a known suffix? Source: systemd.unit(5), "Description". */
bool unit_name_is_valid(const char *name);

/* "agent@1.service" -> "agent@.service" into the caller's string; NULL for what is no instance, or out of memory. */
char *unit_template_name(const char *name);

/* `agent@.service`: not a unit, but what instances are made of. */
bool unit_is_template(const char *name);

/* Does a unit of this type work without a single setting (a target, a slice)? */
bool unit_is_bare(const char *name);
