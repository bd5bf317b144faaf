/* SPDX-License-Identifier: MIT */
#include "perform/inquiry.h"

#include <string.h>

#include "base/clock.h"
#include "judge/counters.h"
#include "observe/file-probe.h"
#include "observe/file-watch.h"
#include "observe/process-probe.h"
#include "observe/socket-probe.h"
#include "perform/player.h"

/* Between two questions that no event calls for: short at first, when an answer is near, then sparing. */
#define INTERVAL_MIN_USEC   (10 * USEC_PER_MSEC)
#define INTERVAL_MAX_USEC   (250 * USEC_PER_MSEC)
/* A question that hangs (a command, a connection) is an answer too, after so long. */
#define ANSWER_TIMEOUT_USEC (30 * USEC_PER_SEC)

struct Inquiry {
        Run *run;
        const Expectation *expectation;
        bool is_outstanding; /* an answer is on its way */
        bool has_to_repeat;  /* asked again meanwhile */
        bool is_following;
        uint64_t interval_usec;
        sd_event_source *again; /* the next sample, or the pause between two bursts of events */
        FileWatch *file_watch;
        SocketProbe *socket;
        Command *command;
};

Inquiry *inquiry_free(Inquiry *inquiry) {
        if (!inquiry)
                return NULL;
        sd_event_source_disable_unref(inquiry->again);
        (void) file_watch_free(inquiry->file_watch);
        (void) socket_probe_free(inquiry->socket);
        (void) command_free(inquiry->command);
        free(inquiry);
        return NULL;
}

static Question inquiry_question(const Inquiry *inquiry) {
        return expect_kind(inquiry->expectation)->question;
}

/* Properties of org.freedesktop.systemd1(5) with EmitsChangedSignal "false" that change on their own. */
static bool property_is_silent(const char *name) {
        static const char *const prefixes[] = { "Memory", "Tasks", "CPU", "IO", "IP", "Watchdog", "Effective" };

        for (size_t i = 0; i < ELEMENTS_OF(prefixes); i++)
                if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        return false;
}

/* Does no event tell when to ask again? */
static bool inquiry_has_to_sample(const Inquiry *inquiry) {
        const Value *properties;

        if (inquiry->file_watch)
                return false;
        if (expect_kind(inquiry->expectation)->question != QUESTION_PROPERTIES)
                return true;
        properties = expectation_value(inquiry->expectation, "properties");
        for (size_t i = 0; i < properties->n_matches; i++)
                if (property_is_silent(properties->matches[i].name))
                        return true;
        return false;
}

static void inquiry_plan_next(Inquiry *inquiry) {
        if (!inquiry->is_following || !inquiry_has_to_sample(inquiry))
                return;
        (void) sd_event_source_set_time(inquiry->again, usec_add(clock_now_usec(), inquiry->interval_usec));
        (void) sd_event_source_set_enabled(inquiry->again, SD_EVENT_ONESHOT);
        inquiry->interval_usec += inquiry->interval_usec / 2;
        if (inquiry->interval_usec > INTERVAL_MAX_USEC)
                inquiry->interval_usec = INTERVAL_MAX_USEC;
}

static void inquiry_answered(Inquiry *inquiry) {
        inquiry->is_outstanding = false;
        if (inquiry->has_to_repeat) {
                inquiry->has_to_repeat = false;
                inquiry_ask(inquiry);
                return;
        }
        inquiry_plan_next(inquiry);
        player_wake(inquiry->run->player);
}

static int ask_file(Inquiry *inquiry, const char *key, Error *reterr) {
        const Timeline *timeline = inquiry->run->observer.timeline;
        CLEANUP_FREE char *path = NULL;
        int r;

        r = run_resolve(inquiry->run, expectation_value(inquiry->expectation, key)->text, &path, reterr);
        if (r < 0)
                return r;
        r = file_probe(&inquiry->run->observer, path);
        if (r >= 0 && inquiry->file_watch && entry_get(timeline_get(timeline, timeline_length(timeline) - 1), "type"))
                file_watch_seen(inquiry->file_watch);
        return r;
}

static int ask_database(Inquiry *inquiry, Error *reterr) {
        CLEANUP_FREE char *path = NULL;
        int r;

        r = run_resolve(inquiry->run, expectation_value(inquiry->expectation, "file")->text, &path, reterr);
        if (r < 0)
                return r;
        return sqlite_probe_copy(inquiry->run->databases, path, reterr);
}

static void on_socket(void *userdata) {
        Inquiry *inquiry = userdata;

        inquiry->socket = socket_probe_free(inquiry->socket);
        inquiry_answered(inquiry);
}

static int ask_socket(Inquiry *inquiry, Error *reterr) {
        CLEANUP_FREE char *address = NULL;
        int r;

        r = run_resolve(inquiry->run, expectation_value(inquiry->expectation, "address")->text, &address, reterr);
        if (r < 0)
                return r;
        return socket_probe_new(&inquiry->run->observer, address, usec_add(clock_now_usec(), ANSWER_TIMEOUT_USEC),
                        on_socket, inquiry, &inquiry->socket, reterr);
}

static void on_command(const Entry *entry, void *userdata) {
        Inquiry *inquiry = userdata;

        inquiry->command = command_free(inquiry->command);
        inquiry_answered(inquiry);
}

static int ask_command(Inquiry *inquiry, Error *reterr) {
        CLEANUP_FREE char *line = NULL;
        Run *run = inquiry->run;
        int r;

        r = run_resolve(run, expectation_value(inquiry->expectation, "run")->text, &line, reterr);
        if (r < 0)
                return r;
        CommandRequest request = {
                .owner = inquiry->expectation->id,
                .run = (unsigned) player_step_run(run->player),
                .line = line,
                .environment = run->environment,
                .folder = run->folder,
                .deadline_usec = usec_add(clock_now_usec(), ANSWER_TIMEOUT_USEC),
        };
        return command_start(&run->observer, &request, on_command, inquiry, &inquiry->command, reterr);
}

static int ask_left_behind(Inquiry *inquiry, Error *reterr) {
        Run *run = inquiry->run;
        const char *unit = inquiry->expectation->unit;
        const Value *files = expectation_value(inquiry->expectation, "files");
        int r;

        for (size_t i = 0; i < files->n_strings; i++) {
                CLEANUP_FREE char *path = NULL;

                r = run_resolve(run, files->strings[i], &path, reterr);
                if (r >= 0)
                        r = file_probe(&run->observer, path);
                if (r < 0)
                        return r;
        }
        return left_behind_probe(run->left_behind, unit, bus_watch_control_group(run->bus, unit));
}

static void ask_counter(const char *counter, void *userdata) {
        Inquiry *inquiry = userdata;

        run_sample_counter(inquiry->run, inquiry->expectation->unit, counter, NULL);
}

static bool question_needs_properties(Question question) {
        return question == QUESTION_PROCESS || question == QUESTION_COUNTERS || question == QUESTION_LEFT_BEHIND;
}

/* Returns with the answer in, or with it on its way (a socket, a command). */
static int inquiry_send(Inquiry *inquiry, Error *reterr) {
        Run *run = inquiry->run;
        const char *unit = inquiry->expectation->unit;

        /* Which process and which cgroup it is comes with the unit's first properties: until then nobody is asked. */
        if (question_needs_properties(inquiry_question(inquiry)) && !bus_watch_knows(run->bus, unit))
                return 0;
        switch (inquiry_question(inquiry)) {
        case QUESTION_PROPERTIES:
                return bus_watch_ask(run->bus, unit);
        case QUESTION_FILE:
                return ask_file(inquiry, "path", reterr);
        case QUESTION_DATABASE:
                return ask_database(inquiry, reterr);
        case QUESTION_SOCKET:
                return ask_socket(inquiry, reterr);
        case QUESTION_COMMAND:
                return ask_command(inquiry, reterr);
        case QUESTION_PROCESS:
                return process_probe(&run->observer, unit, bus_watch_main_pid(run->bus, unit));
        case QUESTION_LEFT_BEHIND:
                return ask_left_behind(inquiry, reterr);
        case QUESTION_COUNTERS:
                expectation_counters(inquiry->expectation, ask_counter, inquiry);
                return 0;
        case QUESTION_NONE:
        case N_QUESTIONS:
                break;
        }
        return error_set(reterr, -EPROTO, "no question is known for `%s`", inquiry->expectation->kind->name);
}

static bool question_is_immediate(Question question) {
        return question != QUESTION_SOCKET && question != QUESTION_COMMAND;
}

void inquiry_ask(Inquiry *inquiry) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        if (inquiry->is_outstanding) {
                inquiry->has_to_repeat = true;
                return;
        }
        inquiry->is_outstanding = true;
        r = inquiry_send(inquiry, &error);
        if (r < 0) {
                error.code = r;
                (void) run_break(inquiry->run, r, "cannot ask for %s: %s", inquiry->expectation->id,
                                error_text(&error));
                return;
        }
        if (question_is_immediate(inquiry_question(inquiry)))
                inquiry_answered(inquiry);
}

bool inquiry_is_settled(const Inquiry *inquiry) {
        return !inquiry->is_outstanding;
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        inquiry_ask(userdata);
        return 0;
}

/* Writes come in bursts: look once, a little later, instead of once a write. */
static void on_change(void *userdata) {
        Inquiry *inquiry = userdata;
        int enabled = SD_EVENT_OFF;

        if (sd_event_source_get_enabled(inquiry->again, &enabled) > 0)
                return;
        (void) sd_event_source_set_time(inquiry->again, usec_add(clock_now_usec(), INTERVAL_MIN_USEC));
        (void) sd_event_source_set_enabled(inquiry->again, SD_EVENT_ONESHOT);
}

static int inquiry_watch_file(Inquiry *inquiry, const char *key, Error *reterr) {
        CLEANUP_FREE char *path = NULL;
        int r;

        r = run_resolve(inquiry->run, expectation_value(inquiry->expectation, key)->text, &path, reterr);
        if (r < 0)
                return r;
        return file_watch_new(&inquiry->run->observer, path, on_change, inquiry, &inquiry->file_watch, reterr);
}

int inquiry_follow(Inquiry *inquiry, Error *reterr) {
        int r = 0;

        /* The watch first: what changes between the first look and the watch would never be seen. */
        if (inquiry_question(inquiry) == QUESTION_FILE) {
                r = inquiry_watch_file(inquiry, "path", reterr);
                if (r >= 0)
                        file_watch_record_gaps(inquiry->file_watch, &inquiry->run->observer);
        } else if (inquiry_question(inquiry) == QUESTION_DATABASE)
                r = inquiry_watch_file(inquiry, "file", reterr);
        if (r < 0)
                return r;
        inquiry->is_following = true;
        inquiry_ask(inquiry);
        return 0;
}

int inquiry_new(Run *run, const Expectation *expectation, Inquiry **ret_inquiry, Error *reterr) {
        CLEANUP(inquiry_free_p) Inquiry *inquiry = NULL;
        int r;

        *ret_inquiry = NULL;
        if (expect_kind(expectation)->question == QUESTION_NONE)
                return 0;
        inquiry = calloc(1, sizeof(*inquiry));
        if (!inquiry)
                return -ENOMEM;
        inquiry->run = run;
        inquiry->expectation = expectation;
        inquiry->interval_usec = INTERVAL_MIN_USEC;
        r = sd_event_add_time(run->observer.event, &inquiry->again, CLOCK_MONOTONIC, 0, 1, on_again, inquiry);
        if (r >= 0)
                r = sd_event_source_set_enabled(inquiry->again, SD_EVENT_OFF);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot set up the question of %s", expectation->id);
        *ret_inquiry = TAKE_PTR(inquiry);
        return 0;
}
