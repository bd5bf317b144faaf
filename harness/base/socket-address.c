/* SPDX-License-Identifier: MIT */
#include "base/socket-address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static int parse_local(const char *text, SocketAddress *ret_address) {
        struct sockaddr_un *local = &ret_address->local;
        size_t n = strlen(text);

        if (n >= sizeof(local->sun_path))
                return -ENAMETOOLONG;
        local->sun_family = AF_UNIX;
        memcpy(local->sun_path, text, n);
        if (text[0] == '@')
                local->sun_path[0] = '\0';
        /* An abstract name has no end but its length; a path has its NUL. */
        ret_address->n_bytes = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n + (text[0] == '@' ? 0 : 1));
        return 0;
}

static int parse_port(const char *text, in_port_t *ret_port) {
        char *end;
        unsigned long port = strtoul(text, &end, 10);

        if (text[0] < '0' || text[0] > '9' || *end != '\0' || port == 0 || port > 65535)
                return -EINVAL;
        *ret_port = htons((uint16_t) port);
        return 0;
}

static int parse_ip(const char *text, SocketAddress *ret_address) {
        const char *colon = strrchr(text, ':');
        char host[INET6_ADDRSTRLEN + 2] = "", *name = host;
        size_t n = colon ? (size_t) (colon - text) : 0;
        in_port_t port;

        if (!colon || n >= sizeof(host) || parse_port(colon + 1, &port) < 0)
                return -EINVAL;
        memcpy(host, text, n);
        if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
                host[n - 1] = '\0';
                name++;
        }

        if (inet_pton(AF_INET, strcmp(name, "localhost") == 0 ? "127.0.0.1" : name, &ret_address->ipv4.sin_addr) ==
                        1) {
                ret_address->ipv4.sin_family = AF_INET;
                ret_address->ipv4.sin_port = port;
                ret_address->n_bytes = sizeof(ret_address->ipv4);
        } else if (inet_pton(AF_INET6, name, &ret_address->ipv6.sin6_addr) == 1) {
                ret_address->ipv6.sin6_family = AF_INET6;
                ret_address->ipv6.sin6_port = port;
                ret_address->n_bytes = sizeof(ret_address->ipv6);
        } else {
                return -EINVAL;
        }
        return 0;
}

int socket_address_parse(const char *text, SocketAddress *ret_address) {
        SocketAddress address = { 0 };
        int r = text[0] == '/' || text[0] == '@' ? parse_local(text, &address) : parse_ip(text, &address);

        if (r >= 0)
                *ret_address = address;
        return r;
}
