/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Counters of a unit's cgroup under portable names, from v1 (one hierarchy a controller), v2, or both side by side,
 * as the machine has them mounted. The text of the file is recorded as it is; a file that cannot be read is recorded
 * too, with its errno.
 *
 * Portable names: memory.peak, memory.current, memory.max, memory.oom-kills, pids.peak, pids.current, pids.max,
 * pids.denied, cpu.throttled, cpu.usage, cpu.max, populated, procs.
 */

#include "observe/observer.h"

typedef struct CgroupReader CgroupReader;

/* Finds the mounts in /proc/self/mountinfo. No cgroups at all: -ENOENT with a message. */
int cgroup_reader_new(Observer *observer, CgroupReader **ret_reader, Error *reterr);
CgroupReader *cgroup_reader_free(CgroupReader *reader);

/* "v2", "v1 hybrid" (v1 controllers and a v2 tree) or "v1"; a constant. */
const char *cgroup_reader_layout(const CgroupReader *reader);

/**
 * cgroup_reader_sample() - read one counter: ENTRY_COUNTER
 * @control_group: the unit's ControlGroup property
 * @counter:       a portable name, or "file:NAME" for the raw file NAME, looked for in every hierarchy
 *
 * The entry has, besides those of entry.h, `counter` and, where the text holds several numbers, `key`: the word
 * before the number that is meant (nr_throttled, oom_kill, max, usage_usec, populated). Errors: -EINVAL for a name
 * that does not exist.
 */
int cgroup_reader_sample(CgroupReader *reader, const char *unit, const char *control_group, const char *counter);

/* Does the cgroup's directory exist in any hierarchy? Its path into @ret_path (the caller's), NULL where not. */
int cgroup_reader_find(const CgroupReader *reader, const char *control_group, char **ret_path);

DEFINE_CLEANUP(CgroupReader, cgroup_reader_free)
