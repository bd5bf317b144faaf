/* SPDX-License-Identifier: MIT */
#pragma once

/* Values out of the texts of /proc/PID/status and /proc/PID/stat, as they were recorded. Source: proc(5). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Word @i (from 0) of the line "@name:" of a status text; borrowed; NULL where there is none. */
const char *proc_status_word(const char *status, const char *name, unsigned i, size_t *ret_n_bytes);

/* Field @i of a stat text, counted as in proc(5): 4 is ppid, 6 session, 7 tty_nr; from 3 on. False: there is none. */
bool proc_stat_number(const char *stat, unsigned i, int64_t *ret_number);

/* Had the process ended, and only was not reaped yet? (Of one that lives the first thread alone may have ended.) */
bool proc_stat_is_zombie(const char *stat);

/* Is @signal in the mask "@name:" (SigIgn, SigBlk, SigCgt) of a status text? -ENOENT where there is no such mask. */
int proc_status_has_signal(const char *status, const char *name, int signal, bool *ret_has);
