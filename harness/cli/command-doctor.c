/* SPDX-License-Identifier: MIT */

/* agenttest doctor: what this machine can stage, what is missing, and how to get it. */

#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli/command.h"
#include "schedule/limits.h"
#include "schedule/requires.h"

typedef struct Finding {
        const char *name;
        const char *remedy;
} Finding;

static void print_line(bool is_good, const char *name, const char *text) {
        printf("  %-8s %-22s %s\n", is_good ? "ok" : "missing", name, text);
}

static void print_system(void) {
        struct utsname names;
        unsigned version = systemd_version();
        char text[160];

        if (uname(&names) == 0) {
                (void) snprintf(text, sizeof(text), "%.80s %.40s", names.release, names.machine);
                print_line(true, "kernel", text);
        }
        (void) snprintf(text, sizeof(text), "%u", version);
        print_line(version > 0, "systemd",
                        version > 0 ? text
                                    : "apt-get install systemd (it is not started, only its files are needed)");
        print_line(true, "root", geteuid() == 0 ? "yes" : "no: what the sandbox needs instead is told below");
}

static void print_cgroups(void) {
        static const char *const CONTROLLERS[] = { "memory", "cpu", "pids", "io", "cpuset" };
        bool is_v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
        bool is_hybrid = access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0;

        print_line(is_v2 || is_hybrid || access("/sys/fs/cgroup", F_OK) == 0, "cgroups",
                        is_v2       ? "v2"
                        : is_hybrid ? "v1 hybrid"
                                    : "v1");
        FOREACH_ARRAY (controller, CONTROLLERS, ELEMENTS_OF(CONTROLLERS)) {
                CLEANUP_FREE char *name = NULL;
                bool is_there = controller_exists(*controller);

                if (asprintf(&name, "controller %s", *controller) < 0)
                        name = NULL;
                print_line(is_there, name ?: *controller,
                                is_there ? "yes" : "scenarios that require it are skipped; mount or delegate it");
        }
}

static void print_number(const char *name, uint64_t number, uint64_t scale, const char *unit) {
        char text[64];

        if (number == UINT64_MAX)
                (void) snprintf(text, sizeof(text), "no limit");
        else
                (void) snprintf(text, sizeof(text), "%" PRIu64 " %s", number / scale, unit);
        printf("  %-8s %-22s %s\n", "", name, text);
}

static void print_limits(void) {
        CLEANUP_TEXT Text note = TEXT_INIT;
        Limits limits;

        limits_raise_descriptors();
        limits_read(NULL, &limits);
        print_number("cores", limits.n_cores, 1, "");
        print_number("inotify instances left", limits.inotify_left, 1, "of fs.inotify.max_user_instances");
        print_number("open files left", limits.descriptors_left, 1, "");
        print_number("processes left", limits.tasks_left, 1, "of this cgroup");
        print_number("memory left", limits.memory_left_bytes, 1024 * 1024, "MiB");
        printf("  %-8s %-22s %u\n", "", "scenarios side by side", limits_jobs(&limits, 0, SIZE_MAX, &note));
        if (note.n_bytes > 0)
                printf("  %-8s %-22s %s\n", "", "", text_get(&note));
}

static void print_commands(void) {
        static const Finding COMMANDS_USED[] = {
                { "redis-server", "apt-get install redis-server: for scenarios/real" },
                { "sqlite3", "apt-get install sqlite3: only to look at evidence by hand" },
        };

        FOREACH_ARRAY (command, COMMANDS_USED, ELEMENTS_OF(COMMANDS_USED)) {
                bool is_there = command_exists(command->name, NULL);
                print_line(is_there, command->name, is_there ? "yes" : command->remedy);
        }
}

static int print_stage(const StageKind *stage) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r = stage->probe(&error);

        print_line(r >= 0, stage->name, r >= 0 ? stage->doc : error_text(&error));
        return r;
}

int command_doctor(const Options *options) {
        int r;

        printf("machine\n");
        print_system();
        print_cgroups();
        printf("limits\n");
        print_limits();
        printf("programs that some scenarios need\n");
        print_commands();

        printf("stages\n");
        for (size_t i = 0; i < n_stage_kinds; i++)
                if (stage_kinds[i] != options->stage)
                        (void) print_stage(stage_kinds[i]);
        r = print_stage(options->stage);
        return finish_output(r >= 0 ? STATUS_PASS : STATUS_ERROR);
}
