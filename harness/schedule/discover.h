/* SPDX-License-Identifier: MIT */
#pragma once

/* Paths as the user gave them -> scenario files. */

#include "base/error.h"

typedef struct PathList {
        char **items;
        size_t n_items;
} PathList;

#define PATH_LIST_INIT ((PathList){ 0 })

void path_list_done(PathList *list);
/* Appends a copy of @path. -ENOMEM. */
int path_list_add(PathList *list, const char *path);

/**
 * discover() - the scenario files that @paths name
 * @paths:     a file is taken whatever it is called; a folder gives its *.yaml and *.yml files, folders below
 * included
 * @ret_paths: each file once, under the first name it has, in the order of @paths, sorted within a folder
 *
 * Hidden files and folders are passed over, and so are folders of evidence (prune.h). Symbolic links to folders are
 * not followed (a link to a file is).
 *
 * Errors: -ENOENT for a missing path and for a folder without scenarios, -EACCES, ...: with everything that is wrong
 * with any of the paths in @reterr, a line each.
 */
int discover(const char *const *paths, size_t n_paths, PathList *ret_paths, Error *reterr);
