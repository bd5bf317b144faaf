/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/json.h"
#include "scenario/language.h"
#include "suites.h"
#include "test-language.h"

/* Every kind and every key of the tables has its place in the schema and in the manual. */
static void assert_kinds(const Json *schema, const char *manual, const char *place, const KindSpec *const *kinds,
                size_t n_kinds) {
        FOREACH_ARRAY (kind, kinds, n_kinds) {
                char path[256], heading[64];

                (void) snprintf(heading, sizeof(heading), "### `%s`", (*kind)->name);
                ck_assert_msg(strstr(manual, heading), "%s", heading);
                FOREACH_ARRAY (key, (*kind)->keys, (*kind)->n_keys) {
                        (void) snprintf(path, sizeof(path),
                                        "$defs.%s.properties.%s.anyOf.0.properties.%s.description", place,
                                        (*kind)->name, key->name);
                        ck_assert_msg(json_member(schema, path), "%s", path);
                        (void) snprintf(heading, sizeof(heading), "| `%s` |", key->name);
                        ck_assert_msg(strstr(manual, heading), "%s", heading);
                }
        }
}

START_TEST(has_every_key) {
        CLEANUP_TEXT Text text = TEXT_INIT, manual = TEXT_INIT;
        CLEANUP(json_free_p) Json *schema = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;

        language_write_schema(&test_language, &text);
        language_write_manual(&test_language, &manual);
        ck_assert_msg(json_parse(text_get(&text), text.n_bytes, &schema, &error) == 0, "%s", error_text(&error));
        assert_kinds(schema, text_get(&manual), "step", test_language.steps, test_language.n_steps);
        assert_kinds(schema, text_get(&manual), "expectation-map", test_language.expectations,
                        test_language.n_expectations);
        FOREACH_ARRAY (key, document_keys, n_document_keys) {
                char path[128];

                (void) snprintf(path, sizeof(path), "properties.%s.description", key->name);
                ck_assert_msg(json_member(schema, path), "%s", path);
        }
        FOREACH_ARRAY (key, step_keys, N_STEP_KEYS) {
                char path[128];

                (void) snprintf(path, sizeof(path), "$defs.step.properties.%s.description", key->name);
                ck_assert_msg(json_member(schema, path), "%s", path);
        }
}
END_TEST

/* What the manual shows has to be true: each example is a part of a scenario. */
START_TEST(examples_are_valid) {
        const DocumentKey *key = &document_keys[_i];
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_PARSED Parsed parsed = { 0 };
        static const char *const others[] = { "about: x\n", "units: { agent.service: installed }\n",
                "variables: { fault: none }\n", "steps: [{ run: x }]\n" };

        text_printf(&text, "%s\n", key->example);
        FOREACH_ARRAY (other, others, ELEMENTS_OF(others))
                if (strncmp(*other, key->example, strlen(key->name) + 1) != 0)
                        text_append(&text, *other);
        parsed = parse_text(text_get(&text));
        ck_assert_msg(parsed.diagnostics.n_items == 0, "%s\n%s", text_get(&text),
                        parsed.diagnostics.n_items ? parsed.diagnostics.items[0].message : "");
}
END_TEST

Suite *schema_suite(void) {
        Suite *suite = suite_create("schema");
        TCase *tests = tcase_create("schema");

        tcase_add_test(tests, has_every_key);
        tcase_add_loop_test(tests, examples_are_valid, 0, (int) n_document_keys);
        suite_add_tcase(suite, tests);
        return suite;
}
