/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "stage/deadline.h"
#include "stage/mount-table.h"
#include "suites.h"

static CgroupHierarchies *hierarchies;
static char mark[64];

static void set_up(void) {
        ck_assert_int_eq(cgroup_hierarchies_read(&hierarchies, NULL), 0);
        (void) snprintf(mark, sizeof(mark), "agenttest-unit%d", (int) getpid());
}

static void tear_down(void) {
        (void) cgroup_trees_destroy(hierarchies, mark, deadline_in(5 * USEC_PER_SEC), NULL);
        hierarchies = cgroup_hierarchies_free(hierarchies);
}

static int destroy(const char *which) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        r = cgroup_trees_destroy(hierarchies, which, deadline_in(5 * USEC_PER_SEC), &error);
        if (r < 0)
                (void) fprintf(stderr, "%s\n", error_text(&error));
        return r;
}

START_TEST(hierarchies_are_listed_once) {
        ck_assert_uint_gt(hierarchies->n_items, 0);
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items)
                ck_assert_ptr_eq(cgroup_hierarchies_find(hierarchies, item->controllers), item);
        ck_assert_ptr_null(cgroup_hierarchies_find(hierarchies, "no-such-controller"));
}
END_TEST

START_TEST(controllers_are_matched_as_words) {
        CgroupHierarchy item = { .controllers = (char *) "cpu,cpuacct", .mount_path = (char *) "/" };
        CgroupHierarchies one = { .items = &item, .n_items = 1 };

        ck_assert(cgroup_hierarchies_has_controller(&one, "cpu"));
        ck_assert(cgroup_hierarchies_has_controller(&one, "cpuacct"));
        ck_assert(!cgroup_hierarchies_has_controller(&one, "cpua"));
        ck_assert(cgroup_hierarchies_has_legacy(&one));
        item.controllers = (char *) "";
        ck_assert(!cgroup_hierarchies_has_legacy(&one));
}
END_TEST

START_TEST(created_trees_can_be_entered_and_destroyed) {
        pid_t child;

        ck_assert_int_eq(cgroup_trees_create(hierarchies, mark, NULL), 0);
        ck_assert_int_eq(cgroup_trees_create(hierarchies, mark, NULL), -EEXIST);
        child = fork_into_cgroups(mark);
        ck_assert_int_eq(destroy(mark), 0);
        ck_assert(!cgroups_exist(mark));
        ck_assert(WTERMSIG(wait_for(child, 1000)) == SIGKILL);
}
END_TEST

START_TEST(nested_cgroups_go_too) {
        char inner[600];

        ck_assert_int_eq(cgroup_trees_create(hierarchies, mark, NULL), 0);
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items) {
                (void) snprintf(inner, sizeof(inner), "%s/%s/a", item->mount_path, mark);
                ck_assert_int_eq(mkdir(inner, 0755), 0);
                strcat(inner, "/b");
                ck_assert_int_eq(mkdir(inner, 0755), 0);
        }
        ck_assert_int_eq(destroy(mark), 0);
        ck_assert(!cgroups_exist(mark));
}
END_TEST

START_TEST(scenarios_of_a_run_go_with_the_run) {
        char scenario[80];

        (void) snprintf(scenario, sizeof(scenario), "%s-7", mark);
        ck_assert_int_eq(cgroup_trees_create(hierarchies, scenario, NULL), 0);
        ck_assert_int_eq(destroy(mark), 0);
        ck_assert(!cgroups_exist(mark));
}
END_TEST

START_TEST(a_longer_mark_is_somebody_elses) {
        char other[80];
        pid_t child;

        (void) snprintf(other, sizeof(other), "%sx", mark);
        ck_assert_int_eq(cgroup_trees_create(hierarchies, other, NULL), 0);
        child = fork_into_cgroups(other);
        ck_assert_int_eq(destroy(mark), 0);
        ck_assert(cgroups_exist(other));
        ck_assert_int_eq(wait_for(child, 50), -1);
        ck_assert_int_eq(destroy(other), 0);
        ck_assert(WTERMSIG(wait_for(child, 1000)) == SIGKILL);
}
END_TEST

START_TEST(a_process_that_left_is_not_killed) {
        char path[600];
        pid_t child;
        FILE *file;

        ck_assert_int_eq(cgroup_trees_create(hierarchies, mark, NULL), 0);
        child = fork_into_cgroups(mark);
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items) {
                (void) snprintf(path, sizeof(path), "%s/cgroup.procs", item->mount_path);
                file = fopen(path, "we");
                ck_assert_ptr_nonnull(file);
                (void) fprintf(file, "%d", (int) child);
                ck_assert_int_eq(fclose(file), 0);
        }
        ck_assert_int_eq(destroy(mark), 0);
        ck_assert_int_eq(wait_for(child, 50), -1);
        (void) kill(child, SIGKILL);
        (void) waitpid(child, NULL, 0);
}
END_TEST

START_TEST(a_frozen_process_dies) {
        const CgroupHierarchy *freezer = cgroup_hierarchies_find(hierarchies, "freezer");
        CLEANUP_CLOSE int fd = -EBADF;
        char path[600];
        pid_t child;

        if (!freezer) {
                (void) fprintf(stderr, "SKIP a_frozen_process_dies: no v1 freezer here\n");
                return;
        }
        ck_assert_int_eq(cgroup_trees_create(hierarchies, mark, NULL), 0);
        child = fork_into_cgroups(mark);
        (void) snprintf(path, sizeof(path), "%s/%s/freezer.state", freezer->mount_path, mark);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, "FROZEN", 6), 6);
        ck_assert_int_eq(destroy(mark), 0);
        ck_assert(WTERMSIG(wait_for(child, 1000)) == SIGKILL);
}
END_TEST

START_TEST(nothing_there_is_success) {
        ck_assert_int_eq(destroy("agenttest-neverwas"), 0);
}
END_TEST

START_TEST(paths_are_compared_by_component) {
        ck_assert(path_is_below("/run", "/run"));
        ck_assert(path_is_below("/run/a", "/run"));
        ck_assert(!path_is_below("/running", "/run"));
        ck_assert(path_is_below("/run", "/"));
        ck_assert(!path_is_below("/", "/run"));
}
END_TEST

START_TEST(the_mount_table_has_the_root) {
        CLEANUP(mount_table_free_p) MountTable *table = NULL;
        bool found = false;

        ck_assert_int_eq(mount_table_read(&table, NULL), 0);
        FOREACH_ARRAY (entry, table->entries, table->n_entries)
                found = found || (strcmp(entry->path, "/") == 0 && mount_entry_is_visible(entry));
        ck_assert(found);
}
END_TEST

Suite *cgroup_suite(void) {
        Suite *suite = suite_create("cgroups");
        TCase *tests = tcase_create("trees");

        tcase_add_checked_fixture(tests, set_up, tear_down);
        tcase_set_timeout(tests, 20);
        tcase_add_test(tests, hierarchies_are_listed_once);
        tcase_add_test(tests, controllers_are_matched_as_words);
        tcase_add_test(tests, created_trees_can_be_entered_and_destroyed);
        tcase_add_test(tests, nested_cgroups_go_too);
        tcase_add_test(tests, scenarios_of_a_run_go_with_the_run);
        tcase_add_test(tests, a_longer_mark_is_somebody_elses);
        tcase_add_test(tests, a_process_that_left_is_not_killed);
        tcase_add_test(tests, a_frozen_process_dies);
        tcase_add_test(tests, nothing_there_is_success);
        tcase_add_test(tests, paths_are_compared_by_component);
        tcase_add_test(tests, the_mount_table_has_the_root);
        suite_add_tcase(suite, tests);
        return suite;
}
