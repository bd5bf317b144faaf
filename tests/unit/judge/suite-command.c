/* SPDX-License-Identifier: MIT */
#include "recording.h"
#include "suites-b.h"

#define CLEANUP_RECORDING CLEANUP(recording_done)
#define OWNER             "owner=steps[2].expect.command"
#define COMMAND_ENTRY(...)                                                                                           \
        recording_add(&recording, SOURCE_COMMAND, ENTRY_COMMAND, BEGIN, NULL, OWNER, "command=ctl list", __VA_ARGS__)

START_TEST(status_zero_is_expected) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "command: ctl list");
        assert_examined(&recording, COMMAND_ENTRY("status=0"), TRUTH_TRUE, "status was \"0\"");
        assert_examined(&recording, COMMAND_ENTRY("status=768", "stderr=no agent\n"), TRUTH_FALSE,
                        "status was \"3\", stderr was \"no agent\"");
        assert_examined(&recording, COMMAND_ENTRY("status=9"), TRUTH_FALSE, "status was \"SIGKILL\"");
        assert_examined(&recording, COMMAND_ENTRY("status=9", "timed-out=yes"), TRUTH_FALSE, "did not end in time");
        assert_examined(&recording, COMMAND_ENTRY("errno=2"), TRUTH_UNKNOWN, "could not be executed: No such file");
        assert_described(&recording, "`ctl list`: status equals \"0\"");
}
END_TEST

START_TEST(other_commands_do_not_count) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "command: ctl list");
        assert_examined(&recording,
                        recording_add(&recording, SOURCE_COMMAND, ENTRY_COMMAND, BEGIN, NULL, "owner=steps[1]",
                                        "command=ctl list", "status=0"),
                        TRUTH_IRRELEVANT, "");
        assert_examined(&recording,
                        recording_add(&recording, SOURCE_COMMAND, ENTRY_COMMAND, BEGIN, NULL, OWNER,
                                        "command=ctl status", "status=0"),
                        TRUTH_IRRELEVANT, "");
}
END_TEST

START_TEST(another_status_can_be_expected) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "command: { run: ctl list, status: [3, SIGPIPE] }");
        assert_examined(&recording, COMMAND_ENTRY("status=768"), TRUTH_TRUE, "status was \"3\"");
        assert_examined(&recording, COMMAND_ENTRY("status=13"), TRUTH_TRUE, "status was \"SIGPIPE\"");
        assert_examined(&recording, COMMAND_ENTRY("status=0"), TRUTH_FALSE, "status was \"0\"");
}
END_TEST

START_TEST(output_is_compared_without_its_last_newlines) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "command: { run: ctl list, stdout: '${acked}', stderr: /^$|warn/ }");
        recording_add(&recording, SOURCE_HARNESS, ENTRY_CAPTURE, BEGIN, NULL, "name=acked", "value=1\n2");
        assert_examined(&recording, COMMAND_ENTRY("status=0", "stdout=1\n2\n\n"), TRUTH_TRUE, "stdout was \"1\\n2\"");
        assert_examined(&recording, COMMAND_ENTRY("status=0", "stdout=1\n"), TRUTH_FALSE, "stdout was \"1\"");
        assert_examined(&recording, COMMAND_ENTRY("status=0", "stdout=1\n2", "stderr=error"), TRUTH_FALSE,
                        "stderr was \"error\"");
        assert_examined(&recording, COMMAND_ENTRY("status=0"), TRUTH_FALSE, "stdout was \"\"");
        assert_examined(&recording, COMMAND_ENTRY("status=0", "stdout=1", "truncated=stdout"), TRUTH_UNKNOWN,
                        "too long");
        assert_examined(&recording, COMMAND_ENTRY("status=256", "stdout=1", "truncated=stdout"), TRUTH_FALSE,
                        "status was \"1\"");
}
END_TEST

Suite *command_suite(void) {
        Suite *suite = suite_create("expect-command");
        TCase *tests = tcase_create("command");

        tcase_add_test(tests, status_zero_is_expected);
        tcase_add_test(tests, other_commands_do_not_count);
        tcase_add_test(tests, another_status_can_be_expected);
        tcase_add_test(tests, output_is_compared_without_its_last_newlines);
        suite_add_tcase(suite, tests);
        return suite;
}
