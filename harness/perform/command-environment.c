/* SPDX-License-Identifier: MIT */
#include "perform/command-environment.h"

#include <libgen.h>
#include <limits.h>
#include <string.h>

#define STANDARD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct CommandEnvironment {
        char **variables;
        size_t n_variables;
        char *folder;
};

CommandEnvironment *command_environment_free(CommandEnvironment *environment) {
        if (!environment)
                return NULL;
        FOREACH_ARRAY (variable, environment->variables, environment->n_variables)
                free(*variable);
        free(environment->variables);
        free(environment->folder);
        free(environment);
        return NULL;
}

static int add_variable(CommandEnvironment *environment, const char *name, const char *value) {
        char **variable = &environment->variables[environment->n_variables];

        if (asprintf(variable, "%s=%s", name, value) < 0) {
                *variable = NULL;
                return -ENOMEM;
        }
        environment->n_variables++;
        return 0;
}

static int add_path(CommandEnvironment *environment, const char *build_path) {
        CLEANUP_FREE char *path = NULL;

        if (!build_path)
                return add_variable(environment, "PATH", STANDARD_PATH);
        if (asprintf(&path, "%s:%s", build_path, STANDARD_PATH) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return add_variable(environment, "PATH", path);
}

char *scenario_folder(const Scenario *scenario) {
        CLEANUP_FREE char *path = realpath(scenario->path, NULL);
        char *folder;

        /* A file that is gone by now, or never was one (standard input): commands run at the root then. */
        if (!path)
                return strdup("/");
        folder = dirname(path);
        return strdup(folder);
}

int command_environment_new(const PerformRequest *request, CommandEnvironment **ret_environment) {
        CLEANUP(command_environment_free_p) CommandEnvironment *environment = NULL;
        const Scenario *scenario = request->scenario;
        int r;

        environment = calloc(1, sizeof(*environment));
        if (!environment)
                return -ENOMEM;
        environment->variables = calloc(scenario->n_environment + 8, sizeof(char *));
        environment->folder = scenario_folder(scenario);
        if (!environment->variables || !environment->folder)
                return -ENOMEM;

        r = add_path(environment, request->build_path);
        if (r >= 0)
                r = add_variable(environment, "HOME", "/root");
        if (r >= 0)
                r = add_variable(environment, "LANG", "C.UTF-8");
        /* Where the stage has made a place for them, because elsewhere nothing can be written. */
        if (r >= 0 && request->stage->is_shared && getenv("TMPDIR"))
                r = add_variable(environment, "TMPDIR", getenv("TMPDIR"));
        FOREACH_ARRAY (setting, scenario->environment, scenario->n_environment)
                if (r >= 0)
                        r = add_variable(environment, setting->name, setting->value);
        if (r < 0)
                return r;
        *ret_environment = TAKE_PTR(environment);
        return 0;
}

const char *const *command_environment_variables(const CommandEnvironment *environment) {
        return (const char *const *) environment->variables;
}

const char *command_environment_folder(const CommandEnvironment *environment) {
        return environment->folder;
}
