/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Closes windows: makes sure that everything that happened before now, on the channels asked for, is in the timeline.
 * First the bus by a round trip (the manager has then seen every death before it, and sent its own log lines), then
 * the journal by journald's Synchronize and reading to the tail, accounting by the death of a canary, and kmsg by
 * reading to its end.
 *
 * A run has one barrier and uses it again and again.
 */

#include "perform/run.h"

int barrier_new(Run *run, Barrier **ret_barrier);
Barrier *barrier_free(Barrier *barrier);

/**
 * barrier_begin() - drain @channels (bits of Channel)
 *
 * The player is woken when it is done. A channel that cannot be drained says so by an ENTRY_CHANNEL and is missing in
 * barrier_channels(). One that was begun before and not finished is given up.
 */
void barrier_begin(Barrier *barrier, unsigned channels);
bool barrier_is_done(const Barrier *barrier);

/* When it was begun (CLOCK_MONOTONIC): what happened before is in. */
uint64_t barrier_since(const Barrier *barrier);
/* The channels that were drained: "bus journal acct". Borrowed. */
const char *barrier_channels(const Barrier *barrier);

DEFINE_CLEANUP(Barrier, barrier_free)
