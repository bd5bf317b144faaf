/* SPDX-License-Identifier: MIT */
#pragma once

/* ${name} in texts of a scenario. Variables known before the run are put in by the parser; captures only later. */

#include <stdbool.h>

#include "base/error.h"

typedef struct TemplateLookup {
        /* The value of @name, borrowed until the next call; NULL where there is none. */
        const char *(*find)(const char *name, void *userdata);
        void *userdata;
} TemplateLookup;

/**
 * template_resolve() - put values in for every ${name}
 * @lookup:     may be NULL: every ${name} is unknown then
 * @is_partial: leave unknown ${name} as they stand instead of failing
 *
 * `$${` stands for a literal `${`. Errors: -ENOENT names the unknown variable; -EINVAL for a `${` that is not closed.
 */
int template_resolve(const char *text, const TemplateLookup *lookup, bool is_partial, char **ret_text, Error *reterr);

/* Does @text hold a ${name}? */
bool template_has_variables(const char *text);

/**
 * template_find_variable() - the first ${name} in @text
 * @ret_name:    behind the `${`; borrowed
 * @ret_n_bytes: length of the name; SIZE_MAX where the `}` is missing
 *
 * Returns where its `${` stands, borrowed; NULL where there is none.
 */
const char *template_find_variable(const char *text, const char **ret_name, size_t *ret_n_bytes);
