/* SPDX-License-Identifier: MIT */
#include "observe/command.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "observe/command-spawn.h"
#include "observe/proc-text.h"

/* A killed process is gone in microseconds, unless it hangs in the kernel; then nobody can end it. */
#define KILL_TIMEOUT_MSEC 5000
/* Rounds of looking for processes of the session that were forked while we killed the others. */
#define MAX_KILL_ROUNDS   100

typedef struct Output {
        const char *name;
        Text text;
        bool is_truncated;
        sd_event_source *source;
} Output;

struct Command {
        Observer *observer;
        char *owner;
        unsigned run;
        char *line; /* as recorded */
        uint64_t asked_usec;
        CommandCallback on_end;
        void *userdata;
        SpawnedCommand spawned;
        Output outputs[2];
        bool is_recorded;
        bool is_timed_out;
        sd_event_source *exited;
        sd_event_source *deadline;
};

/* Reads what is there. 1: more may come, 0: it never will. What is over the limit is read and dropped. */
static int output_drain(Output *output, int fd) {
        char bytes[16384];
        ssize_t n;

        while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
                size_t n_room = COMMAND_MAX_OUTPUT - output->text.n_bytes;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? 1 : 0;
                if ((size_t) n > n_room)
                        output->is_truncated = true;
                text_append_bytes(&output->text, bytes, (size_t) n > n_room ? n_room : (size_t) n);
        }
        return 0;
}

static int on_output(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        if (output_drain(userdata, fd) == 0)
                (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return 0;
}

/* The first process stays unreaped until the end, so that its pid, the session's number, cannot become another's. */
static void kill_session(const Command *command) {
        bool found = true;

        (void) kill(-command->spawned.pid, SIGKILL);
        for (unsigned round = 0; found && round < MAX_KILL_ROUNDS; round++) {
                CLEANUP_FREE ProcessBrief *processes = NULL;
                size_t n_processes = 0;

                found = false;
                if (process_list(&processes, &n_processes) < 0)
                        return;
                FOREACH_ARRAY (process, processes, n_processes)
                        if (process->session == command->spawned.pid && process->pid != command->spawned.pid &&
                                        !process_is_ending(process))
                                found |= kill(process->pid, SIGKILL) == 0;
        }
}

/* CLD_EXITED and a code, or CLD_KILLED/CLD_DUMPED and a signal, as a wait status. */
static int wait_status_of(const siginfo_t *siginfo) {
        if (siginfo->si_code == CLD_EXITED)
                return (siginfo->si_status & 0xff) << 8;
        return siginfo->si_status | (siginfo->si_code == CLD_DUMPED ? 0x80 : 0);
}

static void set_outputs(Command *command, Entry *entry) {
        CLEANUP_TEXT Text truncated = TEXT_INIT;

        for (size_t i = 0; i < ELEMENTS_OF(command->outputs); i++) {
                const Output *output = &command->outputs[i];

                entry_set_bytes(entry, output->name, text_get(&output->text), output->text.n_bytes);
                if (output->is_truncated)
                        text_printf(&truncated, "%s%s", truncated.n_bytes > 0 ? " " : "", output->name);
        }
        if (truncated.n_bytes > 0)
                entry_set(entry, "truncated", text_get(&truncated));
}

static void record_end(Command *command, int wait_status) {
        Entry *entry = observer_entry(command->observer, SOURCE_COMMAND, ENTRY_COMMAND, 0, NULL);
        int exec_error = 0;

        if (read(command->spawned.error_fd, &exec_error, sizeof(exec_error)) != sizeof(exec_error))
                exec_error = 0;
        if (entry) {
                entry_set(entry, "owner", command->owner);
                entry_set_number(entry, "run", command->run);
                entry_set(entry, "command", command->line);
                entry_set_usec(entry, "asked", command->asked_usec);
                entry_set_number(entry, "status", wait_status);
                entry_set_number(entry, "errno", exec_error);
                entry_set_number(entry, "pid", command->spawned.pid);
                set_outputs(command, entry);
                if (command->is_timed_out)
                        entry_set(entry, "timed-out", "yes");
        }
        command->is_recorded = true;
        if (observer_append(command->observer, entry) >= 0 && command->on_end)
                command->on_end(entry, command->userdata);
}

static int on_exit_of_first(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Command *command = userdata;
        siginfo_t siginfo = { 0 };

        if (waitid(P_PIDFD, (id_t) fd, &siginfo, WEXITED | WNOWAIT | WNOHANG) < 0 || siginfo.si_pid == 0)
                return 0;
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        command->deadline = sd_event_source_disable_unref(command->deadline);
        (void) output_drain(&command->outputs[0], command->spawned.stdout_fd);
        (void) output_drain(&command->outputs[1], command->spawned.stderr_fd);
        record_end(command, wait_status_of(&siginfo));
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        Command *command = userdata;

        command->is_timed_out = true;
        kill_session(command);
        return 0;
}

static int command_watch(Command *command, uint64_t deadline_usec) {
        sd_event *event = command->observer->event;
        int r;

        r = sd_event_add_io(event, &command->outputs[0].source, command->spawned.stdout_fd, EPOLLIN, on_output,
                        &command->outputs[0]);
        if (r >= 0)
                r = sd_event_add_io(event, &command->outputs[1].source, command->spawned.stderr_fd, EPOLLIN,
                                on_output, &command->outputs[1]);
        if (r >= 0)
                r = sd_event_add_io(
                                event, &command->exited, command->spawned.pidfd, EPOLLIN, on_exit_of_first, command);
        if (r >= 0)
                r = sd_event_add_time(
                                event, &command->deadline, CLOCK_MONOTONIC, deadline_usec, 1, on_deadline, command);
        return r;
}

static char *joined_arguments(const char *const *argv) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        for (; *argv; argv++)
                text_printf(&text, "%s%s", text.n_bytes > 0 ? " " : "", *argv);
        return text_take(&text);
}

int command_start(Observer *observer, const CommandRequest *request, CommandCallback on_end, void *userdata,
                Command **ret_command, Error *reterr) {
        CLEANUP(command_free_p) Command *command = calloc(1, sizeof(*command));
        int r;

        if (!command)
                return error_set_errno(reterr, -ENOMEM, "running a command");
        *command = (Command){
                .observer = observer,
                .owner = strdup(request->owner),
                .run = request->run,
                .line = request->line ? strdup(request->line) : joined_arguments(request->argv),
                .on_end = on_end,
                .userdata = userdata,
                .spawned = SPAWNED_COMMAND_INIT,
                .outputs = { { .name = "stdout" }, { .name = "stderr" } },
        };
        if (!command->owner || !command->line)
                return error_set_errno(reterr, -ENOMEM, "running a command");

        command->asked_usec = clock_now_usec();
        r = command_spawn(request, &command->spawned);
        if (r >= 0)
                r = command_watch(command, request->deadline_usec);
        if (r < 0)
                return error_set_errno(reterr, r, "running '%s'", command->line);
        *ret_command = TAKE_PTR(command);
        return 0;
}

Command *command_free(Command *command) {
        if (!command)
                return NULL;

        if (command->spawned.pid > 0) {
                struct pollfd pollfd = { .fd = command->spawned.pidfd, .events = POLLIN };

                kill_session(command);
                (void) poll(&pollfd, 1, KILL_TIMEOUT_MSEC);
                (void) waitpid(command->spawned.pid, NULL, WNOHANG);
        }
        sd_event_source_disable_unref(command->exited);
        sd_event_source_disable_unref(command->deadline);
        for (size_t i = 0; i < ELEMENTS_OF(command->outputs); i++) {
                sd_event_source_disable_unref(command->outputs[i].source);
                text_done(&command->outputs[i].text);
        }
        spawned_command_close(&command->spawned);
        free(command->owner);
        free(command->line);
        free(command);
        return NULL;
}
