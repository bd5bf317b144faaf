/* SPDX-License-Identifier: MIT */
#include "base/socket-address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "suites.h"

#define LONGEST_NAME                                                                                                 \
        "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234"

START_TEST(addresses_are_read) {
        SocketAddress address;

        ck_assert_int_eq(socket_address_parse("/run/x.sock", &address), 0);
        ck_assert_int_eq(address.any.sa_family, AF_UNIX);
        ck_assert_str_eq(address.local.sun_path, "/run/x.sock");
        ck_assert_uint_eq(address.n_bytes, sizeof(sa_family_t) + sizeof("/run/x.sock"));

        ck_assert_int_eq(socket_address_parse("@name", &address), 0);
        ck_assert_mem_eq(address.local.sun_path, "\0name", 5);
        ck_assert_uint_eq(address.n_bytes, sizeof(sa_family_t) + 5);

        ck_assert_int_eq(socket_address_parse("localhost:80", &address), 0);
        ck_assert_int_eq(address.any.sa_family, AF_INET);
        ck_assert_uint_eq(ntohl(address.ipv4.sin_addr.s_addr), INADDR_LOOPBACK);
        ck_assert_uint_eq(ntohs(address.ipv4.sin_port), 80);

        ck_assert_int_eq(socket_address_parse("[::1]:65535", &address), 0);
        ck_assert_int_eq(address.any.sa_family, AF_INET6);
        ck_assert_mem_eq(&address.ipv6.sin6_addr, &in6addr_loopback, sizeof(in6addr_loopback));
        ck_assert_uint_eq(ntohs(address.ipv6.sin6_port), 65535);

        ck_assert_int_eq(socket_address_parse("/" LONGEST_NAME, &address), 0);
}
END_TEST

static const char *const no_addresses[] = {
        "",
        "run/x.sock",
        "80",
        ":80",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:99999",
        "127.0.0.1:+80",
        "127.0.0.1:80x",
        "127.0.0.1 :80",
        "256.0.0.1:80",
        "[::1:80",
        "[]:80",
        "example.org:80",
        "0123456789012345678901234567890123456789012345678901234567890:80",
};

START_TEST(others_are_refused) {
        SocketAddress address = { .n_bytes = 7 };

        ck_assert_int_eq(socket_address_parse(no_addresses[_i], &address), -EINVAL);
        ck_assert_uint_eq(address.n_bytes, 7);
}
END_TEST

START_TEST(a_name_may_be_too_long) {
        SocketAddress address;

        ck_assert_int_eq(socket_address_parse("/" LONGEST_NAME "56", &address), -ENAMETOOLONG);
        ck_assert_int_eq(socket_address_parse("@" LONGEST_NAME "56", &address), -ENAMETOOLONG);
}
END_TEST

Suite *socket_address_suite(void) {
        Suite *suite = suite_create("socket-address");
        TCase *tcase = tcase_create("socket-address");

        tcase_add_test(tcase, addresses_are_read);
        tcase_add_loop_test(tcase, others_are_refused, 0, sizeof(no_addresses) / sizeof(no_addresses[0]));
        tcase_add_test(tcase, a_name_may_be_too_long);
        suite_add_tcase(suite, tcase);
        return suite;
}
