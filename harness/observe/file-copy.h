/* SPDX-License-Identifier: MIT */
#pragma once

/* Copies a file's bytes as they are at the moment of reading; stretches of zeros become holes. */

#include <stdint.h>

#include "observe/sha256.h"

/**
 * file_copy() - copy what can be read from @source_fd (from its start) to @target_fd
 * @target_fd: an empty file; -1: read only
 * @hash:      takes in all the bytes; NULL: nobody asks
 * @ret_source_error: negative errno where the source could not be read (0 is then returned); NULL: that is an error
 * Errors: those of read and write.
 */
int file_copy(int source_fd, int target_fd, Sha256 *hash, int *ret_source_error);
