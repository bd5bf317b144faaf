/* SPDX-License-Identifier: MIT */

/* agenttest rollback: undo what a run that died changed on the machine itself. */

#include "cli/command.h"
#include "stage/ownership.h"
#include "stage/undo.h"

/* Returns an exit status. */
static int roll_back(bool is_user, bool *found) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        CLEANUP_TEXT Text note = TEXT_INIT;
        int r = undo_stale(is_user, NULL, &note, &error);

        /* Its changes are in force until it ends, and undone then. */
        if (r >= 0)
                r = undo_check_alive(is_user, &error);

        if (note.n_bytes > 0)
                printf("%s\n", text_get(&note));
        if (r < 0)
                complain("%s", error_text(&error));
        *found |= r < 0 || note.n_bytes > 0;
        return r < 0 ? STATUS_ERROR : STATUS_PASS;
}

int command_rollback(const Options *options) {
        bool found = false;
        int status = roll_back(false, &found), user_status = roll_back(true, &found);
        CLEANUP_ERROR Error error = ERROR_INIT;

        /* Its cgroups and its folder too. */
        if (ownership_clean_stale(NULL, &error) < 0) {
                complain("%s", error_text(&error));
                status = STATUS_ERROR;
        }

        if (!found)
                printf("there is nothing to undo\n");
        return finish_output(status == STATUS_PASS ? user_status : status);
}
