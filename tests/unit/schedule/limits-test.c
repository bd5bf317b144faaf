/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>

#include "schedule/limits.h"
#include "suites.h"

#define MIB  UINT64_C(1048576)
#define MANY UINT64_MAX

static const struct {
        unsigned n_wanted;
        size_t n_plays;
        uint64_t inotify, descriptors, tasks, memory;
        unsigned n_jobs;
        const char *note; /* part of it; NULL: none */
} rows[] = {
        { 0, 100, MANY, MANY, MANY, MANY, 8, NULL },
        { 32, 100, MANY, MANY, MANY, MANY, 32, NULL },
        { 32, 5, MANY, MANY, MANY, MANY, 5, NULL },
        { 32, 100, 126, MANY, MANY, MANY, 21,
                        "21 scenarios side by side instead of 32: fs.inotify.max_user_instances=128 leaves 126" },
        { 32, 5, 126, MANY, MANY, MANY, 5, NULL }, /* a limit that is not reached is not told */
        { 32, 100, MANY, 60, MANY, MANY, 10, "ulimit -n" },
        { 32, 100, MANY, MANY, 400, MANY, 10, "pids.max" },
        { 32, 100, MANY, MANY, MANY, 640 * MIB, 10, "memory" },
        { 32, 100, 126, 60, 400, 64 * MIB, 1, "1 scenarios side by side instead of 32: the memory" },
        { 1, 100, 0, 0, 0, 0, 1, NULL },
        { 4, 100, 0, MANY, MANY, MANY, 1, "inotify" },
};

START_TEST(decides) {
        CLEANUP_TEXT Text note = TEXT_INIT;
        Limits limits = {
                .n_cores = 2,
                .inotify_max = 128,
                .inotify_left = rows[_i].inotify,
                .descriptors_left = rows[_i].descriptors,
                .tasks_left = rows[_i].tasks,
                .memory_left_bytes = rows[_i].memory,
        };

        ck_assert_uint_eq(limits_jobs(&limits, rows[_i].n_wanted, rows[_i].n_plays, &note), rows[_i].n_jobs);
        if (rows[_i].note)
                ck_assert_msg(strstr(text_get(&note), rows[_i].note), "%s", text_get(&note));
        else
                ck_assert_str_eq(text_get(&note), "");
}
END_TEST

START_TEST(sees_an_inotify_instance_more) {
        Limits before, after;
        int fd;

        limits_read(NULL, &before);
        ck_assert_uint_ge(before.n_cores, 1);
        ck_assert_uint_gt(before.memory_left_bytes, MIB);
        fd = inotify_init1(IN_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        limits_read(NULL, &after);
        (void) close(fd);
        /* Others make and close some meanwhile; ours is among those that are counted. */
        ck_assert_uint_lt(after.inotify_left, after.inotify_max);
}
END_TEST

START_TEST(other_runs_are_counted_by_what_they_will_take) {
        CLEANUP_TEXT Text note = TEXT_INIT;
        RunShare others = { .n_jobs = 1000000 }; /* more than any limit allows */
        Limits limits;

        limits_read(&others, &limits);
        ck_assert_uint_eq(limits.inotify_left, 0);
        ck_assert_uint_eq(limits_jobs(&limits, 8, 100, &note), 1);
        ck_assert_msg(strstr(text_get(&note), "other runs play 1000000 side by side"), "%s", text_get(&note));
}
END_TEST

Suite *limits_suite(void) {
        Suite *suite = suite_create("limits");
        TCase *cases = tcase_create("limits");

        tcase_add_loop_test(cases, decides, 0, ELEMENTS_OF(rows));
        tcase_add_test(cases, sees_an_inotify_instance_more);
        tcase_add_test(cases, other_runs_are_counted_by_what_they_will_take);
        suite_add_tcase(suite, cases);
        return suite;
}
