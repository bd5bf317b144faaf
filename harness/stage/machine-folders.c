/* SPDX-License-Identifier: MIT */
/*
 * Folders that the start of a service makes. They are undone with all that is in them, so one is written down only
 * where nothing was that it could be made of: with DynamicUser= the manager moves a folder of the usual place, with
 * somebody's data in it, to BASE/private, and without it back from there.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "stage/machine.h"
#include "stage/mount-table.h"

/* Source: systemd.exec(5), "StateDirectory=". */
static const struct {
        const char *property, *base;
        bool is_movable;
        bool goes; /* the manager itself removes it */
} kinds[] = {
        { "StateDirectory", "/var/lib", true, false },
        { "CacheDirectory", "/var/cache", true, false },
        { "LogsDirectory", "/var/log", true, false },
        { "ConfigurationDirectory", "/etc", false, false },
        { "RuntimeDirectory", "/run", false, true },
};

typedef struct UnitFolder {
        char *path;
        char *private_path; /* NULL: it is never there */
        bool goes;
} UnitFolder;

static void unit_folder_done(UnitFolder *folder) {
        free(folder->path);
        free(folder->private_path);
}

static bool is_there(const char *path) {
        return path && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

typedef struct Walk {
        Machine *machine;
        const char *unit;
        bool is_dynamic; /* DynamicUser= */
        Error *reterr;
} Walk;

typedef int (*FolderFunction)(const Walk *walk, const UnitFolder *folder);

static int visit(const Walk *walk, size_t kind, const char *name, size_t n_name, FolderFunction function) {
        CLEANUP(unit_folder_done) UnitFolder folder = { .goes = kinds[kind].goes };
        const char *base = kinds[kind].base;

        if (asprintf(&folder.path, "%s/%.*s", base, (int) n_name, name) < 0)
                folder.path = NULL;
        if (kinds[kind].is_movable && asprintf(&folder.private_path, "%s/private/%.*s", base, (int) n_name, name) < 0)
                folder.private_path = NULL;
        if (!folder.path || (kinds[kind].is_movable && !folder.private_path))
                return error_set(walk->reterr, -ENOMEM, "out of memory");
        return function(walk, &folder);
}

static int visit_all(Machine *machine, const char *unit, FolderFunction function, Error *reterr) {
        CLEANUP_FREE char *object = NULL, *is_dynamic = NULL;
        Walk walk = { .machine = machine, .unit = unit, .reterr = reterr };
        int r;

        r = machine_bus_load(machine->bus, unit, &object, reterr);
        if (r >= 0)
                r = machine_get_of(machine, object, "Service", "DynamicUser", &is_dynamic, reterr);
        walk.is_dynamic = r >= 0 && strcmp(is_dynamic, "yes") == 0;
        for (size_t i = 0; r >= 0 && i < ELEMENTS_OF(kinds); i++) {
                CLEANUP_FREE char *names = NULL;

                r = machine_get_of(machine, object, "Service", kinds[i].property, &names, reterr);
                for (const char *name = names; r >= 0 && *name;) {
                        size_t n = strcspn(name, " ");

                        r = visit(&walk, i, name, n, function);
                        name += n + strspn(name + n, " ");
                }
        }
        return r;
}

/* ---- before ---- */

static int check_folder(const Walk *walk, const UnitFolder *folder) {
        struct stat status;

        if (!folder->private_path || lstat(folder->path, &status) < 0)
                return 0;
        if (walk->is_dynamic && S_ISDIR(status.st_mode))
                return error_set(walk->reterr, -EPERM,
                                "%s has DynamicUser=yes: its start would move %s, which is there, to %s for good",
                                walk->unit, folder->path, folder->private_path);
        if (!walk->is_dynamic && S_ISLNK(status.st_mode) && is_there(folder->private_path))
                return error_set(walk->reterr, -EPERM,
                                "%s has not DynamicUser=yes: its start would move %s, which is there, to %s for good",
                                walk->unit, folder->private_path, folder->path);
        return 0;
}

int machine_check_unit_folders(Machine *machine, const char *unit, Error *reterr) {
        return machine->is_user ? 0 : visit_all(machine, unit, check_folder, reterr);
}

/* It is made, given another owner with all in it, and removed outside of what the service is shown. */
static int check_shown_folder(const Walk *walk, const UnitFolder *folder) {
        FOREACH_ARRAY (stand_in, walk->machine->stand_ins, walk->machine->n_stand_ins) {
                const char *paths[] = { folder->path, folder->private_path };

                for (size_t i = 0; i < ELEMENTS_OF(paths) && paths[i]; i++)
                        if (path_is_below(paths[i], stand_in->path) || path_is_below(stand_in->path, paths[i]))
                                return error_set(walk->reterr, -EPERM,
                                                "directories: %s is kept for %s by the manager (StateDirectory= or "
                                                "the like), who would not find another one in place of %s",
                                                paths[i], walk->unit, stand_in->path);
        }
        return 0;
}

int machine_check_shown_folders(Machine *machine, const char *unit, Error *reterr) {
        return visit_all(machine, unit, check_shown_folder, reterr);
}

/* ---- written down ---- */

/* With those above that are not there, the outermost first. */
static int log_path(const Walk *walk, const char *path) {
        CLEANUP_FREE char *copy = strdup(path);
        int r = copy ? 0 : error_set(walk->reterr, -ENOMEM, "out of memory");

        for (char *slash = r < 0 ? NULL : strchr(copy + 1, '/'); r >= 0 && slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (!is_there(copy))
                        r = undo_log_folder(walk->machine->log, copy, false, walk->reterr);
                *slash = '/';
        }
        return r < 0 ? r : undo_log_folder(walk->machine->log, path, true, walk->reterr);
}

static int log_folder(const Walk *walk, const UnitFolder *folder) {
        int r = 0;

        if (folder->goes || is_there(folder->path) || is_there(folder->private_path))
                return 0;
        /* With DynamicUser= the folder is there, and a link to it in the usual place. */
        if (walk->is_dynamic && folder->private_path)
                r = log_path(walk, folder->private_path);
        return r < 0 ? r : log_path(walk, folder->path);
}

int machine_log_unit_folders(Machine *machine, Error *reterr) {
        int r = 0;

        machine_forget(machine);
        for (size_t i = 0; !machine->is_user && r >= 0 && i < machine->request->n_pinned_units; i++)
                r = visit_all(machine, machine->request->pinned_units[i], log_folder, reterr);
        return r;
}
