/* SPDX-License-Identifier: MIT */
#include "recording.h"
#include "suites-b.h"

#define CLEANUP_RECORDING CLEANUP(recording_done)
#define SOCKET_ENTRY(...) recording_add(&recording, SOURCE_SOCKET, ENTRY_SOCKET, BEGIN, NULL, __VA_ARGS__)

START_TEST(accepting_is_expected) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "socket: /run/s");
        assert_examined(&recording, SOCKET_ENTRY("address=/run/s", "errno=0"), TRUTH_TRUE,
                        "it accepted a connection");
        assert_examined(&recording, SOCKET_ENTRY("address=/run/s", "errno=2"), TRUTH_FALSE, "No such file");
        assert_examined(&recording, SOCKET_ENTRY("address=/run/s", "errno=111"), TRUTH_FALSE, "Connection refused");
        assert_examined(&recording, SOCKET_ENTRY("address=/run/s", "errno=110"), TRUTH_FALSE, "timed out");
        assert_examined(&recording, SOCKET_ENTRY("address=/run/s", "errno=13"), TRUTH_UNKNOWN, "could not be tried");
        assert_examined(&recording, SOCKET_ENTRY("address=/run/s", "errno=24"), TRUTH_UNKNOWN, "could not be tried");
        assert_examined(&recording, SOCKET_ENTRY("address=/run/t", "errno=0"), TRUTH_IRRELEVANT, "");
        assert_described(&recording, "/run/s accepts a connection");
}
END_TEST

START_TEST(silence_can_be_expected) {
        CLEANUP_RECORDING Recording recording;

        recording_init(&recording, "socket: { address: '127.0.0.1:6379', accepts: no }");
        assert_examined(&recording, SOCKET_ENTRY("address=127.0.0.1:6379", "errno=0"), TRUTH_FALSE, "it accepted");
        assert_examined(&recording, SOCKET_ENTRY("address=127.0.0.1:6379", "errno=111"), TRUTH_TRUE, "refused");
        assert_examined(&recording, SOCKET_ENTRY("address=127.0.0.1:6379", "errno=1"), TRUTH_UNKNOWN,
                        "could not be tried");
        assert_described(&recording, "127.0.0.1:6379 accepts no connection");
}
END_TEST

START_TEST(addresses_are_checked) {
        assert_refused("socket: run/s", "this is");
        assert_refused("socket: 'localhost:'", "this is");
        assert_refused("socket: ':80'", "this is");
        assert_refused("socket: 'localhost:http'", "this is");
        assert_refused("socket: '127.0.0.1:99999'", "/path, @name, 1.2.3.4:80");
}
END_TEST

Suite *socket_suite(void) {
        Suite *suite = suite_create("expect-socket");
        TCase *tests = tcase_create("socket");

        tcase_add_test(tests, accepting_is_expected);
        tcase_add_test(tests, silence_can_be_expected);
        tcase_add_test(tests, addresses_are_checked);
        suite_add_tcase(suite, tests);
        return suite;
}
