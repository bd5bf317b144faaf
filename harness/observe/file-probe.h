/* SPDX-License-Identifier: MIT */
#pragma once

/* A file as it is now: one ENTRY_FILE with stat, SHA-256 and the first 64 KiB. Immediate. */

#include "observe/observer.h"

#define FILE_PROBE_MAX_BYTES ((size_t) 64 * 1024)

/* A file that does not exist or cannot be read gives an entry with its `errno`. Symlinks are followed; `target` names
 * one. */
int file_probe(Observer *observer, const char *path);
