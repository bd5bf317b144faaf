/* SPDX-License-Identifier: MIT */
#include "observe/file-watch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>

#define TARGET_MASK                                                                                                  \
        (IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |              \
                        IN_DELETE_SELF | IN_MOVE_SELF)
#define FOLDER_MASK (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* More often than a path has parts, so that a tree that is moved about cannot keep us looking. */
#define MAX_LOOKS 64

struct FileWatch {
        sd_event *event; /* borrowed */
        char *path;
        FileCallback on_change;
        void *userdata;
        Observer *observer;      /* borrowed; NULL: gaps are not recorded */
        uint64_t armed_usec;     /* an event that comes now happened behind this */
        bool is_unseen;          /* it came, and nobody has looked since */
        sd_event_source *target; /* on the path itself, where it exists */
        sd_event_source *folder; /* on the nearest folder above it that exists */
        char *folder_path;       /* that folder */
        char *awaited;           /* the name in it on the way to the path */
};

static int watch_arm(FileWatch *watch);
static int watch_arm_target(FileWatch *watch);

/* Is the awaited name the last of the path, and no folder on the way to it? */
static bool awaits_path(const FileWatch *watch) {
        size_t n_folder = strcmp(watch->folder_path, "/") == 0 ? 0 : strlen(watch->folder_path);

        return strncmp(watch->path, watch->folder_path, n_folder) == 0 && watch->path[n_folder] == '/' &&
               strcmp(watch->path + n_folder + 1, watch->awaited) == 0;
}

static int watch_changed(FileWatch *watch, bool is_folder_gone) {
        int r;

        /* The folder's watch stays where it can: a new one would not get what the kernel has queued for the old. */
        r = is_folder_gone || !awaits_path(watch) ? watch_arm(watch) : watch_arm_target(watch);
        watch->on_change(watch->userdata); /* may free the watch */
        return r;
}

static int on_target(sd_event_source *source, const struct inotify_event *inotify, void *userdata) {
        FileWatch *watch = userdata;

        if (inotify->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_Q_OVERFLOW))
                return watch_changed(watch, false);
        watch->on_change(watch->userdata);
        return 0;
}

static void record(FileWatch *watch, int error) {
        Entry *entry = observer_entry(watch->observer, SOURCE_FILE, ENTRY_FILE, 0, NULL);

        if (entry) {
                entry_set(entry, "path", watch->path);
                entry_set_usec(entry, "asked", watch->armed_usec);
                entry_set_number(entry, "errno", error);
        }
        (void) observer_append(watch->observer, entry); /* ends the loop where it fails */
}

static void record_gap(FileWatch *watch, uint32_t mask) {
        bool comes = mask & (IN_CREATE | IN_MOVED_TO), goes = mask & (IN_DELETE | IN_MOVED_FROM);

        if (!watch->observer || !awaits_path(watch))
                return;
        if (goes && watch->is_unseen)
                record(watch, 0);
        if (goes)
                record(watch, ENOENT);
        watch->is_unseen = comes;
}

static int on_folder(sd_event_source *source, const struct inotify_event *inotify, void *userdata) {
        FileWatch *watch = userdata;
        bool is_about_folder = inotify->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_Q_OVERFLOW);

        /* A busy folder has many names; ours is one of them. */
        if (!is_about_folder && (inotify->len == 0 || strcmp(inotify->name, watch->awaited) != 0))
                return 0;
        if (!is_about_folder)
                record_gap(watch, inotify->mask);
        return watch_changed(watch, is_about_folder);
}

/* Takes parts off the path's end until what is left is a folder that exists. */
static int watch_arm_folder(FileWatch *watch) {
        CLEANUP_FREE char *rest = strdup(watch->path);
        int r = -ENOENT;

        watch->folder = sd_event_source_disable_unref(watch->folder);
        while (rest && strchr(rest, '/')) {
                char *slash = strrchr(rest, '/');
                const char *folder_path = slash == rest ? "/" : rest;

                free(watch->awaited);
                watch->awaited = strdup(slash + 1);
                if (!watch->awaited)
                        return -ENOMEM;
                *slash = '\0';
                r = sd_event_add_inotify(watch->event, &watch->folder, folder_path, FOLDER_MASK, on_folder, watch);
                if (r >= 0) {
                        free(watch->folder_path);
                        watch->folder_path = strdup(folder_path);
                        return watch->folder_path ? 0 : -ENOMEM;
                }
                /* ELOOP: what is below a link that leads in a circle. The link itself can be watched. */
                if (r != -ENOENT && r != -ENOTDIR && r != -ELOOP)
                        return r;
        }
        return rest ? r : -ENOMEM;
}

static bool watch_is_behind(const FileWatch *watch) {
        CLEANUP_FREE char *next = NULL;

        if (asprintf(&next, "%s/%s", watch->folder_path, watch->awaited) < 0) {
                next = NULL;
                return false;
        }
        return strcmp(next + (next[1] == '/'), watch->path) != 0 && access(next, F_OK) == 0;
}

static int watch_arm(FileWatch *watch) {
        int r;

        watch->armed_usec = clock_now_usec();
        for (unsigned i = 0; i < MAX_LOOKS; i++) {
                r = watch_arm_folder(watch);
                if (r < 0)
                        return r;
                /* What came into being between our looks has sent no event: look again until the watch is not behind.
                 */
                if (!watch_is_behind(watch))
                        break;
        }

        return watch_arm_target(watch);
}

static int watch_arm_target(FileWatch *watch) {
        int r;

        watch->target = sd_event_source_disable_unref(watch->target);
        r = sd_event_add_inotify(watch->event, &watch->target, watch->path, TARGET_MASK, on_target, watch);
        return r == -ENOENT || r == -ENOTDIR || r == -EACCES || r == -ELOOP ? 0 : r;
}

int file_watch_new(Observer *observer, const char *path, FileCallback on_change, void *userdata,
                FileWatch **ret_watch, Error *reterr) {
        CLEANUP(file_watch_free_p) FileWatch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return error_set_errno(reterr, -ENOMEM, "watching %s", path);
        if (path[0] != '/')
                return error_set(reterr, -EINVAL, "cannot watch '%s': the path is not absolute", path);
        *watch = (FileWatch){
                .event = observer->event,
                .path = strdup(path),
                .on_change = on_change,
                .userdata = userdata,
        };
        if (!watch->path)
                return error_set_errno(reterr, -ENOMEM, "watching %s", path);
        for (size_t n = strlen(watch->path); n > 1 && watch->path[n - 1] == '/'; n--)
                watch->path[n - 1] = '\0';

        r = watch_arm(watch);
        if (r == -EMFILE || r == -ENOSPC)
                return error_set_errno(reterr, r,
                                "watching %s: raise /proc/sys/fs/inotify/max_user_instances or max_user_watches",
                                path);
        if (r < 0)
                return error_set_errno(reterr, r, "watching %s", path);
        *ret_watch = TAKE_PTR(watch);
        return 0;
}

void file_watch_record_gaps(FileWatch *watch, Observer *observer) {
        watch->observer = observer;
}

void file_watch_seen(FileWatch *watch) {
        watch->is_unseen = false;
}

FileWatch *file_watch_free(FileWatch *watch) {
        if (!watch)
                return NULL;

        sd_event_source_disable_unref(watch->target);
        sd_event_source_disable_unref(watch->folder);
        free(watch->folder_path);
        free(watch->awaited);
        free(watch->path);
        free(watch);
        return NULL;
}
