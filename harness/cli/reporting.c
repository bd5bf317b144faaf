/* SPDX-License-Identifier: MIT */
#include "cli/reporting.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "base/descriptor-path.h"
#include "cli/command.h"
#include "cli/terminal.h"

/* By whatever name: --tap, --tap=/dev/stdout, --tap=build.log where standard output goes to build.log. */
static bool tap_is_on_stdout(const Options *options) {
        int fd;

        if (!options->writes_tap || !options->tap_path)
                return options->writes_tap;
        return leads_to_descriptor(options->tap_path, &fd) && fd == STDOUT_FILENO;
}

/* Standard output belongs to a program that reads TAP; people are told on the other one. */
static FILE *file_for_people(const Options *options) {
        return tap_is_on_stdout(options) ? stderr : stdout;
}

static int take(Reports *reports, Report *report, Error *reterr) {
        if (!report)
                return error_set(reterr, -ENOMEM, "Out of memory");
        assert(reports->n_items < REPORTS_MAX);
        reports->items[reports->n_items++] = report;
        return 0;
}

/* What this program was started with is not opened anew: that would cut a log short. NULL: errno. */
static FILE *open_for_writing(const char *path) {
        CLEANUP_CLOSE int copy_fd = -EBADF;
        FILE *file;
        int fd;

        if (!leads_to_descriptor(path, &fd))
                return fopen(path, "we");
        copy_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        file = copy_fd >= 0 ? fdopen(copy_fd, "w") : NULL;
        if (file)
                (void) TAKE_FD(copy_fd);
        return file;
}

static int open_tap(const Options *options, Reports *reports, Error *reterr) {
        bool is_on_stdout = tap_is_on_stdout(options);
        TapOptions tap = {
                .file = stdout,
                .path = is_on_stdout ? NULL : options->tap_path,
                .closes_file = !is_on_stdout,
                .inconclusive_as = options->exit_policy.inconclusive_as,
        };

        if (!is_on_stdout) {
                tap.file = open_for_writing(options->tap_path);
                if (!tap.file)
                        return error_set_errno(reterr, -errno, "TAP file %s cannot be written", options->tap_path);
        }
        return take(reports, tap_report_new(&tap), reterr);
}

const char *project_folder(void) {
        static const char *const VARIABLES[] = { "CI_PROJECT_DIR", "GITHUB_WORKSPACE", "WORKSPACE" };

        FOREACH_ARRAY (variable, VARIABLES, ELEMENTS_OF(VARIABLES)) {
                const char *folder = getenv(*variable);
                if (folder && folder[0] == '/')
                        return folder;
        }
        return ".";
}

static int open_junit(const Options *options, Reports *reports, Error *reterr) {
        Report *report = NULL;
        JunitOptions junit = {
                .path = options->junit_path,
                .flavor = options->junit_flavor,
                .attachments = options->junit_attachments,
                .folder = project_folder(),
                .inconclusive_as = options->exit_policy.inconclusive_as,
        };
        int r = junit_report_new(&junit, &report, reterr);

        return r < 0 ? r : take(reports, report, reterr);
}

int reports_open_for_programs(const Options *options, Reports *reports, Error *reterr) {
        int r = 0;

        if (options->writes_tap)
                r = open_tap(options, reports, reterr);
        if (r >= 0 && options->junit_path)
                r = open_junit(options, reports, reterr);
        return r;
}

static bool is_github(void) {
        const char *value = getenv("GITHUB_ACTIONS");

        return value && strcmp(value, "true") == 0;
}

int reports_make_fence(char fence[static FENCE_MAX], Error *reterr) {
        uint64_t number;

        fence[0] = '\0';
        if (!is_github())
                return 0;
        if (getrandom(&number, sizeof(number), 0) != sizeof(number))
                return error_set_errno(reterr, -errno, "No random number can be had");
        (void) snprintf(fence, FENCE_MAX, "agenttest-%016" PRIx64, number);
        return 0;
}

static int open_github(const Options *options, Reports *reports, Error *reterr) {
        GithubOptions github = {
                .file = file_for_people(options),
                .summary_path = getenv("GITHUB_STEP_SUMMARY"),
                .folder = project_folder(),
                .inconclusive_as = options->exit_policy.inconclusive_as,
        };

        if (github.summary_path && github.summary_path[0] == '\0')
                github.summary_path = NULL;
        return take(reports, github_report_new(&github), reterr);
}

int reports_open(const Options *options, Reports *reports, Error *reterr) {
        TerminalOptions terminal = terminal_options(file_for_people(options), options);
        int r = reports_make_fence(reports->fence, reterr);

        if (r < 0)
                return r;
        if (reports->fence[0])
                terminal.fence = reports->fence;
        r = take(reports, terminal_report_new(&terminal), reterr);
        /* Behind the terminal, which ends the fence. */
        if (r >= 0 && terminal.fence)
                r = open_github(options, reports, reterr);
        return r < 0 ? r : reports_open_for_programs(options, reports, reterr);
}

int reports_add(Reports *reports, Report *report) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        if (take(reports, report, &error) >= 0)
                return STATUS_PASS;
        complain("%s", error_text(&error));
        return STATUS_ERROR;
}

int reports_close(Reports *reports, int status) {
        FOREACH_ARRAY (report, reports->items, reports->n_items) {
                CLEANUP_ERROR Error error = ERROR_INIT;

                if ((*report)->close(*report, &error) >= 0)
                        continue;
                complain("%s", error_text(&error));
                status = exit_status_and_error(status);
        }
        *reports = REPORTS_INIT;
        return status;
}
