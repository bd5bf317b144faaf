/* SPDX-License-Identifier: MIT */
/*
 * The language as JSON Schema 2020-12, for editors and other people's tools. It says what shapes allow; what needs
 * the scenario (names of units, steps and variables, regex syntax, files) only the parser can say.
 */
#include <string.h>

#include "base/json.h"
#include "scenario/language.h"
#include "scenario/parse.h"
#include "scenario/signal-name.h"

/* A text with a variable in it may become anything. */
#define OR_VARIABLE "|\\\\$\\\\{"

#define DURATION_UNIT "(us|usec|µs|ms|msec|s|sec|second|seconds|m|min|minute|minutes|h|hr|hour|hours|d|day|days)"
#define DURATION_TEXT "(([0-9]+([.][0-9]+)? ?" DURATION_UNIT " ?)*[0-9]+([.][0-9]+)? ?" DURATION_UNIT "?|infinity)"

typedef struct Definition {
        const char *name, *schema;
} Definition;

static const Definition definitions[] = {
        { "id", "{\"type\": \"string\", \"pattern\": \"^[a-z][a-z0-9]*(-[a-z0-9]+)*$" OR_VARIABLE "\"}" },
        { "scalar", "{\"type\": [\"string\", \"number\", \"boolean\"]}" },
        { "text", "{\"type\": [\"string\", \"number\", \"boolean\"], \"minLength\": 1}" },
        { "strings", "{\"anyOf\": [{\"$ref\": \"#/$defs/scalar\"}, {\"type\": \"array\", \"items\": {\"$ref\": "
                     "\"#/$defs/scalar\"}, "
                     "\"minItems\": 1}]}" },
        { "bool", "{\"anyOf\": [{\"type\": \"boolean\"}, {\"type\": \"string\", \"pattern\": "
                  "\"^(true|false|yes|no)$" OR_VARIABLE "\"}]}" },
        { "integer", "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0}, {\"type\": \"string\", \"pattern\": "
                     "\"^[0-9]+$" OR_VARIABLE "\"}]}" },
        { "duration", "{\"anyOf\": [{\"type\": \"number\", \"minimum\": 0}, {\"type\": \"string\", \"pattern\": "
                      "\"^" DURATION_TEXT "$" OR_VARIABLE "\"}]}" },
        { "window", "{\"anyOf\": [{\"type\": \"number\", \"exclusiveMinimum\": 0}, {\"type\": \"string\", \"allOf\": "
                    "[{\"pattern\": "
                    "\"^" DURATION_TEXT "$" OR_VARIABLE "\"}, {\"pattern\": \"[1-9]" OR_VARIABLE "\"}]}]}" },
        { "size", "{\"anyOf\": [{\"type\": \"number\", \"minimum\": 0}, {\"type\": \"string\", \"pattern\": "
                  "\"^([0-9]+([.][0-9]+)? "
                  "?[BKMGT]? ?)+$|^infinity$" OR_VARIABLE "\"}]}" },
        { "unit-name", "{\"type\": \"string\", \"pattern\": "
                       "\"^[A-Za-z0-9:_.\\\\\\\\-][A-Za-z0-9:_.\\\\\\\\@-]*\\\\.(service|socket|timer|path|slice|"
                       "mount|automount|swap|scope|"
                       "target|device)$" OR_VARIABLE "\"}" },
        { "controllers", "{\"anyOf\": [{\"$ref\": \"#/$defs/controller\"}, {\"type\": \"array\", \"items\": "
                         "{\"$ref\": "
                         "\"#/$defs/controller\"}, \"minItems\": 1}]}" },
        { "controller", "{\"enum\": [\"cpu\", \"cpuset\", \"io\", \"memory\", \"pids\"]}" },
        { "match", "{\"anyOf\": [{\"type\": [\"number\", \"boolean\"]}, {\"type\": \"string\", \"not\": {\"anyOf\": "
                   "[{\"const\": "
                   "\"//\"}, {\"pattern\": \"^>= *-?0+(\\\\.0+)? *[A-Za-z%]*$|^>=? *-\"}, {\"pattern\": \"^!=\"}, "
                   "{\"pattern\": "
                   "\"^(==|=>|=<) *[0-9]\"}, {\"pattern\": \"^/\\\\.\\\\*/$\"}]}}, {\"type\": \"array\", \"items\": "
                   "{\"$ref\": "
                   "\"#/$defs/match\"}, \"minItems\": 1}, {\"$ref\": \"#/$defs/not\"}]}" },
        { "not", "{\"type\": \"object\", \"properties\": {\"not\": {\"$ref\": \"#/$defs/match\"}}, \"required\": "
                 "[\"not\"], "
                 "\"additionalProperties\": false}" },
        { "priority", "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 7}, {\"type\": \"string\", "
                      "\"pattern\": "
                      "\"^([<>]=? "
                      "*)?(emerg|alert|crit|err|warning|notice|info|debug|[0-7])$|^/.+/"
                      "$|^[0-7][.][.][0-7]$" OR_VARIABLE
                      "\", \"not\": {\"pattern\": \"^>= *(emerg|0)$\"}}, {\"type\": \"array\", \"items\": {\"$ref\": "
                      "\"#/$defs/priority\"}, \"minItems\": 1}, {\"type\": \"object\", \"properties\": {\"not\": "
                      "{\"$ref\": "
                      "\"#/$defs/priority\"}}, \"required\": [\"not\"], \"additionalProperties\": false}]}" },
        { "match-tree", "{\"anyOf\": [{\"$ref\": \"#/$defs/match\"}, {\"type\": \"object\", \"minProperties\": 1, "
                        "\"additionalProperties\": {\"$ref\": \"#/$defs/match-tree\"}}]}" },
};

static void write_string(Text *text, const char *string) {
        json_write_string(text, string, strlen(string));
}

/* "key": */
static void write_key(Text *text, const char **separator, const char *key) {
        text_append(text, *separator);
        write_string(text, key);
        text_append(text, ": ");
        *separator = ", ";
}

static void write_choices(Text *text, const char *choices) {
        CLEANUP_FREE char *copy = strdup(choices);
        const char *separator = "";
        char *rest = copy, *word;

        while (rest && (word = strsep(&rest, "|"))) {
                text_append(text, separator);
                write_string(text, word);
                separator = ", ";
        }
}

static void write_choice(Text *text, const char *choices) {
        text_append(text, "{\"anyOf\": [{\"enum\": [");
        write_choices(text, choices);
        text_append(text, "]}, {\"type\": \"string\", \"pattern\": \"\\\\$\\\\{\"}]}");
}

static void write_match_map(Text *text, const KeySpec *key) {
        const char *separator = "";

        text_append(text, "{\"type\": \"object\", \"minProperties\": 1, ");
        if (key->choices) {
                CLEANUP_FREE char *copy = strdup(key->choices);
                char *rest = copy, *word;

                text_append(text, "\"properties\": {");
                while (rest && (word = strsep(&rest, "|"))) {
                        write_key(text, &separator, word);
                        text_append(text, "{\"$ref\": \"#/$defs/match-tree\"}");
                }
                text_append(text, "}, \"additionalProperties\": false}");
        } else
                text_append(text, "\"additionalProperties\": {\"$ref\": \"#/$defs/match-tree\"}}");
}

/* Signals by name, with or without SIG, or by number. */
static void write_signal(Text *text) {
        const char *name, *separator = "";

        text_append(text, "{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 64}, {\"type\": "
                          "\"string\", "
                          "\"pattern\": \"^(SIG)?(");
        for (size_t i = 0; (name = signal_nth_name(i)); i++) {
                text_printf(text, "%s%s", separator, name + 3);
                separator = "|";
        }
        text_append(text, "|RTMIN([+][0-9]+)?)$|^[0-9]+$" OR_VARIABLE "\"}]}");
}

static void write_value(Text *text, const KeySpec *key) {
        static const char *const names[] = {
                [VALUE_STRING] = "scalar",
                [VALUE_BOOL] = "bool",
                [VALUE_INTEGER] = "integer",
                [VALUE_DURATION] = "duration",
                [VALUE_SIZE] = "size",
                [VALUE_UNIT] = "unit-name",
                [VALUE_EXPECTATION] = "text",
                [VALUE_MATCH] = "match",
                [VALUE_PRIORITY] = "priority",
                [VALUE_STRING_LIST] = "strings",
                [VALUE_STEPS] = "steps",
        };

        if (key->type == VALUE_CHOICE)
                write_choice(text, key->choices);
        else if (key->type == VALUE_MATCH_MAP)
                write_match_map(text, key);
        else if (key->type == VALUE_SIGNAL)
                write_signal(text);
        else
                text_printf(text, "{\"$ref\": \"#/$defs/%s\"}", names[key->type]);
}

static bool has_key(const KindSpec *kind, const char *name) {
        FOREACH_ARRAY (key, kind->keys, kind->n_keys)
                if (strcmp(key->name, name) == 0)
                        return true;
        return false;
}

static void write_documented(Text *text, const KeySpec *key) {
        text_append(text, "{\"description\": ");
        write_string(text, key->doc ? key->doc : "");
        text_append(text, ", \"allOf\": [");
        write_value(text, key);
        text_append(text, "]}");
}

static void write_required(Text *text, const KindSpec *kind) {
        const char *separator = "";

        text_append(text, ", \"required\": [");
        for (size_t i = 0; i < kind->n_keys; i++)
                /* A map of comparisons may stand without its key, so that its key is not asked for. */
                if (kind->keys[i].is_required &&
                                !((int) i == kind->shorthand && kind->keys[i].type == VALUE_MATCH_MAP)) {
                        text_append(text, separator);
                        write_string(text, kind->keys[i].name);
                        separator = ", ";
                }
        text_append(text, "]");
}

static void write_kind_map(Text *text, const KindSpec *kind, bool is_step) {
        const KeySpec *shorthand = kind->shorthand >= 0 ? &kind->keys[kind->shorthand] : NULL;
        const char *separator = "";

        text_append(text, "{\"type\": \"object\", \"properties\": {");
        FOREACH_ARRAY (key, kind->keys, kind->n_keys) {
                write_key(text, &separator, key->name);
                write_documented(text, key);
        }
        if (kind->takes_unit && !has_key(kind, "unit")) {
                write_key(text, &separator, "unit");
                text_append(text, "{\"$ref\": \"#/$defs/unit-name\"}");
        }
        if (!is_step && !has_key(kind, "name")) {
                write_key(text, &separator, "name");
                text_append(text, "{\"$ref\": \"#/$defs/id\"}");
        }
        if (shorthand && shorthand->type == VALUE_MATCH_MAP && shorthand->choices) {
                CLEANUP_FREE char *copy = strdup(shorthand->choices);
                char *rest = copy, *word;

                while (rest && (word = strsep(&rest, "|"))) {
                        write_key(text, &separator, word);
                        text_append(text, "{\"$ref\": \"#/$defs/match-tree\"}");
                }
        }
        text_append(text, "}, \"additionalProperties\": ");
        if (shorthand && shorthand->type == VALUE_MATCH_MAP && !shorthand->choices)
                text_append(text, "{\"$ref\": \"#/$defs/match-tree\"}");
        else
                text_append(text, "false");
        write_required(text, kind);
        text_append(text, "}");
}

static bool needs_nothing(const KindSpec *kind) {
        FOREACH_ARRAY (key, kind->keys, kind->n_keys)
                if (key->is_required)
                        return false;
        return true;
}

/* What may stand behind the kind's name: the map of its keys, its shorthand, a unit, or nothing. */
static void write_kind(Text *text, const KindSpec *kind, bool is_step) {
        const KeySpec *shorthand = kind->shorthand >= 0 ? &kind->keys[kind->shorthand] : NULL;

        text_append(text, "{\"description\": ");
        write_string(text, kind->doc ? kind->doc : "");
        text_append(text, ", \"anyOf\": [");
        write_kind_map(text, kind, is_step);
        if (needs_nothing(kind))
                text_append(text, ", {\"type\": \"null\"}");
        if (shorthand && shorthand->type != VALUE_MATCH_MAP) {
                text_append(text, ", ");
                write_value(text, shorthand);
        } else if (!shorthand && is_step && kind->takes_unit)
                text_append(text, ", {\"$ref\": \"#/$defs/unit-name\"}");
        text_append(text, "]}");
}

static void write_kinds(
                Text *text, const char **separator, const KindSpec *const *kinds, size_t n_kinds, bool is_step) {
        FOREACH_ARRAY (kind, kinds, n_kinds) {
                write_key(text, separator, (*kind)->name);
                write_kind(text, *kind, is_step);
        }
}

/* Exactly one of the words that say what a step does. */
static void write_one_kind(Text *text, const Language *language) {
        text_append(text, "\"oneOf\": [{\"required\": [\"expect\"]}");
        FOREACH_ARRAY (kind, language->steps, language->n_steps) {
                text_append(text, ", {\"required\": [");
                write_string(text, (*kind)->name);
                text_append(text, "]}");
        }
        text_append(text, "]");
}

static void write_step_key(Text *text, const char **separator, const StepKeySpec *key) {
        write_key(text, separator, key->name);
        text_append(text, "{\"description\": ");
        write_string(text, key->doc);
        text_printf(text, ", \"allOf\": [%s]}", key->schema);
}

/* `unit` beside a kind that knows no units is an error, so each such kind excludes it. */
static void write_dependencies(Text *text, const Language *language) {
        const char *separator = "";

        text_append(text, ", \"dependentRequired\": {");
        FOREACH_ARRAY (key, step_keys, N_STEP_KEYS)
                if (key->with) {
                        write_key(text, &separator, key->name);
                        text_printf(text, "[\"%s\"]", key->with);
                }
        text_append(text, "}, \"dependentSchemas\": {");
        separator = "";
        FOREACH_ARRAY (kind, language->steps, language->n_steps)
                if (!(*kind)->takes_unit) {
                        write_key(text, &separator, (*kind)->name);
                        text_append(text, "{\"not\": {\"required\": [\"unit\"]}}");
                }
        text_append(text, "}");
}

static void write_step(Text *text, const Language *language) {
        const char *separator = "";

        text_append(text, "\"step\": {\"type\": \"object\", \"properties\": {");
        write_kinds(text, &separator, language->steps, language->n_steps, true);
        write_key(text, &separator, "expect");
        text_append(text, "{\"$ref\": \"#/$defs/expectations\"}");
        FOREACH_ARRAY (key, step_keys, N_STEP_KEYS)
                write_step_key(text, &separator, key);
        text_append(text, "}, \"additionalProperties\": false, ");
        write_one_kind(text, language);
        write_dependencies(text, language);
        text_append(text, "}");
}

static void write_expectations(Text *text, const Language *language) {
        const char *separator = "";

        text_append(text, "\"expectation-map\": {\"type\": \"object\", \"minProperties\": 1, \"properties\": {");
        write_kinds(text, &separator, language->expectations, language->n_expectations, false);
        text_append(text, "}, \"additionalProperties\": false},\n"
                          "    \"expectations\": {\"anyOf\": [{\"$ref\": \"#/$defs/expectation-map\"}, {\"type\": "
                          "\"array\", "
                          "\"minItems\": 1, \"items\": {\"allOf\": [{\"$ref\": \"#/$defs/expectation-map\"}, "
                          "{\"maxProperties\": 1}]}}]}");
}

static void write_document(Text *text) {
        const char *separator = "";

        text_append(text, "  \"type\": \"object\",\n  \"properties\": {");
        FOREACH_ARRAY (key, document_keys, n_document_keys) {
                write_key(text, &separator, key->name);
                text_append(text, "{\"description\": ");
                write_string(text, key->doc);
                text_printf(text, ", \"allOf\": [%s]}", key->schema);
        }
        separator = "";
        text_append(text, "},\n  \"required\": [");
        FOREACH_ARRAY (key, document_keys, n_document_keys)
                if (key->is_required) {
                        text_append(text, separator);
                        write_string(text, key->name);
                        separator = ", ";
                }
        text_append(text, "],\n  \"additionalProperties\": false,\n");
}

void language_write_schema(const Language *language, Text *ret_text) {
        text_append(ret_text, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                              "  \"title\": \"agenttest scenario\",\n"
                              "  \"description\": \"One YAML document of a scenario file.\",\n");
        write_document(ret_text);
        text_append(ret_text, "  \"$defs\": {\n");
        FOREACH_ARRAY (definition, definitions, ELEMENTS_OF(definitions))
                text_printf(ret_text, "    \"%s\": %s,\n", definition->name, definition->schema);
        text_append(ret_text, "    \"steps\": {\"type\": \"array\", \"minItems\": 1, \"items\": {\"$ref\": "
                              "\"#/$defs/step\"}},\n    ");
        write_step(ret_text, language);
        text_append(ret_text, ",\n    ");
        write_expectations(ret_text, language);
        text_append(ret_text, "\n  }\n}\n");
}
