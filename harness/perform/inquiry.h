/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Asks what no event tells: files, databases, sockets, commands, processes. One inquiry an expectation. It asks when
 * the window opens, again when something moved (inotify) or, where nothing can move it, at a sampling interval, and
 * once more when the window closes. The answers are entries.
 */

#include "perform/run.h"

typedef struct Inquiry Inquiry;

/**
 * inquiry_new() - ask for what @expectation needs
 * @ret_inquiry: NULL where the standing observers see all it needs
 */
int inquiry_new(Run *run, const Expectation *expectation, Inquiry **ret_inquiry, Error *reterr);
Inquiry *inquiry_free(Inquiry *inquiry);

/* Ask now; where an answer is outstanding, it does not count and the question is asked again behind it. */
void inquiry_ask(Inquiry *inquiry);
/* Go on asking until freed, by events or by sampling. */
int inquiry_follow(Inquiry *inquiry, Error *reterr);
/* Are all questions answered that were asked? */
bool inquiry_is_settled(const Inquiry *inquiry);

DEFINE_CLEANUP(Inquiry, inquiry_free)
