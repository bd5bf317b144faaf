/* SPDX-License-Identifier: MIT */
#pragma once

/* Fields of ENTRY_VERSIONS that this layer knows: systemd, kernel, machine, cgroup. The caller adds the rest. */

#include "observe/bus-watch.h"
#include "observe/cgroup-reader.h"

void versions_fill(Entry *entry, const BusWatch *bus, const CgroupReader *cgroups);
