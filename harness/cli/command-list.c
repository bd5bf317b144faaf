/* SPDX-License-Identifier: MIT */

/* agenttest list: scenarios with their tags and what they are about. */

#include <string.h>

#include "base/json.h"
#include "cli/command.h"
#include "cli/suite.h"
#include "reports/entry-line.h"

static void write_json(const Scenario *scenario, Text *text) {
        text_append(text, "{\"name\":");
        json_write_string(text, scenario->name, strlen(scenario->name));
        text_append(text, ",\"path\":");
        json_write_string(text, scenario->path, strlen(scenario->path));
        text_printf(text, ",\"document\":%u,\"tags\":[", scenario->n_document);
        for (size_t i = 0; i < scenario->n_tags; i++) {
                text_append(text, i > 0 ? "," : "");
                json_write_string(text, scenario->tags[i], strlen(scenario->tags[i]));
        }
        text_append(text, "],\"about\":");
        json_write_string(text, scenario->about ?: "", strlen(scenario->about ?: ""));
        text_append(text, "}\n");
}

static void write_lines(const Scenario *scenario, Text *text) {
        printable(scenario->name, strlen(scenario->name), 0, text);
        if (scenario->n_tags > 0)
                text_append(text, "  [");
        for (size_t i = 0; i < scenario->n_tags; i++)
                text_printf(text, "%s%s", i > 0 ? ", " : "", scenario->tags[i]);
        text_append(text, scenario->n_tags > 0 ? "]\n" : "\n");
        if (!scenario->about)
                return;
        text_append(text, "    ");
        printable(scenario->about, strlen(scenario->about), 0, text);
        text_append(text, "\n");
}

int command_list(const Options *options) {
        CLEANUP(library_done) Library library = LIBRARY_INIT;
        int status = load_scenarios(options, &library);
        size_t n_listed = 0;

        if (status != STATUS_PASS)
                return status;
        FOREACH_ARRAY (file, library.files, library.n_files)
                FOREACH_ARRAY (scenario, file->scenarios.items, file->scenarios.n_items) {
                        CLEANUP_TEXT Text text = TEXT_INIT;

                        if (!is_selected(options, *scenario))
                                continue;
                        n_listed++;
                        if (options->writes_json)
                                write_json(*scenario, &text);
                        else
                                write_lines(*scenario, &text);
                        fputs(text_get(&text), stdout);
                }
        return finish_output(n_listed > 0 ? STATUS_PASS : STATUS_NOTHING_RAN);
}
