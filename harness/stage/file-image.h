/* SPDX-License-Identifier: MIT */
#pragma once

/* A file with all that belongs to it: bytes, mode, owner, times, extended attributes (ACLs, labels, capabilities). */

#include <sys/stat.h>

#include "base/error.h"

typedef struct FileImage {
        int fd;
        struct stat status;
} FileImage;

#define FILE_IMAGE_INIT ((FileImage){ .fd = -EBADF })

void file_image_done(FileImage *image);

/**
 * file_image_read() - open @path
 *
 * Errors: -ENOENT, without a message, where nothing is there; -ELOOP for a link, -EINVAL for what is no regular file,
 * -EMLINK for one with several names: these could not be put back as they were.
 */
int file_image_read(const char *path, FileImage *ret_image, Error *reterr);

/* Writes a copy as @name in @folder_fd, where no such file is, onto the disk. */
int file_image_keep(const FileImage *image, int folder_fd, const char *name, Error *reterr);

/**
 * file_image_restore() - make @path what @kept_fd is
 *
 * In one step: a reader sees what was there or what is to be there. Where it is the same already it is left alone.
 */
int file_image_restore(const char *path, int kept_fd, Error *reterr);

/* The name of the file beside @path that file_prepare() makes; a killed run may leave it. NULL: out of memory. */
char *file_temporary_path(const char *path);
/* Makes a file beside @path for its new content; file_replace() then puts it in its place. */
int file_prepare(const char *path, char **ret_temporary_path, int *ret_fd, Error *reterr);
int file_replace(const char *path, const char *temporary_path, int fd, Error *reterr);
