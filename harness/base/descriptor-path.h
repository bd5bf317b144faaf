/* SPDX-License-Identifier: MIT */
#pragma once

/* Paths that mean a file this process was started with: /dev/stdout, /dev/fd/3, the log that standard output is in.
 */

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
