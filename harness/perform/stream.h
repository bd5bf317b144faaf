/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The performer's only output: lines of JSON on a pipe to the scheduler.
 *
 * Entries that come together leave together, when the loop has nothing else to do: a write for each would wake the
 * scheduler two dozen times a start and stop, on a machine that the daemon needs.
 */

#include <systemd/sd-event.h>

#include "judge/verdict.h"
#include "timeline/timeline.h"

typedef struct Stream Stream;

/**
 * stream_new() - open the stream
 * @fd:       borrowed; blocking
 * @event:    the loop; what was put in is written before the loop waits
 * @on_error: called with a negative errno (-EPIPE: the scheduler is gone) for what the loop could not write
 */
int stream_new(int fd, sd_event *event, void (*on_error)(int error, void *userdata), void *userdata,
                Stream **ret_stream);
/* What is still in it is dropped. Returns NULL. */
Stream *stream_free(Stream *stream);

/* Takes the entry's line in. Errors: as stream_flush(), which it calls where much has come together. */
int stream_entry(Stream *stream, const Entry *entry);
/* Writes what was taken in, whole lines. Errors: of write(2); -ENOMEM. */
int stream_flush(Stream *stream);

/* Each writes whole lines at once; behind stream_flush(). */
int stream_verdicts(int fd, const Judgement *judgement);
/* The last line: without it the stream counts as cut. */
int stream_end(int fd, Outcome outcome);

DEFINE_CLEANUP(Stream, stream_free)
