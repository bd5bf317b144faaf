/* SPDX-License-Identifier: MIT */
#include "judge/log-track.h"

#include <string.h>

#include "scenario/array.h"

/* Of one expectation: hits with excerpt; hits with captures; bytes kept for comparisons that wait for captures. */
#define N_EXCERPTS_MAX   8
#define N_GROUPS_MAX     4096
#define LATE_MAX_BYTES   ((size_t) 4 * 1024 * 1024)
/* A line that fails in what is asked first is looked at further, for the report, so many times. */
#define NEAR_MISS_BUDGET 20000
#define NEAR_MISS_SCORE  2 /* more than the right priority alone */

static void free_strings(char **strings, size_t n_strings) {
        if (strings)
                array_free_strings(strings, n_strings);
}

int log_track_init(LogTrack *track, const Expectation *expectation) {
        *track = (LogTrack){ .chosen = SIZE_MAX, .near_miss_budget = NEAR_MISS_BUDGET };
        return log_filter_init(&track->filter, expectation);
}

void log_track_done(LogTrack *track) {
        FOREACH_ARRAY (hit, track->hits, track->n_hits) {
                free(hit->excerpt);
                free_strings(hit->groups, track->filter.n_groups);
                free_strings(hit->late, track->filter.n_late);
        }
        free(track->hits);
        log_filter_done(&track->filter);
}

/* What a line has to be worth at least to be kept as a near miss; among equals the newest are kept. */
static unsigned track_bar(const LogTrack *track) {
        return track->n_near_misses == N_NEAR_MISSES ? track->scores[N_NEAR_MISSES - 1] : NEAR_MISS_SCORE;
}

void log_track_lose(LogTrack *track, const LogPart *part) {
        bool is_first = part == track->filter.parts;

        track->lost_weight += part->weight;
        if (track->filter.total_weight - track->lost_weight < track_bar(track))
                track->is_out = true;
        else if (is_first && track->near_miss_budget == 0)
                track->is_out = true;
        else if (is_first)
                track->near_miss_budget--;
}

/* Length of what fits into an excerpt, whole characters. */
static size_t excerpt_length(const char *text, size_t n_bytes) {
        size_t n = n_bytes < EXCERPT_MAX_BYTES ? n_bytes : EXCERPT_MAX_BYTES;

        while (n > 0 && n < n_bytes && ((unsigned char) text[n] & 0xc0) == 0x80)
                n--;
        return n;
}

static pid_t line_pid(const LogLine *line) {
        size_t n_bytes = 0;
        const char *text = line->get_field(line, "_PID", &n_bytes);
        pid_t pid = 0;

        for (size_t i = 0; text && i < n_bytes && n_bytes < 10 && text[i] >= '0' && text[i] <= '9'; i++)
                pid = pid * 10 + (text[i] - '0');
        return pid;
}

static LogHit line_hit(const LogTrack *track, const LogLine *line) {
        return (LogHit){
                .seqnum = line->seqnum,
                .at_usec = line->at_usec,
                .pid = line_pid(line),
                .lacks_unit = track->lacks_unit,
        };
}

void log_track_keep_near_miss(LogTrack *track, const LogLine *line) {
        unsigned score = track->filter.total_weight - track->lost_weight;
        size_t place = 0, n_bytes = 0, n_moved;
        LogHit hit = line_hit(track, line);
        const char *text = line->get_field(line, "MESSAGE", &n_bytes);

        /* Whether it was the unit's is found out by the pid, which only the judge can do. */
        if (track->lacks_unit && hit.pid <= 1)
                return;
        while (place < track->n_near_misses && track->scores[place] > score)
                place++;
        if (place == N_NEAR_MISSES)
                return;
        if (track->n_near_misses < N_NEAR_MISSES)
                track->n_near_misses++;
        n_moved = track->n_near_misses - place - 1;
        memmove(track->near_misses + place + 1, track->near_misses + place, n_moved * sizeof(LogHit));
        memmove(track->excerpts + place + 1, track->excerpts + place, n_moved * sizeof(track->excerpts[0]));
        memmove(track->scores + place + 1, track->scores + place, n_moved * sizeof(track->scores[0]));

        track->near_misses[place] = hit;
        track->scores[place] = score;
        n_bytes = text ? excerpt_length(text, n_bytes) : 0;
        if (n_bytes > 0)
                memcpy(track->excerpts[place], text, n_bytes);
        track->excerpts[place][n_bytes] = '\0';
        for (size_t i = 0; i < track->n_near_misses; i++)
                track->near_misses[i].excerpt = track->excerpts[i];
}

/* The text that a part compares, appended; false where there is none. */
static bool part_text(const LogPart *part, const LogLine *line, Text *ret_text) {
        CLEANUP(json_free_p) Json *json = NULL;
        size_t n_bytes = 0;
        const char *text = line->get_field(line, part->field, &n_bytes);

        if (!text)
                return false;
        if (!part->member) {
                text_append_bytes(ret_text, text, n_bytes);
                return true;
        }
        return json_parse(text, n_bytes, &json, NULL) >= 0 &&
               json_scalar_text(json_member(json, part->member), ret_text);
}

static int keep_excerpt(const LogTrack *track, const LogLine *line, LogHit *hit) {
        size_t n_bytes = 0;
        const char *text;

        if (track->n_hits >= N_EXCERPTS_MAX)
                return 0;
        text = line->get_field(line, "MESSAGE", &n_bytes);
        hit->excerpt = strndup(text ? text : "", text ? excerpt_length(text, n_bytes) : 0);
        return hit->excerpt ? 0 : -ENOMEM;
}

static int capture_group(const LogGroup *group, const Text *text, char **ret_value) {
        char **values = NULL;
        int r;

        r = regex_capture(group->match->regex, text_get(text), text->n_bytes, &values);
        if (r < 0)
                return r;
        *ret_value = strdup(values && values[group->group] ? values[group->group] : "");
        (void) regex_groups_free(group->match->regex, values);
        return *ret_value ? 0 : -ENOMEM;
}

static int keep_groups(const LogTrack *track, const LogLine *line, LogHit *hit) {
        const LogFilter *filter = &track->filter;
        CLEANUP_TEXT Text text = TEXT_INIT;
        int r = 0;

        if (filter->n_groups == 0 || track->n_hits >= N_GROUPS_MAX)
                return 0;
        hit->groups = calloc(filter->n_groups, sizeof(char *));
        if (!hit->groups)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < filter->n_groups; i++) {
                text_truncate(&text, 0);
                (void) part_text(&filter->parts[filter->groups[i].part], line, &text);
                r = capture_group(&filter->groups[i], &text, &hit->groups[i]);
        }
        return r;
}

static int keep_late(LogTrack *track, const LogLine *line, LogHit *hit) {
        const LogFilter *filter = &track->filter;
        CLEANUP_TEXT Text text = TEXT_INIT;
        size_t n_kept = 0;

        if (filter->n_late == 0)
                return 0;
        hit->late = calloc(filter->n_late, sizeof(char *));
        if (!hit->late)
                return -ENOMEM;
        FOREACH_ARRAY (part, filter->parts, filter->n_parts) {
                if (!part->is_late)
                        continue;
                text_truncate(&text, 0);
                (void) part_text(part, line, &text);
                track->n_late_bytes += text.n_bytes;
                hit->late[n_kept] = strdup(text_get(&text));
                if (!hit->late[n_kept++])
                        return -ENOMEM;
        }
        return 0;
}

static void hit_done(const LogTrack *track, LogHit *hit) {
        free(hit->excerpt);
        free_strings(hit->groups, track->filter.n_groups);
        free_strings(hit->late, track->filter.n_late);
}

static int track_reserve(LogTrack *track) {
        size_t n_wanted = track->n_allocated > 0 ? track->n_allocated + track->n_allocated / 2 : 16;
        LogHit *hits;

        if (track->n_hits < track->n_allocated)
                return 0;
        hits = reallocarray(track->hits, n_wanted, sizeof(LogHit));
        if (!hits)
                return -ENOMEM;
        track->hits = hits;
        track->n_allocated = n_wanted;
        return 0;
}

int log_track_keep_hit(LogTrack *track, const LogLine *line) {
        LogHit hit = line_hit(track, line);
        int r;

        if (track->lacks_unit && hit.pid <= 1) /* the kernel's, and PID 1's own */
                return -ENOENT;
        if (track->filter.n_late > 0 && track->n_late_bytes >= LATE_MAX_BYTES) {
                track->has_overflown = true;
                return -ENOENT;
        }
        r = track_reserve(track);
        if (r >= 0)
                r = keep_excerpt(track, line, &hit);
        if (r >= 0)
                r = keep_groups(track, line, &hit);
        if (r >= 0)
                r = keep_late(track, line, &hit);
        if (r < 0) {
                hit_done(track, &hit);
                return -ENOMEM;
        }
        track->hits[track->n_hits++] = hit;
        return 0;
}
