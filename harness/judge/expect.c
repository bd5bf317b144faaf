/* SPDX-License-Identifier: MIT */
#include "judge/expect-kinds.h"

static const KindSpec *const kinds[] = {
        &state_expectation.spec,
        &job_expectation.spec,
        &exit_expectation.spec,
        &restart_expectation.spec,
        &log_expectation.spec,
        &process_expectation.spec,
        &file_expectation.spec,
        &sqlite_expectation.spec,
        &socket_expectation.spec,
        &command_expectation.spec,
        &left_behind_expectation.spec,
        &cgroup_expectation.spec,
        &limit_expectation.spec,
        &oom_kill_expectation.spec,
        &trend_expectation.spec,
};

/* Words of the language that later versions will know; until then their use is an error that says so. */
static const char *const unbuilt[] = { "notify", "http", "webhook", NULL };

const KindSpec *const *expect_kinds(size_t *ret_n_kinds) {
        *ret_n_kinds = ELEMENTS_OF(kinds);
        return kinds;
}

const char *const *expect_unbuilt(void) {
        return unbuilt;
}
