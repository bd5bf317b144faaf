/* SPDX-License-Identifier: MIT */
#include "test-language.h"

#include <string.h>

#include "base/macros.h"
#include "scenario/diagnostic.h"

#define KIND(n, ks, sh, ...)                                                                                         \
        { .name = n, .doc = "Test row.", .keys = ks, .n_keys = ELEMENTS_OF(ks), .shorthand = sh, __VA_ARGS__ }

static const KeySpec unit_keys[] = {
        { "unit", VALUE_UNIT, .doc = "The unit." },
};
static const KeySpec signal_keys[] = {
        { "signal", VALUE_SIGNAL, .is_required = true, .doc = "The signal." },
        { "who", VALUE_CHOICE, .choices = "main|control|all", .default_text = "main", .doc = "Which processes." },
};
static const KeySpec crash_keys[] = {
        { "signal", VALUE_SIGNAL, .default_text = "SIGKILL", .doc = "What kills." },
};
static const KeySpec run_keys[] = {
        { "command", VALUE_STRING, .is_required = true, .doc = "A shell line." },
        { "status", VALUE_MATCH, .default_text = "0", .doc = "Exit status." },
};
static const KeySpec write_keys[] = {
        { "path", VALUE_STRING, .is_required = true, .doc = "Where." },
        { "content", VALUE_STRING, .is_required = true, .doc = "What." },
        { "append", VALUE_BOOL, .default_text = "no", .doc = "Behind what is there." },
};
static const KeySpec remove_keys[] = {
        { "path", VALUE_STRING, .is_required = true, .doc = "Where." },
};
static const KeySpec repeat_keys[] = {
        { "times", VALUE_INTEGER, .is_required = true, .doc = "How often." },
        { "steps", VALUE_STEPS, .is_required = true, .doc = "What." },
};

static void check_repeat(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        if (values[0].integer == 0)
                diagnostic_add(diagnostics, values[0].mark, 0, "`times: 0` repeats nothing");
}

static const KindSpec start_kind = KIND("start", unit_keys, 0, .takes_unit = true);
static const KindSpec stop_kind = KIND("stop", unit_keys, 0, .takes_unit = true);
static const KindSpec restart_step_kind = KIND("restart", unit_keys, 0, .takes_unit = true);
static const KindSpec signal_kind = KIND("signal", signal_keys, 0, .takes_unit = true);
static const KindSpec crash_kind = KIND("crash", crash_keys, 0, .takes_unit = true);
static const KindSpec run_kind = KIND("run", run_keys, 0);
static const KindSpec write_kind = KIND("write", write_keys, -1);
static const KindSpec remove_kind = KIND("remove", remove_keys, 0);
static const KindSpec repeat_kind = KIND("repeat", repeat_keys, -1, .check = check_repeat);

static const KindSpec *const steps[] = {
        &start_kind,
        &stop_kind,
        &restart_step_kind,
        &signal_kind,
        &crash_kind,
        &run_kind,
        &write_kind,
        &remove_kind,
        &repeat_kind,
};

static const KeySpec state_keys[] = {
        { "properties", VALUE_MATCH_MAP, .is_required = true, .doc = "Unit properties." },
};
static const KeySpec job_keys[] = {
        { "result", VALUE_MATCH, .is_required = true, .doc = "The job's result." },
};
static const KeySpec exit_keys[] = {
        { "code", VALUE_MATCH, .doc = "Exit status." },
        { "signal", VALUE_MATCH, .doc = "The signal that ended it." },
};
static const KeySpec restart_keys[] = {
        { "after", VALUE_DURATION, .doc = "Not before." },
        { "late-by-at-most", VALUE_DURATION, .doc = "At most so much after." },
        { "count", VALUE_MATCH, .doc = "How often." },
};
enum { LOG_FROM = 4 };

static const KeySpec log_keys[] = {
        { "message", VALUE_MATCH, .doc = "The message." },
        { "json", VALUE_MATCH_MAP, .doc = "Members of a JSON message." },
        { "priority", VALUE_PRIORITY, .doc = "Log level." },
        { "count", VALUE_MATCH, .doc = "How many lines." },
        { "from", VALUE_CHOICE, .choices = "unit|any", .default_text = "unit", .doc = "Whose lines." },
        { "after", VALUE_EXPECTATION, .doc = "Only lines behind its first one." },
        { "save", VALUE_BOOL, .default_text = "no", .doc = "Named groups become variables." },
};
static const KeySpec process_keys[] = {
        { "count", VALUE_MATCH, .doc = "How many." },
        { "fds", VALUE_MATCH, .doc = "Open files." },
};
static const KeySpec file_keys[] = {
        { "path", VALUE_STRING, .is_required = true, .doc = "Which." },
        { "exists", VALUE_BOOL, .doc = "Is it there?" },
        { "mode", VALUE_MATCH, .doc = "Octal." },
        { "content", VALUE_MATCH, .doc = "Its text." },
        { "bytes", VALUE_SIZE, .doc = "Its size." },
};
static const KeySpec sqlite_keys[] = {
        { "file", VALUE_STRING, .is_required = true, .doc = "Which." },
        { "query", VALUE_STRING, .is_required = true, .doc = "SQL." },
        { "equals", VALUE_MATCH, .is_required = true, .doc = "Its only value." },
};
static const KeySpec socket_keys[] = {
        { "path", VALUE_STRING, .doc = "A UNIX socket." },
        { "accepts", VALUE_BOOL, .default_text = "yes", .doc = "Does it accept?" },
};
static const KeySpec command_keys[] = {
        { "run", VALUE_STRING, .is_required = true, .doc = "A shell line." },
        { "stdout", VALUE_MATCH, .doc = "Its output." },
};
static const KeySpec left_behind_keys[] = {
        { "what", VALUE_MATCH_MAP, .choices = "processes|cgroups|files", .default_text = "{ processes: 0 }",
                        .doc = "What." },
        { "ignore", VALUE_STRING_LIST, .doc = "Names." },
};

static bool is_from_any(const Value *values) {
        return values[LOG_FROM].text && strcmp(values[LOG_FROM].text, "any") == 0;
}

static const KindSpec state_kind = KIND("state", state_keys, 0, .takes_unit = true);
static const KindSpec job_kind = KIND("job", job_keys, 0, .takes_unit = true);
static const KindSpec exit_kind = KIND("exit", exit_keys, -1, .takes_unit = true);
static const KindSpec restart_kind = KIND("restart", restart_keys, -1, .takes_unit = true);
static const KindSpec log_kind = KIND("log", log_keys, 0, .takes_unit = true, .is_unitless = is_from_any);
static const KindSpec process_kind = KIND("process", process_keys, -1, .takes_unit = true);
static const KindSpec file_kind = KIND("file", file_keys, -1);
static const KindSpec sqlite_kind = KIND("sqlite", sqlite_keys, -1);
static const KindSpec socket_kind = KIND("socket", socket_keys, 0);
static const KindSpec command_kind = KIND("command", command_keys, -1);
static const KindSpec left_behind_kind = KIND("left-behind", left_behind_keys, 0, .takes_unit = true);

static const KindSpec *const expectations[] = {
        &state_kind,
        &job_kind,
        &exit_kind,
        &restart_kind,
        &log_kind,
        &process_kind,
        &file_kind,
        &sqlite_kind,
        &socket_kind,
        &command_kind,
        &left_behind_kind,
};

static const char *const unbuilt_steps[] = { "reload", "hog", "freeze", "sweep", "sleep", NULL };
static const char *const unbuilt_expectations[] = { "webhook", "notify", "oom-kill", NULL };

const Language test_language = {
        .steps = steps,
        .n_steps = ELEMENTS_OF(steps),
        .expectations = expectations,
        .n_expectations = ELEMENTS_OF(expectations),
        .unbuilt_steps = unbuilt_steps,
        .unbuilt_expectations = unbuilt_expectations,
};
