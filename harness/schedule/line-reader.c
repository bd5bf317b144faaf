/* SPDX-License-Identifier: MIT */
#include "schedule/line-reader.h"

#include <string.h>

enum { READ_BYTES = 64 * 1024 };

void line_reader_done(LineReader *reader) {
        close_p(&reader->fd);
        free(reader->bytes);
        *reader = LINE_READER_INIT(-EBADF);
}

static int reserve(LineReader *reader, Error *reterr) {
        size_t wanted = reader->n_bytes + READ_BYTES;
        char *bytes;

        if (wanted <= reader->n_allocated)
                return 0;
        if (wanted < reader->n_allocated * 2)
                wanted = reader->n_allocated * 2;
        bytes = realloc(reader->bytes, wanted);
        if (!bytes)
                return error_set(reterr, -ENOMEM, "Out of memory for a line of the stream");
        reader->bytes = bytes;
        reader->n_allocated = wanted;
        return 0;
}

static int take_lines(LineReader *reader, LineFunction on_line, void *userdata, Error *reterr) {
        size_t begin = 0;
        char *newline;
        int r = 0;

        while (r == 0 && (newline = memchr(reader->bytes + reader->n_scanned, '\n',
                                          reader->n_bytes - reader->n_scanned))) {
                size_t end = (size_t) (newline - reader->bytes);

                r = on_line(reader->bytes + begin, end - begin, userdata, reterr);
                begin = reader->n_scanned = end + 1;
        }
        if (r < 0)
                return r;

        memmove(reader->bytes, reader->bytes + begin, reader->n_bytes - begin);
        reader->n_bytes -= begin;
        reader->n_scanned = reader->n_bytes;
        if (reader->n_bytes > LINE_MAX_BYTES)
                return error_set(reterr, -EMSGSIZE, "a line of more than %d bytes", LINE_MAX_BYTES);
        return 0;
}

int line_reader_read(LineReader *reader, LineFunction on_line, void *userdata, Error *reterr) {
        for (;;) {
                int r = reserve(reader, reterr);
                if (r < 0)
                        return r;

                ssize_t n = read(reader->fd, reader->bytes + reader->n_bytes, READ_BYTES);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? 0 : error_set_errno(reterr, -errno, "the stream cannot be read");
                if (n == 0) {
                        reader->has_ended = true;
                        if (reader->n_bytes > 0)
                                return error_set(reterr, -EBADMSG, "its last line was cut after %zu bytes",
                                                reader->n_bytes);
                        return 0;
                }
                reader->n_bytes += (size_t) n;
                r = take_lines(reader, on_line, userdata, reterr);
                if (r < 0)
                        return r;
        }
}
