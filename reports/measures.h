/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a play measured, as names with values for machines: latencies, peaks, versions, invocations. By the stamps of
 * the sources, so each is an upper bound of what it names; what was not observed is left out.
 *
 *     narrowest_margin_ms, narrowest_margin_of  the least time that was left in a window that passed, and whose
 *     stop_latency_ms                           the longest from a stop job or SIGTERM to the end of the main process
 *     restart_delay_min_ms, restart_delay_max_ms  from the end of a main process to the start of the next one
 *     memory_peak_bytes, pids_peak              the highest that was read of any unit's counter
 *     card.UNIT.ITEM                            the evidence card of a unit (judge/card.h): limits, peaks, kills, ...
 *     harness_lateness_ms                       how late the harness's own timer ran at most
 *     agenttest_version, systemd_version, kernel, machine, cgroup, stage
 *     invocation_id:UNIT                        the invocations of a unit in their order, blanks between
 */

#include "reports/report.h"

typedef struct Measure {
        char *name, *value;
} Measure;

typedef struct Measures {
        Measure *items;
        size_t n_items;
} Measures;

/* Of a play that was performed. -ENOMEM. */
int measures_collect(const PlayResult *result, Measures *ret_measures);
void measures_done(Measures *measures);

/* Does it say what the play was played with, rather than what happened in it? */
bool measure_is_version(const Measure *measure);
