/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/quantity.h"
#include "bench.h"
#include "observe/left-behind.h"
#include "observe/socket-probe.h"
#include "suites.h"

static int64_t ask(Bench *bench, const char *address) {
        CLEANUP(socket_probe_free_p) SocketProbe *probe = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        size_t from = timeline_length(bench->observer.timeline);

        ck_assert_msg(socket_probe_new(&bench->observer, address, clock_now_usec() + 5 * USEC_PER_SEC, NULL, NULL,
                                      &probe, &error) == 0,
                        "%s", error_text(&error));
        ck_assert_uint_eq(timeline_length(bench->observer.timeline), from);
        return entry_get_number(bench_await(bench, from, ENTRY_SOCKET), "errno", -1);
}

static int bind_local(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) strcpy(address.sun_path, path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        return fd;
}

START_TEST(a_local_socket_accepts_once_it_listens) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "socket");
        CLEANUP_CLOSE int fd = -EBADF;

        ck_assert_int_eq(ask(bench, path), ENOENT);
        fd = bind_local(path);
        ck_assert_int_eq(ask(bench, path), ECONNREFUSED);
        ck_assert_int_eq(listen(fd, 8), 0);
        ck_assert_int_eq(ask(bench, path), 0);
        ck_assert_int_eq(ask(bench, "@agenttest-no-such-name"), ECONNREFUSED);
        bench_free(bench);
}
END_TEST

START_TEST(a_tcp_port_accepts_once_it_listens) {
        Bench *bench = bench_new();
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t n = sizeof(address);
        char text[32];

        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &address, &n), 0);
        (void) snprintf(text, sizeof(text), "localhost:%u", ntohs(address.sin_port));
        ck_assert_int_eq(ask(bench, text), ECONNREFUSED);
        ck_assert_int_eq(listen(fd, 8), 0);
        ck_assert_int_eq(ask(bench, text), 0);
        bench_free(bench);
}
END_TEST

static void write_to(const char *path, const char *text) {
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

        ck_assert_msg(fd >= 0, "%s", path);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

/* In a network of its own, whose only dynamic port is the one asked for: TCP connects the client with itself. */
START_TEST(a_client_that_meets_itself_is_refused) {
        Bench *bench = bench_new();
        struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
        CLEANUP_CLOSE int fd = -EBADF;

        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &loopback), 0);
        write_to("/proc/sys/net/ipv4/ip_local_port_range", "40001 40001");
        ck_assert_int_eq(ask(bench, "127.0.0.1:40001"), ECONNREFUSED);
        bench_free(bench);
}
END_TEST

START_TEST(what_is_no_address_is_refused) {
        Bench *bench = bench_new();
        static const char *const texts[] = {
                "",
                "80",
                ":80",
                "1.2.3.4",
                "1.2.3.4:",
                "1.2.3.4:0",
                "1.2.3.4:65536",
                "1.2.3.4:8x",
                "example.org:80",
                "[::1]",
        };

        for (size_t i = 0; i < ELEMENTS_OF(texts); i++) {
                CLEANUP_ERROR Error error = ERROR_INIT;
                SocketProbe *probe;

                ck_assert_msg(socket_probe_new(&bench->observer, texts[i], 0, NULL, NULL, &probe, &error) == -EINVAL,
                                "%s", texts[i]);
        }
        bench_free(bench);
}
END_TEST

/* Sockets only: processes of the test are the performer's own, and the machine's others come and go. */
START_TEST(a_listening_socket_that_came_is_left_behind) {
        Bench *bench = bench_new();
        CLEANUP_FREE char *path = bench_path(bench, "left"), *line = NULL;
        CLEANUP(left_behind_free_p) LeftBehind *probe = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        int fd;

        ck_assert_int_gt(asprintf(&line, "unix %s\n", path), 0);
        ck_assert_int_eq(left_behind_new(&bench->observer, &probe, &error), 0);
        fd = bind_local(path);
        ck_assert_int_eq(left_behind_probe(probe, "x.service", "/no/such/cgroup"), 0);
        ck_assert_ptr_null(strstr(entry_get(bench_last(bench, ENTRY_LEFT_BEHIND), "sockets"), line));
        ck_assert_int_eq(listen(fd, 8), 0);
        ck_assert_int_eq(left_behind_probe(probe, "x.service", "/no/such/cgroup"), 0);
        ck_assert_ptr_nonnull(strstr(entry_get(bench_last(bench, ENTRY_LEFT_BEHIND), "sockets"), line));
        ck_assert_ptr_null(entry_get(bench_last(bench, ENTRY_LEFT_BEHIND), "cgroup"));
        (void) close(fd);
        probe = left_behind_free(probe);
        bench_free(bench);
}
END_TEST

Suite *socket_suite(void) {
        Suite *suite = suite_create("socket");
        TCase *cases = tcase_create("socket");

        tcase_add_test(cases, a_local_socket_accepts_once_it_listens);
        tcase_add_test(cases, a_tcp_port_accepts_once_it_listens);
        tcase_add_test(cases, a_client_that_meets_itself_is_refused);
        tcase_add_test(cases, what_is_no_address_is_refused);
        tcase_add_test(cases, a_listening_socket_that_came_is_left_behind);
        suite_add_tcase(suite, cases);
        return suite;
}
