/* SPDX-License-Identifier: MIT */
/*
 * What the processes of a sandbox tell the performer, on SOCK_SEQPACKET sockets that close on exec: so a failed
 * set-up is never taken for a program that exits, and the end of the socket is the start of that program.
 */
#include <string.h>
#include <sys/socket.h>

#include "stage/sandbox.h"

typedef union FdControl {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
} FdControl;

int setup_send(int fd, const SetupMessage *message) {
        FdControl control = { 0 };
        struct iovec bytes = { (void *) message, sizeof(*message) };
        struct msghdr header = { .msg_iov = &bytes, .msg_iovlen = 1 };

        if (message->kind == SETUP_FD) {
                struct cmsghdr *fds = &control.align;

                fds->cmsg_level = SOL_SOCKET;
                fds->cmsg_type = SCM_RIGHTS;
                fds->cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(fds), &message->number, sizeof(int));
                header.msg_control = &control;
                header.msg_controllen = sizeof(control);
        }
        return sendmsg(fd, &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int setup_send_error(int fd, int code, const Error *error) {
        SetupMessage message = { .kind = SETUP_ERROR, .number = code };

        (void) snprintf(message.text, sizeof(message.text), "%s", error_text(error));
        return setup_send(fd, &message);
}

int setup_receive(int fd, int flags, SetupMessage *ret_message, Error *reterr) {
        FdControl control = { 0 };
        struct iovec bytes = { ret_message, sizeof(*ret_message) };
        struct msghdr header = {
                .msg_iov = &bytes,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        struct cmsghdr *fds;
        ssize_t n;

        *ret_message = (SetupMessage){ .kind = SETUP_NOTHING };
        do
                n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | flags);
        while (n < 0 && errno == EINTR);
        if (n < 0 && errno == EAGAIN)
                return 0;
        if (n <= 0) {
                ret_message->kind = SETUP_OVER; /* closed, or reset by a death */
                return 0;
        }
        fds = CMSG_FIRSTHDR(&header);
        if (ret_message->kind == SETUP_FD && fds && fds->cmsg_type == SCM_RIGHTS)
                memcpy(&ret_message->number, CMSG_DATA(fds), sizeof(int));
        if (ret_message->kind != SETUP_ERROR)
                return 0;
        ret_message->text[sizeof(ret_message->text) - 1] = '\0';
        return error_set(reterr, ret_message->number < 0 ? ret_message->number : -EIO, "%s", ret_message->text);
}
