/* SPDX-License-Identifier: MIT */
#include "schedule/collect.h"

#include <string.h>

#include "base/json.h"
#include "timeline/codec.h"

static bool begins_with(const char *line, size_t n_bytes, const char *prefix) {
        size_t n = strlen(prefix);
        return n_bytes >= n && memcmp(line, prefix, n) == 0;
}

int collection_init(Collection *collection, const PlayEvidence *evidence) {
        *collection = (Collection){ .evidence = evidence, .judgement = JUDGEMENT_INIT };
        collection->timeline = timeline_new();
        return collection->timeline ? 0 : -ENOMEM;
}

void collection_done(Collection *collection) {
        collection->timeline = timeline_free(collection->timeline);
        judgement_done(&collection->judgement);
}

/* The line and its newline, which the stream took off. */
static int store(Collection *collection, int fd, const char *name, const char *line, size_t n_bytes, Error *reterr) {
        CLEANUP_FREE char *whole = malloc(n_bytes + 1);
        int r;

        if (!whole)
                return error_set(reterr, -ENOMEM, "Out of memory");
        memcpy(whole, line, n_bytes);
        whole[n_bytes] = '\n';
        r = play_evidence_append(collection->evidence, fd, name, whole, n_bytes + 1, reterr);
        collection->is_evidence_failing = r < 0;
        return r;
}

static int collect_entry(Collection *collection, const char *line, size_t n_bytes, Error *reterr) {
        Entry *entry;
        int r;

        if (collection->judgement.n_verdicts > 0)
                return error_set(reterr, -EBADMSG, "an entry came behind the verdicts");
        r = entry_decode(line, n_bytes, &entry, reterr);
        if (r < 0)
                return error_prefix(reterr, "line %zu", timeline_length(collection->timeline) + 1);
        r = timeline_append(collection->timeline, entry);
        if (r < 0)
                return error_set_errno(
                                reterr, r, "entry %zu cannot be taken in", timeline_length(collection->timeline));
        if (collection->on_entry)
                collection->on_entry(entry, collection->userdata);
        return store(collection, collection->evidence->timeline_fd, "timeline.ndjson", line, n_bytes, reterr);
}

int judgement_add(Judgement *judgement, Reason reason, Mark mark, char *sentence) {
        Verdict verdict = {
                .outcome = reason_outcome(reason),
                .reason = reason,
                .id = strdup("scenario"),
                .mark = mark,
                .sentence = sentence,
                .margin_usec = UINT64_MAX,
        };

        if (!verdict.id || !verdict.sentence) {
                verdict_done(&verdict);
                return -ENOMEM;
        }
        return judgement_take(judgement, &verdict);
}

static int collect_verdict(Collection *collection, const char *line, size_t n_bytes, Error *reterr) {
        Verdict verdict;
        int r;

        r = verdict_decode(line, n_bytes, &verdict, reterr);
        if (r < 0)
                return error_prefix(reterr, "verdict %zu", collection->judgement.n_verdicts + 1);
        r = judgement_take(&collection->judgement, &verdict);
        if (r < 0)
                return error_set(reterr, r, "Out of memory");
        return store(collection, collection->evidence->verdicts_fd, "verdicts.ndjson", line, n_bytes, reterr);
}

static int collect_end(Collection *collection, const char *line, size_t n_bytes, Error *reterr) {
        CLEANUP(json_free_p) Json *json = NULL;
        const Json *end;
        const char *name;
        size_t n_name;
        int outcome, r;

        r = json_parse(line, n_bytes, &json, reterr);
        if (r < 0)
                return r;
        end = json_member(json, "end");
        name = end ? json_get_string(end, &n_name) : NULL;
        outcome = name ? outcome_from_name(name) : -EINVAL;
        if (outcome < 0)
                return error_set(reterr, -EBADMSG, "its end names no outcome: %.*s", (int) n_bytes, line);
        collection->has_end = true;
        collection->end = (Outcome) outcome;
        return 0;
}

int collect_line(const char *line, size_t n_bytes, void *userdata, Error *reterr) {
        Collection *collection = userdata;

        if (collection->has_end)
                return error_set(reterr, -EBADMSG, "something came behind its end");
        if (begins_with(line, n_bytes, "{\"verdict\""))
                return collect_verdict(collection, line, n_bytes, reterr);
        if (begins_with(line, n_bytes, "{\"end\""))
                return collect_end(collection, line, n_bytes, reterr);
        return collect_entry(collection, line, n_bytes, reterr);
}
