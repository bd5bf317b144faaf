/* SPDX-License-Identifier: MIT */
#include <fnmatch.h>

#include "stage/machine.h"

static const char *const critical_names[][2] = {
        { "dbus*", "the message bus" },
        { "systemd-*", "a part of the service manager" },
        { "init.scope", "the service manager itself" },
        { "ssh.*", "remote access" },
        { "sshd*", "remote access" },
        { "ssh@*", "remote access" },
        { "dropbear*", "remote access" },
        { "user@*", "a user's session" },
        { "user-runtime-dir@*", "a user's session" },
        { "session-*", "a user's session" },
        { "getty@*", "a console" },
        { "serial-getty@*", "a console" },
        { "console-getty*", "a console" },
        { "NetworkManager*", "the network" },
        { "networking*", "the network" },
        { "ifup@*", "the network" },
        { "dhcpcd*", "the network" },
        { "wpa_supplicant*", "the network" },
        { "polkit*", "authorisation" },
        { "emergency.*", "a mode of the machine" },
        { "rescue.*", "a mode of the machine" },
        { "debug-shell.*", "a mode of the machine" },
        { "plymouth*", "a part of the boot" },
        { "qemu-guest-agent*", "the way into this machine" },
        { "cloud-*", "the way into this machine" },
        { "agenttest*", "agenttest itself" },
};

const char *unit_is_critical(const char *unit) {
        FOREACH_ARRAY (name, critical_names, ELEMENTS_OF(critical_names))
                if (fnmatch((*name)[0], unit, 0) == 0)
                        return (*name)[1];
        return NULL;
}
