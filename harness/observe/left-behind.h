/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is on the stage that was not there when it was empty: processes, the unit's cgroup, listening sockets.
 *
 * Taken as a base line before anything is started; a probe then lists what came since: every process but PID 1,
 * kernel threads, those of the base line, and the performer with its children. The line of a process ends with its
 * cgroup: whether it may be there (another unit's) is the judge's question.
 */

#include "observe/observer.h"

typedef struct LeftBehind LeftBehind;

int left_behind_new(Observer *observer, LeftBehind **ret_probe, Error *reterr);
LeftBehind *left_behind_free(LeftBehind *probe);

/* ENTRY_LEFT_BEHIND. @control_group: where the unit's cgroup was, "/system.slice/x.service"; NULL where never known.
 */
int left_behind_probe(LeftBehind *probe, const char *unit, const char *control_group);

DEFINE_CLEANUP(LeftBehind, left_behind_free)
