/* SPDX-License-Identifier: MIT */
#include "scenario/template.h"

#include <string.h>

#include "base/text.h"

const char *template_find_variable(const char *text, const char **ret_name, size_t *ret_n_bytes) {
        for (const char *dollar = strchr(text, '$'); dollar; dollar = strchr(dollar, '$')) {
                const char *end;

                if (dollar[1] == '$' && dollar[2] == '{') {
                        dollar += 3; /* an escaped ${ */
                        continue;
                }
                if (dollar[1] != '{') {
                        dollar++;
                        continue;
                }
                end = strchr(dollar, '}');
                *ret_name = dollar + 2;
                *ret_n_bytes = end ? (size_t) (end - dollar - 2) : SIZE_MAX;
                return dollar;
        }
        return NULL;
}

bool template_has_variables(const char *text) {
        const char *name;
        size_t n_bytes;

        return template_find_variable(text, &name, &n_bytes) != NULL;
}

/* Copies text without variables; the escape stays one where the text will be resolved once more. */
static void append_plain(Text *text, const char *string, size_t n_bytes, bool is_partial) {
        const char *end = string + n_bytes;

        while (string < end) {
                const char *dollar = memmem(string, (size_t) (end - string), "$${", 3);

                if (!dollar || is_partial) {
                        text_append_bytes(text, string, (size_t) (end - string));
                        return;
                }
                text_append_bytes(text, string, (size_t) (dollar - string));
                text_append(text, "${");
                string = dollar + 3;
        }
}

static int append_variable(Text *text, const char *name, size_t n_bytes, const TemplateLookup *lookup,
                bool is_partial, Error *reterr) {
        CLEANUP_FREE char *key = strndup(name, n_bytes);
        const char *value;

        if (!key)
                return -ENOMEM;
        value = lookup ? lookup->find(key, lookup->userdata) : NULL;
        if (value)
                text_append(text, value);
        else if (is_partial)
                text_append_bytes(text, name - 2, n_bytes + 3);
        else
                return error_set(reterr, -ENOENT, "there is no variable `%s`", key);
        return 0;
}

int template_resolve(
                const char *text, const TemplateLookup *lookup, bool is_partial, char **ret_text, Error *reterr) {
        CLEANUP_TEXT Text resolved = TEXT_INIT;
        const char *variable, *name;
        size_t n_bytes;
        int r;

        for (; (variable = template_find_variable(text, &name, &n_bytes)); text = name + n_bytes + 1) {
                if (n_bytes == SIZE_MAX)
                        return error_set(reterr, -EINVAL, "`${` without its `}`; write `$${` for a literal `${`");
                append_plain(&resolved, text, (size_t) (variable - text), is_partial);
                r = append_variable(&resolved, name, n_bytes, lookup, is_partial, reterr);
                if (r < 0)
                        return r;
        }
        append_plain(&resolved, text, strlen(text), is_partial);

        *ret_text = text_take(&resolved);
        return *ret_text ? 0 : -ENOMEM;
}
