/* SPDX-License-Identifier: MIT */
#include "scenario/language.h"

#include <string.h>

const KindSpec *language_find(const KindSpec *const *kinds, size_t n_kinds, const char *name) {
        FOREACH_ARRAY (kind, kinds, n_kinds)
                if (strcmp((*kind)->name, name) == 0)
                        return *kind;
        return NULL;
}

bool language_is_unbuilt(const char *const *words, const char *name) {
        for (; words && *words; words++)
                if (strcmp(*words, name) == 0)
                        return true;
        return false;
}

void language_offer(const KindSpec *const *kinds, size_t n_kinds, const char *const *unbuilt, Nearest *nearest) {
        FOREACH_ARRAY (kind, kinds, n_kinds)
                nearest_offer(nearest, (*kind)->name);
        for (; unbuilt && *unbuilt; unbuilt++)
                nearest_offer(nearest, *unbuilt);
}

bool step_kind_saves_output(const KindSpec *kind) {
        return strcmp(kind->name, "run") == 0;
}

#define SCHEMA_ID       "{\"$ref\": \"#/$defs/id\"}"
#define SCHEMA_UNIT     "{\"$ref\": \"#/$defs/unit-name\"}"
#define SCHEMA_WINDOW   "{\"$ref\": \"#/$defs/window\"}"
#define SCHEMA_SCALAR   "{\"$ref\": \"#/$defs/scalar\"}"
#define SCHEMA_TEXT     "{\"$ref\": \"#/$defs/text\"}"
#define SCHEMA_STRINGS  "{\"$ref\": \"#/$defs/strings\"}"
#define SCHEMA_VARIABLE "{\"type\": \"string\", \"pattern\": \"^[A-Za-z_][A-Za-z0-9_]*$\"}"
#define SCHEMA_MODE                                                                                                  \
        "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 7777}, "                                  \
        "{\"type\": \"string\", \"pattern\": \"^[0-7]{3,4}$|\\\\$\\\\{\"}]}"
#define SCHEMA_OWNERSHIP  "\"mode\": " SCHEMA_MODE ", \"owner\": " SCHEMA_TEXT ", \"group\": " SCHEMA_TEXT
#define SCHEMA_STAGE_PATH "{\"pattern\": \"^/.*[^/]$|^\\\\$\\\\{\"}"
#define SCHEMA_PROPERTIES                                                                                            \
        "{\"type\": \"object\", \"minProperties\": 1, \"propertyNames\": {\"pattern\": \"^[A-Z][A-Za-z0-9]*$\"}, "   \
        "\"additionalProperties\": " SCHEMA_STRINGS "}"
#define SCHEMA_EXPECTATIONS "{\"$ref\": \"#/$defs/expectations\"}"

const StepKeySpec step_keys[N_STEP_KEYS] = {
        [STEP_KEY_NAME] = { "name", NULL, SCHEMA_ID,
                        "What the step is called in `since` and in reports; without it its place is its name "
                        "(`steps[4]`)." },
        [STEP_KEY_UNIT] = { "unit", NULL, SCHEMA_UNIT,
                        "The unit the step is about; without it the scenario's only one. Beside `expect`: of all its "
                        "expectations." },
        [STEP_KEY_WITHIN] = { "within", NULL, SCHEMA_WINDOW,
                        "By when the step is done or the expectations are true; measured from `since`." },
        [STEP_KEY_FOR] = { "for", "expect", SCHEMA_WINDOW, "How long the expectations stay true once they are." },
        [STEP_KEY_SINCE] = { "since", "expect", "{\"type\": \"string\", \"minLength\": 1}",
                        "The earlier step the window begins with; without it the latest step that is no `expect`." },
        [STEP_KEY_SAVE] = { "save", "run", SCHEMA_VARIABLE,
                        "The variable that takes the command's standard output, without the newline at its end." },
};

const DocumentKey document_keys[] = {
        { "name", false, SCHEMA_ID, "Tells the documents of one file apart, in words like `crash-restarts`.",
                        "name: crash-restarts" },
        { "about", true, "{\"type\": \"string\", \"minLength\": 1}", "One sentence: what the daemon promises here.",
                        "about: SIGTERM saves the checkpoint and exits within its deadline" },
        { "tags", false,
                        "{\"anyOf\": [" SCHEMA_ID ", {\"type\": \"array\", \"items\": " SCHEMA_ID
                        ", \"minItems\": 1}]}",
                        "Words to select scenarios by (`--tag`).", "tags: [signal, checkpoint]" },
        { "variables", false,
                        "{\"type\": \"object\", \"propertyNames\": " SCHEMA_VARIABLE
                        ", \"additionalProperties\": " SCHEMA_SCALAR "}",
                        "Defaults of `${name}`; `--define name=value` wins over them.",
                        "variables: { fault: none }" },
        { "matrix", false,
                        "{\"type\": \"object\", \"minProperties\": 1, \"propertyNames\": " SCHEMA_VARIABLE
                        ", \"additionalProperties\": {\"anyOf\": [" SCHEMA_TEXT
                        ", {\"type\": \"array\", \"items\": " SCHEMA_SCALAR
                        ", \"minItems\": 1, \"uniqueItems\": true}]}}",
                        "One scenario for every combination of the values, named after them; `--define` picks one.",
                        "matrix: { signal: [SIGKILL, SIGSEGV] }" },
        { "units", false,
                        "{\"type\": \"object\", \"minProperties\": 1, \"propertyNames\": " SCHEMA_UNIT
                        ", \"additionalProperties\": {\"anyOf\": [" SCHEMA_TEXT
                        ", {\"type\": \"object\", \"properties\": {\"file\": " SCHEMA_TEXT
                        ", \"properties\": " SCHEMA_PROPERTIES "}, \"additionalProperties\": false}]}}",
                        "Units of the stage: a file (relative to the scenario), `installed` for one the machine has, "
                        "or a map of "
                        "`file` and `properties` (a drop-in; without a file the whole unit).",
                        "units: { agent.service: ../fixtures/units/agent.service, redis-server.service: installed "
                        "}" },
        { "properties", false, SCHEMA_PROPERTIES,
                        "A drop-in for the scenario's only unit, in systemd's words; a list sets a property several "
                        "times.",
                        "properties: { MemoryMax: 64M }" },
        { "environment", false,
                        "{\"type\": \"object\", \"propertyNames\": " SCHEMA_VARIABLE
                        ", \"additionalProperties\": " SCHEMA_SCALAR "}",
                        "Environment of every service of the scenario and of its commands.",
                        "environment: { fault: \"${fault}\" }" },
        { "files", false,
                        "{\"type\": \"object\", \"propertyNames\": " SCHEMA_STAGE_PATH
                        ", \"additionalProperties\": {\"anyOf\": [" SCHEMA_TEXT
                        ", {\"type\": \"object\", \"properties\": {\"from\": " SCHEMA_TEXT
                        ", \"content\": " SCHEMA_SCALAR ", " SCHEMA_OWNERSHIP
                        "}, \"additionalProperties\": false, \"oneOf\": [{\"required\": [\"from\"]}, "
                        "{\"required\": [\"content\"]}]}]}}",
                        "Files put on the stage: a path of the machine (relative to the scenario), or a map of "
                        "`from` or `content`, "
                        "`mode`, `owner`, `group`.",
                        "files: { /usr/bin/agentd: \"${build}/agentd\" }" },
        { "directories", false,
                        "{\"anyOf\": [{\"type\": \"array\", \"items\": {\"type\": \"string\", \"pattern\": "
                        "\"^/.*[^/]$|^\\\\$\\\\{\"}}, "
                        "{\"type\": \"object\", \"propertyNames\": " SCHEMA_STAGE_PATH
                        ", \"additionalProperties\": {\"anyOf\": [{\"type\": "
                        "\"null\"}, {\"type\": \"object\", \"properties\": {" SCHEMA_OWNERSHIP
                        "}, \"additionalProperties\": false}]}}]}",
                        "Directories made on the stage: a list of paths, or a map with `mode`, `owner`, `group`.",
                        "directories: { /var/lib/redis: { owner: redis, mode: 0750 } }" },
        { "requires", false,
                        "{\"type\": \"object\", \"properties\": {\"controllers\": {\"$ref\": "
                        "\"#/$defs/controllers\"}, \"commands\": " SCHEMA_STRINGS ", \"paths\": " SCHEMA_STRINGS
                        ", \"systemd\": {\"anyOf\": [{\"type\": \"integer\", \"minimum\": 10, \"maximum\": 99999}, "
                        "{\"type\": \"string\", "
                        "\"pattern\": \"^[0-9]{2,5}$\"}]}, \"cgroup\": {\"enum\": [\"v1\", \"v2\"]}}, "
                        "\"additionalProperties\": false}",
                        "What the machine must have, else the scenario is skipped and says why: cgroup "
                        "`controllers`, `commands`, "
                        "`paths`, a `systemd` version, the `cgroup` hierarchy (v1 or v2).",
                        "requires: { controllers: [memory], commands: [redis-cli] }" },
        { "timeout", false, SCHEMA_WINDOW, "After so long the whole scenario is ended as an error; 10min without it.",
                        "timeout: 2min" },
        { "exclusive", false, "{\"$ref\": \"#/$defs/bool\"}",
                        "Nothing is played beside it, and it is given the processor before others on the machine: "
                        "for "
                        "what is measured.",
                        "exclusive: true" },
        { "allow", false,
                        "{\"anyOf\": [{\"const\": \"child-signals\"}, {\"type\": \"array\", \"items\": {\"const\": "
                        "\"child-signals\"}, "
                        "\"minItems\": 1}]}",
                        "What is no unexplained death: `child-signals`, a parent that ends its children by a signal.",
                        "allow: [child-signals]" },
        { "steps", true, "{\"$ref\": \"#/$defs/steps\"}", "What is done and expected, in this order.",
                        "steps: [{ start: agent.service }]" },
        { "always", false, SCHEMA_EXPECTATIONS, "Expectations that hold over the whole scenario.",
                        "always: { state: { Result: success } }" },
        { "never", false, SCHEMA_EXPECTATIONS, "Expectations that hold at no moment of the scenario.",
                        "never: [{ log: { priority: \"<= err\" } }]" },
};
const size_t n_document_keys = ELEMENTS_OF(document_keys);
