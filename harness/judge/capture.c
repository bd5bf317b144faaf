/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "judge/expect.h"

/* The value that `save` or a named group gave last; the performer records it as it is to be put in. */
static const char *find_capture(const CaptureScope *scope, const char *name) {
        const Timeline *timeline = scope->facts->timeline;

        for (const Entry *entry = timeline_last(timeline, scope->before, ENTRY_CAPTURE, NULL); entry;
                        entry = timeline_last(timeline, entry->index, ENTRY_CAPTURE, NULL))
                if (entry_has(entry, "name", name))
                        return entry_get(entry, "value");
        return NULL;
}

static const char *find_value(const char *name, void *userdata) {
        const CaptureScope *scope = userdata;
        const Scenario *scenario = scope->facts->scenario;
        const char *value = find_capture(scope, name);

        for (size_t i = 0; !value && i < scenario->n_variables; i++)
                if (strcmp(scenario->variables[i].name, name) == 0)
                        value = scenario->variables[i].value;
        return value;
}

TemplateLookup capture_lookup(CaptureScope *scope) {
        return (TemplateLookup){ .find = find_value, .userdata = scope };
}
