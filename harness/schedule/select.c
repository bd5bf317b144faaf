/* SPDX-License-Identifier: MIT */
#include "schedule/select.h"

#include <fnmatch.h>
#include <string.h>

static bool name_matches(const char *name, const char *filter) {
        /* The name is looked for first: "x.yaml [signal=SIGKILL]" is a name, and a glob that does not match itself.
         */
        if (strstr(name, filter))
                return true;
        return strpbrk(filter, "*?[") && fnmatch(filter, name, 0) == 0;
}

static bool has_tag(const Scenario *scenario, const char *wanted) {
        FOREACH_ARRAY (tag, scenario->tags, scenario->n_tags)
                if (strcmp(*tag, wanted) == 0)
                        return true;
        return false;
}

static bool tags_match(const Selection *selection, const Scenario *scenario) {
        bool is_wanted = false, asks_for_any = false;

        FOREACH_ARRAY (tag, selection->tags, selection->n_tags) {
                if ((*tag)[0] == '!') {
                        if (has_tag(scenario, *tag + 1))
                                return false;
                        continue;
                }
                asks_for_any = true;
                is_wanted = is_wanted || has_tag(scenario, *tag);
        }
        return is_wanted || !asks_for_any;
}

bool selection_takes(const Selection *selection, const Scenario *scenario) {
        bool is_wanted = selection->n_filters == 0;

        FOREACH_ARRAY (filter, selection->filters, selection->n_filters)
                is_wanted = is_wanted || name_matches(scenario->name, *filter);
        return is_wanted && tags_match(selection, scenario);
}
