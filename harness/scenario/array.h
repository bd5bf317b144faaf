/* SPDX-License-Identifier: MIT */
#pragma once

/* Growing the plain arrays (pointer and count side by side) that scenario data is made of. */

#include "base/macros.h"

/**
 * array_append() - make room for one more element at the end
 * @items_field: address of the pointer field, e.g. &scenario->units
 * @n_items:     its count; one more afterwards
 *
 * Returns the new element, zeroed and borrowed; NULL when out of memory (array and count are unchanged).
 */
void *array_append(void *items_field, size_t *n_items, size_t item_bytes);

/* As array_append() for an array of strings; copies @string. -ENOMEM. */
int array_append_string(char ***strings, size_t *n_strings, const char *string);

/* Frees every string and the array. */
void array_free_strings(char **strings, size_t n_strings);
