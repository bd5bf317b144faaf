/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "schedule/load.h"
#include "suites.h"

static char folder[64];

void enter_folder(void) {
        strcpy(folder, "/tmp/agenttest-unit-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        ck_assert_int_eq(chdir(folder), 0);
        ck_assert_int_eq(setenv("XDG_STATE_HOME", folder, 1), 0);
}

void leave_folder(void) {
        char command[128];

        ck_assert_int_eq(chdir("/"), 0);
        (void) snprintf(command, sizeof(command), "rm -rf %s", folder);
        ck_assert_int_eq(system(command), 0);
}

void put_file(const char *path, const char *text) {
        char copy[256];

        strcpy(copy, path);
        for (char *slash = copy; (slash = strchr(slash + 1, '/'));) {
                *slash = '\0';
                (void) mkdir(copy, 0755);
                *slash = '/';
        }
        CLEANUP_FILE FILE *file = fopen(path, "we");
        ck_assert_msg(file && fputs(text, file) >= 0, "%s: %s", path, strerror(errno));
}

char *get_file(const char *path) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        char *bytes;
        size_t n_bytes;

        ck_assert_msg(file_read(path, 1 << 20, &bytes, &n_bytes, &error) == 0, "%s", error_text(&error));
        return bytes;
}

bool is_there(const char *path) {
        return access(path, F_OK) == 0;
}

int main(void) {
        SRunner *runner = srunner_create(discover_suite());
        int n_failed;

        srunner_add_suite(runner, select_suite());
        srunner_add_suite(runner, limits_suite());
        srunner_add_suite(runner, lateness_suite());
        srunner_add_suite(runner, line_reader_suite());
        srunner_add_suite(runner, requires_suite());
        srunner_add_suite(runner, evidence_suite());
        srunner_add_suite(runner, schedule_suite());
        srunner_add_suite(runner, interrupt_suite());
        srunner_add_suite(runner, replay_suite());
        srunner_add_suite(runner, merge_suite());
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
