/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a path leads: to a file this process was started with (/dev/stdout, /dev/fd/3, the log that standard output
 * is in), or to a place that need not be there yet. */

#include <stdbool.h>

/**
 * leads_to_descriptor() - is @path a descriptor that was given to this program?
 * @ret_fd: its number; borrowed
 *
 * True where @path is a link to one (/dev/stdout, /proc/self/fd/3) and where it is the regular file that standard
 * output or standard error go to: opened anew it would be cut or replaced, and what others write there would be lost.
 * Descriptors with FD_CLOEXEC are this program's own and no one's to name.
 *
 * Source: proc(5), "/proc/pid/fd": opening an entry opens the file anew, at its beginning.
 */
bool leads_to_descriptor(const char *path, int *ret_fd);

/* The folder of @path as it really lies, and the last name as it is, which need not be there yet. NULL: there is no
 * such folder, or no memory. */
char *path_place(const char *path);
