/* SPDX-License-Identifier: MIT */
#include "judge/logbook.h"

#include <string.h>

#include "judge/expect-kinds.h"
#include "judge/log-track.h"
#include "scenario/array.h"

typedef enum ColumnUseKind {
        USE_PART,       /* compare with a part of the filter */
        USE_UNIT,       /* the unit that wrote it */
        USE_ABOUT_UNIT, /* the unit it is about */
        USE_MANAGER,    /* written by PID 1 */
} ColumnUseKind;

typedef struct ColumnUse {
        ColumnUseKind kind;
        size_t track;
        size_t part;
} ColumnUse;

/*
 * A journal field and all who ask for it. A line is looked at field by field, because a field's value may be gone
 * with the next field that is fetched (sd_journal_get_data(3)).
 */
typedef struct Column {
        const char *field; /* borrowed */
        ColumnUse *uses;
        size_t n_uses;
} Column;

struct LogBook {
        LogTrack *tracks;
        size_t n_tracks;
        Column *columns; /* what costs least and tells most comes first */
        size_t n_columns;
        Text scratch;

        uint64_t n_lines;
        uint64_t last_seqnum;
        bool has_gap;
        pid_t user_manager;   /* 0: the units are the system's */
        char manager_pid[16]; /* who writes about them, as the journal has it */
};

LogBook *logbook_free(LogBook *logbook) {
        if (!logbook)
                return NULL;
        FOREACH_ARRAY (track, logbook->tracks, logbook->n_tracks)
                log_track_done(track);
        FOREACH_ARRAY (column, logbook->columns, logbook->n_columns)
                free(column->uses);
        free(logbook->columns);
        free(logbook->tracks);
        text_done(&logbook->scratch);
        free(logbook);
        return NULL;
}

static int add_use(LogBook *logbook, const char *field, ColumnUse use) {
        Column *column = NULL;
        ColumnUse *added;

        FOREACH_ARRAY (known, logbook->columns, logbook->n_columns)
                if (strcmp(known->field, field) == 0)
                        column = known;
        if (!column) {
                column = array_append(&logbook->columns, &logbook->n_columns, sizeof(Column));
                if (!column)
                        return -ENOMEM;
                column->field = field;
        }
        added = array_append(&column->uses, &column->n_uses, sizeof(ColumnUse));
        if (!added)
                return -ENOMEM;
        *added = use;
        return 0;
}

/* All parts first, then where the line is from: most lines are of the unit, so asking that decides little. */
static int add_columns(LogBook *logbook) {
        bool is_user = logbook->user_manager > 0;
        int r = 0;

        for (size_t i = 0; i < logbook->n_tracks; i++)
                for (size_t j = 0; r >= 0 && j < logbook->tracks[i].filter.n_parts; j++)
                        r = add_use(logbook, logbook->tracks[i].filter.parts[j].field, (ColumnUse){ USE_PART, i, j });
        for (size_t i = 0; r >= 0 && i < logbook->n_tracks; i++) {
                LogOrigin origin = logbook->tracks[i].filter.origin;

                if (origin == LOG_FROM_UNIT)
                        r = add_use(logbook, is_user ? "_SYSTEMD_USER_UNIT" : "_SYSTEMD_UNIT",
                                        (ColumnUse){ USE_UNIT, i, 0 });
                if (origin == LOG_FROM_MANAGER)
                        r = add_use(logbook, is_user ? "USER_UNIT" : "UNIT", (ColumnUse){ USE_ABOUT_UNIT, i, 0 });
                if (r >= 0 && origin == LOG_FROM_MANAGER)
                        r = add_use(logbook, "_PID", (ColumnUse){ USE_MANAGER, i, 0 });
        }
        return r;
}

typedef struct Collection {
        LogBook *logbook;
        int error;
} Collection;

static void collect(const Expectation *expectation, void *userdata) {
        Collection *collection = userdata;
        LogBook *logbook = collection->logbook;
        LogTrack *track;

        if (collection->error < 0 || expectation->kind != &log_expectation.spec)
                return;
        track = array_append(&logbook->tracks, &logbook->n_tracks, sizeof(LogTrack));
        if (!track) {
                collection->error = -ENOMEM;
                return;
        }
        collection->error = log_track_init(track, expectation);
}

int logbook_new(const Scenario *scenario, pid_t user_manager, LogBook **ret_logbook) {
        CLEANUP(logbook_free_p) LogBook *logbook = calloc(1, sizeof(*logbook));
        Collection collection = { .logbook = logbook };
        int r;

        if (!logbook)
                return -ENOMEM;
        logbook->user_manager = user_manager;
        (void) snprintf(logbook->manager_pid, sizeof(logbook->manager_pid), "%d",
                        user_manager > 0 ? (int) user_manager : 1);
        scenario_visit_expectations(scenario, collect, &collection);
        if (collection.error < 0)
                return collection.error;
        r = add_columns(logbook);
        if (r < 0)
                return r;
        *ret_logbook = TAKE_PTR(logbook);
        return 0;
}

static bool is_object(const char *text, size_t n_bytes) {
        while (n_bytes > 0 && (*text == ' ' || *text == '\t')) {
                text++;
                n_bytes--;
        }
        return n_bytes > 0 && *text == '{';
}

/* Sorts out by a search what cannot match, so that few lines are parsed. Returns whether one is left that has to be.
 */
static bool sift_members(LogBook *logbook, const Column *column, const char *text, size_t n_bytes) {
        bool may_be_json = is_object(text, n_bytes), is_wanted = false;

        FOREACH_ARRAY (use, column->uses, column->n_uses) {
                LogTrack *track = &logbook->tracks[use->track];
                LogPart *part = &track->filter.parts[use->part];

                if (use->kind != USE_PART || !part->member || track->is_out)
                        continue;
                part->has_failed = !may_be_json || !log_part_may_match(part, text, n_bytes);
                if (part->has_failed)
                        log_track_lose(track, part);
        }
        FOREACH_ARRAY (use, column->uses, column->n_uses) {
                const LogTrack *track = &logbook->tracks[use->track];

                if (use->kind == USE_PART && track->filter.parts[use->part].member && !track->is_out &&
                                !track->filter.parts[use->part].has_failed)
                        is_wanted = true;
        }
        return is_wanted;
}

static bool member_matches(LogBook *logbook, const Json *json, const LogPart *part) {
        Text *text = &logbook->scratch;

        text_truncate(text, 0);
        return json_scalar_text(json_member(json, part->member), text) &&
               log_part_matches(part, text_get(text), text->n_bytes);
}

static void look_at_members(LogBook *logbook, const Column *column, const char *text, size_t n_bytes) {
        CLEANUP(json_free_p) Json *json = NULL;

        if (!sift_members(logbook, column, text, n_bytes))
                return;
        if (json_parse(text, n_bytes, &json, NULL) < 0)
                json = NULL;
        FOREACH_ARRAY (use, column->uses, column->n_uses) {
                LogTrack *track = &logbook->tracks[use->track];
                const LogPart *part = &track->filter.parts[use->part];

                if (use->kind == USE_PART && part->member && !track->is_out && !part->has_failed &&
                                !member_matches(logbook, json, part))
                        log_track_lose(track, part);
        }
}

static bool equals(const char *text, size_t n_bytes, const char *other) {
        return text && n_bytes == strlen(other) && memcmp(text, other, n_bytes) == 0;
}

/*
 * journald keeps what it knew of a process for a while. PID 1's child talks to it (its debug lines, the connection of
 * its standard output) before it has moved to the unit's cgroup and become the daemon: the daemon's first lines are
 * then said to be of init.scope. Only PID 1 itself really is; whose the others are, the pid tells.
 */
static bool unit_is_stale(const char *unit, size_t n_bytes) {
        return equals(unit, n_bytes, "init.scope");
}

/*
 * Before it becomes the daemon, PID 1's child speaks for the manager ("Executing: /usr/bin/x", "Failed at step
 * EXEC"): under the name it has until then, "(x)", and from systemd's sources. Neither is what the daemon's own lines
 * carry, while the pid, _COMM and _EXE of its first ones may be the same.
 */
static bool is_of_managers_child(const LogLine *line) {
        const char *identifier, *code_file;
        size_t n_identifier = 0, n_code_file = 0;

        identifier = line->get_field(line, "SYSLOG_IDENTIFIER", &n_identifier);
        if (!identifier || n_identifier < 2 || identifier[0] != '(' || identifier[n_identifier - 1] != ')')
                return false;
        code_file = line->get_field(line, "CODE_FILE", &n_code_file);
        return code_file && n_code_file > 4 && memcmp(code_file, "src/", 4) == 0;
}

static void look_at_value(LogBook *logbook, const ColumnUse *use, const char *text, size_t n_bytes) {
        LogTrack *track = &logbook->tracks[use->track];
        const LogPart *part = &track->filter.parts[use->part];

        switch (use->kind) {
        case USE_PART:
                if (!part->member && (!text || !log_part_matches(part, text, n_bytes)))
                        log_track_lose(track, part);
                break;
        case USE_UNIT:
                track->lacks_unit = !text || unit_is_stale(text, n_bytes);
                track->is_out = !track->lacks_unit && !equals(text, n_bytes, track->filter.expectation->unit);
                break;
        case USE_ABOUT_UNIT:
                track->is_out = !equals(text, n_bytes, track->filter.expectation->unit);
                break;
        case USE_MANAGER:
                track->is_out = !equals(text, n_bytes, logbook->manager_pid);
                break;
        }
}

static bool column_is_wanted(const LogBook *logbook, const Column *column) {
        FOREACH_ARRAY (use, column->uses, column->n_uses)
                if (!logbook->tracks[use->track].is_out)
                        return true;
        return false;
}

static void look_at_column(LogBook *logbook, const Column *column, const LogLine *line) {
        bool has_members = false;
        const char *text;
        size_t n_bytes = 0;

        if (!column_is_wanted(logbook, column))
                return;
        text = line->get_field(line, column->field, &n_bytes);
        FOREACH_ARRAY (use, column->uses, column->n_uses) {
                const LogTrack *track = &logbook->tracks[use->track];

                if (track->is_out)
                        continue;
                look_at_value(logbook, use, text, n_bytes);
                has_members |= use->kind == USE_PART && track->filter.parts[use->part].member && !track->is_out;
        }
        if (has_members)
                look_at_members(logbook, column, text ? text : "", n_bytes);
}

static void note_sequence(LogBook *logbook, uint64_t seqnum) {
        if (seqnum != logbook->last_seqnum + 1)
                logbook->has_gap = true;
        logbook->last_seqnum = seqnum;
        logbook->n_lines++;
}

int logbook_feed(LogBook *logbook, const LogLine *line, void (*on_hit)(const Expectation *, const LogHit *, void *),
                void *userdata) {
        note_sequence(logbook, line->seqnum);
        FOREACH_ARRAY (track, logbook->tracks, logbook->n_tracks) {
                track->lost_weight = 0;
                track->is_out = track->lacks_unit = false;
        }
        FOREACH_ARRAY (column, logbook->columns, logbook->n_columns)
                look_at_column(logbook, column, line);
        FOREACH_ARRAY (track, logbook->tracks, logbook->n_tracks) {
                int r;

                if (track->is_out || (track->filter.origin == LOG_FROM_UNIT && is_of_managers_child(line)))
                        continue;
                if (track->lost_weight > 0) {
                        log_track_keep_near_miss(track, line);
                        continue;
                }
                r = log_track_keep_hit(track, line);
                if (r < 0 && r != -ENOENT)
                        return r;
                if (r >= 0 && on_hit)
                        on_hit(track->filter.expectation, &track->hits[track->n_hits - 1], userdata);
        }
        return 0;
}

static LogTrack *find_track(const LogBook *logbook, const Expectation *expectation) {
        FOREACH_ARRAY (track, logbook->tracks, logbook->n_tracks)
                if (track->filter.expectation == expectation)
                        return track;
        return NULL;
}

const LogHit *logbook_hits(const LogBook *logbook, const Expectation *expectation, size_t *ret_n_hits) {
        const LogTrack *track = find_track(logbook, expectation);

        *ret_n_hits = track ? track->n_hits : 0;
        return track ? track->hits : NULL;
}

bool logbook_holds(const LogBook *logbook, const Expectation *expectation, const LogHit *hit,
                const TemplateLookup *lookup) {
        const LogTrack *track = find_track(logbook, expectation);
        size_t n_seen = 0;

        assert(track);
        FOREACH_ARRAY (part, track->filter.parts, track->filter.n_parts) {
                const char *text;

                if (!part->is_late)
                        continue;
                text = hit->late[n_seen++];
                if (!match_text(part->match, text, strlen(text), lookup))
                        return false;
        }
        return true;
}

const char *logbook_doubt(const LogBook *logbook, const Expectation *expectation) {
        const LogTrack *track = find_track(logbook, expectation);

        if (track && log_filter_overran(&track->filter))
                return "a regex needs more steps than the limits allow";
        if (track && track->has_overflown)
                return "more lines than can be kept until the captures are known";
        return NULL;
}

const LogHit *logbook_near_misses(const LogBook *logbook, const Expectation *expectation, size_t *ret_n_hits) {
        const LogTrack *track = find_track(logbook, expectation);

        *ret_n_hits = track ? track->n_near_misses : 0;
        return track ? track->near_misses : NULL;
}

void logbook_begin_behind(LogBook *logbook, uint64_t seqnum) {
        logbook->last_seqnum = seqnum;
}

bool logbook_has_gap(const LogBook *logbook) {
        return logbook->has_gap;
}

uint64_t logbook_n_lines(const LogBook *logbook) {
        return logbook->n_lines;
}

void logbook_choose(LogBook *logbook, const Expectation *expectation, const LogHit *hit) {
        LogTrack *track = find_track(logbook, expectation);

        assert(track);
        track->chosen = hit ? (size_t) (hit - track->hits) : SIZE_MAX;
}

bool logbook_capture(const LogBook *logbook, const Expectation *expectation, size_t i, const char **ret_name,
                const char **ret_value) {
        const LogTrack *track = find_track(logbook, expectation);
        const LogHit *hit;

        if (!track || track->chosen == SIZE_MAX || i >= track->filter.n_groups)
                return false;
        hit = &track->hits[track->chosen];
        if (!hit->groups)
                return false;
        *ret_name = track->filter.groups[i].name;
        *ret_value = hit->groups[i];
        return true;
}
