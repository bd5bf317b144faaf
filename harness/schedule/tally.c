/* SPDX-License-Identifier: MIT */
#include "schedule/tally.h"

void tally_add(RunSummary *summary, const PlayResult *result) {
        summary->n_with[result->outcome]++;
        FOREACH_ARRAY (verdict, result->judgement.verdicts, result->judgement.n_verdicts) {
                char *of;

                if (verdict->outcome != OUTCOME_PASS || verdict->margin_usec >= summary->margin_usec)
                        continue;
                if (asprintf(&of, "%s: %s", result->play->name, verdict->id ?: "scenario") < 0)
                        continue;
                free(summary->margin_of);
                summary->margin_of = of;
                summary->margin_usec = verdict->margin_usec;
        }
}
