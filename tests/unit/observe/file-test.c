/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "bench.h"
#include "observe/file-probe.h"
#include "observe/file-watch.h"
#include "observe/sha256.h"
#include "suites.h"

START_TEST(sha256_agrees_with_the_standard) {
        static const struct {
                const char *text;
                const char *digest;
        } rows[] = {
                { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
                { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
                { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        };
        char text[SHA256_TEXT_MAX];
        Sha256 hash;

        for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
                sha256_init(&hash);
                sha256_add(&hash, rows[i].text, strlen(rows[i].text));
                ck_assert_str_eq(sha256_text(&hash, text), rows[i].digest);
        }
        sha256_init(&hash);
        for (unsigned i = 0; i < 1000000; i++)
                sha256_add(&hash, "a", 1);
        ck_assert_str_eq(
                        sha256_text(&hash, text), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(a_device_is_said_to_be_one) {
        Bench *bench = bench_new();

        ck_assert_int_eq(file_probe(&bench->observer, "/dev/null"), 0);
        ck_assert_str_eq(entry_get(bench_last(bench, ENTRY_FILE), "type"), "character device");
        bench_free(bench);
}
END_TEST

START_TEST(a_file_is_recorded_with_its_bytes) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "file");
        const Entry *entry;

        bench_write(bench, "file", "abc");
        ck_assert_int_eq(chmod(path, 0640), 0);
        ck_assert_int_eq(file_probe(&bench->observer, path), 0);
        entry = bench_last(bench, ENTRY_FILE);
        ck_assert_int_eq(entry_get_number(entry, "errno", -1), 0);
        ck_assert_str_eq(entry_get(entry, "type"), "file"); /* the words of the `type` of a file expectation */
        ck_assert_str_eq(entry_get(entry, "mode"), "0640");
        ck_assert_str_eq(entry_get(entry, "bytes"), "abc");
        ck_assert_int_eq(entry_get_number(entry, "size", -1), 3);
        ck_assert_str_eq(entry_get(entry, "sha256"),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        ck_assert_ptr_null(entry_get(entry, "truncated"));
        bench_free(bench);
}
END_TEST

START_TEST(a_large_file_is_cut_and_hashed_whole) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "large");
        const Entry *entry;

        bench_write(bench, "large", "");
        ck_assert_int_eq(truncate(path, 1000000), 0);
        ck_assert_int_eq(file_probe(&bench->observer, path), 0);
        entry = bench_last(bench, ENTRY_FILE);
        ck_assert_uint_eq(entry_find(entry, "bytes")->n_bytes, FILE_PROBE_MAX_BYTES);
        ck_assert_str_eq(entry_get(entry, "truncated"), "yes");
        /* head -c 1000000 /dev/zero | sha256sum */
        ck_assert_str_eq(entry_get(entry, "sha256"),
                        "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025");
        bench_free(bench);
}
END_TEST

START_TEST(links_and_what_is_not_there) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "link");

        ck_assert_int_eq(file_probe(&bench->observer, path), 0);
        ck_assert_int_eq(entry_get_number(bench_last(bench, ENTRY_FILE), "errno", -1), ENOENT);
        ck_assert_int_eq(symlink("nowhere", path), 0);
        ck_assert_int_eq(file_probe(&bench->observer, path), 0);
        ck_assert_int_eq(entry_get_number(bench_last(bench, ENTRY_FILE), "errno", -1), ENOENT);
        ck_assert_str_eq(entry_get(bench_last(bench, ENTRY_FILE), "type"), "symlink");
        bench_write(bench, "nowhere", "somewhere");
        ck_assert_int_eq(file_probe(&bench->observer, path), 0);
        ck_assert_str_eq(entry_get(bench_last(bench, ENTRY_FILE), "bytes"), "somewhere");
        ck_assert_str_eq(entry_get(bench_last(bench, ENTRY_FILE), "target"), "nowhere");
        bench_free(bench);
}
END_TEST

static void on_change(void *userdata) {
        *(bool *) userdata = true;
}

static void await_change(Bench *bench, bool *has_changed) {
        bench_await_flag(bench, has_changed);
        while (sd_event_run(bench->observer.event, 0) > 0)
                ;
        *has_changed = false;
}

START_TEST(a_watch_sees_a_path_come_into_being_part_by_part) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *folder = bench_path(bench, "a"), *below = bench_path(bench, "a/b");
        CLEANUP_FREE char *path = bench_path(bench, "a/b/file"), *moved = bench_path(bench, "moved");
        CLEANUP(file_watch_free_p) FileWatch *watch = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        bool has_changed = false;

        ck_assert_int_eq(file_watch_new(&bench->observer, path, on_change, &has_changed, &watch, &error), 0);
        ck_assert_int_eq(mkdir(folder, 0755), 0);
        await_change(bench, &has_changed);
        ck_assert_int_eq(mkdir(below, 0755), 0);
        await_change(bench, &has_changed);
        bench_write(bench, "a/b/file", "one");
        await_change(bench, &has_changed);
        bench_write(bench, "a/b/file", "two");
        await_change(bench, &has_changed);

        /* Replaced by rename, as careful programs write their files. */
        bench_write(bench, "moved", "three");
        ck_assert_int_eq(rename(moved, path), 0);
        await_change(bench, &has_changed);
        bench_write(bench, "a/b/file", "four");
        await_change(bench, &has_changed);
        ck_assert_int_eq(unlink(path), 0);
        await_change(bench, &has_changed);
        ck_assert_int_eq(rmdir(below), 0);
        await_change(bench, &has_changed);
        ck_assert_int_eq(mkdir(below, 0755), 0);
        await_change(bench, &has_changed);
        bench_write(bench, "a/b/file", "five");
        await_change(bench, &has_changed);
        watch = file_watch_free(watch);
        bench_free(bench);
}
END_TEST

START_TEST(a_watch_ignores_its_neighbours) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "file");
        CLEANUP(file_watch_free_p) FileWatch *watch = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        bool has_changed = false;

        ck_assert_int_eq(file_watch_new(&bench->observer, path, on_change, &has_changed, &watch, &error), 0);
        bench_write(bench, "other", "");
        while (sd_event_run(bench->observer.event, 0) > 0)
                ;
        ck_assert(!has_changed);
        ck_assert_int_eq(file_watch_new(&bench->observer, "relative", on_change, NULL, &watch, &error), -EINVAL);
        watch = file_watch_free(watch);
        bench_free(bench);
}
END_TEST

/* The file entries behind @from: "0" there, "-" away. */
static void assert_gaps(const Bench *bench, size_t from, const char *wanted) {
        const Timeline *timeline = bench->observer.timeline;
        CLEANUP_TEXT Text seen = TEXT_INIT;

        for (const Entry *entry = timeline_next(timeline, from, ENTRY_FILE, NULL); entry;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_FILE, NULL)) {
                ck_assert_ptr_null(entry_get(entry, "type"));
                ck_assert_uint_le(entry_get_usec(entry, "asked", UINT64_MAX), entry->at_usec);
                text_append(&seen, entry_has(entry, "errno", "0") ? "0" : entry_has(entry, "errno", "2") ? "-" : "?");
        }
        ck_assert_str_eq(text_get(&seen), wanted);
}

START_TEST(what_no_probe_can_see_any_more_is_recorded) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "file"), *other = bench_path(bench, "other");
        CLEANUP(file_watch_free_p) FileWatch *watch = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        bool has_changed = false;
        size_t from = timeline_length(bench->observer.timeline);

        ck_assert_int_eq(file_watch_new(&bench->observer, path, on_change, &has_changed, &watch, &error), 0);
        bench_write(bench, "file", "");
        ck_assert_int_eq(unlink(path), 0);
        await_change(bench, &has_changed);
        assert_gaps(bench, from, ""); /* nobody has asked for it */

        file_watch_record_gaps(watch, &bench->observer);
        bench_write(bench, "file", "");
        ck_assert_int_eq(unlink(path), 0);
        await_change(bench, &has_changed);
        assert_gaps(bench, from, "0-");

        /* Seen while it was there: then only its going is told. */
        from = timeline_length(bench->observer.timeline);
        bench_write(bench, "file", "");
        await_change(bench, &has_changed);
        file_watch_seen(watch);
        ck_assert_int_eq(unlink(path), 0);
        bench_write(bench, "file", "");
        await_change(bench, &has_changed);
        assert_gaps(bench, from, "-");

        /* A file that takes another's place leaves no gap. */
        file_watch_seen(watch);
        from = timeline_length(bench->observer.timeline);
        bench_write(bench, "other", "");
        ck_assert_int_eq(rename(other, path), 0);
        await_change(bench, &has_changed);
        assert_gaps(bench, from, "");
        watch = file_watch_free(watch);
        bench_free(bench);
}
END_TEST

Suite *file_suite(void) {
        Suite *suite = suite_create("file");
        TCase *cases = tcase_create("file");

        tcase_add_test(cases, sha256_agrees_with_the_standard);
        tcase_add_test(cases, a_device_is_said_to_be_one);
        tcase_add_test(cases, a_file_is_recorded_with_its_bytes);
        tcase_add_test(cases, a_large_file_is_cut_and_hashed_whole);
        tcase_add_test(cases, links_and_what_is_not_there);
        tcase_add_test(cases, a_watch_sees_a_path_come_into_being_part_by_part);
        tcase_add_test(cases, a_watch_ignores_its_neighbours);
        tcase_add_test(cases, what_no_probe_can_see_any_more_is_recorded);
        tcase_set_timeout(cases, 30);
        suite_add_tcase(suite, cases);
        return suite;
}
