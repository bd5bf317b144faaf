/* SPDX-License-Identifier: MIT */
#pragma once

/* A file that appears whole or not at all: whoever looks for it never sees half of it. */

#include "base/error.h"

/* Could @path be written? Errors: -EISDIR, -EACCES, -ENOENT (no such folder), -EROFS, ... */
int atomic_file_check(const char *path, Error *reterr);

/**
 * atomic_file_write() - put @bytes there
 *
 * Written under another name beside it, then renamed. What is there and is no regular file (a terminal, a pipe,
 * /dev/null) is written to instead: it must not be replaced. So is what this program was started with
 * (base/descriptor-path.h): /dev/stdout, the log that standard output is appended to. A symbolic link is followed.
 *
 * Errors: also -ENXIO: a FIFO that nobody reads.
 */
int atomic_file_write(const char *path, const char *bytes, size_t n_bytes, Error *reterr);
