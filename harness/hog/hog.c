/* SPDX-License-Identifier: MIT */

/*
 * agenttest-hog RESOURCE AMOUNT [ADDRESS]: uses up one resource of the cgroup it was put into, and holds what it took
 * until it is killed. Started by the `hog` step (perform/step-hog.c), in the cgroup of a unit.
 *
 * It is a program of its own, linked statically: it must run in any cgroup and under any root, and cost nothing but
 * what it is told to take. What it says on standard output, a line each:
 *
 *     took N      all that was asked for, and nothing stopped it
 *     denied N    more than N were refused: tasks by the kernel, connections by the other side
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/socket-address.h"

#define STEP_BYTES ((uint64_t) 256 * 1024)
#define RETRY_NSEC (10 * 1000 * 1000)

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
        char line[128];
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        if (n > 0 && write(STDOUT_FILENO, line, (size_t) n) < 0)
                _exit(EXIT_FAILURE); /* nobody listens any more */
}

_Noreturn static void hold(void) {
        for (;;)
                (void) pause();
}

/* Where memory runs out, the hog is what the kernel ends, not the daemon whose life is of interest. */
static void volunteer(void) {
        int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, "1000", 4) < 0) {
                say("cannot offer itself to the kernel: %s\n", strerror(errno));
                _exit(EXIT_FAILURE);
        }
        (void) close(fd);
}

_Noreturn static void take_memory(uint64_t n_bytes) {
        for (uint64_t taken = 0; taken < n_bytes; taken += STEP_BYTES) {
                void *step = mmap(NULL, STEP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

                if (step == MAP_FAILED) {
                        say("cannot map more than %llu bytes: %s\n", (unsigned long long) taken, strerror(errno));
                        hold();
                }
                /* Written to, and not with zeros: memory nobody wrote to costs nothing. */
                memset(step, 0xa5, STEP_BYTES);
        }
        say("took %llu\n", (unsigned long long) n_bytes);
        hold();
}

static pid_t owner;

/* What it took is free when it is gone: it ends its children, which have this handler too, and waits for them. */
static void on_end(int signal_number) {
        if (getpid() == owner) {
                (void) kill(0, SIGTERM);
                while (wait(NULL) > 0)
                        ;
        }
        _exit(EXIT_SUCCESS);
}

/* Only where all of its process group are its own. */
static void end_with_children(void) {
        struct sigaction action = { .sa_handler = on_end };

        (void) setpgid(0, 0);
        owner = getpid();
        if (getpgrp() == owner)
                (void) sigaction(SIGTERM, &action, NULL);
}

/* A child that only is there; it goes with its parent. */
static pid_t start_child(void (*run)(void)) {
        pid_t parent = getpid(), pid = fork();

        if (pid != 0)
                return pid;
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
                run();
        _exit(EXIT_SUCCESS);
}

static void wait_for_the_end(void) {
        hold();
}

static void burn(void) {
        for (volatile uint64_t i = 0;; i++)
                ;
}

/* What is given back by others is taken again, so that the limit stays reached. */
_Noreturn static void take_tasks(uint64_t n_tasks) {
        struct timespec pause = { .tv_nsec = RETRY_NSEC };
        uint64_t n_taken = 0;
        int error = 0;

        end_with_children();
        while (n_taken < n_tasks) {
                if (start_child(wait_for_the_end) > 0) {
                        n_taken++;
                        continue;
                }
                if (error == 0)
                        say("denied %llu: %s\n", (unsigned long long) n_taken, strerror(errno));
                error = errno;
                (void) nanosleep(&pause, NULL);
        }
        say("took %llu\n", (unsigned long long) n_taken);
        hold();
}

_Noreturn static void take_cpu(uint64_t n_burning) {
        end_with_children();
        for (uint64_t i = 0; i < n_burning; i++)
                if (start_child(burn) < 0) {
                        say("cannot start: %s\n", strerror(errno));
                        hold();
                }
        say("took %llu\n", (unsigned long long) n_burning);
        hold();
}

/* Whatever it is, it is not the daemon that has no descriptor left: nothing was tried. */
_Noreturn static void give_up(const char *what, int error) {
        say("%s: %s\n", what, strerror(error));
        _exit(EXIT_FAILURE);
}

static int open_connection(const SocketAddress *to) {
        int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                give_up("no descriptor of its own is left for a connection", errno);
        if (connect(fd, &to->any, to->n_bytes) < 0)
                return -errno; /* its descriptor goes with the hog */
        return fd;
}

/* What the other side says (a greeting) is no refusal; that it ends the connection is one. */
static bool is_closed(int fd) {
        char bytes[4096];
        ssize_t n;

        do
                n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        while (n > 0);
        return n == 0 || (errno != EAGAIN && errno != EINTR);
}

/* Whom the other side does not want it tells so, and closes the connection. One that keeps none, not even the first,
 * has other reasons. */
_Noreturn static void watch_connections(struct pollfd *connections, uint64_t n) {
        while (poll(connections, n, -1) > 0)
                for (uint64_t i = n; i-- > 0;) {
                        if (!connections[i].revents || !is_closed(connections[i].fd))
                                continue;
                        if (i == 0 || is_closed(connections[0].fd))
                                give_up("the other side keeps no connection", ECONNRESET);
                        say("denied %llu: a connection was refused by the other side\n", (unsigned long long) n);
                        hold();
                }
        hold();
}

static const char *address;

_Noreturn static void take_fds(uint64_t n_connections) {
        struct pollfd *connections = calloc(n_connections, sizeof(*connections));
        struct rlimit limit;
        SocketAddress to;
        int r = socket_address_parse(address, &to);

        if (r < 0 || !connections)
                give_up("cannot connect", r < 0 ? -r : ENOMEM);
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void) setrlimit(RLIMIT_NOFILE, &limit);
        }
        for (uint64_t i = 0; i < n_connections; i++) {
                connections[i] = (struct pollfd){ .fd = open_connection(&to), .events = POLLIN };
                if (connections[i].fd >= 0)
                        continue;
                /* Nobody there, from the first on. */
                if (i == 0)
                        give_up("cannot connect", -connections[i].fd);
                say("denied %llu: %s\n", (unsigned long long) i, strerror(-connections[i].fd));
                hold();
        }
        say("took %llu\n", (unsigned long long) n_connections);
        watch_connections(connections, n_connections);
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                void (*take)(uint64_t amount);
        } resources[] = {
                { "memory", take_memory },
                { "tasks", take_tasks },
                { "cpu", take_cpu },
                { "fds", take_fds },
        };
        uint64_t amount = argc >= 3 ? strtoull(argv[2], NULL, 10) : 0;

        address = argc > 3 ? argv[3] : "";
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) prctl(PR_SET_NAME, "agenttest-hog"); /* it was started by the number of a descriptor */
        for (size_t i = 0; amount > 0 && i < sizeof(resources) / sizeof(*resources); i++)
                if (strcmp(argv[1], resources[i].name) == 0) {
                        volunteer();
                        resources[i].take(amount);
                }
        fprintf(stderr, "usage: agenttest-hog memory|tasks|cpu|fds AMOUNT [ADDRESS]\n");
        return 64;
}
