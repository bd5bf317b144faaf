/* SPDX-License-Identifier: MIT */
/* Any bytes as a scenario file: read, its mistakes shown, and where there are none its comparisons asked and told. */
#include <string.h>

#include "scenario/parse.h"
#include "test-language.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n_bytes);

static void ask(const Expectation *expectation, void *userdata) {
        for (size_t i = 0; i < expectation->kind->n_keys; i++) {
                const Value *value = &expectation->values[i];

                FOREACH_ARRAY (match, value->matches, value->n_matches) {
                        CLEANUP_FREE char *description = match_describe(&match->match, NULL);

                        (void) match_text(&match->match, "3.5", 3, NULL);
                        (void) match_text(&match->match, description, strlen(description), NULL);
                }
        }
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n_bytes) {
        char name[] = "build", value[] = "/build${x}";
        Setting define = { .name = name, .value = value };
        ParseOptions options = { .language = &test_language, .defines = &define, .n_defines = 1 };
        CLEANUP(scenario_list_done) ScenarioList scenarios = SCENARIO_LIST_INIT;
        CLEANUP(diagnostic_list_done) DiagnosticList diagnostics = DIAGNOSTIC_LIST_INIT;
        CLEANUP_TEXT Text text = TEXT_INIT;
        int r = scenario_parse("fuzz.yaml", (const char *) bytes, n_bytes, &options, &scenarios, &diagnostics);

        assert(r == 0);
        assert(scenarios.n_items > 0 || diagnostics.n_items > 0);
        diagnostic_list_render(&diagnostics, "fuzz.yaml", (const char *) bytes, n_bytes, &text);
        if (diagnostics.n_items > 0)
                return 0;
        FOREACH_ARRAY (scenario, scenarios.items, scenarios.n_items)
                scenario_visit_expectations(*scenario, ask, NULL);
        return 0;
}
