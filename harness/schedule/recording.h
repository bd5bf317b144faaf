/* SPDX-License-Identifier: MIT */
#pragma once

/* Reading evidence back: what replay and merge begin with. */

#include "base/json.h"
#include "schedule/discover.h"
#include "timeline/timeline.h"

/* A timeline holds no log lines and no more than 64 KiB of any file; what is larger is none of ours. */
enum { RECORDING_MAX_BYTES = 512 * 1024 * 1024 };

/* @folder/@name, with a NUL behind it. Errors: of open(2) and read(2); -EFBIG. */
int recording_read(const char *folder, const char *name, size_t n_bytes_max, char **ret_bytes, size_t *ret_n_bytes,
                Error *reterr);
bool recording_has(const char *folder, const char *name);

/* Of one play. -ENODATA where nothing was recorded; -EBADMSG. */
int recording_timeline(const char *folder, Timeline **ret_timeline, Error *reterr);

/* resolved.json: which scenario of which file a play's evidence is of. */
typedef struct Resolved {
        Json *json;
        const char *path, *name, *play; /* borrowed from json */
        int64_t document;
} Resolved;

int recording_resolved(const char *folder, Resolved *ret_resolved, Error *reterr);
void resolved_done(Resolved *resolved);

/* The folders of plays that lie in @folder, sorted; hidden ones are passed over. */
int recording_plays(const char *folder, PathList *ret, Error *reterr);

/* Member @name as text; NULL where there is none. Borrowed. */
const char *recording_text(const Json *json, const char *name);
