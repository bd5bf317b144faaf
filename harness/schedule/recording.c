/* SPDX-License-Identifier: MIT */
#include "schedule/recording.h"

#include <dirent.h>
#include <string.h>

#include "schedule/load.h"
#include "timeline/codec.h"

enum { RESOLVED_MAX_BYTES = 4 * 1024 * 1024 };

int recording_read(const char *folder, const char *name, size_t n_bytes_max, char **ret_bytes, size_t *ret_n_bytes,
                Error *reterr) {
        CLEANUP_FREE char *path = NULL;

        if (asprintf(&path, "%s/%s", folder, name) < 0) {
                path = NULL;
                return error_set(reterr, -ENOMEM, "Out of memory");
        }
        return file_read(path, n_bytes_max, ret_bytes, ret_n_bytes, reterr);
}

bool recording_has(const char *folder, const char *name) {
        CLEANUP_FREE char *path = NULL;

        if (asprintf(&path, "%s/%s", folder, name) < 0) {
                path = NULL;
                return false;
        }
        return access(path, F_OK) == 0;
}

int recording_timeline(const char *folder, Timeline **ret_timeline, Error *reterr) {
        CLEANUP_FREE char *text = NULL, *name = NULL;
        size_t n_bytes;
        int r;

        r = recording_read(folder, "timeline.ndjson", RECORDING_MAX_BYTES, &text, &n_bytes, reterr);
        if (r < 0)
                return r;
        if (n_bytes == 0)
                return error_set(reterr, -ENODATA, "%s: nothing was recorded, there is nothing to judge", folder);
        if (asprintf(&name, "%s/timeline.ndjson", folder) < 0) {
                name = NULL;
                return error_set(reterr, -ENOMEM, "Out of memory");
        }
        return timeline_decode(name, text, n_bytes, ret_timeline, reterr);
}

const char *recording_text(const Json *json, const char *name) {
        const Json *member = json_member(json, name);
        size_t n_bytes;

        return member ? json_get_string(member, &n_bytes) : NULL;
}

void resolved_done(Resolved *resolved) {
        json_free(resolved->json);
}

int recording_resolved(const char *folder, Resolved *ret_resolved, Error *reterr) {
        CLEANUP_FREE char *text = NULL;
        size_t n_bytes;
        int r;

        r = recording_read(folder, "resolved.json", RESOLVED_MAX_BYTES, &text, &n_bytes, reterr);
        if (r < 0)
                return r;
        r = json_parse(text, n_bytes, &ret_resolved->json, reterr);
        if (r < 0)
                return error_prefix(reterr, "%s/resolved.json", folder);

        const Json *document = json_member(ret_resolved->json, "document");
        ret_resolved->path = recording_text(ret_resolved->json, "path");
        ret_resolved->name = recording_text(ret_resolved->json, "name");
        ret_resolved->play = recording_text(ret_resolved->json, "play");
        if (!ret_resolved->path || !ret_resolved->name || !document ||
                        json_get_integer(document, &ret_resolved->document) < 0)
                return error_set(reterr, -EBADMSG, "%s/resolved.json does not name a scenario", folder);
        return 0;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int recording_plays(const char *folder, PathList *ret, Error *reterr) {
        size_t n_before = ret->n_items;
        DIR *stream = opendir(folder);
        int r = 0;

        if (!stream)
                return error_set_errno(reterr, -errno, "%s cannot be read", folder);
        for (struct dirent *child; r >= 0 && (child = readdir(stream));) {
                CLEANUP_FREE char *path = NULL;

                if (child->d_name[0] == '.')
                        continue;
                if (asprintf(&path, "%s/%s", folder, child->d_name) < 0) {
                        path = NULL;
                        r = -ENOMEM;
                } else if (recording_has(path, "resolved.json"))
                        r = path_list_add(ret, path);
        }
        (void) closedir(stream);
        if (r < 0)
                return error_set_errno(reterr, r, "%s", folder);
        if (ret->n_items > n_before)
                qsort(ret->items + n_before, ret->n_items - n_before, sizeof(*ret->items), compare_names);
        return 0;
}
