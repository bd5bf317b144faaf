/* SPDX-License-Identifier: MIT */
#pragma once

/* Removes the evidence of old runs from the state folder. */

/* Every run's folder holds this file; what does not is not ours and stays. */
#define EVIDENCE_MARK_FILE ".agenttest-run"

/* Keeps the newest @n_kept finished runs of @parent_fd; a run whose folder is locked lives and is not counted. */
void evidence_prune(int parent_fd, unsigned n_kept);
