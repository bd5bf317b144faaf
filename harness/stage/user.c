/* SPDX-License-Identifier: MIT */

/* The stage `user`: the calling user's service manager. What it refuses, and what it undoes: docs/stages.md. */

#include "stage/machine.h"

static char *user_unit_folder(void) {
        const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
        char *path;

        return !runtime || asprintf(&path, "%s/systemd/user", runtime) < 0 ? NULL : path;
}

static int user_run(const StageRequest *request, StageFunction function, void *userdata, int *ret_wait_status,
                Error *reterr) {
        return machine_run(&user_stage, true, request, function, userdata, ret_wait_status, reterr);
}

static int user_check(const StageRequest *request, Error *reterr) {
        return machine_check(&user_stage, true, request, reterr);
}

static int user_probe(Error *reterr) {
        if (!secure_getenv("XDG_RUNTIME_DIR"))
                return error_set(reterr, -ENOENT,
                                "XDG_RUNTIME_DIR is not set: log in as the user, or `loginctl enable-linger` and "
                                "`XDG_RUNTIME_DIR=/run/user/$(id -u)`");
        return machine_probe(true, reterr);
}

const StageKind user_stage = {
        .name = "user",
        .doc = "the calling user's own service manager; every change is undone",
        .is_shared = true,
        .find_unit_folder = user_unit_folder,
        .check = user_check,
        .run = user_run,
        .probe = user_probe,
};
