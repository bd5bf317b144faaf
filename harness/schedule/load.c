/* SPDX-License-Identifier: MIT */
#include "schedule/load.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static void setting_done(Setting *setting) {
        free(setting->name);
        free(setting->value);
}

static void source_file_done(SourceFile *file) {
        free(file->path);
        free(file->text);
        FOREACH_ARRAY (define, file->defines, file->n_defines)
                setting_done(define);
        free(file->defines);
        scenario_list_done(&file->scenarios);
}

void library_done(Library *library) {
        FOREACH_ARRAY (file, library->files, library->n_files)
                source_file_done(file);
        free(library->files);
        *library = LIBRARY_INIT;
}

static int read_all(int fd, const char *path, size_t max_bytes, Text *ret_text, Error *reterr) {
        char buffer[16384];

        for (;;) {
                ssize_t n = read(fd, buffer, sizeof(buffer));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(reterr, -errno, "%s: cannot be read", path);
                if (n == 0)
                        return 0;
                text_append_bytes(ret_text, buffer, (size_t) n);
                if (ret_text->n_bytes > max_bytes)
                        return error_set(reterr, -EFBIG, "%s: too large: at most %zu KiB are read", path,
                                        max_bytes / 1024);
        }
}

int file_read(const char *path, size_t max_bytes, char **ret_bytes, size_t *ret_n_bytes, Error *reterr) {
        /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        CLEANUP_TEXT Text text = TEXT_INIT;
        int r;

        if (fd < 0)
                return error_set_errno(reterr, -errno, "%s: cannot be opened", path);
        r = read_all(fd, path, max_bytes, &text, reterr);
        if (r < 0)
                return r;

        size_t n_bytes = text.n_bytes;
        char *bytes = text_take(&text);
        if (!bytes)
                return error_set(reterr, -ENOMEM, "%s: out of memory", path);
        *ret_bytes = bytes;
        *ret_n_bytes = n_bytes;
        return 0;
}

int source_file_define(SourceFile *file, const char *name, const char *value) {
        Setting *defines = reallocarray(file->defines, file->n_defines + 1, sizeof(*defines));
        if (!defines)
                return -ENOMEM;
        file->defines = defines;

        Setting *define = &defines[file->n_defines];
        *define = (Setting){ .name = strdup(name), .value = strdup(value) };
        if (!define->name || !define->value) {
                setting_done(define);
                return -ENOMEM;
        }
        file->n_defines++;
        return 0;
}

/* What the file is parsed with is kept beside it: a replay needs the same. */
static int take_defines(SourceFile *file, const ParseOptions *options) {
        int r = 0;

        FOREACH_ARRAY (define, options->defines, options->n_defines) {
                r = source_file_define(file, define->name, define->value);
                if (r < 0)
                        break;
        }
        return r;
}

static int add_scenario_dir(SourceFile *file) {
        CLEANUP_FREE char *absolute = realpath(file->path, NULL);
        if (!absolute)
                return errno == ENOMEM ? -ENOMEM
                                       : 0; /* it was read a moment ago; the parser names an unknown variable */
        return source_file_define(file, "scenario_dir", dirname(absolute));
}

int source_file_parse(SourceFile *file, const ParseOptions *options, Text *ret_problems) {
        CLEANUP(diagnostic_list_done) DiagnosticList diagnostics = DIAGNOSTIC_LIST_INIT;
        ParseOptions own = *options;
        int r;

        own.defines = file->defines;
        own.n_defines = file->n_defines;

        r = scenario_parse(file->path, file->text, file->n_bytes, &own, &file->scenarios, &diagnostics);
        if (r < 0)
                return r;
        if (diagnostics.n_items > 0)
                diagnostic_list_render(&diagnostics, file->path, file->text, file->n_bytes, ret_problems);
        else if (file->scenarios.n_items == 0)
                text_printf(ret_problems, "%s: holds no scenario\n", file->path);
        return 0;
}

static int load_file(SourceFile *file, const char *path, const ParseOptions *options, Text *ret_problems) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        file->path = strdup(path);
        if (!file->path)
                return -ENOMEM;
        r = file_read(path, SCENARIO_FILE_MAX_BYTES, &file->text, &file->n_bytes, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                text_printf(ret_problems, "%s\n", error_text(&error));
                return 0;
        }
        r = take_defines(file, options);
        if (r < 0)
                return r;
        r = add_scenario_dir(file);
        if (r < 0)
                return r;
        return source_file_parse(file, options, ret_problems);
}

int library_load(const PathList *paths, const ParseOptions *options, Library *ret_library, Text *ret_problems) {
        *ret_library = LIBRARY_INIT;
        ret_library->files = calloc(paths->n_items ?: 1, sizeof(*ret_library->files));
        if (!ret_library->files)
                return -ENOMEM;

        FOREACH_ARRAY (path, paths->items, paths->n_items) {
                int r = load_file(&ret_library->files[ret_library->n_files++], *path, options, ret_problems);
                if (r < 0)
                        return r;
        }
        return ret_problems->is_broken ? -ENOMEM : 0;
}
