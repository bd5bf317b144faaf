/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

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

START_TEST(what_the_kernel_escaped_is_undone) {
        static const char record[] =
                        "6,12,34,-;oom-kill:task_memcg=/system-my\\x5cx2dagent.slice,task=a\\x09\\xzz\\x00\n";
        Bench *bench = bench_new();
        CLEANUP(kmsg_watch_free_p) KmsgWatch *watch = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        ck_assert_int_eq(kmsg_watch_new(&bench->observer, fds[0], &watch, &error), 0);
        ck_assert_int_eq(write(fds[1], record, strlen(record)), (int) strlen(record));
        ck_assert_int_eq(kmsg_watch_drain(watch), 0);
        ck_assert_str_eq(entry_get(bench_last(bench, ENTRY_KERNEL), "MESSAGE"),
                        "oom-kill:task_memcg=/system-my\\x2dagent.slice,task=a\t\\xzz\\x00");
        watch = kmsg_watch_free(watch);
        (void) close(fds[0]);
        (void) close(fds[1]);
        bench_free(bench);
}
END_TEST

Suite *kmsg_suite(void) {
        Suite *suite = suite_create("kmsg");
        TCase *cases = tcase_create("kmsg");

        tcase_add_test(cases, only_what_explains_a_death_is_recorded);
        tcase_add_test(cases, no_kernel_log_is_said);
        tcase_add_test(cases, what_the_kernel_escaped_is_undone);
        suite_add_tcase(suite, cases);
        return suite;
}
