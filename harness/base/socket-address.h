/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Addresses of stream sockets as scenarios write them: "/path", "@name" (abstract), "127.0.0.1:6379", "[::1]:80",
 * "localhost:80". Names are not looked up.
 */

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct SocketAddress {
        union {
                struct sockaddr any;
                struct sockaddr_un local;
                struct sockaddr_in ipv4;
                struct sockaddr_in6 ipv6;
        };
        socklen_t n_bytes;
} SocketAddress;

/* For messages. */
#define SOCKET_ADDRESS_FORMS "/path, @name, 1.2.3.4:80, [::1]:80 or localhost:80"

/* Errors: -EINVAL; -ENAMETOOLONG for a path or name that no socket can have. */
int socket_address_parse(const char *text, SocketAddress *ret_address);
