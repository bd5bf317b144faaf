/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "schedule/discover.h"
#include "schedule/prune.h"
#include "suites.h"

static char *discover_joined(const char *const *paths, size_t n_paths, int wanted, Error *error) {
        CLEANUP(path_list_done) PathList list = PATH_LIST_INIT;
        Text text = TEXT_INIT;

        ck_assert_int_eq(discover(paths, n_paths, &list, error), wanted);
        FOREACH_ARRAY (path, list.items, list.n_items)
                text_printf(&text, "%s\n", *path);
        return text_take(&text);
}

#define DISCOVER(wanted, error, ...)                                                                                 \
        discover_joined((const char *const[]){ __VA_ARGS__ },                                                        \
                        sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), wanted, error)

START_TEST(takes_folders_and_files) {
        CLEANUP_FREE char *found = NULL;

        put_file("s/b.yaml", "");
        put_file("s/a.yml", "");
        put_file("s/deep/er/c.yaml", "");
        put_file("s/notes.txt", "");
        put_file("s/.hidden.yaml", "");
        put_file("s/.git/d.yaml", "");
        put_file("other.txt", "");
        found = DISCOVER(0, NULL, "other.txt", "s", "s/b.yaml", "other.txt");
        ck_assert_str_eq(found, "other.txt\ns/a.yml\ns/b.yaml\ns/deep/er/c.yaml\n");
}
END_TEST

START_TEST(does_not_follow_links_to_folders) {
        CLEANUP_FREE char *found = NULL;

        put_file("s/a.yaml", "");
        put_file("elsewhere.yaml", "");
        ck_assert_int_eq(symlink(".", "s/loop"), 0);
        ck_assert_int_eq(symlink("../elsewhere.yaml", "s/b.yaml"), 0);
        found = DISCOVER(0, NULL, "s/");
        ck_assert_str_eq(found, "s/a.yaml\ns/b.yaml\n");
}
END_TEST

START_TEST(takes_a_file_once_whatever_it_is_called) {
        CLEANUP_FREE char *found = NULL, *linked = NULL;

        put_file("s/a.yaml", "");
        put_file("t/b.yaml", "");
        ck_assert_int_eq(symlink("../s/a.yaml", "t/a.yaml"), 0);
        found = DISCOVER(0, NULL, "./s/a.yaml", "s", "t", "t/../t/b.yaml");
        ck_assert_str_eq(found, "./s/a.yaml\nt/b.yaml\n");
        /* What it names is looked for in its folder: this one is another scenario. */
        ck_assert_int_eq(link("s/a.yaml", "t/c.yaml"), 0);
        linked = DISCOVER(0, NULL, "s", "t");
        ck_assert_str_eq(linked, "s/a.yaml\nt/b.yaml\nt/c.yaml\n");
}
END_TEST

START_TEST(passes_evidence_over) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP_FREE char *found = NULL, *none = NULL, *named = NULL;

        put_file("s/a.yaml", "");
        put_file("s/out/" EVIDENCE_MARK_FILE, "abc\n");
        put_file("s/out/01-a.yaml/scenario.yaml", "");
        found = DISCOVER(0, NULL, "s");
        ck_assert_str_eq(found, "s/a.yaml\n");
        none = DISCOVER(-ENOENT, &error, "s/out");
        ck_assert_ptr_nonnull(strstr(error_text(&error), "s/out: holds no scenario to play, it is the evidence of"));
        named = DISCOVER(0, NULL, "s/out/01-a.yaml/scenario.yaml");
        ck_assert_str_eq(named, "s/out/01-a.yaml/scenario.yaml\n");
}
END_TEST

START_TEST(tells_everything_that_is_wrong) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP_FREE char *found = NULL;

        put_file("s/a.yaml", "");
        put_file("empty/readme.txt", "");
        found = DISCOVER(-ENOENT, &error, "missing.yaml", "s", "empty", "/dev/null");
        ck_assert_str_eq(error_text(&error), "missing.yaml: No such file or directory\n"
                                             "empty: holds no scenario: no *.yaml or *.yml file in it or below it\n"
                                             "/dev/null: neither a file nor a folder");
}
END_TEST

Suite *discover_suite(void) {
        Suite *suite = suite_create("discover");
        TCase *cases = tcase_create("discover");

        tcase_add_checked_fixture(cases, enter_folder, leave_folder);
        tcase_add_test(cases, takes_folders_and_files);
        tcase_add_test(cases, does_not_follow_links_to_folders);
        tcase_add_test(cases, takes_a_file_once_whatever_it_is_called);
        tcase_add_test(cases, passes_evidence_over);
        tcase_add_test(cases, tells_everything_that_is_wrong);
        suite_add_tcase(suite, cases);
        return suite;
}
