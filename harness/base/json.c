/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <jansson.h>
#include <string.h>

#undef json_is_string /* jansson's macro; ours is a function */

/* A Json is a json_t under a name of our own, so that nobody else needs jansson's header. */

static json_t *json_unwrap(const Json *json) {
        return (json_t *) json;
}

static const Json *json_wrap(const json_t *value) {
        return (const Json *) value;
}

int json_parse(const char *text, size_t n_bytes, Json **ret_json, Error *reterr) {
        size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
        json_error_t error;
        json_t *value;

        value = json_loadb(text, n_bytes, flags, &error);
        /* 18446744073709551615 is good JSON, and daemons do write it; as a double it is at least not lost. */
        if (!value && json_error_code(&error) == json_error_numeric_overflow)
                value = json_loadb(text, n_bytes, flags | JSON_DECODE_INT_AS_REAL, &error);
        if (!value && json_error_code(&error) == json_error_out_of_memory)
                return error_set(reterr, -ENOMEM, "out of memory while reading JSON");
        if (!value)
                return error_set(reterr, -EBADMSG, "no JSON: %s, at line %d, column %d", error.text, error.line,
                                error.column);
        *ret_json = (Json *) value;
        return 0;
}

Json *json_free(Json *json) {
        json_decref(json_unwrap(json));
        return NULL;
}

/* Decimal digits only: "01", "+1" and "1x" are names of members, not places. */
static bool parse_place(const char *name, size_t n_bytes, size_t *ret_place) {
        size_t place = 0;

        if (n_bytes == 0 || n_bytes > 9 || (n_bytes > 1 && name[0] == '0'))
                return false;
        for (size_t i = 0; i < n_bytes; i++) {
                if (name[i] < '0' || name[i] > '9')
                        return false;
                place = place * 10 + (size_t) (name[i] - '0');
        }
        *ret_place = place;
        return true;
}

static const json_t *member_by_name(const json_t *value, const char *name, size_t n_bytes) {
        size_t place;

        if (json_is_object(value))
                return json_object_getn(value, name, n_bytes);
        if (json_is_array(value) && parse_place(name, n_bytes, &place))
                return json_array_get(value, place);
        return NULL;
}

const Json *json_member(const Json *json, const char *path) {
        const json_t *value = json_unwrap(json);

        while (value) {
                const char *dot = strchr(path, '.');
                /* A member may have a dot in its name; the whole name goes before its parts. */
                const json_t *whole = member_by_name(value, path, strlen(path));

                if (whole || !dot)
                        return json_wrap(whole);
                value = member_by_name(value, path, (size_t) (dot - path));
                path = dot + 1;
        }
        return NULL;
}

/* The shortest text that reads back as the same number, always recognisable as a fraction. */
static void append_real(Text *text, double real) {
        char buffer[40];

        for (int precision = 15; precision <= 17; precision++) {
                (void) snprintf(buffer, sizeof(buffer), "%.*g", precision, real);
                if (strtod(buffer, NULL) == real)
                        break;
        }
        text_append(text, buffer);
        if (!strpbrk(buffer, ".e"))
                text_append(text, ".0");
}

bool json_scalar_text(const Json *json, Text *ret_text) {
        const json_t *value = json_unwrap(json);

        switch (json ? json_typeof(value) : JSON_NULL) {
        case JSON_STRING:
                text_append_bytes(ret_text, json_string_value(value), json_string_length(value));
                return true;
        case JSON_INTEGER:
                text_printf(ret_text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
                return true;
        case JSON_REAL:
                append_real(ret_text, json_real_value(value));
                return true;
        case JSON_TRUE:
                text_append(ret_text, "true");
                return true;
        case JSON_FALSE:
                text_append(ret_text, "false");
                return true;
        default:
                return false;
        }
}

bool json_is_string(const Json *json) {
        return json && json_typeof(json_unwrap(json)) == JSON_STRING;
}

const char *json_get_string(const Json *json, size_t *ret_n_bytes) {
        const json_t *value = json_unwrap(json);

        if (!json || json_typeof(value) != JSON_STRING)
                return NULL;
        if (ret_n_bytes)
                *ret_n_bytes = json_string_length(value);
        return json_string_value(value);
}

int json_get_integer(const Json *json, int64_t *ret_integer) {
        const json_t *value = json_unwrap(json);

        if (!json || json_typeof(value) != JSON_INTEGER)
                return -EINVAL;
        *ret_integer = json_integer_value(value);
        return 0;
}

static const Json *nth_of_object(json_t *object, size_t i, const char **ret_key) {
        void *iterator = json_object_iter(object);

        while (iterator && i-- > 0)
                iterator = json_object_iter_next(object, iterator);
        if (!iterator)
                return NULL;
        if (ret_key)
                *ret_key = json_object_iter_key(iterator);
        return json_wrap(json_object_iter_value(iterator));
}

const Json *json_nth(const Json *json, size_t i, const char **ret_key) {
        json_t *value = json_unwrap(json);

        if (!json)
                return NULL;
        if (json_typeof(value) == JSON_OBJECT)
                return nth_of_object(value, i, ret_key);
        if (ret_key)
                *ret_key = NULL;
        return json_typeof(value) == JSON_ARRAY ? json_wrap(json_array_get(value, i)) : NULL;
}

/*
 * Length of the UTF-8 sequence at @bytes; 0 where there is none: overlong forms, surrogates, above U+10FFFF, cut
 * short. Source: Unicode, table 3-7 "Well-Formed UTF-8 Byte Sequences".
 */
size_t utf8_length(const char *string, size_t n_bytes) {
        const unsigned char *bytes = (const unsigned char *) string;
        unsigned char low = 0x80, high = 0xbf;
        size_t length;

        if (bytes[0] < 0x80)
                return 1;
        if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
                return 0;
        length = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
        if (length > n_bytes)
                return 0;

        if (bytes[0] == 0xe0)
                low = 0xa0;
        else if (bytes[0] == 0xed)
                high = 0x9f;
        else if (bytes[0] == 0xf0)
                low = 0x90;
        else if (bytes[0] == 0xf4)
                high = 0x8f;
        if (bytes[1] < low || bytes[1] > high)
                return 0;
        for (size_t i = 2; i < length; i++)
                if ((bytes[i] & 0xc0) != 0x80)
                        return 0;
        return length;
}

bool utf8_is_valid(const char *bytes, size_t n_bytes) {
        for (size_t i = 0, length; i < n_bytes; i += length) {
                length = utf8_length(bytes + i, n_bytes - i);
                if (length == 0)
                        return false;
        }
        return true;
}

/* The escape of a character that may not stand in a JSON string as it is; NULL for all others. */
static const char *json_escape(unsigned char character, char buffer[static 8]) {
        switch (character) {
        case '"':
                return "\\\"";
        case '\\':
                return "\\\\";
        case '\n':
                return "\\n";
        case '\r':
                return "\\r";
        case '\t':
                return "\\t";
        default:
                if (character >= 0x20 && character != 0x7f)
                        return NULL;
                (void) snprintf(buffer, 8, "\\u%04x", character);
                return buffer;
        }
}

void json_write_string(Text *text, const char *bytes, size_t n_bytes) {
        size_t n_done = 0; /* everything before it is in the text */
        char buffer[8];

        text_append(text, "\"");
        for (size_t i = 0, length; i < n_bytes; i += length) {
                const char *instead = json_escape((unsigned char) bytes[i], buffer);

                length = utf8_length(bytes + i, n_bytes - i);
                if (length == 0) {
                        instead = "\xef\xbf\xbd"; /* U+FFFD */
                        length = 1;
                }
                if (!instead)
                        continue;
                text_append_bytes(text, bytes + n_done, i - n_done);
                text_append(text, instead);
                n_done = i + length;
        }
        text_append_bytes(text, bytes + n_done, n_bytes - n_done);
        text_append(text, "\"");
}
