/* SPDX-License-Identifier: MIT */
/*
 * Every file of tests/invalid has its diagnostics in tests/golden/diagnostics. With GOLDEN_UPDATE=1 in the
 * environment the golden files are written; look at the difference before you commit it.
 */
#include <dirent.h>
#include <string.h>

#include "suites.h"
#include "test-language.h"

static void read_file(const char *path, Text *text) {
        CLEANUP_FILE FILE *file = fopen(path, "re");
        char buffer[4096];
        size_t n;

        ck_assert_msg(file, "%s: %s", path, strerror(errno));
        while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
                text_append_bytes(text, buffer, n);
}

static void write_file(const char *path, const Text *text) {
        CLEANUP_FILE FILE *file = fopen(path, "we");

        ck_assert_msg(file && fwrite(text_get(text), 1, text->n_bytes, file) == text->n_bytes, "%s: %s", path,
                        strerror(errno));
}

/* The name alone in the diagnostics, so that they do not depend on where the sources lie. */
static void check_golden(const char *folder, const char *name) {
        CLEANUP(parsed_done) Parsed parsed = { 0 };
        CLEANUP_TEXT Text source = TEXT_INIT, rendered = TEXT_INIT, wanted = TEXT_INIT;
        ParseOptions options = { .language = &test_language, .checks_files = true };
        char path[512], golden[512];

        (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
        (void) snprintf(golden, sizeof(golden), "%s/golden/diagnostics/%s%.*s.txt", TEST_SOURCE_DIR,
                        strstr(folder, "semantic") ? "semantic/" : "", (int) (strlen(name) - strlen(".yaml")), name);
        read_file(path, &source);
        ck_assert_int_eq(scenario_parse(name, text_get(&source), source.n_bytes, &options, &parsed.scenarios,
                                         &parsed.diagnostics),
                        0);
        ck_assert_msg(parsed.diagnostics.n_items > 0, "%s is accepted", path);
        diagnostic_list_render(&parsed.diagnostics, name, text_get(&source), source.n_bytes, &rendered);
        if (getenv("GOLDEN_UPDATE")) {
                write_file(golden, &rendered);
                return;
        }
        read_file(golden, &wanted);
        ck_assert_msg(strcmp(text_get(&rendered), text_get(&wanted)) == 0, "%s\n--- wanted\n%s--- is\n%s", path,
                        text_get(&wanted), text_get(&rendered));
}

static size_t check_folder(const char *folder) {
        DIR *directory = opendir(folder);
        size_t n_files = 0;

        ck_assert_msg(directory, "%s: %s", folder, strerror(errno));
        for (struct dirent *entry; (entry = readdir(directory));) {
                const char *dot = strrchr(entry->d_name, '.');

                if (!dot || strcmp(dot, ".yaml") != 0)
                        continue;
                check_golden(folder, entry->d_name);
                n_files++;
        }
        (void) closedir(directory);
        return n_files;
}

START_TEST(wrong_shapes) {
        /* 40 is the promise: so many files are rejected by parser and schema both (tests/integration/schema-test.py).
         */
        ck_assert_uint_ge(check_folder(TEST_SOURCE_DIR "/invalid"), 40);
}
END_TEST

START_TEST(wrong_meanings) {
        ck_assert_uint_ge(check_folder(TEST_SOURCE_DIR "/invalid/semantic"), 40);
}
END_TEST

Suite *golden_suite(void) {
        Suite *suite = suite_create("golden");
        TCase *tests = tcase_create("golden");

        tcase_add_test(tests, wrong_shapes);
        tcase_add_test(tests, wrong_meanings);
        suite_add_tcase(suite, tests);
        return suite;
}
