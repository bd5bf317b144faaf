/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <fcntl.h>
#include <string.h>

#include "base/quantity.h"

#define TIMEOUT_USEC (10 * USEC_PER_SEC)

Bench *bench_new(void) {
        Bench *bench = calloc(1, sizeof(*bench));

        ck_assert_ptr_nonnull(bench);
        (void) strcpy(bench->folder, "/tmp/agenttest-observe-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(bench->folder));
        bench->observer.timeline = timeline_new();
        ck_assert_ptr_nonnull(bench->observer.timeline);
        ck_assert_int_ge(sd_event_new(&bench->observer.event), 0);
        bench->observer.evidence_fd = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(bench->observer.evidence_fd, 0);
        return bench;
}

Bench *bench_free(Bench *bench) {
        CLEANUP_FREE char *command = NULL;

        ck_assert_int_gt(asprintf(&command, "rm -r %s", bench->folder), 0);
        ck_assert_int_eq(system(command), 0);
        close_p(&bench->observer.evidence_fd);
        sd_event_unref(bench->observer.event);
        (void) timeline_free(bench->observer.timeline);
        free(bench);
        return NULL;
}

char *bench_path(const Bench *bench, const char *name) {
        char *path;

        ck_assert_int_gt(asprintf(&path, "%s/%s", bench->folder, name), 0);
        return path;
}

void bench_write(const Bench *bench, const char *name, const char *text) {
        CLEANUP_FREE char *path = bench_path(bench, name);
        FILE *file = fopen(path, "we");

        ck_assert_ptr_nonnull(file);
        ck_assert_int_ge(fputs(text, file), 0);
        ck_assert_int_eq(fclose(file), 0);
}

const Entry *bench_await(Bench *bench, size_t from, EntryKind kind) {
        uint64_t deadline_usec = clock_now_usec() + TIMEOUT_USEC;
        const Entry *entry;

        while (!(entry = timeline_next(bench->observer.timeline, from, kind, NULL))) {
                ck_assert_msg(!clock_is_past(deadline_usec), "no %s came", entry_kind_name(kind));
                ck_assert_int_ge(sd_event_run(bench->observer.event, TIMEOUT_USEC), 0);
        }
        return entry;
}

void bench_await_flag(Bench *bench, const bool *flag) {
        uint64_t deadline_usec = clock_now_usec() + TIMEOUT_USEC;

        while (!*flag) {
                ck_assert_msg(!clock_is_past(deadline_usec), "nothing came");
                ck_assert_int_ge(sd_event_run(bench->observer.event, TIMEOUT_USEC), 0);
        }
}

const Entry *bench_last(const Bench *bench, EntryKind kind) {
        size_t n = timeline_length(bench->observer.timeline);

        ck_assert_uint_gt(n, 0);
        ck_assert_int_eq(timeline_get(bench->observer.timeline, n - 1)->kind, kind);
        return timeline_get(bench->observer.timeline, n - 1);
}
