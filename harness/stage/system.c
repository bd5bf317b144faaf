/* SPDX-License-Identifier: MIT */

/* The stage `system`: this machine's own service manager. What it refuses, and what it undoes: docs/stages.md. */

#include <string.h>

#include "stage/machine.h"

static char *system_unit_folder(void) {
        /* Gone with a reboot at the latest. */
        return strdup("/run/systemd/system");
}

static int system_run(const StageRequest *request, StageFunction function, void *userdata, int *ret_wait_status,
                Error *reterr) {
        return machine_run(&system_stage, false, request, function, userdata, ret_wait_status, reterr);
}

static int system_check(const StageRequest *request, Error *reterr) {
        return machine_check(&system_stage, false, request, reterr);
}

static int system_probe(Error *reterr) {
        if (geteuid() != 0)
                return error_set(reterr, -EPERM, "the machine's service manager takes orders from root only: sudo");
        return machine_probe(false, reterr);
}

const StageKind system_stage = {
        .name = "system",
        .doc = "this machine's own service manager; every change is undone",
        .is_shared = true,
        .find_unit_folder = system_unit_folder,
        .check = system_check,
        .run = system_run,
        .probe = system_probe,
};
