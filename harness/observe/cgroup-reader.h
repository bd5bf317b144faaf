/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Counters of a unit's cgroup under portable names, from v1 (one hierarchy a controller), v2, or both side by side,
 * as the machine has them mounted. The text of the file is recorded as it is; a file that cannot be read is recorded
 * too, with its errno.
 *
 * Portable names: memory.peak, memory.current, memory.max, memory.high, memory.high-hits, memory.oom-kills,
 * pids.peak, pids.current, pids.max, pids.denied, cpu.throttled, cpu.periods, cpu.usage, cpu.max, populated, procs.
 * Those of MemoryHigh= have no source on v1: their entries have errno EOPNOTSUPP there.
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
 * @control_group: the unit's ControlGroup property; NULL: not known (the unit had none yet), recorded as ENODATA
 * @counter:       a portable name, or "file:NAME" for the raw file NAME, looked for in every hierarchy
 * @moment:        for the entry, may be NULL
 *
 * Errors: -EINVAL for a name that does not exist.
 */
int cgroup_reader_sample(CgroupReader *reader, const char *unit, const char *control_group, const char *counter,
                const char *moment);

/* The same of the slice that @control_group is, or was, in; nothing where it is in none. */
int cgroup_reader_sample_slice(
                CgroupReader *reader, const char *unit, const char *control_group, const char *counter);

/**
 * cgroup_reader_entries() - the "cgroup.procs" files by which a process gets into the cgroup
 * @main_pid: the unit's main process; 0: none
 *
 * Of every hierarchy that has it. On v2 a unit that hands its controllers down to cgroups of its own (Delegate=)
 * takes no process itself: then it is the one of the main process. @ret_paths: NULL-terminated, the caller's, freed
 * by cgroup_paths_free(). -ENOENT where none has.
 */
int cgroup_reader_entries(const CgroupReader *reader, const char *control_group, pid_t main_pid, char ***ret_paths);
void cgroup_paths_free(char **paths);

/* Does the cgroup's directory exist in any hierarchy? Its path into @ret_path (the caller's), NULL where not. */
int cgroup_reader_find(const CgroupReader *reader, const char *control_group, char **ret_path);

DEFINE_CLEANUP(CgroupReader, cgroup_reader_free)
