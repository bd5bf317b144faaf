/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

void text_done(Text *text) {
        free(text->bytes);
        *text = TEXT_INIT;
}

static bool text_reserve(Text *text, size_t n_more) {
        size_t wanted = text->n_bytes + n_more + 1;
        char *bytes;

        if (text->is_broken)
                return false;
        if (wanted <= text->n_allocated)
                return true;

        if (wanted < text->n_allocated * 2)
                wanted = text->n_allocated * 2;
        bytes = realloc(text->bytes, wanted);
        if (!bytes) {
                text_done(text);
                text->is_broken = true;
                return false;
        }
        text->bytes = bytes;
        text->n_allocated = wanted;
        return true;
}

void text_append_bytes(Text *text, const void *bytes, size_t n_bytes) {
        if (!text_reserve(text, n_bytes))
                return;
        if (n_bytes > 0)
                memcpy(text->bytes + text->n_bytes, bytes, n_bytes);
        text->n_bytes += n_bytes;
        text->bytes[text->n_bytes] = '\0';
}

void text_append(Text *text, const char *string) {
        text_append_bytes(text, string, strlen(string));
}

void text_printf(Text *text, const char *format, ...) {
        CLEANUP_FREE char *string = NULL;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&string, format, arguments);
        va_end(arguments);
        if (n < 0) {
                string = NULL;
                text_done(text);
                text->is_broken = true;
                return;
        }
        text_append_bytes(text, string, (size_t) n);
}

void text_truncate(Text *text, size_t n_bytes) {
        if (n_bytes >= text->n_bytes)
                return;
        text->n_bytes = n_bytes;
        text->bytes[n_bytes] = '\0';
}

const char *text_get(const Text *text) {
        return text->bytes ? text->bytes : "";
}

char *text_take(Text *text) {
        char *bytes;

        if (text->is_broken)
                return NULL;
        bytes = text->bytes ? TAKE_PTR(text->bytes) : strdup("");
        *text = TEXT_INIT;
        return bytes;
}

static bool is_octal(char c, char last) {
        return c >= '0' && c <= last;
}

bool string_ends_with(const char *string, const char *ending) {
        size_t n = strlen(string), n_ending = strlen(ending);

        return n >= n_ending && strcmp(string + n - n_ending, ending) == 0;
}

void string_unescape_octal(char *string) {
        char *to = string;

        for (const char *from = string; *from; to++) {
                if (from[0] == '\\' && is_octal(from[1], '3') && is_octal(from[2], '7') && is_octal(from[3], '7')) {
                        *to = (char) ((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;
        }
        *to = '\0';
}
