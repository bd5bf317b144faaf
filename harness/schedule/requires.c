/* SPDX-License-Identifier: MIT */
#include "schedule/requires.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static bool is_executable(const char *folder, size_t n_folder, const char *name) {
        CLEANUP_FREE char *path = NULL;
        struct stat status;

        if (asprintf(&path, "%.*s/%s", (int) n_folder, n_folder > 0 ? folder : ".", name) < 0)
                return false;
        return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

bool command_exists(const char *name, const char *build_path) {
        const char *path = getenv("PATH") ?: "/usr/sbin:/usr/bin:/sbin:/bin";

        if (strchr(name, '/'))
                return access(name, X_OK) == 0;
        if (build_path && is_executable(build_path, strlen(build_path), name))
                return true;
        for (;;) {
                size_t n = strcspn(path, ":");
                if (is_executable(path, n, name))
                        return true;
                if (path[n] == '\0')
                        return false;
                path += n + 1;
        }
}

static bool file_has_word(const char *path, const char *word) {
        CLEANUP_FILE FILE *file = fopen(path, "re");
        char found[64];

        if (!file)
                return false;
        while (fscanf(file, "%63s", found) == 1)
                if (strcmp(found, word) == 0)
                        return true;
        return false;
}

/* Source: cgroups(7), /proc/cgroups: name, hierarchy (0: none of v1's), number of cgroups, enabled. */
static bool is_in_v1_hierarchy(const char *controller) {
        CLEANUP_FILE FILE *file = fopen("/proc/cgroups", "re");
        char line[256], name[64];
        unsigned hierarchy, n_cgroups, is_enabled;

        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "%63s %u %u %u", name, &hierarchy, &n_cgroups, &is_enabled) == 4 &&
                                strcmp(name, controller) == 0)
                        return hierarchy > 0 && is_enabled;
        return false;
}

bool controller_exists(const char *controller) {
        return is_in_v1_hierarchy(controller) || file_has_word("/sys/fs/cgroup/cgroup.controllers", controller) ||
               file_has_word("/sys/fs/cgroup/unified/cgroup.controllers", controller);
}

/* The first line that `@program --version` prints: "systemd 252 (252.39-1~deb12u1)". */
static unsigned ask_version(const char *program) {
        posix_spawn_file_actions_t actions;
        int pipe_fds[2];
        unsigned version = 0;
        pid_t pid;
        int r;

        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return 0;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
        r = posix_spawn(&pid, program, &actions, NULL, (char *[]){ (char *) program, (char *) "--version", NULL },
                        (char *[]){ NULL });
        posix_spawn_file_actions_destroy(&actions);
        (void) close(pipe_fds[1]);

        CLEANUP_FILE FILE *output = fdopen(pipe_fds[0], "r");
        if (r != 0)
                return 0;
        if (!output || fscanf(output, "systemd %u", &version) != 1)
                version = 0;
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return version;
}

unsigned systemd_version(void) {
        static const char *const PROGRAMS[] = { "/usr/lib/systemd/systemd", "/lib/systemd/systemd" };
        const char *own = getenv("AGENTTEST_SYSTEMD"); /* as the sandbox takes it */

        if (own && own[0])
                return ask_version(own);
        for (size_t i = 0; i < ELEMENTS_OF(PROGRAMS); i++)
                if (access(PROGRAMS[i], X_OK) == 0)
                        return ask_version(PROGRAMS[i]);
        return 0;
}

PRINTF_LIKE(2, 3) static void add_reason(Text *reason, const char *format, ...) {
        CLEANUP_FREE char *part = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&part, format, arguments) < 0)
                part = NULL;
        va_end(arguments);
        if (reason->n_bytes > 0)
                text_append(reason, "; ");
        text_append(reason, part ?: "out of memory");
}

/* The hierarchy that the controllers are in. On a hybrid machine that is v1. */
static const char *cgroup_version(void) {
        return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "v2" : "v1";
}

static void add_controller(const char *controller, const StageKind *stage, Text *ret_reason) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        if (!controller_exists(controller))
                add_reason(ret_reason, "cgroup controller %s is not there", controller);
        else if (stage && stage->check_controller && stage->check_controller(controller, &error) < 0)
                add_reason(ret_reason, "%s", error_text(&error));
}

void requires_missing(
                const ScenarioRequires *requires, const char *build_path, const StageKind *stage, Text *ret_reason) {
        FOREACH_ARRAY (controller, requires->controllers, requires->n_controllers)
                add_controller(*controller, stage, ret_reason);
        FOREACH_ARRAY (command, requires->commands, requires->n_commands)
                if (!command_exists(*command, build_path))
                        add_reason(ret_reason, "command %s is not in PATH", *command);
        FOREACH_ARRAY (path, requires->paths, requires->n_paths)
                if (access(*path, F_OK) < 0)
                        add_reason(ret_reason, "path %s: %s", *path, strerror(errno));
        if (requires->cgroup && strcmp(requires->cgroup, cgroup_version()) != 0)
                add_reason(ret_reason, "cgroup %s is needed, the controllers of this machine are in %s",
                                requires->cgroup, cgroup_version());
        if (requires->systemd_version == 0)
                return;

        unsigned version = systemd_version();
        if (version == 0)
                add_reason(ret_reason, "systemd %u or newer is needed, there is none", requires->systemd_version);
        else if (version < requires->systemd_version)
                add_reason(ret_reason, "systemd %u or newer is needed, this is %u", requires->systemd_version,
                                version);
}
