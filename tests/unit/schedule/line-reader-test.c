/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "schedule/line-reader.h"
#include "suites.h"

static int take_line(const char *line, size_t n_bytes, void *userdata, Error *reterr) {
        Text *taken = userdata;

        if (n_bytes == 4 && memcmp(line, "stop", 4) == 0)
                return error_set(reterr, -EBADMSG, "stopped");
        text_printf(taken, "[%.*s]", (int) n_bytes, line);
        return 0;
}

static int open_pipe(LineReader *reader) {
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        ck_assert_int_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
        *reader = LINE_READER_INIT(fds[0]);
        return fds[1];
}

static void put(int fd, const char *text) {
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

START_TEST(lines_may_come_in_pieces) {
        CLEANUP_TEXT Text taken = TEXT_INIT;
        LineReader reader;
        int fd = open_pipe(&reader);

        ck_assert_int_eq(line_reader_read(&reader, take_line, &taken, NULL), 0);
        put(fd, "one\n\ntw");
        ck_assert_int_eq(line_reader_read(&reader, take_line, &taken, NULL), 0);
        ck_assert_str_eq(text_get(&taken), "[one][]");
        put(fd, "o\nthree\n");
        (void) close(fd);
        ck_assert_int_eq(line_reader_read(&reader, take_line, &taken, NULL), 0);
        ck_assert_str_eq(text_get(&taken), "[one][][two][three]");
        ck_assert(reader.has_ended);
        line_reader_done(&reader);
}
END_TEST

START_TEST(a_cut_line_is_an_error) {
        CLEANUP_TEXT Text taken = TEXT_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;
        LineReader reader;
        int fd = open_pipe(&reader);

        put(fd, "one\ntwo");
        (void) close(fd);
        ck_assert_int_eq(line_reader_read(&reader, take_line, &taken, &error), -EBADMSG);
        ck_assert_str_eq(error_text(&error), "its last line was cut after 3 bytes");
        ck_assert_str_eq(text_get(&taken), "[one]");
        line_reader_done(&reader);
}
END_TEST

START_TEST(the_receiver_can_end_it) {
        CLEANUP_TEXT Text taken = TEXT_INIT;
        LineReader reader;
        int fd = open_pipe(&reader);

        put(fd, "one\nstop\ntwo\n");
        ck_assert_int_eq(line_reader_read(&reader, take_line, &taken, NULL), -EBADMSG);
        ck_assert_str_eq(text_get(&taken), "[one]");
        (void) close(fd);
        line_reader_done(&reader);
}
END_TEST

START_TEST(no_line_is_held_without_end) {
        CLEANUP_TEXT Text taken = TEXT_INIT;
        char buffer[4096];
        LineReader reader;
        int fd = open_pipe(&reader), r = 0;

        memset(buffer, 'x', sizeof(buffer));
        for (size_t n = 0; r == 0 && n < 2 * (size_t) LINE_MAX_BYTES; n += sizeof(buffer)) {
                ck_assert_int_eq(write(fd, buffer, sizeof(buffer)), (ssize_t) sizeof(buffer));
                r = line_reader_read(&reader, take_line, &taken, NULL);
        }
        ck_assert_int_eq(r, -EMSGSIZE);
        (void) close(fd);
        line_reader_done(&reader);
}
END_TEST

Suite *line_reader_suite(void) {
        Suite *suite = suite_create("line-reader");
        TCase *cases = tcase_create("line-reader");

        tcase_add_test(cases, lines_may_come_in_pieces);
        tcase_add_test(cases, a_cut_line_is_an_error);
        tcase_add_test(cases, the_receiver_can_end_it);
        tcase_add_test(cases, no_line_is_held_without_end);
        suite_add_tcase(suite, cases);
        return suite;
}
