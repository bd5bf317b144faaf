/* SPDX-License-Identifier: MIT */
#include "timeline/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *bytes, size_t n_bytes, Text *ret_text) {
        const uint8_t *in = bytes;

        for (size_t i = 0; i < n_bytes; i += 3) {
                size_t n = n_bytes - i < 3 ? n_bytes - i : 3;
                uint32_t group = (uint32_t) in[i] << 16 | (n > 1 ? (uint32_t) in[i + 1] << 8 : 0) |
                                 (n > 2 ? in[i + 2] : 0);
                char out[4] = { alphabet[group >> 18], alphabet[group >> 12 & 63], '=', '=' };

                if (n > 1)
                        out[2] = alphabet[group >> 6 & 63];
                if (n > 2)
                        out[3] = alphabet[group & 63];
                text_append_bytes(ret_text, out, sizeof(out));
        }
}

static int decode_digit(char digit, uint32_t *ret_value) {
        const char *place = digit ? strchr(alphabet, digit) : NULL;

        if (!place)
                return -EINVAL;
        *ret_value = (uint32_t) (place - alphabet);
        return 0;
}

/* Four digits -> up to three bytes; @n_digits without the padding. */
static int decode_group(const char *text, size_t n_digits, char *ret_bytes) {
        uint32_t group = 0, value = 0;

        for (size_t i = 0; i < 4; i++) {
                value = 0;
                if (i < n_digits && decode_digit(text[i], &value) < 0)
                        return -EINVAL;
                group = group << 6 | value;
        }
        for (size_t i = 0; i + 1 < n_digits; i++)
                ret_bytes[i] = (char) (group >> (16 - 8 * i) & 0xff);
        return 0;
}

int base64_decode(const char *text, size_t n_text, char **ret_bytes, size_t *ret_n_bytes) {
        CLEANUP_FREE char *bytes = NULL;
        size_t n_padding = 0, n_bytes = 0;

        if (n_text % 4 != 0)
                return -EINVAL;
        while (n_padding < 2 && n_padding < n_text && text[n_text - 1 - n_padding] == '=')
                n_padding++;

        bytes = calloc(1, n_text / 4 * 3 + 1);
        if (!bytes)
                return -ENOMEM;
        for (size_t i = 0; i < n_text; i += 4) {
                size_t n_digits = i + 4 == n_text ? 4 - n_padding : 4;

                if (decode_group(text + i, n_digits, bytes + n_bytes) < 0)
                        return -EINVAL;
                n_bytes += n_digits - 1;
        }
        *ret_bytes = TAKE_PTR(bytes);
        *ret_n_bytes = n_bytes;
        return 0;
}
