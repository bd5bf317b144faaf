/* SPDX-License-Identifier: MIT */
#include "recording.h"
#include "suites-b.h"

#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define CLEANUP_RECORDING CLEANUP(recording_done)
#define FILE_ENTRY(...)   recording_add(&recording, SOURCE_FILE, ENTRY_FILE, BEGIN, NULL, __VA_ARGS__)

START_TEST(every_attribute_is_compared) {
        CLEANUP_RECORDING Recording recording;
        static const struct {
                const char *expect, *seen;
                Truth truth;
        } samples[] = {
                { "type: file", "type was \"file\"", TRUTH_TRUE },
                { "type: directory", "type was \"file\"", TRUTH_FALSE },
                { "mode: '0640'", "mode was \"0640\"", TRUTH_TRUE },
                { "mode: 0644", "mode was \"0640\"", TRUTH_FALSE },
                { "owner: agent", "owner was \"agent\"", TRUTH_TRUE },
                { "owner: 997", "owner was \"997\"", TRUTH_TRUE },
                { "owner: root", "owner was \"agent\"", TRUTH_FALSE },
                { "group: 996", "group was \"996\"", TRUTH_TRUE },
                { "group: wheel", "group was \"adm\"", TRUTH_FALSE },
                { "size: <= 1K", "size was \"12\"", TRUTH_TRUE },
                { "size: '> 12'", "size was \"12\"", TRUTH_FALSE },
                { "sha256: " SHA256, "sha256 was \"" SHA256 "\"", TRUTH_TRUE },
                { "target: '/x'", "target was \"/x\"", TRUTH_TRUE },
                { "content: '{\"pid\": 42}'", "content was \"{\\\"pid\\\": 42}\"", TRUTH_TRUE },
                { "content: /43/", "content was", TRUTH_FALSE },
                { "json: { pid: 42 }", "json.pid was \"42\"", TRUTH_TRUE },
                { "json: { pid: '>= 43' }", "json.pid was \"42\"", TRUTH_FALSE },
                { "json: { name: x }", "json.name was not there", TRUTH_FALSE },
                { "type: file, mode: '0600', owner: agent", "mode was \"0640\"", TRUTH_FALSE },
        };
        CLEANUP_TEXT Text expect = TEXT_INIT;

        text_printf(&expect, "file: { path: /run/a, %s }", samples[_i].expect);
        recording_init(&recording, text_get(&expect));
        assert_examined(&recording,
                        FILE_ENTRY("path=/run/a", "type=file", "mode=0640", "owner=agent", "uid=997", "group=adm",
                                        "gid=996", "size=12", "sha256=" SHA256, "target=/x", "bytes={\"pid\": 42}\n"),
                        samples[_i].truth, samples[_i].seen);
}
END_TEST
#define N_ATTRIBUTES 19

START_TEST(a_file_exists_or_not) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "file: /run/a");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "type=file"), TRUTH_TRUE, "the file was there");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "errno=2"), TRUTH_FALSE, "there was no such file");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "errno=20"), TRUTH_FALSE, "there was no such file");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "errno=13"), TRUTH_UNKNOWN, "Permission denied");
        assert_examined(&recording, FILE_ENTRY("path=/run/b", "errno=2"), TRUTH_IRRELEVANT, "");
        assert_examined(&recording,
                        recording_add(&recording, SOURCE_SOCKET, ENTRY_SOCKET, BEGIN, NULL, "path=/run/a"),
                        TRUTH_IRRELEVANT, "");
        assert_described(&recording, "/run/a exists");
}
END_TEST

START_TEST(absence_can_be_expected) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "file: { path: /run/a, exists: no }");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "type=file"), TRUTH_FALSE, "the file was there");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "errno=2"), TRUTH_TRUE, "there was no such file");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "errno=13"), TRUTH_UNKNOWN, "Permission denied");
        assert_described(&recording, "/run/a does not exist");
}
END_TEST

START_TEST(a_link_that_leads_nowhere_is_there) {
        CLEANUP_RECORDING Recording recording, absent;

        recording_init(&recording, "file: { path: /run/a, type: symlink, target: '/gone' }");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "errno=2", "type=symlink", "target=/gone"), TRUTH_TRUE,
                        "target was \"/gone\"");
        recording_init(&absent, "file: { path: /run/a, exists: no }");
        assert_examined(&absent,
                        recording_add(&absent, SOURCE_FILE, ENTRY_FILE, BEGIN, NULL, "path=/run/a", "errno=2",
                                        "type=symlink"),
                        TRUTH_FALSE, "the file was there");
}
END_TEST

START_TEST(what_was_not_kept_is_unknown) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "file: { path: /run/a, content: /x/, json: { a: 1 } }");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "bytes=abc", "truncated=yes"), TRUTH_UNKNOWN,
                        "too large");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "type=directory"), TRUTH_UNKNOWN, "not known");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "bytes=x{"), TRUTH_FALSE, "no JSON");
        assert_described(&recording, "/run/a: content matches /x/, json.a equals \"1\"");
}
END_TEST

START_TEST(a_difference_outweighs_what_is_unknown) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "file: { path: /run/a, mode: '0600', sha256: " SHA256 " }");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "mode=0644"), TRUTH_FALSE, "mode was \"0644\"");
        assert_examined(&recording, FILE_ENTRY("path=/run/a", "mode=0600"), TRUTH_UNKNOWN, "sha256 is not known");
}
END_TEST

START_TEST(contradictions_are_refused) {
        assert_refused("file: run/a", "begins with a slash");
        assert_refused("file: { path: /a, exists: no, mode: '0600' }", "does not exist is nothing to compare");
        assert_refused("file: { path: /a, mode: rw }", "four octal digits");
        assert_refused("file: { mode: '0600' }", "needs the key `path`");
}
END_TEST

Suite *file_suite(void) {
        Suite *suite = suite_create("expect-file");
        TCase *tests = tcase_create("file");

        tcase_add_loop_test(tests, every_attribute_is_compared, 0, N_ATTRIBUTES);
        tcase_add_test(tests, a_file_exists_or_not);
        tcase_add_test(tests, absence_can_be_expected);
        tcase_add_test(tests, a_link_that_leads_nowhere_is_there);
        tcase_add_test(tests, what_was_not_kept_is_unknown);
        tcase_add_test(tests, a_difference_outweighs_what_is_unknown);
        tcase_add_test(tests, contradictions_are_refused);
        suite_add_tcase(suite, tests);
        return suite;
}
