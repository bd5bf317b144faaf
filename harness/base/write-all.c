/* SPDX-License-Identifier: MIT */
#include "base/write-all.h"

#include "base/macros.h"

int write_all(int fd, const char *bytes, size_t n_bytes) {
        while (n_bytes > 0) {
                ssize_t n = write(fd, bytes, n_bytes);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                bytes += n;
                n_bytes -= (size_t) n;
        }
        return 0;
}
