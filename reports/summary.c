/* SPDX-License-Identifier: MIT */

/* What a run as a whole comes to. */

#include "reports/report.h"

enum { AUTOMAKE_SKIP = 77, AUTOMAKE_HARD_ERROR = 99 };

static int status_of_outcomes(const RunSummary *summary, const ExitPolicy *policy) {
        size_t n_inconclusive = summary->n_with[OUTCOME_INCONCLUSIVE];
        size_t n_pass = summary->n_with[OUTCOME_PASS];
        size_t n_fail = summary->n_with[OUTCOME_FAIL];

        if (policy->inconclusive_as == OUTCOME_PASS)
                n_pass += n_inconclusive;
        else if (policy->inconclusive_as == OUTCOME_FAIL)
                n_fail += n_inconclusive;

        if (n_fail > 0)
                return STATUS_FAIL;
        /* What was never begun although nobody ended the run is lost. */
        if (summary->n_with[OUTCOME_ERROR] > 0 || summary->broken || summary->n_not_played > 0)
                return STATUS_ERROR;
        if (n_inconclusive > 0 && policy->inconclusive_as == OUTCOME_INCONCLUSIVE)
                return STATUS_INCONCLUSIVE;
        /* A suite that ran nothing is not green. */
        return n_pass > 0 ? STATUS_PASS : STATUS_NOTHING_RAN;
}

/* Source: automake manual, "Scripts-based Testsuites": 77 is a skip, 99 a hard error, everything else but 0 a
 * failure. */
int exit_status_by_protocol(int status, const ExitPolicy *policy) {
        if (!policy->is_automake || status > STATUS_SIGNAL)
                return status;
        switch (status) {
        case STATUS_PASS:
        case STATUS_FAIL:
                return status;
        case STATUS_NOTHING_RAN:
                return AUTOMAKE_SKIP;
        default:
                return AUTOMAKE_HARD_ERROR;
        }
}

int run_summary_exit_status(const RunSummary *summary, const ExitPolicy *policy) {
        if (summary->signal_number > 0)
                return STATUS_SIGNAL + summary->signal_number;
        return status_of_outcomes(summary, policy);
}

void run_summary_line(const RunSummary *summary, Text *ret_text) {
        text_printf(ret_text, "%zu passed, %zu failed", summary->n_with[OUTCOME_PASS], summary->n_with[OUTCOME_FAIL]);
        if (summary->n_with[OUTCOME_ERROR] > 0)
                text_printf(ret_text, ", %zu error%s", summary->n_with[OUTCOME_ERROR],
                                summary->n_with[OUTCOME_ERROR] == 1 ? "" : "s");
        if (summary->n_with[OUTCOME_INCONCLUSIVE] > 0)
                text_printf(ret_text, ", %zu inconclusive", summary->n_with[OUTCOME_INCONCLUSIVE]);
        if (summary->n_with[OUTCOME_SKIP] > 0)
                text_printf(ret_text, ", %zu skipped", summary->n_with[OUTCOME_SKIP]);
        if (summary->n_not_played > 0)
                text_printf(ret_text, ", %zu not run", summary->n_not_played);
}
