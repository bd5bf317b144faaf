/* SPDX-License-Identifier: MIT */
#include "reports/xml-text.h"

#include <string.h>

#include "base/json.h"

enum { ESCAPE = 0x1b, BELL = 0x07 };

/* Behind "ESC [": parameters, then one final byte. */
static size_t control_sequence_bytes(const char *bytes, size_t n_bytes) {
        size_t i = 2;

        while (i < n_bytes && bytes[i] >= 0x20 && bytes[i] <= 0x3f)
                i++;
        return i < n_bytes && bytes[i] >= 0x40 && bytes[i] <= 0x7e ? i + 1 : i;
}

/* Behind "ESC ]": a text up to BEL or "ESC \"; one that does not end on its line is none. */
static size_t system_command_bytes(const char *bytes, size_t n_bytes) {
        for (size_t i = 2; i < n_bytes && bytes[i] != '\n'; i++) {
                if (bytes[i] == BELL)
                        return i + 1;
                if (bytes[i] == ESCAPE && i + 1 < n_bytes && bytes[i + 1] == '\\')
                        return i + 2;
        }
        return 1;
}

/* Bytes of the escape sequence that @bytes begins with; it begins with ESC. */
static size_t escape_bytes(const char *bytes, size_t n_bytes) {
        if (n_bytes > 1 && bytes[1] == '[')
                return control_sequence_bytes(bytes, n_bytes);
        if (n_bytes > 1 && bytes[1] == ']')
                return system_command_bytes(bytes, n_bytes);
        return n_bytes > 1 && bytes[1] >= 0x20 && bytes[1] <= 0x7e ? 2 : 1;
}

static bool is_left_out(const char *character, size_t n_bytes) {
        const unsigned char *c = (const unsigned char *) character;

        if (n_bytes == 1)
                return (c[0] < 0x20 && c[0] != '\n' && c[0] != '\t') || c[0] == 0x7f;
        if (n_bytes == 2) /* U+0080 to U+009F: allowed, but they move cursors */
                return c[0] == 0xc2 && c[1] < 0xa0;
        return n_bytes == 3 && c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe; /* U+FFFE, U+FFFF */
}

static void clean(const char *bytes, size_t n_bytes, Text *text) {
        for (size_t i = 0, n; i < n_bytes; i += n) {
                if (bytes[i] == ESCAPE) {
                        n = escape_bytes(bytes + i, n_bytes - i);
                        continue;
                }
                n = utf8_length(bytes + i, n_bytes - i);
                if (n == 0) {
                        text_append(text, "\xef\xbf\xbd");
                        n = 1;
                } else if (!is_left_out(bytes + i, n))
                        text_append_bytes(text, bytes + i, n);
        }
}

static bool is_inside_character(char byte) {
        return ((unsigned char) byte & 0xc0) == 0x80;
}

void xml_text(const char *bytes, size_t n_bytes, size_t n_bytes_max, Text *ret_text) {
        CLEANUP_TEXT Text whole = TEXT_INIT;
        size_t head, tail;

        clean(bytes, n_bytes, &whole);
        if (n_bytes_max == 0 || whole.n_bytes <= n_bytes_max) {
                text_append_bytes(ret_text, text_get(&whole), whole.n_bytes);
                return;
        }
        head = n_bytes_max / 2;
        tail = whole.n_bytes - n_bytes_max / 2;
        while (head > 0 && is_inside_character(whole.bytes[head]))
                head--;
        while (tail < whole.n_bytes && is_inside_character(whole.bytes[tail]))
                tail++;
        text_append_bytes(ret_text, whole.bytes, head);
        text_printf(ret_text, "\n[... %zu bytes are left out ...]\n", tail - head);
        text_append_bytes(ret_text, whole.bytes + tail, whole.n_bytes - tail);
}
