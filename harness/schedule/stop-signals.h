/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The signals that end a run in order: SIGINT, SIGTERM, SIGHUP. A SIGHUP that was ignored when this program began
 * (nohup) stays ignored; it must not be blocked either, for a blocked signal is kept for whoever reads it although it
 * is ignored. Source: signal(7); nohup(1).
 */

#include <stddef.h>

enum { STOP_SIGNALS_MAX = 3 };

/* Their numbers; returns how many there are. */
size_t stop_signals(int ret_numbers[static STOP_SIGNALS_MAX]);
/* -errno. */
int stop_signals_block(void);
