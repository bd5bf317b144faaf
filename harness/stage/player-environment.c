/* SPDX-License-Identifier: MIT */
#include "stage/player-environment.h"

#include "base/macros.h"

int player_environment_set(void) {
        static const char *const variables[][2] = {
                { "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
                { "HOME", "/root" },
                { "USER", "root" },
                { "LOGNAME", "root" },
                { "SHELL", "/bin/sh" },
                { "LANG", "C.UTF-8" },
        };

        if (clearenv() != 0)
                return -ENOMEM;
        FOREACH_ARRAY (variable, variables, ELEMENTS_OF(variables))
                if (setenv((*variable)[0], (*variable)[1], 1) < 0)
                        return -errno;
        return 0;
}
