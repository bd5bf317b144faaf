/* SPDX-License-Identifier: MIT */
#include "observe/journald-link.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"

struct JournaldLink {
        sd_event *event; /* borrowed */
        char *socket_path;
        JournaldLinkHandler handler;
        int fd;
        sd_event_source *source;
        Text answer; /* what has come of it so far */
};

int journald_link_new(sd_event *event, const char *socket_path, const JournaldLinkHandler *handler,
                JournaldLink **ret_link) {
        CLEANUP(journald_link_free_p) JournaldLink *link = calloc(1, sizeof(*link));

        if (!link)
                return -ENOMEM;
        *link = (JournaldLink){
                .event = event, .handler = *handler, .fd = -EBADF, .socket_path = strdup(socket_path)
        };
        if (!link->socket_path)
                return -ENOMEM;
        *ret_link = TAKE_PTR(link);
        return 0;
}

static void link_close(JournaldLink *link) {
        link->source = sd_event_source_disable_unref(link->source);
        close_p(&link->fd);
        link->fd = -EBADF;
        text_truncate(&link->answer, 0);
}

JournaldLink *journald_link_free(JournaldLink *link) {
        if (!link)
                return NULL;

        link_close(link);
        text_done(&link->answer);
        free(link->socket_path);
        free(link);
        return NULL;
}

bool journald_link_is_connected(const JournaldLink *link) {
        return link->fd >= 0;
}

/* A success has no "error" member; journald's answer to Synchronize has nothing else that could hold the word. */
static int answer_error(const Text *answer) {
        return strstr(text_get(answer), "\"error\"") ? -EIO : 0;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        JournaldLink *link = userdata;
        char bytes[512];
        const char *end;
        ssize_t n;

        n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) {
                link_close(link);
                link->handler.on_gone(link->handler.userdata);
                return 0;
        }

        end = memchr(bytes, '\0', (size_t) n);
        text_append_bytes(&link->answer, bytes, end ? (size_t) (end - bytes) : (size_t) n);
        if (end) {
                int error = answer_error(&link->answer);

                text_truncate(&link->answer, 0);
                link->handler.on_synchronized(error, link->handler.userdata);
        }
        return 0;
}

int journald_link_connect(JournaldLink *link) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        CLEANUP_CLOSE int fd = -EBADF;
        int r;

        if (strlen(link->socket_path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        (void) strcpy(address.sun_path, link->socket_path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        /* On a UNIX socket this is done at once or refused; there is no EINPROGRESS. */
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        r = sd_event_add_io(link->event, &link->source, fd, EPOLLIN, on_readable, link);
        if (r < 0)
                return r;
        link->fd = TAKE_FD(fd);
        return 0;
}

int journald_link_synchronize(JournaldLink *link) {
        static const char call[] = "{\"method\":\"io.systemd.Journal.Synchronize\"}"; /* sent with its NUL */
        ssize_t n;

        if (link->fd < 0)
                return -ENOTCONN;
        n = send(link->fd, call, sizeof(call), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
                return -errno;
        return n == sizeof(call) ? 0
                                 : -EAGAIN; /* the socket's buffer is never that full with one question at a time */
}
