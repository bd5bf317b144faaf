/* SPDX-License-Identifier: MIT */
#include "observe/socket-probe.h"

#include <string.h>
#include <sys/epoll.h>

#include "base/socket-address.h"

struct SocketProbe {
        Observer *observer;
        char *address;
        SocketCallback on_end;
        void *userdata;
        int fd;
        int error; /* positive errno */
        uint64_t asked_usec;
        sd_event_source *connected;
        sd_event_source *deadline;
        sd_event_source *soon; /* the answer came at once; it is told from the loop */
};

static void record_and_end(SocketProbe *probe) {
        Entry *entry = observer_entry(probe->observer, SOURCE_SOCKET, ENTRY_SOCKET, 0, NULL);

        probe->connected = sd_event_source_disable_unref(probe->connected);
        probe->deadline = sd_event_source_disable_unref(probe->deadline);
        probe->soon = sd_event_source_disable_unref(probe->soon);
        close_p(&probe->fd);
        probe->fd = -EBADF;

        if (entry) {
                entry_set(entry, "address", probe->address);
                entry_set_number(entry, "errno", probe->error);
                entry_set_usec(entry, "asked", probe->asked_usec);
        }
        (void) observer_append(probe->observer, entry);
        if (probe->on_end)
                probe->on_end(probe->userdata);
}

static int on_soon(sd_event_source *source, void *userdata) {
        record_and_end(userdata);
        return 0;
}

/*
 * Where nobody listens on a port of the dynamic range, the kernel may give the client that very port; then TCP
 * connects it with itself (RFC 9293, simultaneous open). Nobody has accepted.
 */
static bool is_connected_to_itself(int fd) {
        SocketAddress own = { .n_bytes = sizeof(struct sockaddr_in6) }, other = own;

        return getsockname(fd, &own.any, &own.n_bytes) == 0 && getpeername(fd, &other.any, &other.n_bytes) == 0 &&
               (own.any.sa_family == AF_INET || own.any.sa_family == AF_INET6) && own.n_bytes == other.n_bytes &&
               memcmp(&own.any, &other.any, own.n_bytes) == 0;
}

static int on_connected(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        SocketProbe *probe = userdata;
        socklen_t n = sizeof(probe->error);

        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &probe->error, &n) < 0)
                probe->error = errno;
        if (probe->error == 0 && is_connected_to_itself(fd))
                probe->error = ECONNREFUSED;
        record_and_end(probe);
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        SocketProbe *probe = userdata;

        probe->error = ETIMEDOUT;
        record_and_end(probe);
        return 0;
}

static int probe_connect(SocketProbe *probe, const SocketAddress *address, uint64_t deadline_usec) {
        sd_event *event = probe->observer->event;
        int r;

        probe->fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (probe->fd < 0)
                return -errno;
        probe->asked_usec = clock_now_usec();
        if (connect(probe->fd, &address->any, address->n_bytes) < 0)
                probe->error = errno;
        if (probe->error != EINPROGRESS)
                return sd_event_add_defer(event, &probe->soon, on_soon, probe);

        probe->error = 0;
        r = sd_event_add_io(event, &probe->connected, probe->fd, EPOLLOUT, on_connected, probe);
        if (r < 0)
                return r;
        return sd_event_add_time(event, &probe->deadline, CLOCK_MONOTONIC, deadline_usec, 1, on_deadline, probe);
}

int socket_probe_new(Observer *observer, const char *address_text, uint64_t deadline_usec, SocketCallback on_end,
                void *userdata, SocketProbe **ret_probe, Error *reterr) {
        CLEANUP(socket_probe_free_p) SocketProbe *probe = calloc(1, sizeof(*probe));
        SocketAddress address = { 0 };
        int r;

        if (!probe)
                return error_set_errno(reterr, -ENOMEM, "socket %s", address_text);
        *probe = (SocketProbe){
                .observer = observer,
                .on_end = on_end,
                .userdata = userdata,
                .fd = -EBADF,
                .address = strdup(address_text),
        };
        if (!probe->address)
                return error_set_errno(reterr, -ENOMEM, "socket %s", address_text);
        r = socket_address_parse(address_text, &address);
        if (r < 0)
                return error_set(reterr, r, "'%s' is no socket address: write " SOCKET_ADDRESS_FORMS, address_text);
        r = probe_connect(probe, &address, deadline_usec);
        if (r < 0)
                return error_set_errno(reterr, r, "socket %s", address_text);
        *ret_probe = TAKE_PTR(probe);
        return 0;
}

SocketProbe *socket_probe_free(SocketProbe *probe) {
        if (!probe)
                return NULL;

        sd_event_source_disable_unref(probe->connected);
        sd_event_source_disable_unref(probe->deadline);
        sd_event_source_disable_unref(probe->soon);
        close_p(&probe->fd);
        free(probe->address);
        free(probe);
        return NULL;
}
