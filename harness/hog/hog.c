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
        for (uint64_t i = 0; i < n_burning; i++)
                if (start_child(burn) < 0) {
                        say("cannot start: %s\n", strerror(errno));
                        hold();
                }
        say("took %llu\n", (unsigned long long) n_burning);
        hold();
}

static int open_connection(const char *text) {
        SocketAddress to;
        int fd, r = socket_address_parse(text, &to);

        if (r < 0) {
                errno = -r;
                return -1;
        }
        fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -1;
        if (connect(fd, &to.any, to.n_bytes) < 0)
                return -1; /* its descriptor goes with the hog */
        return fd;
}

/* Whom the other side does not want it tells so, and closes the connection. */
static void watch_connections(const struct pollfd *connections, uint64_t n) {
        struct pollfd *polled = calloc(n, sizeof(*polled));

        if (!polled)
                hold();
        memcpy(polled, connections, n * sizeof(*polled));
        if (poll(polled, n, -1) > 0)
                say("denied %llu: a connection was refused by the other side\n", (unsigned long long) n);
        hold();
}

static const char *address;

_Noreturn static void take_fds(uint64_t n_connections) {
        struct pollfd *connections = calloc(n_connections, sizeof(*connections));
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void) setrlimit(RLIMIT_NOFILE, &limit);
        }
        for (uint64_t i = 0; connections && i < n_connections; i++) {
                connections[i] = (struct pollfd){ .fd = open_connection(address), .events = POLLIN };
                if (connections[i].fd < 0) {
                        say("denied %llu: %s\n", (unsigned long long) i, strerror(errno));
                        hold();
                }
        }
        say("took %llu\n", (unsigned long long) n_connections);
        watch_connections(connections, n_connections);
        hold();
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
