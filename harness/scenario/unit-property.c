/* SPDX-License-Identifier: MIT */
#include "scenario/unit-property.h"

#include <string.h>

typedef struct UnitType {
        const char *suffix;
        const char *section; /* of its own; NULL: [Unit] and [Install] only */
} UnitType;

static const UnitType unit_types[] = {
        { ".service", "Service" },
        { ".socket", "Socket" },
        { ".timer", "Timer" },
        { ".path", "Path" },
        { ".slice", "Slice" },
        { ".mount", "Mount" },
        { ".automount", "Automount" },
        { ".swap", "Swap" },
        { ".scope", "Scope" },
        { ".target", NULL },
        { ".device", NULL },
};

static const UnitType *find_type(const char *unit) {
        const char *dot = strrchr(unit, '.');

        FOREACH_ARRAY (type, unit_types, ELEMENTS_OF(unit_types))
                if (dot && strcmp(type->suffix, dot) == 0)
                        return type;
        return NULL;
}

static bool has_property(const char *section, const char *property) {
        for (const UnitProperty *known = unit_properties; known->name; known++)
                if (strcmp(known->section, section) == 0 && strcmp(known->name, property) == 0)
                        return true;
        return false;
}

const char *unit_property_section(const char *unit, const char *property) {
        const UnitType *type = find_type(unit);

        /* [Unit] first: [Service] still takes StartLimitBurst= and others that moved, with a warning. */
        if (has_property("Unit", property))
                return "Unit";
        if (type && type->section && has_property(type->section, property))
                return type->section;
        if (has_property("Install", property))
                return "Install";
        return NULL;
}

void unit_property_offer(const char *unit, Nearest *nearest) {
        const UnitType *type = find_type(unit);

        for (const UnitProperty *known = unit_properties; known->name; known++)
                if (strcmp(known->section, "Unit") == 0 || strcmp(known->section, "Install") == 0 ||
                                (type && type->section && strcmp(known->section, type->section) == 0))
                        nearest_offer(nearest, known->name);
}

bool unit_name_is_valid(const char *name) {
        static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
        const UnitType *type = find_type(name);

        return type && strlen(name) < 256 && strspn(name, characters) == strlen(name) && name[0] != '@' &&
               strlen(name) > strlen(type->suffix);
}

char *unit_template_name(const char *name) {
        const char *at = strchr(name, '@'), *dot = strrchr(name, '.');
        char *template = NULL;

        if (!at || !dot || dot <= at + 1)
                return NULL;
        if (asprintf(&template, "%.*s%s", (int) (at + 1 - name), name, dot) < 0)
                return NULL;
        return template;
}

bool unit_is_template(const char *name) {
        const char *at = strchr(name, '@');

        return at && at[1] == '.';
}

bool unit_is_bare(const char *name) {
        const char *dot = strrchr(name, '.');

        return dot && (strcmp(dot, ".target") == 0 || strcmp(dot, ".slice") == 0);
}
