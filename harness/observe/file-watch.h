/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Wakes when something about a path may have changed: the file, its folder, or, where these do not exist yet, the
 * nearest folder above that does. A wake-up is no fact; ask file_probe() then. One fact is gone by that time: a file
 * that was away, or there, for less than it takes to look. file_watch_record_gaps() keeps it. Source: inotify(7).
 * Writes through mmap and changes of network file systems do not wake.
 */

#include "observe/observer.h"

typedef struct FileWatch FileWatch;
typedef void (*FileCallback)(void *userdata);

int file_watch_new(Observer *observer, const char *path, FileCallback on_change, void *userdata,
                FileWatch **ret_watch, Error *reterr);

/*
 * From now on also an ENTRY_FILE for what no probe can see any more: with errno ENOENT when the path was taken away,
 * and without attributes when it came and is gone again. `asked` is since when the kernel was told to watch.
 */
void file_watch_record_gaps(FileWatch *watch, Observer *observer);
/* A probe has seen what is there now: when that goes, it was no gap. */
void file_watch_seen(FileWatch *watch);
FileWatch *file_watch_free(FileWatch *watch);

DEFINE_CLEANUP(FileWatch, file_watch_free)
