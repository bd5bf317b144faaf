/* SPDX-License-Identifier: MIT */
#include "scenario/array.h"

#include <string.h>

void *array_append(void *items_field, size_t *n_items, size_t item_bytes) {
        void *items, *item;
        size_t n = *n_items;

        /* The capacity is never stored: it is the power of two at or above the count. */
        memcpy(&items, items_field, sizeof(items));
        if ((n & (n - 1)) == 0) {
                items = reallocarray(items, n ? n * 2 : 1, item_bytes);
                if (!items)
                        return NULL;
                memcpy(items_field, &items, sizeof(items));
        }
        item = (char *) items + n * item_bytes;
        memset(item, 0, item_bytes);
        *n_items = n + 1;
        return item;
}

int array_append_string(char ***strings, size_t *n_strings, const char *string) {
        CLEANUP_FREE char *copy = strdup(string);
        char **item;

        if (!copy)
                return -ENOMEM;
        item = array_append(strings, n_strings, sizeof(char *));
        if (!item)
                return -ENOMEM;
        *item = TAKE_PTR(copy);
        return 0;
}

void array_free_strings(char **strings, size_t n_strings) {
        FOREACH_ARRAY (string, strings, n_strings)
                free(*string);
        free(strings);
}
