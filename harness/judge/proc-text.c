/* SPDX-License-Identifier: MIT */
#include "judge/proc-text.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#define BLANKS " \t"

static const char *find_line(const char *status, const char *name) {
        size_t n = strlen(name);

        for (const char *line = status; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (strncmp(line, name, n) == 0 && line[n] == ':')
                        return line + n + 1;
        return NULL;
}

const char *proc_status_word(const char *status, const char *name, unsigned i, size_t *ret_n_bytes) {
        const char *word = find_line(status, name);

        if (!word)
                return NULL;
        word += strspn(word, BLANKS);
        for (; i > 0; i--) {
                word += strcspn(word, BLANKS "\n");
                word += strspn(word, BLANKS);
        }
        *ret_n_bytes = strcspn(word, BLANKS "\n");
        return *ret_n_bytes > 0 ? word : NULL;
}

bool proc_stat_number(const char *stat, unsigned i, int64_t *ret_number) {
        /* The second field is the command's name in parentheses, which may hold blanks and parentheses. */
        const char *field = strrchr(stat, ')');
        char *end;

        if (!field || i < 3)
                return false;
        field++;
        for (; i > 3; i--) {
                field += strspn(field, BLANKS);
                field += strcspn(field, BLANKS "\n");
        }
        *ret_number = strtoll(field, &end, 10);
        return end > field;
}

bool proc_stat_is_zombie(const char *stat) {
        const char *field = strrchr(stat, ')');
        int64_t n_threads;

        return field && strncmp(field, ") Z ", 4) == 0 && proc_stat_number(stat, 20, &n_threads) && n_threads <= 1;
}

int proc_status_has_signal(const char *status, const char *name, int signal, bool *ret_has) {
        size_t n_bytes;
        const char *mask = proc_status_word(status, name, 0, &n_bytes);

        if (!mask || signal < 1 || signal > 64)
                return -ENOENT;
        *ret_has = (strtoull(mask, NULL, 16) >> (signal - 1)) & 1;
        return 0;
}
