/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Wakes when something about a path may have changed: the file, its folder, or, where these do not exist yet, the
 * nearest folder above that does. A wake-up is no fact; ask file_probe() then. Source: inotify(7). Writes through
 * mmap and changes of network file systems do not wake.
 */

#include "observe/observer.h"

typedef struct FileWatch FileWatch;
typedef void (*FileCallback)(void *userdata);

int file_watch_new(Observer *observer, const char *path, FileCallback on_change, void *userdata,
                FileWatch **ret_watch, Error *reterr);
FileWatch *file_watch_free(FileWatch *watch);

DEFINE_CLEANUP(FileWatch, file_watch_free)
