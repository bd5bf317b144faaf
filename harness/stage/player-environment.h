/* SPDX-License-Identifier: MIT */
#pragma once

/* Gives this process the environment of a system service: not what the person had who called agenttest. -ENOMEM.
 * Source: systemd.exec(5), "Environment". */
int player_environment_set(void);
