/* SPDX-License-Identifier: MIT */
#pragma once

/* Does a socket accept a connection? One ENTRY_SOCKET, at once or when the connection came about or the deadline
 * passed. */

#include "observe/observer.h"

typedef struct SocketProbe SocketProbe;
typedef void (*SocketCallback)(void *userdata);

/**
 * socket_probe_new() - try to connect
 * @address:  "/path", "@abstract", "1.2.3.4:80", "[::1]:80", "localhost:80"; no other host names (looking one up
 * blocks)
 * @deadline_usec: of CLOCK_MONOTONIC; then the entry's errno is ETIMEDOUT
 * @on_end:   called from the loop once the entry is in, also where the answer came at once; may be NULL; may free the
 * probe
 *
 * Errors: -EINVAL for an address that is none. Freeing the probe before its end records nothing.
 */
int socket_probe_new(Observer *observer, const char *address, uint64_t deadline_usec, SocketCallback on_end,
                void *userdata, SocketProbe **ret_probe, Error *reterr);
SocketProbe *socket_probe_free(SocketProbe *probe);

DEFINE_CLEANUP(SocketProbe, socket_probe_free)
