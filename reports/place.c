/* SPDX-License-Identifier: MIT */
#include "reports/place.h"

#include <ctype.h>
#include <string.h>

void place_below(const char *folder, const char *path, Text *ret_text) {
        CLEANUP_FREE char *absolute = folder ? realpath(path, NULL) : NULL;
        CLEANUP_FREE char *base = folder ? realpath(folder, NULL) : NULL;
        size_t n = base ? strlen(base) : 0;

        if (n == 1) /* "/" */
                n = 0;
        if (!absolute || !base)
                text_append(ret_text, path);
        else if (strncmp(absolute, base, n) == 0 && absolute[n] == '/')
                text_append(ret_text, absolute + n + 1);
        else
                text_append(ret_text, absolute);
}

static bool is_plain(char c) {
        return isalnum((unsigned char) c) || (unsigned char) c >= 0x80 || strchr("-_+=", c);
}

static void write_part(const char *part, size_t n_bytes, Text *text) {
        text_append(text, ".");
        for (size_t i = 0; i < n_bytes; i++)
                text_append_bytes(text, is_plain(part[i]) ? &part[i] : "_", 1);
}

static bool ends_with(const char *part, size_t n_bytes, const char *end) {
        size_t n = strlen(end);

        return n_bytes > n && memcmp(part + n_bytes - n, end, n) == 0;
}

void place_class(const char *path, Text *ret_text) {
        text_append(ret_text, "agenttest");
        while (*path) {
                size_t n = strcspn(path, "/"), n_name = n;
                bool is_last = path[n] == '\0';

                if (is_last && (ends_with(path, n, ".yaml") || ends_with(path, n, ".yml")))
                        n_name = (size_t) ((const char *) memrchr(path, '.', n) - path);
                if (n > 0 && strspn(path, ".") != n) /* "." and ".." are no levels */
                        write_part(path, n_name, ret_text);
                path += n + !is_last;
        }
}
