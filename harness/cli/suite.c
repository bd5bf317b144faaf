/* SPDX-License-Identifier: MIT */
#include "cli/suite.h"

#include <libgen.h>
#include <string.h>

#include "cli/command.h"
#include "cli/language.h"
#include "cli/report-files.h"
#include "schedule/select.h"

/* The folder of this program: what was built together is found together. */
static char *program_folder(void) {
        CLEANUP_FREE char *path = realpath("/proc/self/exe", NULL);
        return path ? strdup(dirname(path)) : NULL;
}

/* The user's defines, and `build` where they did not give it. */
static int complete_defines(const Options *options, Options *ret) {
        CLEANUP_FREE char *folder = program_folder();
        int r = 0;

        *ret = OPTIONS_INIT;
        FOREACH_ARRAY (setting, options->defines, options->n_defines)
                if (r >= 0)
                        r = options_default_define(ret, setting->name, setting->value);
        return r < 0 || !folder ? r : options_default_define(ret, "build", folder);
}

/*
 * A define that no file asks for is a misspelt one: what it should have switched on is not, and that the scenarios
 * are green says nothing. `build` is asked for by some folders and not by others.
 */
static int check_defines(const Options *options, const Library *library, Error *reterr) {
        FOREACH_ARRAY (setting, options->defines, options->n_defines) {
                CLEANUP_FREE char *use = NULL;
                bool is_used = strcmp(setting->name, "build") == 0;

                if (asprintf(&use, "${%s}", setting->name) < 0) {
                        use = NULL;
                        return error_set(reterr, -ENOMEM, "Out of memory");
                }
                FOREACH_ARRAY (file, library->files, library->n_files)
                        is_used |= memmem(file->text, file->n_bytes, use, strlen(use)) != NULL;
                if (!is_used)
                        return error_set(reterr, -EINVAL, "--define %s: no scenario here asks for %s", setting->name,
                                        use);
        }
        return 0;
}

static int load(const Options *options, Library *library, Error *reterr) {
        CLEANUP(path_list_done) PathList paths = PATH_LIST_INIT;
        CLEANUP(options_done) Options complete = OPTIONS_INIT;
        CLEANUP_TEXT Text problems = TEXT_INIT;
        Language language = language_known();
        int r;

        r = discover((const char *const *) options->paths.items, options->paths.n_items, &paths, reterr);
        if (r < 0)
                return r;
        r = complete_defines(options, &complete);
        if (r < 0)
                return error_set(reterr, r, "Out of memory");

        ParseOptions parse_options = {
                .language = &language,
                .defines = complete.defines,
                .n_defines = complete.n_defines,
                .checks_files = true,
        };
        r = library_load(&paths, &parse_options, library, &problems);
        if (r < 0)
                return error_set(reterr, r, "Out of memory");
        if (problems.n_bytes == 0) {
                r = check_defines(options, library, reterr);
                return r < 0 ? r : report_files_spare(options, library, reterr);
        }
        fputs(text_get(&problems), stderr);
        return error_set(reterr, -EINVAL, "the scenario files have to be right before anything runs");
}

int load_scenarios(const Options *options, Library *library) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        *library = LIBRARY_INIT;
        if (load(options, library, &error) >= 0)
                return STATUS_PASS;
        complain("%s", error_text(&error));
        return STATUS_USAGE;
}

bool is_selected(const Options *options, const Scenario *scenario) {
        Selection selection = {
                .filters = (const char *const *) options->filters.items,
                .n_filters = options->filters.n_items,
                .tags = (const char *const *) options->tags.items,
                .n_tags = options->tags.n_items,
        };
        return selection_takes(&selection, scenario);
}
