/* SPDX-License-Identifier: MIT */
#include "recording.h"
#include "suites-b.h"

#define CLEANUP_RECORDING CLEANUP(recording_done)

START_TEST(the_latest_value_before_the_place_counts) {
        CLEANUP_RECORDING Recording recording;
        CaptureScope scope;
        TemplateLookup lookup;
        size_t second;

        recording_init(&recording, "file: /a");
        recording_add(&recording, SOURCE_HARNESS, ENTRY_CAPTURE, BEGIN, NULL, "name=id", "value=1");
        recording_add(&recording, SOURCE_HARNESS, ENTRY_CAPTURE, BEGIN, NULL, "name=other", "value=x");
        second = recording_add(&recording, SOURCE_HARNESS, ENTRY_CAPTURE, BEGIN, NULL, "name=id", "value=2")->index;

        scope = (CaptureScope){ .facts = &recording.facts, .before = SIZE_MAX };
        lookup = capture_lookup(&scope);
        ck_assert_str_eq(lookup.find("id", lookup.userdata), "2");
        ck_assert_str_eq(lookup.find("other", lookup.userdata), "x");
        scope.before = second;
        ck_assert_str_eq(lookup.find("id", lookup.userdata), "1");
        scope.before = 0;
        ck_assert_ptr_null(lookup.find("id", lookup.userdata));
}
END_TEST

START_TEST(a_capture_hides_a_variable) {
        CLEANUP_RECORDING Recording recording;
        CaptureScope scope = { .before = SIZE_MAX };
        TemplateLookup lookup;

        recording_init(&recording, "file: /a");
        scope.facts = &recording.facts;
        lookup = capture_lookup(&scope);
        ck_assert_str_eq(lookup.find("given", lookup.userdata), "42");
        ck_assert_ptr_null(lookup.find("unheard-of", lookup.userdata));
        recording_add(&recording, SOURCE_HARNESS, ENTRY_CAPTURE, BEGIN, NULL, "name=given", "value=43");
        ck_assert_str_eq(lookup.find("given", lookup.userdata), "43");
}
END_TEST

Suite *capture_suite(void) {
        Suite *suite = suite_create("capture");
        TCase *tests = tcase_create("capture");

        tcase_add_test(tests, the_latest_value_before_the_place_counts);
        tcase_add_test(tests, a_capture_hides_a_variable);
        suite_add_tcase(suite, tests);
        return suite;
}
