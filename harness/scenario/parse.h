/* SPDX-License-Identifier: MIT */
#pragma once

/* A scenario file's text -> its scenarios, or everything that is wrong with it. The only user of the YAML library. */

#include "scenario/diagnostic.h"
#include "scenario/scenario.h"

typedef struct ParseOptions {
        const Language *language;
        const Setting *defines; /* --define, and what the caller knows: build, scenario_dir */
        size_t n_defines;
        /*
         * Do the files that the scenario names (units, files) have to exist? A replay says no: it judges what was
         * recorded, on a machine that may have none of them.
         */
        bool checks_files;
} ParseOptions;

typedef struct ScenarioList {
        Scenario **items;
        size_t n_items;
} ScenarioList;

#define SCENARIO_LIST_INIT ((ScenarioList){ 0 })
void scenario_list_done(ScenarioList *list);

/**
 * scenario_parse() - read one file's text
 * @path:            names the file in diagnostics; relative paths in it are relative to its folder
 * @ret_scenarios:   one per document and matrix point, in the file's order; appended
 * @ret_diagnostics: everything wrong with the file; the scenarios are valid only where it is empty
 *
 * Errors: -ENOMEM, and nothing else: what is wrong with the text is a diagnostic.
 */
int scenario_parse(const char *path, const char *text, size_t n_bytes, const ParseOptions *options,
                ScenarioList *ret_scenarios, DiagnosticList *ret_diagnostics);

/* JSON Schema (2020-12) of the language; the manual's key tables as Markdown. Both come from the same rows. */
void language_write_schema(const Language *language, Text *ret_text);
void language_write_manual(const Language *language, Text *ret_text);
