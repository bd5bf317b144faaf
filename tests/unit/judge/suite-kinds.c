/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "recording.h"
#include "suites-b.h"

static const ExpectKind *const kinds[] = {
        &log_expectation,
        &process_expectation,
        &file_expectation,
        &sqlite_expectation,
        &socket_expectation,
        &command_expectation,
        &left_behind_expectation,
        &trend_expectation,
};

START_TEST(the_example_is_valid_and_can_be_described) {
        const ExpectKind *kind = kinds[_i];
        CLEANUP(recording_done) Recording recording;
        CLEANUP_FREE char *description = NULL;

        recording_init(&recording, kind->spec.example);
        ck_assert_ptr_eq(recording.expectation->kind, &kind->spec);
        description = kind->describe(recording.expectation, &recording.facts);
        ck_assert_ptr_nonnull(description);
        ck_assert_uint_gt(strlen(description), 0);
}
END_TEST

START_TEST(every_key_is_documented) {
        const ExpectKind *kind = kinds[_i];

        ck_assert_ptr_nonnull(kind->spec.doc);
        ck_assert((kind->examine != NULL) != (kind->evaluate != NULL));
        FOREACH_ARRAY (key, kind->spec.keys, kind->spec.n_keys) {
                ck_assert_ptr_nonnull(key->name);
                ck_assert_msg(key->doc && key->doc[strlen(key->doc) - 1] == '.', "%s.%s", kind->spec.name, key->name);
        }
}
END_TEST

START_TEST(properties_that_no_unit_has_are_refused) {
        assert_refused("state: { ActivState: active }",
                        "no unit has a property `ActivState` that can be compared; did you mean `ActiveState`?");
        assert_refused("state: { properties: { activestate: active } }", "did you mean `ActiveState`?");
        assert_refused("state: { Conditions: x }", "no unit has a property `Conditions`"); /* a structure */
}
END_TEST

/* Below `not` and `never` a misspelt word would hold for good. */
START_TEST(literals_that_are_never_seen_are_refused) {
        CLEANUP(recording_done) Recording recording;

        assert_refused("state: { ActiveState: faild }", "`ActiveState` is never `faild`; did you mean `failed`?");
        assert_refused("state: { ActiveState: { not: [active, banana] } }", "`ActiveState` is never `banana`");
        assert_refused("state: { Result: sucess }", "`Result` is never `sucess`; did you mean `success`?");
        assert_refused("state: { NRestarts: none }", "`NRestarts` is a number, and never `none`");
        assert_refused("job: faild", "`result` is never `faild`; did you mean `failed`?");
        assert_refused("job: { type: strat }", "`type` is never `strat`; did you mean `start`?");
        assert_refused("exit: { signal: SIGSEVG }", "`signal` is never `SIGSEVG`; did you mean `SIGSEGV`?");
        assert_refused("exit: { signal: { not: KILL } }", "`signal` is never `KILL`; did you mean `SIGKILL`?");
        assert_refused("exit: { signal: 9 }", "did you mean `SIGKILL`?");
        assert_refused("exit: { code: zero }", "`code` is a number, and never `zero`");
        assert_refused("exit: { signal: SIGTERM, after: soon }", "`after` is a number, and never `soon`");
        assert_refused("file: { path: /a, type: fil }", "`type` is never `fil`; did you mean `file`?");
        assert_refused("file: { path: /a, size: big }", "`size` is a number, and never `big`");
        assert_refused("log: { message: x, count: many }", "`count` is a number, and never `many`");
        assert_refused("restart: { count: many }", "`count` is a number, and never `many`");
        assert_refused("process: { fds: few }", "`fds` is a number, and never `few`");

        assert_refused("oom-kill: { count: banana }", "`count` is a number, and never `banana`");
        assert_refused("cgroup: { pids.denied: banana }", "`pids.denied` is a number, and never `banana`");
        assert_refused("cgroup: { 'file:..': 1 }", "there is no counter `file:..`");
        assert_refused("limit: { MemoryMax: '64M' }", "`64M` in quotes is a text: write it without them");
        assert_refused("limit: { TasksMax: [10, few] }", "`TasksMax` is a number, and never `few`");

        /* Words of a newer systemd, patterns, what is known at run time only. */
        recording_init(&recording, "state: { ActiveState: /^act/, Result: [success, freshly-made] }");
        recording_done(&recording);
        recording_init(&recording, "exit: { signal: [SIGKILL, SIGRTMIN+3], after: <= 2s }");
        recording_done(&recording);
        recording_init(&recording, "cgroup: { memory.max: infinity, 'file:memory.max': max }");
        recording_done(&recording);
        recording_init(&recording, "limit: { TasksMax: '10', MemoryMax: [infinity, 64M], CPUQuota: 50% }");
        recording_done(&recording);
        recording_init(&recording, "file: { path: /a, type: character device, size: 1K..64K }");
}
END_TEST

/* They would be red, inconclusive or green whatever the daemon does. */
START_TEST(numbers_that_cannot_be_are_refused) {
        static const char *const NEVER[][2] = {
                { "exit: { code: 300 }", "`code` is never `300`" },
                { "exit: { code: { not: 300 } }", "`code` is never `300`" },
                { "exit: { code: [0, 1.5] }", "`code` is never `1.5`" },
                { "exit: { code: '>= 256' }", "`code` is never `>= 256`" },
                { "exit: { signal: SIGTERM, after: '<= -1' }",
                                "`after` is a duration or number of microseconds from 0 up, and never `<= -1`" },
                { "command: { run: x, status: 999 }", "`status` is never `999`" },
                { "command: { run: x, status: SIGKIL }", "`status` is never `SIGKIL`" },
                { "log: { message: x, count: '<= -1' }", "`count` can never hold" },
                { "log: { message: x, count: { not: -1 } }", "`count` can never fail" },
                { "restart: { count: -1 }", "`count` can never hold" },
                { "restart: { count: '< 0' }", "`count` can never hold" },
                { "oom-kill: { count: 0.5 }", "`count` can never hold" },
                { "process: { fds: -2..-1 }", "`fds` can never hold" },
                { "process: { umask: \"9\" }", "`umask` takes four octal digits" },
                { "process: { session: mine }", "`session` is a number, and never `mine`" },
                { "file: { path: /a, mode: \"0640x\" }", "`mode` takes four octal digits" },
                { "file: { path: /a, mode: { not: \"640\" } }", "`mode` takes four octal digits" },
                { "file: { path: /a, sha256: abc }", "`sha256` takes 64 hexadecimal digits in lower case" },
                { "file: { path: /a, size: -5 }", "`size` can never hold" },
                { "state: { TimeoutStopUSec: 5x }", "`TimeoutStopUSec` is a number, and never `5x`" },
                { "state: { MemoryMax: foo }", "`MemoryMax` is a number, and never `foo`" },
                { "state: { NRestarts: -1 }", "`NRestarts` can never hold" },
                { "limit: { MemoryMax: foo }", "`MemoryMax` is a number, and never `foo`" },
                { "limit: { TasksMax: -5 }", "`TasksMax` is a number or size from 0 up or infinity, and never `-5`" },
                { "cgroup: { memory.peak: foo }", "`memory.peak` is a number, and never `foo`" },
                { "limit: { TasksMax: 50% }", "and never `50%`" },
                { "limit: { MemoryMax: '<= 5s' }", "and never `<= 5s`" },
                { "limit: { CPUQuota: 1K }", "`CPUQuota` is a percentage from 0 up or infinity, and never `1K`" },
                { "cgroup: { cpu.load: 1s..2s }", "`cpu.load` is a percentage" },
                { "state: { TimeoutStopUSec: 64K }", "and never `64K`" },
                { "log: { message: x, count: 5s }", "`count` can never hold" },
        };

        assert_refused(NEVER[_i][0], NEVER[_i][1]);
}
END_TEST

START_TEST(what_contradicts_or_says_nothing_is_refused) {
        assert_refused("exit: { code: 0, clean: no }", "`clean: no` contradicts `code`");
        assert_refused("exit: { code: 1, clean: yes }", "`clean: yes` contradicts `code`");
        assert_refused("exit: { code: '>= 1', clean: yes }", "`clean: yes` contradicts `code`");
        assert_refused("command: \"\"", "`run` is empty: there is nothing to run");
        assert_refused("command: { run: \" \", status: 0 }", "`run` is empty: there is nothing to run");
}
END_TEST

START_TEST(numbers_that_can_be_are_taken) {
        static const char *const FINE[] = {
                "exit: { code: 0, clean: yes }",
                "exit: { code: [0, 1], clean: no }",
                "exit: { code: \"<= 255\" }",
                "exit: { signal: SIGTERM, after: 100ms..2s }",
                "exit: { code: \"${id}\", clean: no }",
                "command: { run: x, status: [255, SIGTERM, /^SIG/] }",
                "log: { message: x, count: \"<= 0\" }",
                "log: { message: x, count: \"${acked}\" }",
                "oom-kill: { count: 0 }",
                "process: { umask: \"0022\", session: own, fds: \"<= 1K\" }",
                "state: { TimeoutStopUSec: [5s, infinity], MemoryMax: { not: infinity }, ExecMainStatus: 0 }",
                "limit: { MemoryMax: 64M, TasksMax: \"10\", CPUQuota: 12.5%, LimitNOFILE: infinity }",
                "cgroup: { cpu.load: 1%..55%, memory.max: infinity, \"file:memory.stat\": /x/ }",
        };
        CLEANUP(recording_done) Recording recording;

        recording_init(&recording, FINE[_i]);
}
END_TEST

START_TEST(properties_of_every_type_of_unit_are_known) {
        CLEANUP(recording_done) Recording recording;

        recording_init(&recording, "state: { ActiveState: active, NRestarts: 0, NAccepted: 1, "
                                   "NextElapseUSecMonotonic: 0, Where: "
                                   "x, MakeDirectory: no, MemoryMax: 64M, SysFSPath: x, RuntimeMaxUSec: 1s }");
}
END_TEST

Suite *kinds_suite(void) {
        Suite *suite = suite_create("kinds");
        TCase *tests = tcase_create("kinds");

        tcase_add_loop_test(tests, the_example_is_valid_and_can_be_described, 0, ELEMENTS_OF(kinds));
        tcase_add_loop_test(tests, every_key_is_documented, 0, ELEMENTS_OF(kinds));
        tcase_add_test(tests, properties_that_no_unit_has_are_refused);
        tcase_add_test(tests, literals_that_are_never_seen_are_refused);
        tcase_add_loop_test(tests, numbers_that_cannot_be_are_refused, 0, 31);
        tcase_add_test(tests, what_contradicts_or_says_nothing_is_refused);
        tcase_add_loop_test(tests, numbers_that_can_be_are_taken, 0, 13);
        tcase_add_test(tests, properties_of_every_type_of_unit_are_known);
        suite_add_tcase(suite, tests);
        return suite;
}
