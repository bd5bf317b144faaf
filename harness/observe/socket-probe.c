/* SPDX-License-Identifier: MIT */
#include "observe/socket-probe.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/epoll.h>
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

static int parse_ip(const char *text, SocketAddress *ret_address) {
        const char *colon = strrchr(text, ':');
        char host[INET6_ADDRSTRLEN + 2], *end, *name = host;
        unsigned long port;
        size_t n;

        if (!colon || (size_t) (colon - text) >= sizeof(host))
                return -EINVAL;
        n = (size_t) (colon - text);
        memcpy(host, text, n);
        host[n] = '\0';
        port = strtoul(colon + 1, &end, 10);
        if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port == 0 || port > 65535)
                return -EINVAL;
        if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
                host[n - 1] = '\0';
                name++;
        }

        if (inet_pton(AF_INET, strcmp(name, "localhost") == 0 ? "127.0.0.1" : name, &ret_address->ipv4.sin_addr) ==
                        1) {
                ret_address->ipv4.sin_family = AF_INET;
                ret_address->ipv4.sin_port = htons((uint16_t) port);
                ret_address->n_bytes = sizeof(ret_address->ipv4);
        } else if (inet_pton(AF_INET6, name, &ret_address->ipv6.sin6_addr) == 1) {
                ret_address->ipv6.sin6_family = AF_INET6;
                ret_address->ipv6.sin6_port = htons((uint16_t) port);
                ret_address->n_bytes = sizeof(ret_address->ipv6);
        } else {
                return -EINVAL;
        }
        return 0;
}

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
        r = strchr("/@", address_text[0]) && address_text[0] ? parse_local(address_text, &address)
                                                             : parse_ip(address_text, &address);
        if (r < 0)
                return error_set(reterr, r,
                                "'%s' is no socket address: write /path, @name, 1.2.3.4:80, [::1]:80 or "
                                "localhost:80",
                                address_text);
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
