/* SPDX-License-Identifier: MIT */
/* The performer's side of a running sandbox: one poll over everything that can happen to it. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "base/text.h"
#include "stage/deadline.h"
#include "stage/sandbox.h"

bool pidfd_has_ended(int pidfd, int timeout_msec) {
        struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

        return poll(&poll_fd, 1, timeout_msec) > 0;
}

/* Keeps the last CONSOLE_TAIL_BYTES. The console has to be drained for good: systemd would block on a full one. */
static void console_read(Sandbox *sandbox) {
        char bytes[CONSOLE_TAIL_BYTES];
        size_t n_kept = sandbox->n_console_tail_bytes;
        ssize_t n;

        n = read(sandbox->console_fd, bytes, sizeof(bytes));
        if (n <= 0)
                return;
        if (n_kept + (size_t) n > CONSOLE_TAIL_BYTES) {
                size_t n_dropped = n_kept + (size_t) n - CONSOLE_TAIL_BYTES;

                memmove(sandbox->console_tail, sandbox->console_tail + n_dropped, n_kept - n_dropped);
                n_kept -= n_dropped;
        }
        memcpy(sandbox->console_tail + n_kept, bytes, (size_t) n);
        sandbox->n_console_tail_bytes = n_kept + (size_t) n;
}

/* A terminal that is asked has handed over all that was written before: n_tty_poll() flushes its buffers. */
void console_drain(Sandbox *sandbox) {
        struct pollfd poll_fd = { .fd = sandbox->console_fd, .events = POLLIN };

        while (poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLIN))
                console_read(sandbox);
}

/* Source: sd_notify(3). A datagram is lines of KEY=value. */
static void notify_read(Sandbox *sandbox) {
        char text[4096];
        char *rest = NULL;
        ssize_t n;

        n = recv(sandbox->notify_fd, text, sizeof(text) - 1, MSG_DONTWAIT);
        if (n <= 0)
                return;
        text[n] = '\0';
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                if (strcmp(line, "READY=1") != 0 || sandbox->is_booted)
                        continue;
                sandbox->is_booted = true;
                sandbox->booted_usec = clock_now_usec();
        }
}

static void signal_read(Sandbox *sandbox) {
        struct signalfd_siginfo signal_info;

        if (read(sandbox->signal_fd, &signal_info, sizeof(signal_info)) == sizeof(signal_info))
                sandbox->interrupt_signal = (int) signal_info.ssi_signo;
}

static int setup_read(Sandbox *sandbox, Error *reterr) {
        SetupMessage message;
        int r;

        r = setup_receive(sandbox->setup_fd, MSG_DONTWAIT, &message, reterr);
        if (message.kind == SETUP_FD) {
                sandbox->console_fd = message.number;
                sandbox->console_peer_fd = ioctl(message.number, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        }
        if (message.kind == SETUP_OVER) {
                (void) close(sandbox->setup_fd);
                sandbox->setup_fd = -EBADF;
                sandbox->is_systemd = true;
        }
        return r;
}

static int keeper_read(Sandbox *sandbox, Error *reterr) {
        SetupMessage message;
        int r;

        r = setup_receive(sandbox->keeper_fd, MSG_DONTWAIT, &message, reterr);
        if (message.kind == SETUP_FD)
                sandbox->player_fd = message.number;
        if (message.kind == SETUP_STATUS) {
                sandbox->player_wait_status = message.number;
                sandbox->has_player_ended = true;
        }
        if (message.kind == SETUP_OVER) {
                (void) close(sandbox->keeper_fd);
                sandbox->keeper_fd = -EBADF;
                sandbox->is_keeper_gone = true;
        }
        return r;
}

int sandbox_watch(Sandbox *sandbox, uint64_t deadline_usec, Error *reterr) {
        struct pollfd fds[] = {
                { .fd = sandbox->setup_fd, .events = POLLIN }, { .fd = sandbox->notify_fd, .events = POLLIN },
                { .fd = sandbox->console_fd, .events = POLLIN }, { .fd = sandbox->signal_fd, .events = POLLIN },
                { .fd = sandbox->keeper_fd, .events = POLLIN },
                { .fd = sandbox->pid1_fd, .events = POLLIN }, /* only to wake up: the caller looks */
        };
        int r = 0;

        if (poll(fds, ELEMENTS_OF(fds), deadline_poll_msec(deadline_usec)) < 0)
                return errno == EINTR ? 0 : error_set_errno(reterr, -errno, "cannot wait for the sandbox");

        if (fds[2].revents)
                console_read(sandbox);
        if (fds[1].revents)
                notify_read(sandbox);
        if (fds[3].revents)
                signal_read(sandbox);
        if (fds[0].revents)
                r = setup_read(sandbox, reterr);
        if (r >= 0 && fds[4].revents)
                r = keeper_read(sandbox, reterr);
        return r;
}

int sandbox_error_with_console(const Sandbox *sandbox, Error *reterr, int code, const char *what) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        for (size_t i = 0; i < sandbox->n_console_tail_bytes; i++) {
                char byte = sandbox->console_tail[i];

                if (byte == '\n' || byte == '\t' || (unsigned char) byte >= ' ')
                        text_append_bytes(&text, &byte, 1);
        }
        while (text.n_bytes > 0 && text.bytes[text.n_bytes - 1] == '\n')
                text_truncate(&text, text.n_bytes - 1);
        if (text.n_bytes == 0)
                return error_set(reterr, code, "%s; systemd printed nothing", what);
        return error_set(reterr, code, "%s; systemd printed last:\n%s", what, text_get(&text));
}
