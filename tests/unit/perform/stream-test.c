/* SPDX-License-Identifier: MIT */

/* The performer's stream: whole lines in order, written before the loop waits. */

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "perform/stream.h"
#include "suites.h"

static int pipe_fds[2];
static sd_event *event;
static Stream *stream;
static int stream_error;

static void on_error(int error, void *userdata) {
        stream_error = error;
}

static void set_up(void) {
        (void) signal(SIGPIPE, SIG_IGN);
        stream_error = 0;
        ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
        ck_assert_int_ge(fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK), 0);
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(stream_new(pipe_fds[1], event, on_error, NULL, &stream), 0);
}

static void tear_down(void) {
        stream = stream_free(stream);
        event = sd_event_unref(event);
        close_p(&pipe_fds[0]);
        close_p(&pipe_fds[1]);
}

static int send_entry(const char *text) {
        CLEANUP(entry_free_p) Entry *entry = entry_new(SOURCE_HARNESS, ENTRY_DEADLINE, 1, 1, NULL);

        entry_set(entry, "step", text);
        return stream_entry(stream, entry);
}

static size_t read_all(char *bytes, size_t n_max) {
        ssize_t n = read(pipe_fds[0], bytes, n_max - 1);

        bytes[n > 0 ? n : 0] = '\0';
        return n > 0 ? (size_t) n : 0;
}

START_TEST(entries_leave_together_and_in_order) {
        char bytes[4096];
        const char *first, *second;

        ck_assert_int_ge(send_entry("first"), 0);
        ck_assert_int_ge(send_entry("second"), 0);
        ck_assert_uint_eq(read_all(bytes, sizeof(bytes)), 0);
        ck_assert_int_gt(sd_event_run(event, 0), 0);
        ck_assert_uint_gt(read_all(bytes, sizeof(bytes)), 0);
        first = strstr(bytes, "first");
        second = strstr(bytes, "second");
        ck_assert(first && second && first < second);
        ck_assert_int_eq(bytes[strlen(bytes) - 1], '\n');
        /* Nothing is left to do: the loop waits. */
        ck_assert_int_eq(sd_event_run(event, 0), 0);
}
END_TEST

START_TEST(much_does_not_wait_for_the_loop) {
        char long_text[40000], bytes[200];

        memset(long_text, 'x', sizeof(long_text));
        long_text[sizeof(long_text) - 1] = '\0';
        ck_assert_int_ge(fcntl(pipe_fds[1], F_SETPIPE_SZ, 1024 * 1024), 0);
        ck_assert_int_ge(send_entry(long_text), 0);
        ck_assert_uint_eq(read_all(bytes, sizeof(bytes)), 0);
        ck_assert_int_ge(send_entry(long_text), 0);
        ck_assert_uint_gt(read_all(bytes, sizeof(bytes)), 0);
}
END_TEST

START_TEST(a_scheduler_that_is_gone_is_told_of) {
        ck_assert_int_ge(send_entry("lost"), 0);
        close_p(&pipe_fds[0]);
        pipe_fds[0] = -EBADF;
        ck_assert_int_gt(sd_event_run(event, 0), 0);
        ck_assert_int_eq(stream_error, -EPIPE);
}
END_TEST

TCase *stream_cases(void) {
        TCase *cases = tcase_create("stream");

        tcase_add_checked_fixture(cases, set_up, tear_down);
        tcase_add_test(cases, entries_leave_together_and_in_order);
        tcase_add_test(cases, much_does_not_wait_for_the_loop);
        tcase_add_test(cases, a_scheduler_that_is_gone_is_told_of);
        return cases;
}
