/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An agentd with folders of its own, its log and its notifications caught. Every wait has a deadline, and a deadline
 * that passes is a failed assertion. What a test leaves running dies with the test's process.
 */

#include <check.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DEADLINE_MSEC 20000

typedef struct Rig {
        char directory[256]; /* holds state/, agent.sock, agent.conf, notify */
        char socket_path[300];
        char config_path[300];
        int notify_fd;
        int log_fd;
        pid_t pid;
        int pidfd;
        char *log; /* what the agent wrote since it was started */
        size_t n_log;
        char *notes; /* the lines of its notifications, each ended by a newline */
        size_t n_notes;
        size_t n_notes_seen; /* how far a wait for one has come */
} Rig;

/* How an agent is started; all zero for the usual way. */
typedef struct RigStart {
        const char *fault;
        const char *config;     /* text of the configuration file; NULL: no file */
        uint64_t watchdog_usec; /* WatchdogSec= */
        bool is_journal;        /* standard error looks like the journal's stream */
        bool is_not_awaited;    /* return at once instead of waiting for READY */
} RigStart;

/* A local that ends what still runs and releases the rest. */
#define RIG(name) __attribute__((cleanup(rig_done))) Rig name = { .notify_fd = -1, .log_fd = -1, .pidfd = -1 }
void rig_done(Rig *rig);

/* Once per test: makes the folders. rig_base_remove() removes those of all tests, called by main() at the end. */
void rig_init(Rig *rig);
void rig_base_make(void);
void rig_base_remove(void);

void rig_start(Rig *rig, RigStart start);
/* Waits for the process' end; returns its wait status. */
int rig_wait_exit(Rig *rig);
/* Sends @signal and waits for the end. */
int rig_end(Rig *rig, int signal);
void rig_signal(const Rig *rig, int signal);
void rig_write_config(Rig *rig, const char *text);

/* Waits for a log line with @event; the newest such line, the caller's. A line seen before counts. */
json_t *rig_wait_event(Rig *rig, const char *event);
/* Waits for the @n-th line with @event. */
json_t *rig_wait_nth_event(Rig *rig, const char *event, size_t n);
size_t rig_count_events(const Rig *rig, const char *event);
/* Is there a line with this in it? */
bool rig_log_contains(const Rig *rig, const char *text);
/* Waits for a notification that has @line among its lines. */
void rig_wait_notify(Rig *rig, const char *line);
/* Reads the notifications there are; is @line among them? */
bool rig_drain_notify(Rig *rig, const char *line);

/* Runs agentctl with the arguments up to NULL; its exit status. @ret_output may be NULL, else is the caller's. */
int rig_ctl(const Rig *rig, char **ret_output, ...) __attribute__((sentinel));
/* The output of a command that must succeed; the caller's. */
char *rig_ctl_output(const Rig *rig, const char *command, const char *option, const char *value);
/* The member @key of the status. */
int64_t rig_status_integer(const Rig *rig, const char *key);

int rig_connect(const Rig *rig);
/* Sends @request as one line and reads one line of reply, as an object; the caller's. */
json_t *rig_call(int fd, const char *request);
json_t *rig_read_reply(int fd);

bool rig_has_file(const Rig *rig, const char *name);
/* One integer out of the database in the state folder; the agent must not be running. */
int64_t rig_query(const Rig *rig, const char *sql);
void rig_append(const Rig *rig, const char *name, const char *text);
/* Waits until the process is gone. */
void rig_wait_gone(int pidfd);
int rig_pidfd(pid_t pid);

Suite *protocol_suite(void);
Suite *startup_suite(void);
Suite *stop_suite(void);
Suite *recovery_suite(void);
Suite *fault_suite(void);
