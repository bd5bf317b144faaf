/* SPDX-License-Identifier: MIT */
#include "observe/versions.h"

#include <sys/utsname.h>

void versions_fill(Entry *entry, const BusWatch *bus, const CgroupReader *cgroups) {
        struct utsname kernel;

        entry_set(entry, "systemd", bus_watch_version(bus));
        entry_set(entry, "cgroup", cgroup_reader_layout(cgroups));
        if (uname(&kernel) == 0) {
                entry_set(entry, "kernel", kernel.release);
                entry_set(entry, "machine", kernel.machine);
        }
}
