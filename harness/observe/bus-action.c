/* SPDX-License-Identifier: MIT */
#include "observe/bus-action.h"

#include <string.h>

typedef struct Verb {
        const char *name;
        const char *method;
        bool takes_unit;
        bool takes_mode; /* it queues a job and answers with the job's object path */
} Verb;

static const Verb verbs[] = {
        { "start", "StartUnit", true, true },
        { "stop", "StopUnit", true, true },
        { "restart", "RestartUnit", true, true },
        { "try-restart", "TryRestartUnit", true, true },
        { "reload", "ReloadUnit", true, true },
        { "reload-or-restart", "ReloadOrRestartUnit", true, true },
        { "reset-failed", "ResetFailedUnit", true, false },
        { "freeze", "FreezeUnit", true, false },
        { "thaw", "ThawUnit", true, false },
        { "daemon-reload", "Reload", false, false },
};

typedef struct Action {
        BusLink *link;
        const Verb *verb; /* NULL: a signal */
        char *unit;       /* NULL: all */
        uint64_t asked_usec;
        char *who;
        pid_t pid;
        int signal;
} Action;

static Action *action_free(Action *action) {
        if (!action)
                return NULL;

        free(action->unit);
        free(action->who);
        free(action);
        return NULL;
}
DEFINE_CLEANUP(Action, action_free)

static void action_destroy(void *userdata) {
        (void) action_free(userdata);
}

static int record_job(const Action *action, sd_bus_message *reply) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        const char *job;
        Entry *entry;

        entry = observer_entry(action->link->observer, SOURCE_HARNESS, ENTRY_JOB_ACTION, 0, action->unit);
        if (entry) {
                entry_set(entry, "verb", action->verb->name);
                entry_set_usec(entry, "asked", action->asked_usec);
                if (error) {
                        entry_set(entry, "error", error->name);
                        entry_set(entry, "text", error->message ? error->message : error->name);
                } else if (action->verb->takes_mode && sd_bus_message_read(reply, "o", &job) > 0) {
                        entry_set(entry, "job", job);
                }
        }
        return observer_append(action->link->observer, entry);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const Action *action = userdata;

        bus_link_note_answer(action->link, action->asked_usec);
        if (action->verb)
                (void) record_job(action, reply);
        else
                (void) bus_action_record_signal(action->link->observer, action->unit, action->who, action->pid,
                                action->signal,
                                sd_bus_message_is_method_error(reply, NULL) ? sd_bus_message_get_errno(reply) : 0,
                                action->asked_usec);
        return 0;
}

static int action_send(Action *action, sd_bus_message *call) {
        sd_bus *bus = action->link->bus;
        sd_bus_slot *slot;
        int r;

        action->asked_usec = clock_now_usec();
        r = sd_bus_call_async(bus, &slot, call, on_answer, action, 0);
        if (r < 0)
                return r;
        bus_link_let_go(slot, action_destroy);
        /* Onto the wire now, not at the loop's next turn: `asked` is to be the moment of the question. */
        (void) sd_bus_flush(bus);
        return 0;
}

static const Verb *verb_find(const char *name) {
        for (size_t i = 0; i < ELEMENTS_OF(verbs); i++)
                if (strcmp(verbs[i].name, name) == 0)
                        return &verbs[i];
        return NULL;
}

static int action_new(BusLink *link, const char *unit, Action **ret_action) {
        CLEANUP(action_free_p) Action *action = calloc(1, sizeof(*action));

        if (!action)
                return -ENOMEM;
        action->link = link;
        action->unit = unit ? strdup(unit) : NULL;
        if (unit && !action->unit)
                return -ENOMEM;
        *ret_action = TAKE_PTR(action);
        return 0;
}

static void message_unref_p(sd_bus_message **message) {
        sd_bus_message_unref(*message);
}

int bus_action_job(BusLink *link, const char *unit, const char *verb_name, const char *mode, Error *reterr) {
        CLEANUP(action_free_p) Action *action = NULL;
        CLEANUP(message_unref_p) sd_bus_message *call = NULL;
        const Verb *verb = verb_find(verb_name);
        int r;

        if (!verb || verb->takes_unit != !!unit)
                return error_set(reterr, -EINVAL, "the service manager has no verb '%s' for %s", verb_name,
                                unit ? "a unit" : "itself");
        r = action_new(link, unit, &action);
        if (r < 0)
                return r;
        action->verb = verb;
        r = sd_bus_message_new_method_call(
                        link->bus, &call, link->service, MANAGER_PATH, MANAGER_INTERFACE, verb->method);
        if (r >= 0 && verb->takes_unit)
                r = sd_bus_message_append(call, "s", unit);
        if (r >= 0 && verb->takes_mode)
                r = sd_bus_message_append(call, "s", mode ? mode : "replace");
        if (r >= 0)
                r = action_send(action, call);
        if (r < 0)
                return error_set_errno(
                                reterr, r, "cannot ask the service manager to %s %s", verb_name, unit ? unit : "");
        (void) TAKE_PTR(action);
        return 0;
}

int bus_action_kill(BusLink *link, const char *unit, const char *who, pid_t pid, int signal, Error *reterr) {
        CLEANUP(action_free_p) Action *action = NULL;
        CLEANUP(message_unref_p) sd_bus_message *call = NULL;
        int r;

        r = action_new(link, unit, &action);
        if (r < 0)
                return r;
        action->pid = pid;
        action->signal = signal;
        action->who = strdup(who);
        if (!action->who)
                return -ENOMEM;
        r = sd_bus_message_new_method_call(
                        link->bus, &call, link->service, MANAGER_PATH, MANAGER_INTERFACE, "KillUnit");
        if (r >= 0)
                r = sd_bus_message_append(call, "ssi", unit, who, signal);
        if (r >= 0)
                r = action_send(action, call);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot ask the service manager to signal %s", unit);
        (void) TAKE_PTR(action);
        return 0;
}

int bus_action_record_signal(Observer *observer, const char *unit, const char *who, pid_t pid, int signal, int error,
                uint64_t asked_usec) {
        Entry *entry = observer_entry(observer, SOURCE_HARNESS, ENTRY_SIGNAL_ACTION, 0, unit);

        if (entry) {
                entry_set(entry, "who", who);
                entry_set_number(entry, "pid", pid);
                entry_set_number(entry, "signal", signal);
                entry_set_number(entry, "errno", error);
                entry_set_usec(entry, "asked", asked_usec);
        }
        return observer_append(observer, entry);
}
