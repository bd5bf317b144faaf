/* SPDX-License-Identifier: MIT */
/* The manual's key tables, as Markdown, from the rows the parser works with. */
#include <string.h>

#include "scenario/language.h"
#include "scenario/parse.h"

static const char *type_text(ValueType type) {
        static const char *const texts[] = {
                [VALUE_STRING] = "text",
                [VALUE_BOOL] = "true or false",
                [VALUE_INTEGER] = "whole number",
                [VALUE_DURATION] = "duration (`500ms`, `5s`)",
                [VALUE_SIZE] = "size (`64M`)",
                [VALUE_SIGNAL] = "signal (`SIGTERM`)",
                [VALUE_UNIT] = "unit",
                [VALUE_EXPECTATION] = "name of an expectation",
                [VALUE_CHOICE] = "",
                [VALUE_MATCH] = "comparison",
                [VALUE_PRIORITY] = "comparison of log levels (`\"<= err\"`)",
                [VALUE_MATCH_MAP] = "map of names to comparisons",
                [VALUE_STRING_LIST] = "text, or a list of texts",
                [VALUE_STEPS] = "list of steps",
        };

        return texts[type];
}

/* `|` ends a cell of a table. */
static void append_cell(Text *text, const char *string) {
        for (; *string; string++) {
                if (*string == '|')
                        text_append(text, "\\");
                text_append_bytes(text, *string == '\n' ? " " : string, 1);
        }
}

static void append_type(Text *text, const KeySpec *key) {
        text_append(text, type_text(key->type));
        if (!key->choices)
                return;
        if (key->type != VALUE_CHOICE)
                text_append(text, ": ");
        for (const char *c = key->choices; c;) {
                size_t n = strcspn(c, "|");

                text_printf(text, "`%.*s`", (int) n, c);
                c = c[n] ? c + n + 1 : NULL;
                if (c)
                        text_append(text, ", ");
        }
}

static void append_row(Text *text, const KindSpec *kind, size_t i) {
        const KeySpec *key = &kind->keys[i];

        text_printf(text, "| `%s` | ", key->name);
        append_type(text, key);
        text_append(text, " | ");
        if (key->is_required)
                text_append(text, "required");
        else if (key->default_text)
                text_printf(text, "`%s`", key->default_text);
        text_append(text, " | ");
        append_cell(text, key->doc ? key->doc : "");
        if ((int) i == kind->shorthand)
                text_append(text, " May stand alone, without its key.");
        text_append(text, " |\n");
}

static void append_example(Text *text, const char *example) {
        if (!example)
                return;
        text_append(text, "```yaml\n");
        text_append(text, example);
        text_printf(text, "%s```\n\n", example[0] && example[strlen(example) - 1] == '\n' ? "" : "\n");
}

static void append_kind(Text *text, const KindSpec *kind, bool is_step) {
        text_printf(text, "### `%s`\n\n%s\n\n", kind->name, kind->doc ? kind->doc : "");
        append_example(text, kind->example);
        if (kind->n_keys > 0 || kind->takes_unit || !is_step)
                text_append(text, "| key | takes | default | meaning |\n|---|---|---|---|\n");
        for (size_t i = 0; i < kind->n_keys; i++)
                append_row(text, kind, i);
        if (kind->takes_unit)
                text_printf(text, "| `unit` | unit | the only one | The unit it is about.%s |\n",
                                is_step && kind->shorthand < 0 ? " May stand alone, without its key." : "");
        if (!is_step)
                text_append(text, "| `name` | words like `agent-starts` | its place | What it is called in reports. "
                                  "|\n");
        text_append(text, "\n");
}

static void append_document_keys(Text *text) {
        text_append(text, "## Keys of a scenario\n\n| key | meaning | example |\n|---|---|---|\n");
        FOREACH_ARRAY (key, document_keys, n_document_keys) {
                text_printf(text, "| `%s` | ", key->name);
                append_cell(text, key->doc);
                text_printf(text, "%s | `", key->is_required ? " Required." : "");
                append_cell(text, key->example);
                text_append(text, "` |\n");
        }
}

static void append_step_keys(Text *text) {
        text_append(text, "\n## Keys of every step\n\n| key | with | meaning |\n|---|---|---|\n");
        FOREACH_ARRAY (key, step_keys, N_STEP_KEYS) {
                text_printf(text, "| `%s` | %s | ", key->name, key->with ? key->with : "all");
                append_cell(text, key->doc);
                text_append(text, " |\n");
        }
}

void language_write_manual(const Language *language, Text *ret_text) {
        append_document_keys(ret_text);
        append_step_keys(ret_text);
        text_append(ret_text, "\n## Steps\n\n");
        FOREACH_ARRAY (kind, language->steps, language->n_steps)
                append_kind(ret_text, *kind, true);
        text_append(ret_text, "## Expectations\n\n");
        FOREACH_ARRAY (kind, language->expectations, language->n_expectations)
                append_kind(ret_text, *kind, false);
}
