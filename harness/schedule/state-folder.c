/* SPDX-License-Identifier: MIT */
#include "schedule/state-folder.h"

#include <string.h>
#include <sys/stat.h>

#include "base/macros.h"
#include "stage/rootless.h"

char *state_folder_path(void) {
        const char *state_home = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
        char *path = NULL;
        int r;

        if (state_home && state_home[0] == '/')
                r = asprintf(&path, "%s/agenttest", state_home);
        else if (home && home[0] == '/')
                r = asprintf(&path, "%s/.local/state/agenttest", home);
        else
                r = asprintf(&path, "/var/tmp/agenttest-%u", rootless_caller_uid());
        return r < 0 ? NULL : path;
}

int make_folders(const char *path, mode_t mode) {
        CLEANUP_FREE char *copy = strdup(path);
        if (!copy)
                return -ENOMEM;

        for (char *slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
                *slash = '\0';
                if (mkdir(copy, mode) < 0 && errno != EEXIST)
                        return -errno;
                *slash = '/';
        }
        return mkdir(copy, mode) < 0 && errno != EEXIST ? -errno : 0;
}
