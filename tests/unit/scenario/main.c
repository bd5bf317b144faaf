/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "test-language.h"

void parsed_done(Parsed *parsed) {
        scenario_list_done(&parsed->scenarios);
        diagnostic_list_done(&parsed->diagnostics);
}

static Parsed parse(const char *bytes, size_t n_bytes, const Setting *defines, size_t n_defines) {
        Parsed parsed = { .scenarios = SCENARIO_LIST_INIT, .diagnostics = DIAGNOSTIC_LIST_INIT };
        ParseOptions options = { .language = &test_language, .defines = defines, .n_defines = n_defines };

        ck_assert_int_eq(scenario_parse("x.yaml", bytes, n_bytes, &options, &parsed.scenarios, &parsed.diagnostics),
                        0);
        return parsed;
}

Parsed parse_bytes(const char *bytes, size_t n_bytes) {
        char name[] = "build", value[] = "/build";
        Setting build = { .name = name, .value = value };

        return parse(bytes, n_bytes, &build, 1);
}

Parsed parse_text(const char *text) {
        return parse_bytes(text, strlen(text));
}

Parsed parse_text_with(const char *text, const char *defines) {
        char *copy = strdup(defines), *rest = copy, *define;
        Setting settings[4];
        size_t n_settings = 0;
        Parsed parsed;

        while ((define = strsep(&rest, "|"))) {
                char *equals = strchr(define, '=');

                ck_assert_ptr_nonnull(equals);
                *equals = '\0';
                ck_assert_uint_lt(n_settings, ELEMENTS_OF(settings));
                settings[n_settings++] = (Setting){ .name = define, .value = equals + 1 };
        }
        parsed = parse(text, strlen(text), settings, n_settings);
        free(copy);
        return parsed;
}

static const char *first_message(const Parsed *parsed) {
        return parsed->diagnostics.n_items > 0 ? parsed->diagnostics.items[0].message : "no diagnostic";
}

const Scenario *only_scenario(const Parsed *parsed) {
        ck_assert_msg(parsed->diagnostics.n_items == 0, "%s", first_message(parsed));
        ck_assert_uint_eq(parsed->scenarios.n_items, 1);
        return parsed->scenarios.items[0];
}

void assert_only_diagnostic(const Parsed *parsed, unsigned line, unsigned column, const char *part) {
        ck_assert_msg(parsed->diagnostics.n_items == 1, "%zu diagnostics, first: %s", parsed->diagnostics.n_items,
                        first_message(parsed));
        ck_assert_msg(strstr(first_message(parsed), part), "\"%s\" is not in: %s", part, first_message(parsed));
        ck_assert_uint_eq(parsed->diagnostics.items[0].mark.line, line);
        ck_assert_uint_eq(parsed->diagnostics.items[0].mark.column, column);
}

int main(void) {
        SRunner *runner = srunner_create(template_suite());
        int n_failed;

        srunner_add_suite(runner, match_suite());
        srunner_add_suite(runner, diagnostic_suite());
        srunner_add_suite(runner, parse_suite());
        srunner_add_suite(runner, hostile_suite());
        srunner_add_suite(runner, golden_suite());
        srunner_add_suite(runner, schema_suite());
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
