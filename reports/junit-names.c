/* SPDX-License-Identifier: MIT */
#include "reports/junit-names.h"

#include <string.h>

typedef struct Named {
        JunitCase *junit_case;
        size_t place; /* in the suite: the first one keeps its name */
} Named;

static int compare_names(const void *a, const void *b) {
        const Named *x = a, *y = b;
        int by_name = strcmp(x->junit_case->name, y->junit_case->name);

        return by_name != 0 ? by_name : (x->place > y->place) - (x->place < y->place);
}

static int compare_with_name(const void *key, const void *item) {
        return strcmp(key, ((const Named *) item)->junit_case->name);
}

/* @name with the next number behind it that makes it no case's name. NULL: out of memory. */
static char *number_name(const char *name, const Named *all, size_t n_all, size_t *number) {
        for (;;) {
                CLEANUP_FREE char *candidate = NULL;

                if (asprintf(&candidate, "%s (%zu)", name, ++*number) < 0) {
                        candidate = NULL;
                        return NULL;
                }
                if (!bsearch(candidate, all, n_all, sizeof(*all), compare_with_name))
                        return TAKE_PTR(candidate);
        }
}

/* Of equal names, which stand side by side in @all, all but the first get a number. Names in @all stay as they are:
 * the new ones, to be freed, are put into @names, and two of those are never equal. */
static int number_equal_names(const Named *all, size_t n_all, char **names) {
        size_t number = 1;

        for (size_t i = 1; i < n_all; i++) {
                const char *name = all[i].junit_case->name;

                if (strcmp(name, all[i - 1].junit_case->name) != 0) {
                        number = 1;
                        continue;
                }
                names[all[i].place] = number_name(name, all, n_all, &number);
                if (!names[all[i].place])
                        return -ENOMEM;
        }
        return 0;
}

int junit_names_make_unique(JunitCase *const *cases, size_t n_cases) {
        CLEANUP_FREE Named *all = calloc(n_cases, sizeof(*all));
        CLEANUP_FREE char **names = calloc(n_cases, sizeof(*names));
        int r;

        if (!all || !names)
                return -ENOMEM;
        for (size_t i = 0; i < n_cases; i++)
                all[i] = (Named){ .junit_case = cases[i], .place = i };
        qsort(all, n_cases, sizeof(*all), compare_names);
        r = number_equal_names(all, n_cases, names);
        for (size_t i = 0; i < n_cases; i++)
                if (names[i]) {
                        free(cases[i]->name);
                        cases[i]->name = names[i];
                }
        return r;
}
