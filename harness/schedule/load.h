/* SPDX-License-Identifier: MIT */
#pragma once

/* Scenario files -> scenarios: all files are read and parsed before anything runs, and all mistakes are told at once.
 */

#include "scenario/parse.h"
#include "schedule/discover.h"

enum { SCENARIO_FILE_MAX_BYTES = 1024 * 1024 };

/* One scenario file: its text, what it was parsed with, and what is in it. */
typedef struct SourceFile {
        char *path;
        char *text;
        size_t n_bytes;
        Setting *defines;
        size_t n_defines;
        ScenarioList scenarios;
} SourceFile;

typedef struct Library {
        SourceFile *files;
        size_t n_files;
} Library;

#define LIBRARY_INIT ((Library){ 0 })

void library_done(Library *library);

/**
 * library_load() - read and parse @paths
 * @options:      defines are what the user and the program know; `scenario_dir` is added for each file
 * @ret_library:  to be released in every case
 * @ret_problems: everything that is wrong with any file, rendered for people; empty where nothing is
 *
 * Errors: -ENOMEM. What is wrong with a file is no error of this function but text in @ret_problems.
 */
int library_load(const PathList *paths, const ParseOptions *options, Library *ret_library, Text *ret_problems);

/* Adds one define that the file is parsed with. -ENOMEM. */
int source_file_define(SourceFile *file, const char *name, const char *value);

/**
 * source_file_parse() - parse one file whose path and text are filled in already
 *
 * With the file's own defines; those of @options are not looked at. Errors: -ENOMEM.
 */
int source_file_parse(SourceFile *file, const ParseOptions *options, Text *ret_problems);

/* Reads a whole file of at most @max_bytes into @ret_bytes, with a NUL behind it. -EFBIG where it is larger. */
int file_read(const char *path, size_t max_bytes, char **ret_bytes, size_t *ret_n_bytes, Error *reterr);
