/* SPDX-License-Identifier: MIT */
#include "schedule/scope.h"

#include <signal.h>

#include "base/clock.h"
#include "base/quantity.h"

#define END_LIMIT_USEC (20 * USEC_PER_SEC)

static void block_signals(void) {
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGINT);
        (void) sigaddset(&set, SIGTERM);
        (void) sigaddset(&set, SIGHUP);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
}

int run_scope_begin(RunScope *scope, Text *ret_note, Error *reterr) {
        CLEANUP_ERROR Error stale = ERROR_INIT;
        int r;

        *scope = RUN_SCOPE_INIT;
        block_signals();
        if (ownership_clean_stale(NULL, &stale) < 0)
                text_printf(ret_note, "an earlier run left something that cannot be removed: %s", error_text(&stale));

        r = ownership_new(&scope->ownership, reterr);
        if (r < 0)
                return r;
        r = guard_start(scope->ownership, &scope->guard, reterr);
        if (r < 0) {
                (void) ownership_release(scope->ownership, usec_add(clock_now_usec(), END_LIMIT_USEC), NULL);
                scope->ownership = NULL;
        }
        return r;
}

int run_scope_end(RunScope *scope, Error *reterr) {
        int r = guard_finish(scope->guard, usec_add(clock_now_usec(), END_LIMIT_USEC), reterr);

        scope->guard = NULL;
        scope->ownership = ownership_free(scope->ownership);
        return r;
}

void run_scope_in_child(void *userdata) {
        RunScope *scope = userdata;

        scope->guard = guard_forget(scope->guard);
        ownership_leave_to_parent(scope->ownership);
}
