/* SPDX-License-Identifier: MIT */
#include "sandbox-rig.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/text.h"
#include "stage/deadline.h"

static Ownership *ownership;
static unsigned scenario_index;
static StageContext *seen_context; /* shared with the player */

void rig_set_up(void) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        seen_context = mmap(NULL, sizeof(StageContext), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(seen_context, MAP_FAILED);
        ck_assert_msg(ownership_new(&ownership, &error) == 0, "%s", error_text(&error));
}

void rig_tear_down(void) {
        CLEANUP_ERROR Error error = ERROR_INIT;

        ck_assert_msg(ownership_release(TAKE_PTR(ownership), deadline_in(10 * USEC_PER_SEC), &error) == 0, "%s",
                        error_text(&error));
}

const char *rig_run_id(void) {
        return ownership_run_id(ownership);
}

typedef struct Call {
        StageFunction function;
        void *userdata;
} Call;

static int on_stage(const StageContext *context, void *userdata) {
        const Call *call = userdata;

        *seen_context = *context;
        return call->function(context, call->userdata);
}

Played rig_play(StageRequest request, StageFunction function, void *userdata) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        Call call = { .function = function, .userdata = userdata };
        Played played = { .wait_status = -1 };

        request.run_id = rig_run_id();
        request.scenario_index = scenario_index++;
        played.r = sandbox_stage.run(&request, on_stage, &call, &played.wait_status, &error);
        if (played.r < 0)
                (void) snprintf(played.message, sizeof(played.message), "%s", error_text(&error));
        played.context = *seen_context;
        return played;
}

static int run_script(const StageContext *context, void *userdata) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        int wait_status;

        text_append(&text, "check() { \"$@\" || { echo \"did not hold: $*\" >&2; exit 1; }; }\n"
                           "refuse() { if \"$@\" 2>/dev/null; then echo \"did hold: $*\" >&2; exit 1; fi; }\n");
        text_append(&text, userdata);
        wait_status = system(text_get(&text));
        return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : EXIT_FAILURE;
}

void rig_play_script(StageRequest request, const char *script) {
        Played played = rig_play(request, run_script, (char *) script);

        ck_assert_msg(played.r == 0, "%s", played.message);
        ck_assert_int_eq(played.wait_status, 0);
}

int host_run(const char *command) {
        int wait_status = system(command);

        return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
}

char *host_output(const char *command) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        FILE *pipe = popen(command, "re");
        char line[4096];

        ck_assert_ptr_nonnull(pipe);
        while (fgets(line, sizeof(line), pipe))
                text_append(&text, line);
        (void) pclose(pipe);
        return text_take(&text);
}
