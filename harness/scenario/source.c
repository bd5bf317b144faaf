/* SPDX-License-Identifier: MIT */
#include "scenario/source.h"

#include <stdint.h>
#include <string.h>

/* Source: RFC 3629, section 4: no overlong forms, no surrogates, nothing above U+10FFFF. 0: no character. */
static size_t utf8_bytes(const unsigned char *c, size_t n_bytes) {
        size_t n = c[0] < 0x80 ? 1 : c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
        unsigned char low = 0x80, high = 0xbf;

        if (n == 1)
                return 1;
        if (c[0] < 0xc2 || c[0] > 0xf4 || n > n_bytes)
                return 0;
        if (c[0] == 0xe0)
                low = 0xa0;
        else if (c[0] == 0xed)
                high = 0x9f;
        else if (c[0] == 0xf0)
                low = 0x90;
        else if (c[0] == 0xf4)
                high = 0x8f;
        if (c[1] < low || c[1] > high)
                return 0;
        for (size_t i = 2; i < n; i++)
                if ((c[i] & 0xc0) != 0x80)
                        return 0;
        return n;
}

size_t source_character_bytes(const char *text, size_t n_bytes) {
        size_t n = utf8_bytes((const unsigned char *) text, n_bytes);

        return n ? n : 1;
}

size_t source_break_bytes(const char *text, size_t n_bytes) {
        if (n_bytes >= 2 && memcmp(text, "\r\n", 2) == 0)
                return 2;
        if (n_bytes >= 1 && (*text == '\n' || *text == '\r'))
                return 1;
        if (n_bytes >= 2 && memcmp(text, "\xc2\x85", 2) == 0)
                return 2;
        if (n_bytes >= 3 && (memcmp(text, "\xe2\x80\xa8", 3) == 0 || memcmp(text, "\xe2\x80\xa9", 3) == 0))
                return 3;
        return 0;
}

size_t source_find_invalid_utf8(const char *text, size_t n_bytes) {
        size_t offset = 0;

        while (offset < n_bytes) {
                size_t n = utf8_bytes((const unsigned char *) text + offset, n_bytes - offset);

                if (n == 0)
                        break;
                offset += n;
        }
        return offset;
}

Mark source_mark(const char *text, size_t offset) {
        Mark mark = { .line = 1, .column = 1 };

        for (size_t i = 0; i < offset;) {
                size_t n_break = source_break_bytes(text + i, offset - i);

                if (n_break > 0) {
                        mark.line++;
                        mark.column = 1;
                        i += n_break;
                } else {
                        mark.column++;
                        i += source_character_bytes(text + i, offset - i);
                }
        }
        return mark;
}

/* Offset behind the line's last byte. */
static size_t find_line_end(const SourceCursor *cursor, size_t offset) {
        while (offset < cursor->n_bytes && source_break_bytes(cursor->text + offset, cursor->n_bytes - offset) == 0)
                offset++;
        return offset;
}

bool source_find_line(SourceCursor *cursor, unsigned line, const char **ret_line, size_t *ret_n_bytes) {
        if (line < cursor->line) {
                cursor->offset = 0;
                cursor->line = 1;
        }
        while (cursor->line < line) {
                size_t end = find_line_end(cursor, cursor->offset);

                if (end >= cursor->n_bytes)
                        return false;
                cursor->offset = end + source_break_bytes(cursor->text + end, cursor->n_bytes - end);
                cursor->line++;
        }
        *ret_line = cursor->text + cursor->offset;
        *ret_n_bytes = find_line_end(cursor, cursor->offset) - cursor->offset;
        return true;
}
