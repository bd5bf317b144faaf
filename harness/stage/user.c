/* SPDX-License-Identifier: MIT */

/* The stage `user`: the calling user's service manager. What it refuses, and what it undoes: docs/stages.md. */

#include <string.h>

#include "stage/cgroup-tree.h"
#include "stage/machine.h"
#include "stage/undo.h"

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

/* Source: user@.service(5), Delegate=; on v1 nothing is delegated, because the kernel has no safe way to. */
static int find_delegated(char **ret_path, Error *reterr) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        CLEANUP(machine_bus_free_p) MachineBus *bus = NULL;
        CLEANUP_FREE char *address = machine_address(true), *group = NULL;
        int r;

        if (!address)
                return error_set(reterr, -ENOENT, "there is no service manager of this user");
        r = cgroup_hierarchies_read(&hierarchies, reterr);
        if (r >= 0 && cgroup_hierarchies_has_legacy(hierarchies))
                return error_set(reterr, -EOPNOTSUPP, "cgroup v1");
        if (r >= 0)
                r = machine_bus_new(address, &bus, reterr);
        if (r >= 0)
                r = machine_bus_control_group(bus, &group, reterr);
        if (r < 0)
                return r;
        return asprintf(ret_path, "%s%s/cgroup.controllers", hierarchies->items[0].mount_path, group) < 0
                               ? error_set(reterr, -ENOMEM, "out of memory")
                               : 0;
}

static int user_check_controller(const char *name, Error *reterr) {
        CLEANUP_ERROR Error why = ERROR_INIT;
        CLEANUP_FREE char *path = NULL;
        CLEANUP_FILE FILE *file = NULL;
        char found[64];

        if (find_delegated(&path, &why) < 0)
                return error_set(reterr, -EOPNOTSUPP,
                                "cgroup controller %s is not delegated to the user's service manager (%s)", name,
                                error_text(&why));
        file = fopen(path, "re");
        while (file && fscanf(file, "%63s", found) == 1)
                if (strcmp(found, name) == 0)
                        return 0;
        return error_set(reterr, -EOPNOTSUPP,
                        "cgroup controller %s is not delegated to the user's service manager (Delegate= of "
                        "user@.service)",
                        name);
}

const StageKind user_stage = {
        .name = "user",
        .doc = "the calling user's own service manager; every change is undone",
        .is_shared = true,
        .find_unit_folder = user_unit_folder,
        .check = user_check,
        .check_controller = user_check_controller,
        .run = user_run,
        .probe = user_probe,
};
