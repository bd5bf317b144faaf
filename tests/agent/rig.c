/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char base_path[] = "/tmp/test-agent-XXXXXX";

void rig_base_make(void) {
        if (!mkdtemp(base_path)) {
                perror("mkdtemp");
                exit(EXIT_FAILURE);
        }
}

static int remove_entry(const char *path, const struct stat *stat_buffer, int kind, struct FTW *place) {
        return remove(path);
}

void rig_base_remove(void) {
        (void) nftw(base_path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static int64_t now_msec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void await(int fd, int64_t deadline_msec, const char *what) {
        int64_t rest = deadline_msec - now_msec();
        struct pollfd ready = { .fd = fd, .events = POLLIN };

        ck_assert_msg(poll(&ready, 1, rest > 0 ? (int) rest : 0) > 0, "nothing came in time: %s", what);
}

static void receive_notes(Rig *rig) {
        char message[4096];
        ssize_t n;

        while ((n = recv(rig->notify_fd, message, sizeof(message), MSG_DONTWAIT)) > 0) {
                rig->notes = realloc(rig->notes, rig->n_notes + (size_t) n + 2);
                ck_assert_ptr_nonnull(rig->notes);
                memcpy(rig->notes + rig->n_notes, message, (size_t) n);
                rig->n_notes += (size_t) n;
                rig->notes[rig->n_notes++] = '\n';
                rig->notes[rig->n_notes] = '\0';
        }
}

static struct sockaddr_un unix_address(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
        strcpy(address.sun_path, path);
        return address;
}

static void open_notify(Rig *rig) {
        struct sockaddr_un address;
        char path[300];

        (void) snprintf(path, sizeof(path), "%s/notify", rig->directory);
        address = unix_address(path);
        rig->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(rig->notify_fd, 0);
        ck_assert_int_eq(bind(rig->notify_fd, (struct sockaddr *) &address, sizeof(address)), 0);
}

void rig_init(Rig *rig) {
        char state_path[300];

        *rig = (Rig){ .notify_fd = -1, .log_fd = -1, .pidfd = -1 };
        (void) snprintf(rig->directory, sizeof(rig->directory), "%s/XXXXXX", base_path);
        ck_assert_ptr_nonnull(mkdtemp(rig->directory));
        (void) snprintf(rig->socket_path, sizeof(rig->socket_path), "%s/agent.sock", rig->directory);
        (void) snprintf(rig->config_path, sizeof(rig->config_path), "%s/agent.conf", rig->directory);
        (void) snprintf(state_path, sizeof(state_path), "%s/state", rig->directory);
        ck_assert_int_eq(mkdir(state_path, 0700), 0);
        open_notify(rig);
}

void rig_done(Rig *rig) {
        if (rig->pidfd >= 0) {
                (void) kill(rig->pid, SIGKILL);
                (void) waitpid(rig->pid, NULL, 0);
                (void) close(rig->pidfd);
        }
        if (rig->notify_fd >= 0)
                (void) close(rig->notify_fd);
        if (rig->log_fd >= 0)
                (void) close(rig->log_fd);
        free(rig->log);
        free(rig->notes);
}

void rig_write_config(Rig *rig, const char *text) {
        FILE *file = fopen(rig->config_path, "we");

        ck_assert_ptr_nonnull(file);
        (void) fputs(text, file);
        ck_assert_int_eq(fclose(file), 0);
}

static void set_environment(const Rig *rig, const RigStart *start, int stderr_fd) {
        struct stat stat_buffer;
        char text[400];

        (void) unsetenv("fault");
        (void) unsetenv("WATCHDOG_USEC");
        (void) unsetenv("JOURNAL_STREAM");
        (void) snprintf(text, sizeof(text), "%s/state", rig->directory);
        (void) setenv("STATE_DIRECTORY", text, 1);
        (void) setenv("RUNTIME_DIRECTORY", rig->directory, 1);
        (void) snprintf(text, sizeof(text), "%s/notify", rig->directory);
        (void) setenv("NOTIFY_SOCKET", text, 1);
        if (start->fault)
                (void) setenv("fault", start->fault, 1);
        if (start->watchdog_usec > 0) {
                (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) start->watchdog_usec);
                (void) setenv("WATCHDOG_USEC", text, 1);
                (void) snprintf(text, sizeof(text), "%d", (int) getpid());
                (void) setenv("WATCHDOG_PID", text, 1);
        }
        if (start->is_journal && fstat(stderr_fd, &stat_buffer) == 0) {
                (void) snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t) stat_buffer.st_dev,
                                (uintmax_t) stat_buffer.st_ino);
                (void) setenv("JOURNAL_STREAM", text, 1);
        }
}

static _Noreturn void execute_agent(const Rig *rig, const RigStart *start, int stderr_fd) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        set_environment(rig, start, stderr_fd);
        (void) dup2(stderr_fd, STDERR_FILENO);
        if (start->config)
                (void) execl(AGENTD_PATH, "agentd", "--config", rig->config_path, NULL);
        else
                (void) execl(AGENTD_PATH, "agentd", NULL);
        _exit(127);
}

int rig_pidfd(pid_t pid) {
        int fd = (int) syscall(SYS_pidfd_open, pid, 0);

        ck_assert_int_ge(fd, 0);
        return fd;
}

void rig_start(Rig *rig, RigStart start) {
        int fds[2];

        free(rig->log);
        rig->log = strdup("");
        rig->n_log = 0;
        rig->n_notes_seen = rig->n_notes;
        if (rig->log_fd >= 0)
                (void) close(rig->log_fd);
        if (start.config)
                rig_write_config(rig, start.config);
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        rig->pid = fork();
        ck_assert_int_ge(rig->pid, 0);
        if (rig->pid == 0)
                execute_agent(rig, &start, fds[1]);
        (void) close(fds[1]);
        rig->log_fd = fds[0];
        rig->pidfd = rig_pidfd(rig->pid);
        if (!start.is_not_awaited)
                rig_wait_notify(rig, "READY=1");
}

/* As await(), and takes the notifications meanwhile: sd_notify() blocks once ten of them are in the queue. */
static void await_agent(Rig *rig, int fd, int64_t deadline_msec, const char *what) {
        struct pollfd ready[] = {
                { .fd = fd, .events = POLLIN },
                { .fd = rig->notify_fd, .events = POLLIN },
        };

        do {
                int64_t rest = deadline_msec - now_msec();

                ck_assert_msg(poll(ready, 2, rest > 0 ? (int) rest : 0) > 0, "nothing came in time: %s", what);
                receive_notes(rig);
        } while (!ready[0].revents);
}

/* Takes what the pipe has. False at the end of file. */
static bool read_log(Rig *rig) {
        char bytes[4096];
        ssize_t n = read(rig->log_fd, bytes, sizeof(bytes));

        ck_assert_int_ge(n, 0);
        rig->log = realloc(rig->log, rig->n_log + (size_t) n + 1);
        ck_assert_ptr_nonnull(rig->log);
        memcpy(rig->log + rig->n_log, bytes, (size_t) n);
        rig->n_log += (size_t) n;
        rig->log[rig->n_log] = '\0';
        return n > 0;
}

void rig_wait_gone(int pidfd) {
        await(pidfd, now_msec() + DEADLINE_MSEC, "the end of a process");
}

int rig_wait_exit(Rig *rig) {
        int64_t deadline = now_msec() + DEADLINE_MSEC;
        int wait_status;

        await_agent(rig, rig->pidfd, deadline, "the agent's end");
        ck_assert_int_eq(waitpid(rig->pid, &wait_status, 0), rig->pid);
        (void) close(rig->pidfd);
        rig->pidfd = -1;
        do
                await_agent(rig, rig->log_fd, deadline, "the end of the log");
        while (read_log(rig));
        receive_notes(rig); /* its last words, so that they are not taken for those of the next one */
        return wait_status;
}

void rig_signal(const Rig *rig, int signal) {
        ck_assert_int_eq(kill(rig->pid, signal), 0);
}

int rig_end(Rig *rig, int signal) {
        rig_signal(rig, signal);
        return rig_wait_exit(rig);
}

/* The @n-th complete line with @event (1-based), or the last one where @n is 0. */
static json_t *find_event(const Rig *rig, const char *event, size_t n) {
        json_t *found = NULL;
        size_t n_found = 0;

        for (const char *line = rig->log, *end; (end = strchr(line, '\n')); line = end + 1) {
                const char *object = memchr(line, '{', (size_t) (end - line));
                json_t *entry = object ? json_loadb(object, (size_t) (end - object), 0, NULL) : NULL;

                if (!entry) /* a sanitizer's report, say */
                        continue;
                if (strcmp(json_string_value(json_object_get(entry, "event")) ?: "", event) == 0 &&
                                (n == 0 || n_found < n)) {
                        json_decref(found);
                        found = json_incref(entry);
                        n_found++;
                }
                json_decref(entry);
        }
        if (n_found < n) {
                json_decref(found);
                return NULL;
        }
        return found;
}

size_t rig_count_events(const Rig *rig, const char *event) {
        size_t n = 0;

        for (json_t *entry; (entry = find_event(rig, event, n + 1)); n++)
                json_decref(entry);
        return n;
}

bool rig_log_contains(const Rig *rig, const char *text) {
        return strstr(rig->log, text) != NULL;
}

json_t *rig_wait_nth_event(Rig *rig, const char *event, size_t n) {
        int64_t deadline = now_msec() + DEADLINE_MSEC;
        json_t *entry;

        while (!(entry = find_event(rig, event, n))) {
                await_agent(rig, rig->log_fd, deadline, event);
                ck_assert_msg(read_log(rig), "the agent ended without the event %s; it said: %s", event, rig->log);
        }
        return entry;
}

json_t *rig_wait_event(Rig *rig, const char *event) {
        json_decref(rig_wait_nth_event(rig, event, 1));
        return find_event(rig, event, 0);
}

/* Is @line among the notifications nobody has looked at? What is before it counts as seen. */
static bool find_note(Rig *rig, const char *line) {
        size_t n_line = strlen(line);

        while (rig->n_notes_seen < rig->n_notes) {
                const char *note = rig->notes + rig->n_notes_seen;
                size_t n_note = strcspn(note, "\n");

                rig->n_notes_seen += n_note + 1;
                if (n_note == n_line && memcmp(note, line, n_line) == 0)
                        return true;
        }
        return false;
}

void rig_wait_notify(Rig *rig, const char *line) {
        int64_t deadline = now_msec() + DEADLINE_MSEC;

        while (!find_note(rig, line)) {
                await(rig->notify_fd, deadline, line);
                receive_notes(rig);
        }
}

bool rig_drain_notify(Rig *rig, const char *line) {
        receive_notes(rig);
        return find_note(rig, line);
}

static char *read_all(int fd) {
        int64_t deadline = now_msec() + DEADLINE_MSEC;
        size_t n_bytes = 0, n_allocated = 4096;
        char *bytes = malloc(n_allocated);

        for (;;) {
                ssize_t n;

                await(fd, deadline, "the output of agentctl");
                n = read(fd, bytes + n_bytes, n_allocated - n_bytes - 1);
                ck_assert_int_ge(n, 0);
                if (n == 0)
                        break;
                n_bytes += (size_t) n;
                if (n_bytes + 1 == n_allocated)
                        bytes = realloc(bytes, n_allocated *= 2);
        }
        bytes[n_bytes] = '\0';
        return bytes;
}

static int run_ctl(char *const *arguments, char **ret_output) {
        int fds[2], wait_status;
        char *output;
        pid_t pid;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) dup2(fds[1], STDOUT_FILENO);
                (void) execv(AGENTCTL_PATH, arguments);
                _exit(127);
        }
        (void) close(fds[1]);
        output = read_all(fds[0]);
        (void) close(fds[0]);
        ck_assert_int_eq(waitpid(pid, &wait_status, 0), pid);
        ck_assert(WIFEXITED(wait_status));
        if (ret_output)
                *ret_output = output;
        else
                free(output);
        return WEXITSTATUS(wait_status);
}

int rig_ctl(const Rig *rig, char **ret_output, ...) {
        char *arguments[16] = { (char *) "agentctl", (char *) "--socket", (char *) rig->socket_path };
        size_t n = 3;
        va_list ap;

        va_start(ap, ret_output);
        while (n < 15 && (arguments[n] = va_arg(ap, char *)))
                n++;
        va_end(ap);
        return run_ctl(arguments, ret_output);
}

char *rig_ctl_output(const Rig *rig, const char *command, const char *option, const char *value) {
        char *output;

        ck_assert_int_eq(rig_ctl(rig, &output, command, option, value, NULL), 0);
        return output;
}

int64_t rig_status_integer(const Rig *rig, const char *key) {
        char *output = rig_ctl_output(rig, "status", NULL, NULL);
        json_t *object = json_loads(output, 0, NULL);
        json_t *value = json_object_get(object, key);
        int64_t number = json_is_boolean(value) ? json_is_true(value) : json_integer_value(value);

        ck_assert_ptr_nonnull(value);
        json_decref(object);
        free(output);
        return number;
}

int rig_connect(const Rig *rig) {
        struct sockaddr_un address = unix_address(rig->socket_path);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0)
                return fd;
        (void) close(fd);
        return -1;
}

json_t *rig_read_reply(int fd) {
        int64_t deadline = now_msec() + DEADLINE_MSEC;
        size_t n_bytes = 0, n_allocated = 256 * 1024;
        char *line = malloc(n_allocated);
        json_t *reply;

        do {
                await(fd, deadline, "a reply");
                ck_assert_int_eq(recv(fd, line + n_bytes, 1, 0), 1);
        } while (line[n_bytes++] != '\n' && n_bytes < n_allocated);
        reply = json_loadb(line, n_bytes, 0, NULL);
        ck_assert(json_is_object(reply));
        free(line);
        return reply;
}

json_t *rig_call(int fd, const char *request) {
        ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t) strlen(request));
        ck_assert_int_eq(send(fd, "\n", 1, MSG_NOSIGNAL), 1);
        return rig_read_reply(fd);
}

static void state_path(const Rig *rig, const char *name, char path[static 400]) {
        (void) snprintf(path, 400, "%s/state/%s", rig->directory, name);
}

bool rig_has_file(const Rig *rig, const char *name) {
        char path[400];

        state_path(rig, name, path);
        return access(path, F_OK) == 0;
}

void rig_append(const Rig *rig, const char *name, const char *text) {
        char path[400];
        FILE *file;

        state_path(rig, name, path);
        file = fopen(path, "ae");
        ck_assert_ptr_nonnull(file);
        (void) fputs(text, file);
        ck_assert_int_eq(fclose(file), 0);
}

int64_t rig_query(const Rig *rig, const char *sql) {
        sqlite3_stmt *statement = NULL;
        sqlite3 *database = NULL;
        int64_t number = 0;
        char path[400];
        int code;

        state_path(rig, "agent.db", path);
        ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
        ck_assert_msg(sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK, "%s",
                        sqlite3_errmsg(database));
        code = sqlite3_step(statement);
        ck_assert(code == SQLITE_ROW || code == SQLITE_DONE);
        if (code == SQLITE_ROW)
                number = sqlite3_column_int64(statement, 0);
        (void) sqlite3_finalize(statement);
        (void) sqlite3_close(database);
        return number;
}
