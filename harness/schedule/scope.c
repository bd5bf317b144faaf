/* SPDX-License-Identifier: MIT */
#include "schedule/scope.h"

#include "base/clock.h"
#include "base/quantity.h"
#include "schedule/stop-signals.h"
#include "stage/undo.h"

#define END_LIMIT_USEC (20 * USEC_PER_SEC)

/* What a run that died changed on the machine itself, on whichever of its managers. */
static void undo_dead(Text *ret_note) {
        for (int is_user = 0; is_user <= 1; is_user++) {
                CLEANUP_ERROR Error error = ERROR_INIT;
                CLEANUP_TEXT Text note = TEXT_INIT;

                if (undo_stale(is_user, NULL, &note, &error) < 0)
                        text_printf(&note, "%s", error_text(&error));
                if (note.n_bytes > 0)
                        text_printf(ret_note, "%s%s", ret_note->n_bytes > 0 ? "; " : "", text_get(&note));
        }
}

int run_scope_begin(RunScope *scope, Text *ret_note, Error *reterr) {
        CLEANUP_ERROR Error stale = ERROR_INIT;
        int r;

        *scope = RUN_SCOPE_INIT;
        (void) stop_signals_block();
        if (ownership_clean_stale(NULL, &stale) < 0)
                text_printf(ret_note, "an earlier run left something that cannot be removed: %s", error_text(&stale));

        undo_dead(ret_note);
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
