/* SPDX-License-Identifier: MIT */
/*
 * A folder that a scenario wants to find empty and that the machine has, with somebody's data in it: nothing in it is
 * touched. The scenario's services are shown another one in its place, by BindPaths= in a drop-in, and so are the
 * scenario's commands and whatever looks at its files. Everybody else on the machine goes on seeing what there was.
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "stage/machine.h"
#include "stage/mount-table.h"
#include "stage/ownership.h"

#define DROP_IN_NAME "zz-agenttest-folders.conf"

/* What goes into BindPaths= as it is. Source: systemd.syntax(7), "Quoting"; systemd.exec(5), "BindPaths=". */
#define PLAIN_CHARACTERS                                                                                             \
        "abcdefghijklmnopqrstuvwxyz"                                                                                 \
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                                                                 \
        "0123456789/._-+@,=~"

void machine_free_stand_ins(Machine *machine) {
        FOREACH_ARRAY (stand_in, machine->stand_ins, machine->n_stand_ins)
                free(stand_in->folder);
        free(machine->stand_ins);
        machine->stand_ins = NULL;
        machine->n_stand_ins = 0;
}

/* ---- which ---- */

/* Folders that hold what everything is made of: without it no service starts, no command, no probe. */
static const char *const common[] = {
        "/etc/systemd",
        "/run/systemd",
        "/usr/bin",
        "/usr/lib",
        "/usr/lib32",
        "/usr/lib64",
        "/usr/lib/systemd",
        "/usr/lib/*-linux-gnu*",
        "/usr/libexec",
        "/usr/local/bin",
        "/usr/local/lib",
        "/usr/local/sbin",
        "/usr/sbin",
        "/usr/share",
        "/var/lib/agenttest",
        "/var/lib/private",
        "/var/log/journal",
};

/* Is it one of those, or above one? */
static bool is_common(const char *path) {
        FOREACH_ARRAY (folder, common, ELEMENTS_OF(common))
                if (path_is_below(*folder, path) || fnmatch(*folder, path, FNM_PATHNAME) == 0)
                        return true;
        return !strchr(path + 1, '/');
}

static int check_stand_in(const Machine *machine, const char *path, Error *reterr) {
        struct stat status;

        if (machine->is_user)
                return error_set(reterr, -EEXIST,
                                "directories: %s is there, and to show %s in its place takes privileges, which stage "
                                "%s has not",
                                path, "another one", machine->kind->name);
        if (lstat(path, &status) < 0)
                return error_set_errno(reterr, -errno, "cannot look at %s", path);
        if (!S_ISDIR(status.st_mode))
                return error_set(reterr, -ENOTDIR, "directories: %s is there on this machine, and is no directory",
                                path);
        if (strspn(path, PLAIN_CHARACTERS) != strlen(path))
                return error_set(reterr, -EINVAL,
                                "directories: %s has a character that BindPaths= gives a meaning to", path);
        if (is_common(path))
                return error_set(reterr, -EPERM,
                                "directories: nothing is shown in place of %s, which more than the service needs",
                                path);
        return 0;
}

const StandIn *machine_stand_in_of(const Machine *machine, const char *path) {
        FOREACH_ARRAY (stand_in, machine->stand_ins, machine->n_stand_ins)
                if (path_is_below(path, stand_in->path))
                        return stand_in;
        return NULL;
}

/* Out of what the machine has; what lies in one that has a stand-in already comes from there. */
static int add_stand_in(Machine *machine, const char *path, Error *reterr) {
        CLEANUP_FREE char *run_folder = machine_stand_in_folder(machine);
        StandIn *grown;
        int r;

        r = check_stand_in(machine, path, reterr);
        if (r < 0)
                return r;
        grown = reallocarray(machine->stand_ins, machine->n_stand_ins + 1, sizeof(StandIn));
        if (!grown || !run_folder)
                return error_set(reterr, -ENOMEM, "out of memory");
        machine->stand_ins = grown;
        grown[machine->n_stand_ins] = (StandIn){ .path = path };
        if (asprintf(&grown[machine->n_stand_ins].folder, "%s/%zu", run_folder, machine->n_stand_ins) < 0)
                return error_set(reterr, -ENOMEM, "out of memory");
        machine->n_stand_ins++;
        return 0;
}

int machine_find_stand_ins(Machine *machine, Error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < machine->request->n_files; i++) {
                const StageFile *file = &machine->request->files[i];

                if (!file->is_directory || machine_stand_in_of(machine, file->path) ||
                                faccessat(AT_FDCWD, file->path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                r = add_stand_in(machine, file->path, reterr);
        }
        return r;
}

/* ---- where ---- */

/* On a disk, as what it stands in for: what fsync() costs is a part of what is tested. */
char *machine_stand_in_folder(const Machine *machine) {
        CLEANUP_FREE char *mark = NULL;
        char *folder;

        if (!machine->request->run_id) /* it is only asked whether all this could be played */
                return strdup("/var/lib/agenttest/played");
        mark = scenario_mark(machine->request->run_id, machine->request->scenario_index);
        return !mark || asprintf(&folder, "/var/lib/agenttest/%s", mark) < 0 ? NULL : folder;
}

char *machine_real_path(const Machine *machine, const char *path) {
        const StandIn *stand_in = machine_stand_in_of(machine, path);
        char *real;

        if (!stand_in)
                return strdup(path);
        return asprintf(&real, "%s%s", stand_in->folder, path + strlen(stand_in->path)) < 0 ? NULL : real;
}

static int place_drop_in(Machine *machine, const char *unit, const char *text, Error *reterr) {
        CLEANUP_FREE char *path = NULL;

        if (asprintf(&path, "%s/%s.d/" DROP_IN_NAME, machine->unit_folder, unit) < 0) {
                path = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        return machine_place_text(machine, path, text, reterr);
}

int machine_place_drop_ins(Machine *machine, Error *reterr) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        int r = 0;

        if (machine->n_stand_ins == 0)
                return 0;
        text_append(&text, "[Service]\n");
        FOREACH_ARRAY (stand_in, machine->stand_ins, machine->n_stand_ins)
                text_printf(&text, "BindPaths=%s:%s\n", stand_in->folder, stand_in->path);
        if (text.is_broken)
                return error_set(reterr, -ENOMEM, "out of memory");
        for (size_t i = 0; r >= 0 && i < machine->request->n_pinned_units; i++)
                if (string_ends_with(machine->request->pinned_units[i], ".service"))
                        r = place_drop_in(machine, machine->request->pinned_units[i], text_get(&text), reterr);
        return r;
}
