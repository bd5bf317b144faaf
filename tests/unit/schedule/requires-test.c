/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "schedule/requires.h"
#include "suites.h"

START_TEST(what_is_there_is_not_missing) {
        char *commands[] = { (char *) "sh", (char *) "/bin/sh" }, *paths[] = { (char *) "/proc" };
        ScenarioRequires requires = { .commands = commands, .n_commands = 2, .paths = paths, .n_paths = 1 };
        CLEANUP_TEXT Text reason = TEXT_INIT;

        requires.systemd_version = systemd_version();
        ck_assert_uint_ge(requires.systemd_version, 200);
        requires_missing(&requires, NULL, NULL, &reason);
        ck_assert_str_eq(text_get(&reason), "");
}
END_TEST

START_TEST(everything_that_is_missing_is_told) {
        char *commands[] = { (char *) "no-such-command" }, *paths[] = { (char *) "/no/such/path" },
             *controllers[] = { (char *) "no-such-controller" };
        ScenarioRequires requires = {
                .controllers = controllers,
                .n_controllers = 1,
                .commands = commands,
                .n_commands = 1,
                .paths = paths,
                .n_paths = 1,
                .systemd_version = 9999,
        };
        CLEANUP_TEXT Text reason = TEXT_INIT, wanted = TEXT_INIT;

        text_printf(&wanted,
                        "cgroup controller no-such-controller is not there; command no-such-command is not in PATH; "
                        "path "
                        "/no/such/path: No such file or directory; systemd 9999 or newer is needed, this is %u",
                        systemd_version());
        requires_missing(&requires, NULL, NULL, &reason);
        ck_assert_str_eq(text_get(&reason), text_get(&wanted));
}
END_TEST

START_TEST(what_was_built_counts_as_a_command) {
        put_file("build/agentctl", "");
        ck_assert(!command_exists("agentctl", "build"));
        ck_assert_int_eq(chmod("build/agentctl", 0755), 0);
        ck_assert(command_exists("agentctl", "build"));
        ck_assert(!command_exists("agentctl", NULL));
        ck_assert(!command_exists("build", "."));
}
END_TEST

Suite *requires_suite(void) {
        Suite *suite = suite_create("requires");
        TCase *cases = tcase_create("requires");

        tcase_add_checked_fixture(cases, enter_folder, leave_folder);
        tcase_add_test(cases, what_is_there_is_not_missing);
        tcase_add_test(cases, everything_that_is_missing_is_told);
        tcase_add_test(cases, what_was_built_counts_as_a_command);
        suite_add_tcase(suite, cases);
        return suite;
}
