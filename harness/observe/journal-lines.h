/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Lines of the journal that are facts of their own: what PID 1 says about units, and what journald says about lost
 * messages. Known by MESSAGE_ID, never by their text, which changes between versions.
 * Source: sd-messages.h, systemd.journal-fields(7).
 */

#include "observe/observer.h"
#include "timeline/log-line.h"

/* Appends ENTRY_MANAGER_LINE or ENTRY_JOURNAL_LOSS where @line is such a line. */
int journal_line_record(Observer *observer, const LogLine *line);
