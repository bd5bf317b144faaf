/* SPDX-License-Identifier: MIT */
/*
 * What systemd cannot read of a unit file it leaves out, and goes on. Where the scenario itself set it
 * (`properties`), the scenario would be played without: a limit that is not in force proves nothing. The unit files
 * under test are left as they are, that is what is deployed.
 *
 * Units are loaded before journald is there, so the complaints go to the console:
 *
 *     /etc/systemd/system/a.service.d/zz-agenttest.conf:2: Invalid memory limit 'banana', ignoring: Invalid argument
 *
 * Source: systemd, log_syntax_internal() in src/shared/log.c.
 */
#include <string.h>

#include "stage/sandbox.h"

/* Is the line about a setting of @path that is left out? Others only tell of what is obsolete. */
static bool is_left_out(const char *line, size_t n_bytes, const char *path) {
        size_t n_path = strlen(path), n_digits;

        if (n_bytes < n_path + 3 || memcmp(line, path, n_path) != 0 || line[n_path] != ':')
                return false;
        n_digits = strspn(line + n_path + 1, "0123456789");
        return n_digits > 0 && line[n_path + 1 + n_digits] == ':' &&
               (memmem(line, n_bytes, "gnoring", 7) || memmem(line, n_bytes, "gnored", 6));
}

static int check_line(const Sandbox *sandbox, const char *line, size_t n_bytes, Error *reterr) {
        for (size_t i = 0; i < sandbox->request->n_files; i++) {
                const StageFile *file = &sandbox->request->files[i];

                if (file->is_settings && is_left_out(line, n_bytes, file->path))
                        return error_set(reterr, -EINVAL, "systemd does not take a setting of the scenario: %.*s",
                                        (int) n_bytes, line);
        }
        return 0;
}

int sandbox_check_settings(Sandbox *sandbox, Error *reterr) {
        char text[CONSOLE_TAIL_BYTES + 1];
        char *rest = NULL;

        console_drain(sandbox);
        memcpy(text, sandbox->console_tail, sandbox->n_console_tail_bytes);
        text[sandbox->n_console_tail_bytes] = '\0';
        for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
                int r = check_line(sandbox, line, strlen(line), reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}
