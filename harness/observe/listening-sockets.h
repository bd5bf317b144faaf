/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sockets of this network namespace that accept connections: UNIX ones and TCP over IPv4 and IPv6.
 * Source: proc_net(5), /proc/net/unix, /proc/net/tcp, /proc/net/tcp6.
 */

#include <stddef.h>
#include <stdint.h>

typedef struct ListeningSocket {
        uint64_t inode;
        char *name; /* "unix /run/x", "unix @abstract", "tcp 127.0.0.1:80", "tcp [::]:80" */
} ListeningSocket;

typedef struct ListeningSockets {
        ListeningSocket *items;
        size_t n_items;
} ListeningSockets;

int listening_sockets_read(ListeningSockets *ret_sockets);
void listening_sockets_done(ListeningSockets *sockets);
