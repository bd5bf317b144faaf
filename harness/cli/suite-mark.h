/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a suite is told by when only a part of it is played: how many scenarios it has and what they are called, in
 * their order. `merge` adds up parts of one suite only.
 */

#include "reports/report.h"

/*
 * One more scenario, in the order in which they are numbered. Its file counts by its place in the project's folder:
 * parts are played in other working folders, too. -ENOMEM.
 */
int suite_mark_add(SuiteMark *mark, const Scenario *scenario);
