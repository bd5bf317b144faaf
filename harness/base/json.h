/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON, read and written. The only user of the jansson library.
 *
 * jansson exports json_string() and json_integer() itself; functions of ours under these names would be called by it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

typedef struct Json Json; /* one parsed value; members are borrowed from it */

/* -EBADMSG with the place in @reterr where @text is no JSON. Depth is limited (a hostile log line must not end us).
 */
int json_parse(const char *text, size_t n_bytes, Json **ret_json, Error *reterr);
Json *json_free(Json *json);

/* Member by path: "a", "a.b", "tasks.0"; a member called "a.b" goes before the b of a. NULL: none. Borrowed. */
const Json *json_member(const Json *json, const char *path);

/* A scalar as text ("true", "42", the string itself), appended; false for null, arrays and objects. */
bool json_scalar_text(const Json *json, Text *ret_text);
bool json_is_string(const Json *json);
/* A string's bytes (may hold NUL); NULL for everything else. Borrowed. */
const char *json_get_string(const Json *json, size_t *ret_n_bytes);
/* -EINVAL where it is no integer. */
int json_get_integer(const Json *json, int64_t *ret_integer);

/* Iterates an object's members in their order, or an array's (key NULL): for (i = 0; (v = json_nth(j, i, &k)); i++).
 */
const Json *json_nth(const Json *json, size_t i, const char **ret_key);

/* Appends @bytes as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void json_write_string(Text *text, const char *bytes, size_t n_bytes);
/* Length of the well-formed UTF-8 sequence that @bytes begins with; 0 where it begins with none. */
size_t utf8_length(const char *bytes, size_t n_bytes);
bool utf8_is_valid(const char *bytes, size_t n_bytes);

DEFINE_CLEANUP(Json, json_free)
