/* SPDX-License-Identifier: MIT */
#include "observe/journal-watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <systemd/sd-id128.h>

#include "observe/file-watch.h"
#include "observe/journal-lines.h"
#include "observe/journal-reader.h"
#include "observe/journald-link.h"

typedef struct WatchedFolder {
        char *path;
        FileWatch *watch;
} WatchedFolder;

struct JournalWatch {
        Observer *observer;
        char *folder;
        LineCallback on_line;
        void *userdata;
        JournalReader *reader;
        JournaldLink *journald;
        WatchedFolder *folders; /* the folder itself and those of machines in it */
        size_t n_folders;
        sd_event_source *after; /* runs after every other event of the loop */
        bool is_broken;         /* a file cannot be read: nothing further is */

        BarrierCallback on_barrier; /* NULL: no barrier under way */
        void *barrier_userdata;
};

static int watch_lose(JournalWatch *watch, const char *text) {
        watch->is_broken = true;
        return observer_channel(watch->observer, SOURCE_JOURNAL, "journal", "lost", "%s", text);
}

int journal_watch_drain(JournalWatch *watch) {
        const LogLine *line;
        int r;

        while (!watch->is_broken && (r = journal_reader_next(watch->reader, &line)) != 0) {
                if (r < 0)
                        return watch_lose(watch, journal_reader_problem(watch->reader));
                r = journal_line_record(watch->observer, line);
                if (r < 0)
                        return r;
                watch->on_line(line, watch->userdata);
        }
        return 0;
}

static int on_after(sd_event_source *source, void *userdata) {
        /* Costs one look at the number of entries. It finds lines that journald has written but not signalled yet. */
        (void) journal_watch_drain(userdata);
        return 0;
}

static int watch_look_for_folders(JournalWatch *watch, Error *reterr);

static void on_folder_change(void *userdata) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        JournalWatch *watch = userdata;

        if (watch->is_broken)
                return;
        if (journal_reader_rescan(watch->reader, &error) < 0 || watch_look_for_folders(watch, &error) < 0)
                (void) watch_lose(watch, error_text(&error));
        (void) journal_watch_drain(watch);
}

static int watch_add_folder(JournalWatch *watch, const char *path, Error *reterr) {
        WatchedFolder *folders;
        int r;

        FOREACH_ARRAY (folder, watch->folders, watch->n_folders)
                if (strcmp(folder->path, path) == 0)
                        return 0;
        folders = reallocarray(watch->folders, watch->n_folders + 1, sizeof(*folders));
        if (!folders)
                return error_set_errno(reterr, -ENOMEM, "watching %s", path);
        watch->folders = folders;
        folders[watch->n_folders] = (WatchedFolder){ .path = strdup(path) };
        if (!folders[watch->n_folders].path)
                return error_set_errno(reterr, -ENOMEM, "watching %s", path);
        watch->n_folders++;
        r = file_watch_new(
                        watch->observer, path, on_folder_change, watch, &folders[watch->n_folders - 1].watch, reterr);
        return r;
}

static int watch_look_for_folders(JournalWatch *watch, Error *reterr) {
        DIR *folder;
        int r;

        r = watch_add_folder(watch, watch->folder, reterr);
        if (r < 0)
                return r;
        folder = opendir(watch->folder);
        if (!folder)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "journal folder %s", watch->folder);
        for (struct dirent *item; r >= 0 && (item = readdir(folder));) {
                CLEANUP_FREE char *path = NULL;
                sd_id128_t id;

                if (sd_id128_from_string(item->d_name, &id) < 0)
                        continue;
                if (asprintf(&path, "%s/%s", watch->folder, item->d_name) < 0) {
                        path = NULL;
                        r = -ENOMEM;
                } else {
                        r = watch_add_folder(watch, path, reterr);
                }
        }
        (void) closedir(folder);
        return r;
}

static void watch_end_barrier(JournalWatch *watch, int error) {
        BarrierCallback on_barrier = TAKE_PTR(watch->on_barrier);

        if (on_barrier)
                on_barrier(error, watch->barrier_userdata);
}

static void on_journald_gone(void *userdata) {
        JournalWatch *watch = userdata;

        (void) observer_channel(watch->observer, SOURCE_JOURNAL, "journal", "lost",
                        "systemd-journald ended; what was logged while it was away may be missing");
        watch_end_barrier(watch, -ECONNRESET);
}

static void on_synchronized(int error, void *userdata) {
        JournalWatch *watch = userdata;

        if (error < 0)
                (void) observer_channel(watch->observer, SOURCE_JOURNAL, "journal", "late",
                                "systemd-journald refused to synchronize");
        /* A file that came by rotation has perhaps not been signalled yet. */
        on_folder_change(watch);
        watch_end_barrier(watch, watch->is_broken ? -EIO : error);
}

/* A machine's journald takes this order from root alone; to another user its journal is open at best. */
static int watch_connect(JournalWatch *watch, const char *socket_path, bool is_shared) {
        int r = journald_link_connect(watch->journald);

        if (!is_shared || (r != -EACCES && r != -EPERM))
                return r;
        return observer_channel(watch->observer, SOURCE_JOURNAL, "journal", "lost",
                        "%s is closed to this user: nobody can say that all lines are in", socket_path);
}

static int watch_set_up(JournalWatch *watch, const char *socket_path, bool from_now, Error *reterr) {
        JournaldLinkHandler handler = {
                .on_gone = on_journald_gone,
                .on_synchronized = on_synchronized,
                .userdata = watch,
        };
        int r;

        /* The watches before the look: what comes between is seen by one of them. */
        r = watch_look_for_folders(watch, reterr);
        if (r >= 0)
                r = journal_reader_open(AT_FDCWD, watch->folder, &watch->reader, reterr);
        if (r >= 0 && from_now)
                journal_reader_skip(watch->reader);
        if (r >= 0)
                r = journald_link_new(watch->observer->event, socket_path, &handler, &watch->journald);
        if (r >= 0)
                r = watch_connect(watch, socket_path, from_now);
        if (r >= 0)
                r = sd_event_add_post(watch->observer->event, &watch->after, on_after, watch);
        return r < 0 ? error_set_errno(reterr, r, "journald at %s", socket_path) : 0;
}

int journal_watch_new(Observer *observer, const char *folder, const char *socket_path, bool from_now,
                LineCallback on_line, void *userdata, JournalWatch **ret_watch, Error *reterr) {
        CLEANUP(journal_watch_free_p) JournalWatch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return error_set_errno(reterr, -ENOMEM, "journal");
        *watch = (JournalWatch){
                .observer = observer,
                .folder = strdup(folder),
                .on_line = on_line,
                .userdata = userdata,
        };
        if (!watch->folder)
                return error_set_errno(reterr, -ENOMEM, "journal");
        r = watch_set_up(watch, socket_path, from_now, reterr);
        if (r < 0)
                return r;
        *ret_watch = TAKE_PTR(watch);
        return 0;
}

JournalWatch *journal_watch_free(JournalWatch *watch) {
        if (!watch)
                return NULL;

        sd_event_source_disable_unref(watch->after);
        (void) journald_link_free(watch->journald);
        (void) journal_reader_free(watch->reader);
        FOREACH_ARRAY (folder, watch->folders, watch->n_folders) {
                (void) file_watch_free(folder->watch);
                free(folder->path);
        }
        free(watch->folders);
        free(watch->folder);
        free(watch);
        return NULL;
}

const JournalPosition *journal_watch_position(const JournalWatch *watch) {
        return journal_reader_position(watch->reader);
}

bool journal_watch_reads(const JournalWatch *watch, dev_t device, ino_t inode) {
        return journal_reader_reads(watch->reader, device, inode);
}

int journal_watch_barrier(JournalWatch *watch, BarrierCallback callback, void *userdata) {
        int r;

        if (watch->on_barrier)
                return -EBUSY;
        if (!journald_link_is_connected(watch->journald)) {
                r = journald_link_connect(watch->journald);
                if (r < 0)
                        return r;
                (void) observer_channel(watch->observer, SOURCE_JOURNAL, "journal", "ok", "systemd-journald is back");
        }
        r = journald_link_synchronize(watch->journald);
        if (r < 0)
                return r;
        watch->on_barrier = callback;
        watch->barrier_userdata = userdata;
        return 0;
}
