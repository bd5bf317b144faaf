/* SPDX-License-Identifier: MIT */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/regex.h"

#include <pcre2.h>
#include <stdint.h>
#include <string.h>

/* Room for a match, in place of JIT's own 32 KiB: patterns like /(a|b)*c/ fill that within a long line. */
#define STACK_MIN_BYTES ((size_t) 32 * 1024)
#define STACK_MAX_BYTES ((size_t) 1024 * 1024)

struct Regex {
        pcre2_code *code;
        pcre2_match_data *match_data;
        pcre2_match_context *context; /* NULL without JIT */
        pcre2_jit_stack *stack;
        char **group_names; /* n_groups + 1, by group number */
        uint32_t n_groups;
        bool has_overrun;
};

Regex *regex_free(Regex *regex) {
        if (!regex)
                return NULL;
        if (regex->group_names)
                for (size_t i = 0; i <= regex->n_groups; i++)
                        free(regex->group_names[i]);
        free(regex->group_names);
        pcre2_match_context_free(regex->context);
        pcre2_jit_stack_free(regex->stack);
        pcre2_match_data_free(regex->match_data);
        pcre2_code_free(regex->code);
        free(regex);
        return NULL;
}

static int regex_read_group_names(Regex *regex) {
        uint32_t n_names = 0, name_entry_size = 0;
        PCRE2_SPTR table = NULL;

        (void) pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->n_groups);
        regex->group_names = calloc(regex->n_groups + 1, sizeof(char *));
        if (!regex->group_names)
                return -ENOMEM;

        (void) pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &n_names);
        (void) pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &name_entry_size);
        (void) pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
        for (uint32_t i = 0; i < n_names; i++) {
                /* pcre2api(3): two bytes of group number, then the name. */
                const unsigned char *row = table + (size_t) i * name_entry_size;
                size_t group = ((size_t) row[0] << 8) | row[1];

                regex->group_names[group] = strdup((const char *) row + 2);
                if (!regex->group_names[group])
                        return -ENOMEM;
        }
        return 0;
}

/* Without JIT (some architectures, a hardened kernel) PCRE2 interprets: slower, the same answers. */
static int regex_speed_up(Regex *regex) {
        if (pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) != 0)
                return 0;
        regex->context = pcre2_match_context_create(NULL);
        regex->stack = pcre2_jit_stack_create(STACK_MIN_BYTES, STACK_MAX_BYTES, NULL);
        if (!regex->context || !regex->stack)
                return -ENOMEM;
        pcre2_jit_stack_assign(regex->context, NULL, regex->stack);
        return 0;
}

int regex_new(const char *pattern, Regex **ret_regex, size_t *ret_offset, Error *reterr) {
        CLEANUP(regex_free_p) Regex *regex = NULL;
        PCRE2_SIZE offset = 0;
        PCRE2_UCHAR sentence[256];
        int code, r;

        regex = calloc(1, sizeof(*regex));
        if (!regex)
                return -ENOMEM;

        regex->code = pcre2_compile((PCRE2_SPTR) pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF,
                        &code, &offset, NULL);
        if (!regex->code) {
                (void) pcre2_get_error_message(code, sentence, sizeof(sentence));
                if (ret_offset)
                        *ret_offset = offset;
                return error_set(reterr, -EINVAL, "%s, at offset %zu of /%s/", (char *) sentence, (size_t) offset,
                                pattern);
        }

        r = regex_speed_up(regex);
        if (r < 0)
                return r;
        regex->match_data = pcre2_match_data_create_from_pattern(regex->code, NULL);
        if (!regex->match_data)
                return -ENOMEM;
        r = regex_read_group_names(regex);
        if (r < 0)
                return r;

        *ret_regex = TAKE_PTR(regex);
        return 0;
}

bool regex_matches(Regex *regex, const char *text, size_t n_bytes) {
        int n = pcre2_match(regex->code, (PCRE2_SPTR) text, n_bytes, 0, 0, regex->match_data, regex->context);

        if (n < 0 && n != PCRE2_ERROR_NOMATCH)
                regex->has_overrun = true;
        return n >= 0;
}

bool regex_overran(const Regex *regex) {
        return regex->has_overrun;
}

bool regex_matches_empty(Regex *regex) {
        uint32_t matches_empty = 0;

        (void) pcre2_pattern_info(regex->code, PCRE2_INFO_MATCHEMPTY, &matches_empty);
        return matches_empty != 0 && regex_matches(regex, "", 0);
}

size_t regex_n_groups(const Regex *regex) {
        return regex->n_groups;
}

const char *regex_group_name(const Regex *regex, size_t i) {
        return i <= regex->n_groups ? regex->group_names[i] : NULL;
}

int regex_capture(Regex *regex, const char *text, size_t n_bytes, char ***ret_groups) {
        char **groups;
        PCRE2_SIZE *offsets;

        if (!regex_matches(regex, text, n_bytes)) {
                *ret_groups = NULL;
                return 0;
        }

        groups = calloc(regex->n_groups + 1, sizeof(char *));
        if (!groups)
                return -ENOMEM;
        offsets = pcre2_get_ovector_pointer(regex->match_data);
        for (size_t i = 0; i <= regex->n_groups; i++) {
                if (offsets[2 * i] == PCRE2_UNSET)
                        continue;
                groups[i] = strndup(text + offsets[2 * i], offsets[2 * i + 1] - offsets[2 * i]);
                if (!groups[i]) {
                        (void) regex_groups_free(regex, groups);
                        return -ENOMEM;
                }
        }
        *ret_groups = groups;
        return 0;
}

char **regex_groups_free(const Regex *regex, char **groups) {
        if (groups)
                for (size_t i = 0; i <= regex->n_groups; i++)
                        free(groups[i]);
        free(groups);
        return NULL;
}
