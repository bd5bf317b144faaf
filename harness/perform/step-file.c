/* SPDX-License-Identifier: MIT */

/* Steps that change files on the stage: write, remove. */

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "base/quantity.h"
#include "base/write-all.h"
#include "perform/player.h"
#include "perform/step-kinds.h"
#include "scenario/diagnostic.h"

enum { WRITE_PATH, WRITE_CONTENT, WRITE_MODE, WRITE_APPEND, N_WRITE_KEYS };
enum { REMOVE_PATH, N_REMOVE_KEYS };

static int check_absolute(const char *path, Error *reterr) {
        if (path[0] != '/')
                return error_set(reterr, -EINVAL, "\"%s\" is no absolute path", path);
        return 0;
}

/* "/", "//", "/.": nftw() would take what it can before it meets what it cannot. */
static bool is_root(const char *path) {
        return path[0] == '/' && strspn(path, "/.") == strlen(path);
}

static int write_file(const Step *step, const char *path, const char *content, Error *reterr) {
        const Value *mode = step_value(step, "mode");
        int flags = step_value(step, "append")->is_true ? O_APPEND : O_TRUNC;
        CLEANUP_CLOSE int fd = -EBADF;
        int r;

        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open %s to write", path);
        r = write_all(fd, content, strlen(content));
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write %s", path);
        if (mode->is_set && fchmod(fd, (mode_t) strtoul(mode->text, NULL, 8)) < 0)
                return error_set_errno(reterr, -errno, "cannot set the mode of %s", path);
        return 0;
}

static int begin_write(const Step *step, Run *run, StepProgress *ret_progress, Error *reterr) {
        CLEANUP_FREE char *path = NULL, *content = NULL;
        int r;

        *ret_progress = STEP_FINISHED;
        r = run_resolve(run, step_value(step, "path")->text, &path, reterr);
        if (r >= 0)
                r = check_absolute(path, reterr);
        if (r >= 0)
                r = run_resolve(run, step_value(step, "content")->text, &content, reterr);
        if (r >= 0)
                r = write_file(step, path, content, reterr);
        return r;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
        return remove(path) < 0 ? -errno : 0;
}

static int begin_remove(const Step *step, Run *run, StepProgress *ret_progress, Error *reterr) {
        CLEANUP_FREE char *path = NULL;
        int r;

        *ret_progress = STEP_FINISHED;
        r = run_resolve(run, step_value(step, "path")->text, &path, reterr);
        if (r >= 0)
                r = check_absolute(path, reterr);
        if (r >= 0 && is_root(path))
                r = error_set(reterr, -EINVAL, "the whole root is not removed");
        if (r < 0)
                return r;
        if (access(path, F_OK) < 0 && errno == ENOENT)
                return error_set(reterr, -ENOENT, "there is no %s to remove", path);
        r = nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        if (r < 0)
                return error_set_errno(reterr, r == -1 ? -errno : r, "cannot remove %s", path);
        return 0;
}

static void check_path(const Value *path, DiagnosticList *diagnostics) {
        if (path->text && path->text[0] != '/' && path->text[0] != '$')
                diagnostic_add(diagnostics, path->mark, 0, "`path` is a path on the stage and begins with a slash");
}

static void check_remove(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *path = &values[REMOVE_PATH];

        check_path(path, diagnostics);
        if (path->text && is_root(path->text))
                diagnostic_add(diagnostics, path->mark, 0, "`remove` does not take the whole root");
}

static void check_write(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *mode = &values[WRITE_MODE];

        check_path(&values[WRITE_PATH], diagnostics);
        if (mode->is_set && (mode->text[0] == '\0' || strspn(mode->text, "01234567") != strlen(mode->text)))
                diagnostic_add(diagnostics, mode->mark, (unsigned) strlen(mode->text),
                                "\"%s\" is no octal mode, such as 0644", mode->text);
}

static const KeySpec write_keys[] = {
        [WRITE_PATH] = { .name = "path",
                        .type = VALUE_STRING,
                        .is_required = true,
                        .doc = "Absolute path on the stage." },
        [WRITE_CONTENT] = { .name = "content", .type = VALUE_STRING, .is_required = true, .doc = "What to write." },
        [WRITE_MODE] = { .name = "mode",
                        .type = VALUE_STRING,
                        .doc = "Octal mode to set; without it an existing file keeps its own and a new one gets "
                               "0644." },
        [WRITE_APPEND] = { .name = "append",
                        .type = VALUE_BOOL,
                        .default_text = "no",
                        .doc = "Write behind what is there instead of replacing it." },
};

static const KeySpec remove_keys[] = {
        [REMOVE_PATH] = { .name = "path",
                        .type = VALUE_STRING,
                        .is_required = true,
                        .doc = "Absolute path on the stage of a file or of a folder with all that is in it." },
};

const StepKind write_step = {
        .spec = {
                .name = "write",
                .doc = "Write a file on the stage.",
                .example = "write: { path: /etc/agent/agent.conf, content: \"health_interval = 1s\\n\" }",
                .keys = write_keys,
                .n_keys = N_WRITE_KEYS,
                .shorthand = -1,
                .check = check_write,
        },
        .default_within_usec = 30 * USEC_PER_SEC,
        .begin = begin_write,
};

const StepKind remove_step = {
        .spec = {
                .name = "remove",
                .doc = "Remove a file or folder on the stage.",
                .example = "remove: /var/lib/agent/agent.db",
                .keys = remove_keys,
                .n_keys = N_REMOVE_KEYS,
                .shorthand = REMOVE_PATH,
                .check = check_remove,
        },
        .default_within_usec = 30 * USEC_PER_SEC,
        .begin = begin_remove,
};
