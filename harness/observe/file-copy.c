/* SPDX-License-Identifier: MIT */
#include "observe/file-copy.h"

#include <stdbool.h>
#include <string.h>

#include "base/macros.h"

#define CHUNK_BYTES ((size_t) 64 * 1024)

static bool is_zero(const uint8_t *bytes, size_t n_bytes) {
        return n_bytes == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n_bytes - 1) == 0);
}

static int write_at(int fd, const uint8_t *bytes, size_t n_bytes, off_t offset) {
        while (n_bytes > 0) {
                ssize_t n = pwrite(fd, bytes, n_bytes, offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                bytes += n;
                n_bytes -= (size_t) n;
                offset += n;
        }
        return 0;
}

static int source_failed(int error, int *ret_source_error) {
        if (!ret_source_error)
                return error;
        *ret_source_error = error;
        return 0;
}

int file_copy(int source_fd, int target_fd, Sha256 *hash, int *ret_source_error) {
        CLEANUP_FREE uint8_t *bytes = malloc(CHUNK_BYTES);
        off_t offset = 0;

        if (!bytes)
                return -ENOMEM;
        if (ret_source_error)
                *ret_source_error = 0;
        for (;;) {
                ssize_t n = pread(source_fd, bytes, CHUNK_BYTES, offset);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return source_failed(-errno, ret_source_error);
                if (n == 0)
                        break;
                if (hash)
                        sha256_add(hash, bytes, (size_t) n);
                if (target_fd >= 0 && !is_zero(bytes, (size_t) n)) {
                        r = write_at(target_fd, bytes, (size_t) n, offset);
                        if (r < 0)
                                return r;
                }
                offset += n;
        }
        return target_fd >= 0 && ftruncate(target_fd, offset) < 0 ? -errno : 0;
}
