/* SPDX-License-Identifier: MIT */
#pragma once

/* What the sandbox tests share: a run of their own, a stage played with a shell script, looks at the host. */

#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

#include "stage/ownership.h"
#include "stage/stage.h"

#define MESSAGE_BYTES 4096

Suite *sandbox_boot_suite(void);
Suite *sandbox_error_suite(void);
Suite *sandbox_kill_suite(void);

/* What came of a stage. */
typedef struct Played {
        int r;
        int wait_status; /* where r is 0 */
        char message[MESSAGE_BYTES];
        StageContext context; /* as the function got it; its strings and descriptors mean nothing here */
} Played;

/* Checked fixture: a run of the test's own, cleaned up after it. */
void rig_set_up(void);
void rig_tear_down(void);
const char *rig_run_id(void);

/* Plays @function on a stage of the rig's run; the request's run_id and scenario_index are filled in. */
Played rig_play(StageRequest request, StageFunction function, void *userdata);

/*
 * Plays a shell script on the stage. It knows `check COMMAND...` and `refuse COMMAND...`, which say what did not hold
 * and end it. Asserts that the stage came up and that the script ended with success.
 */
void rig_play_script(StageRequest request, const char *script);

/* Runs a shell command on the host; its exit status. */
int host_run(const char *command);
/* What a shell command on the host prints. The caller's. */
char *host_output(const char *command);
