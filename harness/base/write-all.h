/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* Writes all of @bytes to a blocking descriptor, over interruptions and short writes. Errors: as write(2). */
int write_all(int fd, const char *bytes, size_t n_bytes);
