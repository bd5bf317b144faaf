/* SPDX-License-Identifier: MIT */
#include "bench.h"
#include "observe/kmsg-watch.h"
#include "suites.h"

START_TEST(only_what_explains_a_death_is_recorded) {
        ck_assert(kmsg_is_relevant("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task=hog,pid=12,uid=0"));
        ck_assert(kmsg_is_relevant("Memory cgroup out of memory: Killed process 12 (hog) total-vm:1kB"));
        ck_assert(kmsg_is_relevant("cgroup: fork rejected by pids controller in /system.slice/x.service"));
        ck_assert(kmsg_is_relevant("x[12]: segfault at 0 ip 0000 sp 0000 error 4 in x[400000+1000]"));
        ck_assert(!kmsg_is_relevant("eth0: link becomes ready"));
        ck_assert(!kmsg_is_relevant(""));
}
END_TEST

START_TEST(no_kernel_log_is_said) {
        Bench *bench = bench_new();
        CLEANUP(kmsg_watch_free_p) KmsgWatch *watch = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_int_eq(kmsg_watch_new(&bench->observer, -EBADF, &watch, &error), 0);
        ck_assert_str_eq(entry_get(bench_last(bench, ENTRY_CHANNEL), "channel"), "kmsg");
        ck_assert_str_eq(entry_get(bench_last(bench, ENTRY_CHANNEL), "health"), "absent");
        ck_assert_int_eq(kmsg_watch_drain(watch), 0);
        watch = kmsg_watch_free(watch);
        bench_free(bench);
}
END_TEST

Suite *kmsg_suite(void) {
        Suite *suite = suite_create("kmsg");
        TCase *cases = tcase_create("kmsg");

        tcase_add_test(cases, only_what_explains_a_death_is_recorded);
        tcase_add_test(cases, no_kernel_log_is_said);
        suite_add_tcase(suite, cases);
        return suite;
}
