/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ordered record of everything observed in one scenario. Entries stay in arrival order and never change. The
 * order between sources says nothing about the order of what happened: the stamps do, as far as they go.
 */

#include "base/error.h"
#include "timeline/entry.h"

typedef struct Timeline Timeline;

/* Called for each new entry, after it is in. It must not append; it notes what is to be done next (wakes the step).
 */
typedef void (*TimelineListener)(const Entry *entry, void *userdata);

Timeline *timeline_new(void);
Timeline *timeline_free(Timeline *timeline);
void timeline_set_listener(Timeline *timeline, TimelineListener listener, void *userdata);

/**
 * timeline_append() - take an entry in
 * @entry: the timeline's from now on, also on error
 *
 * Errors: -ENOMEM, also one met while the entry was filled; -ERANGE where seen_usec goes back in time.
 */
int timeline_append(Timeline *timeline, Entry *entry);

size_t timeline_length(const Timeline *timeline);
const Entry *timeline_get(const Timeline *timeline, size_t index);

/* The first entry of @kind at or after @from (for @unit, unless NULL); NULL where there is none. */
const Entry *timeline_next(const Timeline *timeline, size_t from, EntryKind kind, const char *unit);
/* The last such entry before @before (SIZE_MAX: of all). */
const Entry *timeline_last(const Timeline *timeline, size_t before, EntryKind kind, const char *unit);

/**
 * timeline_property() - what a property of a unit was, as far as entry @index and those before it tell
 * @index: an entry of the timeline; properties are looked for in it and, where it does not repeat them, before it
 *
 * Returns the value as text, borrowed; NULL where no entry up to @index holds it.
 */
const char *timeline_property(const Timeline *timeline, const char *unit, size_t index, const char *name);

/* Was it recorded on a machine that others use too? Then not all that happened there has to do with the scenario. */
bool timeline_is_shared(const Timeline *timeline);
/* Process ID of the manager, where the units are a user's; else 0. */
pid_t timeline_user_manager(const Timeline *timeline);

DEFINE_CLEANUP(Timeline, timeline_free)
