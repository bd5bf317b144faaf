/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/quantity.h"
#include "scenario/unit-property.h"
#include "suites.h"

#define HEAD "about: x\nunits: { a.service: installed }\n"

START_TEST(reads_a_scenario) {
        CLEANUP_PARSED Parsed parsed = parse_text("about: SIGTERM is obeyed\n"
                                                  "tags: [signal]\n"
                                                  "units: { a.service: /etc/a.service }\n"
                                                  "steps:\n"
                                                  "  - start: a.service\n"
                                                  "    within: 10s\n"
                                                  "  - signal: TERM   # the polite one\n"
                                                  "  - expect:\n"
                                                  "      exit: { code: 0 }\n"
                                                  "      log: /bye/\n"
                                                  "    within: 5s\n"
                                                  "    for: 100ms\n"
                                                  "never:\n"
                                                  "  - log: { priority: <= err }\n");
        const Scenario *scenario = only_scenario(&parsed);
        const Step *expect = &scenario->steps[2];
        const Match *priority = &expectation_value(&scenario->never[0], "priority")->matches[0].match;

        ck_assert_str_eq(scenario->name, "x.yaml");
        ck_assert_str_eq(scenario->about, "SIGTERM is obeyed");
        ck_assert_str_eq(scenario->tags[0], "signal");
        ck_assert_uint_eq(scenario->timeout_usec, 600 * USEC_PER_SEC);
        ck_assert_str_eq(scenario->units[0].source_path, "/etc/a.service");
        ck_assert_uint_eq(scenario->n_steps, 3);
        ck_assert_str_eq(scenario->steps[0].unit, "a.service");
        ck_assert_uint_eq(scenario->steps[0].within_usec, 10 * USEC_PER_SEC);
        ck_assert_str_eq(scenario->steps[1].quote, "- signal: TERM   # the polite one");
        ck_assert_str_eq(scenario->steps[1].id, "steps[1]");
        ck_assert_uint_eq(scenario->steps[1].within_usec, USEC_INFINITY);
        ck_assert_str_eq(step_value(&scenario->steps[1], "signal")->text, "SIGTERM");
        ck_assert_str_eq(step_value(&scenario->steps[1], "who")->text, "main");
        ck_assert_ptr_null(expect->kind);
        ck_assert_uint_eq(expect->for_usec, 100 * USEC_PER_MSEC);
        ck_assert_uint_eq(expect->n_expectations, 2);
        ck_assert_str_eq(expect->expectations[1].id, "steps[2].expect.log");
        ck_assert_ptr_eq(expect->expectations[1].step, expect);
        ck_assert_str_eq(expect->expectations[1].unit, "a.service");
        ck_assert_str_eq(scenario->never[0].id, "never[0].log");
        ck_assert(match_text(priority, "3", 1, NULL));
        ck_assert(!match_text(priority, "4", 1, NULL));
}
END_TEST

static void count_visit(const Expectation *expectation, void *userdata) {
        Text *ids = userdata;

        text_printf(ids, "%s ", expectation->id);
}

START_TEST(names_by_place_and_by_name) {
        CLEANUP_PARSED Parsed parsed = parse_text(HEAD "steps:\n"
                                                       "  - repeat:\n"
                                                       "      times: 2\n"
                                                       "      steps:\n"
                                                       "        - start:\n"
                                                       "        - expect: { log: /x/ }\n"
                                                       "  - name: last\n"
                                                       "    expect:\n"
                                                       "      - log: { message: /x/, name: one }\n"
                                                       "      - log: /y/\n"
                                                       "always: { state: { LoadState: loaded } }\n");
        const Scenario *scenario = only_scenario(&parsed);
        const Value *steps = step_value(&scenario->steps[0], "steps");
        CLEANUP_TEXT Text ids = TEXT_INIT;

        ck_assert_str_eq(steps->steps[0].id, "steps[0].repeat[0]");
        scenario_visit_expectations(scenario, count_visit, &ids);
        ck_assert_str_eq(text_get(&ids), "steps[0].repeat[1].expect.log one last.expect[1].log always.state ");
}
END_TEST

START_TEST(puts_variables_in) {
        CLEANUP_PARSED Parsed parsed =
                        parse_text_with("about: ${what}\n"
                                        "variables: { what: a, fault: none, both: \"${what}-${fault}\", limit: 5s }\n"
                                        "units: { a.service: installed }\n"
                                        "environment: { both: \"${both}\", raw: \"$${x}\" }\n"
                                        "steps:\n"
                                        "  - run: echo ${both} $${HOME} ${tricky}\n"
                                        "    save: said\n"
                                        "  - run: echo ${said}\n"
                                        "    within: ${limit}\n",
                                        "fault=SG-01|tricky=${said}");
        const Scenario *scenario = only_scenario(&parsed);
        CLEANUP_FREE char *command = NULL;

        ck_assert_str_eq(scenario->about, "a");
        ck_assert_str_eq(scenario->environment[0].value, "a-SG-01");
        ck_assert_str_eq(scenario->environment[1].value, "${x}");
        ck_assert_uint_eq(scenario->steps[1].within_usec, 5 * USEC_PER_SEC);
        ck_assert_str_eq(step_value(&scenario->steps[1], "command")->text, "echo ${said}");
        ck_assert_str_eq(scenario->steps[0].save, "said");
        /* What stays is resolved once more at run time; a define is never a variable. */
        ck_assert_int_eq(template_resolve(step_value(&scenario->steps[0], "command")->text, NULL, false, &command,
                                         NULL),
                        0);
        ck_assert_str_eq(command, "echo a-SG-01 ${HOME} ${said}");
        ck_assert_str_eq(scenario->variables[1].name, "tricky");
        ck_assert_str_eq(scenario->variables[1].value, "${said}");
}
END_TEST

#define MATRIX                                                                                                       \
        HEAD "matrix: { signal: [SIGKILL, SIGSEGV], n: [1, 2, 3] }\nsteps: [ { crash: \"${signal}\" }, { run: "      \
             "\"echo ${n}\" } ]\n"

START_TEST(expands_the_matrix) {
        CLEANUP_PARSED Parsed parsed = parse_text(MATRIX);

        ck_assert_uint_eq(parsed.diagnostics.n_items, 0);
        ck_assert_uint_eq(parsed.scenarios.n_items, 6);
        ck_assert_str_eq(parsed.scenarios.items[0]->name, "x.yaml[signal=SIGKILL,n=1]");
        ck_assert_str_eq(parsed.scenarios.items[5]->name, "x.yaml[signal=SIGSEGV,n=3]");
        ck_assert_str_eq(step_value(&parsed.scenarios.items[5]->steps[0], "signal")->text, "SIGSEGV");
        ck_assert_str_eq(step_value(&parsed.scenarios.items[5]->steps[1], "command")->text, "echo 3");
}
END_TEST

START_TEST(selects_from_the_matrix) {
        CLEANUP_PARSED Parsed parsed = parse_text_with(MATRIX, "n=2");
        CLEANUP_PARSED Parsed none = parse_text_with(MATRIX, "n=4");

        ck_assert_uint_eq(parsed.diagnostics.n_items, 0);
        ck_assert_uint_eq(parsed.scenarios.n_items, 2);
        ck_assert_str_eq(parsed.scenarios.items[1]->name, "x.yaml[signal=SIGSEGV,n=2]");
        assert_only_diagnostic(&none, 3, 39, "no such value");
}
END_TEST

START_TEST(names_documents) {
        CLEANUP_PARSED Parsed parsed =
                        parse_text(HEAD "steps: [{ run: x }]\n---\nname: second\n" HEAD "steps: [{ run: x }]\n");

        ck_assert_uint_eq(parsed.diagnostics.n_items, 0);
        ck_assert_uint_eq(parsed.scenarios.n_items, 2);
        ck_assert_str_eq(parsed.scenarios.items[0]->name, "x.yaml#1");
        ck_assert_str_eq(parsed.scenarios.items[1]->name, "x.yaml#second");
        ck_assert_uint_eq(parsed.scenarios.items[1]->n_document, 1);
}
END_TEST

START_TEST(sets_the_stage) {
        CLEANUP_PARSED Parsed parsed = parse_text(
                        "about: x\n"
                        "units:\n"
                        "  a.service: { file: installed, properties: { After: b.target, ExecStart: [\"\", /bin/x] } "
                        "}\n"
                        "  b.target: {}\n"
                        "files:\n"
                        "  /a: { content: \"${build}\", mode: 0600, owner: redis, group: adm }\n"
                        "  /b: ${build}/agentd\n"
                        "directories: { /c: { mode: 0750 }, /d: }\n"
                        "requires: { controllers: [memory], commands: redis-cli, paths: [/x], systemd: 253 }\n"
                        "timeout: 30s\n"
                        "allow: [child-signals]\n"
                        "steps: [{ run: x }]\n");
        const Scenario *scenario = only_scenario(&parsed);

        ck_assert(scenario->units[0].is_installed);
        ck_assert_uint_eq(scenario->units[0].n_properties, 3);
        ck_assert_str_eq(scenario->units[0].properties[1].value, "");
        ck_assert_ptr_null(scenario->units[1].source_path);
        ck_assert(!scenario->units[1].is_installed);
        ck_assert_str_eq(scenario->files[0].content, "/build");
        ck_assert_uint_eq(scenario->files[0].mode, 0600);
        ck_assert_str_eq(scenario->files[0].group, "adm");
        ck_assert_str_eq(scenario->files[1].source_path, "/build/agentd");
        ck_assert(scenario->files[2].is_directory && scenario->files[3].is_directory);
        ck_assert_uint_eq(scenario->files[2].mode, 0750);
        ck_assert_uint_eq(scenario->requires.systemd_version, 253);
        ck_assert_str_eq(scenario->requires.commands[0], "redis-cli");
        ck_assert(scenario->allows_child_signals);
        ck_assert_uint_eq(scenario->timeout_usec, 30 * USEC_PER_SEC);
}
END_TEST

START_TEST(reads_comparisons) {
        CLEANUP_PARSED Parsed parsed = parse_text(HEAD
                        "steps:\n"
                        "  - expect:\n"
                        "      state: { ActiveState: [active, /re.*ing/], SubState: { not: failed }, unit: a.service "
                        "}\n"
                        "      log: { json: { a: { b: { not: [1, 2] }, c: x }, version: \"1.10\", n: 1.10 } }\n");
        const Expectation *state = &only_scenario(&parsed)->steps[0].expectations[0], *log = state + 1;
        const Value *json = expectation_value(log, "json"), *properties = expectation_value(state, "properties");

        ck_assert_uint_eq(properties->n_matches, 2);
        ck_assert_str_eq(properties->matches[0].match.source, "[active, /re.*ing/]");
        ck_assert(match_text(&properties->matches[0].match, "reloading", 9, NULL));
        ck_assert_str_eq(properties->matches[1].match.source, "not: failed");
        ck_assert(!match_text(&properties->matches[1].match, "failed", 6, NULL));
        ck_assert_uint_eq(json->n_matches, 4);
        ck_assert_str_eq(json->matches[0].name, "a.b");
        ck_assert(!match_text(&json->matches[0].match, "2", 1, NULL));
        ck_assert_str_eq(json->matches[1].name, "a.c");
        ck_assert(!match_text(&json->matches[2].match, "1.1", 3, NULL)); /* in quotes: a text */
        ck_assert(match_text(&json->matches[3].match, "1.1", 3, NULL));
}
END_TEST

START_TEST(saves_groups) {
        CLEANUP_PARSED Parsed parsed =
                        parse_text(HEAD "steps:\n"
                                        "  - expect: { log: { message: \"/took (?<took>[0-9]+)/\", save: yes } }\n"
                                        "  - run: echo ${took}\n");
        CLEANUP_PARSED Parsed unsaved =
                        parse_text(HEAD "steps:\n"
                                        "  - expect: { log: { message: \"/took (?<took>[0-9]+)/\" } }\n"
                                        "  - run: echo ${took}\n");

        (void) only_scenario(&parsed);
        assert_only_diagnostic(&unsaved, 5, 15, "no variable `took`");
}
END_TEST

START_TEST(saves_no_groups_without_save) {
        CLEANUP_PARSED Parsed parsed =
                        parse_text(HEAD "steps:\n"
                                        "  - expect: { command: { run: id, stdout: \"/uid=(?<uid>[0-9]+)/\" } }\n"
                                        "  - run: echo ${uid}\n");

        assert_only_diagnostic(&parsed, 5, 15, "no variable `uid`");
}
END_TEST

START_TEST(lines_of_any_unit_are_of_none) {
        CLEANUP_PARSED Parsed parsed = parse_text("about: x\nunits: { a.service: installed, b.service: installed }\n"
                                                  "steps: [{ expect: { log: { message: a, from: any } } }]\n");
        CLEANUP_PARSED Parsed which = parse_text("about: x\nunits: { a.service: installed, b.service: installed }\n"
                                                 "steps: [{ expect: { log: { message: a } } }]\n");

        ck_assert_ptr_null(only_scenario(&parsed)->steps[0].expectations[0].unit);
        assert_only_diagnostic(&which, 3, 21, "of which unit?");
}
END_TEST

START_TEST(finds_expectations_by_name) {
        CLEANUP_PARSED Parsed parsed =
                        parse_text(HEAD "steps:\n"
                                        "  - expect: { log: { message: b, after: first-line } }\n"
                                        "  - repeat:\n"
                                        "      times: 2\n"
                                        "      steps:\n"
                                        "        - expect: { log: { name: first-line, message: a } }\n");
        CLEANUP_PARSED Parsed own = parse_text(
                        HEAD "steps: [{ expect: { log: { name: first-line, message: b, after: first-line } } }]\n");
        CLEANUP_PARSED Parsed other_kind = parse_text(
                        HEAD "steps: [{ expect: { job: { name: first-job, result: done }, log: { message: b, "
                             "after: first-job } } }]\n");

        (void) only_scenario(&parsed);
        assert_only_diagnostic(&own, 3, 65, "names another `log` expectation, and none is called `first-line`");
        assert_only_diagnostic(&other_kind, 3, 87, "and none is called `first-job`");
}
END_TEST

START_TEST(takes_defaults) {
        CLEANUP_PARSED Parsed parsed = parse_text(HEAD "steps:\n"
                                                       "  - crash:\n"
                                                       "  - expect: { left-behind: {} }\n");
        const Scenario *scenario = only_scenario(&parsed);
        const Value *what = expectation_value(&scenario->steps[1].expectations[0], "what");

        ck_assert_uint_eq(step_value(&scenario->steps[0], "signal")->integer, 9);
        ck_assert_str_eq(what->matches[0].name, "processes");
}
END_TEST

START_TEST(knows_instances) {
        CLEANUP_PARSED Parsed parsed =
                        parse_text("about: x\nunits: { a@.service: installed }\nsteps:\n  - start: a@1.service\n");
        CLEANUP_PARSED Parsed which = parse_text("about: x\nunits: { a@.service: installed }\nsteps:\n  - start:\n");

        ck_assert_str_eq(only_scenario(&parsed)->steps[0].unit, "a@1.service");
        assert_only_diagnostic(&which, 4, 5, "of which unit?");
}
END_TEST

START_TEST(finds_sections) {
        ck_assert_str_eq(unit_property_section("a.service", "ExecStart"), "Service");
        ck_assert_str_eq(unit_property_section("a.service", "MemoryMax"), "Service");
        ck_assert_str_eq(unit_property_section("a.slice", "MemoryMax"), "Slice");
        ck_assert_str_eq(unit_property_section("a.service", "StartLimitBurst"), "Unit");
        ck_assert_str_eq(unit_property_section("a.socket", "ListenStream"), "Socket");
        ck_assert_str_eq(unit_property_section("a.timer", "WantedBy"), "Install");
        ck_assert_ptr_null(unit_property_section("a.service", "ListenStream"));
        ck_assert_ptr_null(unit_property_section("a.target", "ExecStart"));
}
END_TEST

Suite *parse_suite(void) {
        Suite *suite = suite_create("parse");
        TCase *tests = tcase_create("parse");

        tcase_add_test(tests, reads_a_scenario);
        tcase_add_test(tests, names_by_place_and_by_name);
        tcase_add_test(tests, puts_variables_in);
        tcase_add_test(tests, expands_the_matrix);
        tcase_add_test(tests, selects_from_the_matrix);
        tcase_add_test(tests, names_documents);
        tcase_add_test(tests, sets_the_stage);
        tcase_add_test(tests, reads_comparisons);
        tcase_add_test(tests, saves_groups);
        tcase_add_test(tests, saves_no_groups_without_save);
        tcase_add_test(tests, lines_of_any_unit_are_of_none);
        tcase_add_test(tests, finds_expectations_by_name);
        tcase_add_test(tests, takes_defaults);
        tcase_add_test(tests, knows_instances);
        tcase_add_test(tests, finds_sections);
        suite_add_tcase(suite, tests);
        return suite;
}
