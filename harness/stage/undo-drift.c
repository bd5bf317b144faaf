/* SPDX-License-Identifier: MIT */
#include "stage/undo-drift.h"

#include <string.h>

#include "stage/machine.h"
#include "stage/undo-log.h"

#define ANCESTORS_MAX 256 /* more than any sane chain; a unit beyond is left alone */

typedef struct Search {
        MachineBus *bus;
        Json *const *records;
        size_t n_records;
        const char *before, *now; /* lines of name and ActiveState */
        Error *reterr;
} Search;

bool unit_is_running(const char *active_state) {
        return active_state[0] && strcmp(active_state, "inactive") != 0 && strcmp(active_state, "failed") != 0;
}

static void strings_done(char **strings, size_t n_strings) {
        FOREACH_ARRAY (string, strings, n_strings)
                free(*string);
        free(strings);
}

void unit_drift_done(UnitDrift *drift) {
        strings_done(drift->started, drift->n_started);
        strings_done(drift->stopped, drift->n_stopped);
        strings_done(drift->failed, drift->n_failed);
        *drift = (UnitDrift){ 0 };
}

static int strings_add(char ***strings, size_t *n_strings, const char *text, size_t n_bytes) {
        char **grown = reallocarray(*strings, *n_strings + 1, sizeof(char *));

        if (!grown)
                return -ENOMEM;
        *strings = grown;
        grown[*n_strings] = strndup(text, n_bytes);
        return grown[*n_strings] ? (int) (++*n_strings, 0) : -ENOMEM;
}

/* State of the unit by this list; "" where it does not stand there. */
static const char *state_in(const char *list, const char *unit, size_t n_unit, char state[static 32]) {
        state[0] = '\0';
        for (const char *line = list; *line && !state[0];) {
                size_t n_line = strcspn(line, "\n");

                if (n_line > n_unit && strncmp(line, unit, n_unit) == 0 && line[n_unit] == ' ')
                        (void) snprintf(state, 32, "%.*s", (int) (n_line - n_unit - 1), line + n_unit + 1);
                line += n_line + (line[n_line] == '\n');
        }
        return state;
}

static bool is_running_in(const char *list, const char *unit, size_t n_unit) {
        char state[32];

        return unit_is_running(state_in(list, unit, n_unit, state));
}

bool unit_runs_in(const char *list, const char *unit) {
        return is_running_in(list, unit, strlen(unit));
}

/* Record of a unit that the scenario names, or of one of ours. */
static const Json *find_record(const Search *search, const char *unit, size_t n_unit) {
        FOREACH_ARRAY (record, search->records, search->n_records) {
                const char *name = undo_record_text(*record, "unit");

                if (strlen(name) == n_unit && strncmp(name, unit, n_unit) == 0)
                        return *record;
        }
        return NULL;
}

static bool has_changed(const Search *search, const char *unit) {
        return unit_runs_in(search->before, unit) != unit_runs_in(search->now, unit);
}

/* Was the scenario's unit started or stopped at all? */
static int has_moved(const Search *search, const Json *record) {
        CLEANUP_FREE char *object = NULL, *invocation = NULL;
        const char *unit = undo_record_text(record, "unit");
        int r;

        if (!undo_record_is(record, "unit"))
                return 0;
        r = machine_bus_load(search->bus, unit, &object, search->reterr);
        if (r >= 0)
                r = machine_bus_property(search->bus, object, "Unit", "InvocationID", &invocation, search->reterr);
        if (r < 0)
                return r;
        return has_changed(search, unit) || strcmp(invocation, undo_record_text(record, "invocation")) != 0;
}

typedef struct Edge {
        const char *property;
        bool passes_unchanged;     /* the effect goes on through a unit that was running all the time */
        const struct Edge *beyond; /* from there on; NULL: these edges */
} Edge;

/* From one that was started to who may have had it started. A timer that ran before fires for its own reasons. */
static const Edge starters[] = {
        { "RequiredBy", true, NULL },
        { "WantedBy", true, NULL },
        { "BoundBy", true, NULL },
        { "UpheldBy", true, NULL },
        { "OnFailureOf", false, NULL },
        { "OnSuccessOf", false, NULL },
        { "TriggeredBy", false, NULL },
        { NULL, false, NULL },
};

/* From one that was stopped to whose stop, or start, may have taken it along. */
static const Edge stoppers[] = {
        { "Requires", false, NULL },
        { "Requisite", false, NULL },
        { "BindsTo", false, NULL },
        { "PartOf", false, NULL },
        { "StopPropagatedFrom", false, NULL },
        { "Conflicts", false, starters },
        { "ConflictedBy", false, starters },
        { NULL, false, NULL },
};

/* Units on the way, each with the edges that lead on from it. */
typedef struct Chain {
        char **names;
        size_t n_names;
        const Edge *edges[ANCESTORS_MAX];
} Chain;

static void chain_done(Chain *chain) {
        strings_done(chain->names, chain->n_names);
}

static int chain_add(Chain *chain, const char *name, size_t n, const Edge *edges) {
        if (chain->n_names >= ANCESTORS_MAX)
                return 0;
        chain->edges[chain->n_names] = edges;
        return strings_add(&chain->names, &chain->n_names, name, n);
}

static bool chain_has(const Chain *chain, const char *name, size_t n) {
        FOREACH_ARRAY (item, chain->names, chain->n_names)
                if (strlen(*item) == n && strncmp(*item, name, n) == 0)
                        return true;
        return false;
}

/* Takes in the units of one property; 1 where one of the scenario's is among them, and did something. */
static int chain_extend(const Search *search, Chain *chain, const char *units, const Edge *edge, const Edge *edges) {
        for (size_t n; *units; units += n + strspn(units + n, " ")) {
                CLEANUP_FREE char *unit = NULL;
                const Json *record;
                int r;

                n = strcspn(units, " ");
                record = find_record(search, units, n);
                if (record) {
                        /* A socket, or one that is crashed, acts without being started or stopped itself. */
                        r = edges == starters ? 1 : has_moved(search, record);
                        if (r != 0)
                                return r;
                        continue;
                }
                unit = strndup(units, n);
                if (!unit)
                        return -ENOMEM;
                if (chain_has(chain, units, n) || (!edge->passes_unchanged && !has_changed(search, unit)))
                        continue;
                r = chain_add(chain, units, n, edge->beyond ?: edges);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int chain_follow(const Search *search, Chain *chain, size_t i) {
        CLEANUP_FREE char *object = NULL;
        int r = machine_bus_load(search->bus, chain->names[i], &object, search->reterr);

        for (const Edge *edge = chain->edges[i]; r == 0 && edge->property; edge++) {
                CLEANUP_FREE char *units = NULL;

                r = machine_bus_property(search->bus, object, "Unit", edge->property, &units, search->reterr);
                if (r >= 0)
                        r = chain_extend(search, chain, units, edge, chain->edges[i]);
        }
        return r;
}

/* 1: the unit went along with one of the scenario's. */
static int is_drift(const Search *search, const char *unit, size_t n_unit, const Edge *edges) {
        CLEANUP(chain_done) Chain chain = { 0 };
        int r = chain_add(&chain, unit, n_unit, edges);

        for (size_t i = 0; r == 0 && i < chain.n_names; i++)
                r = chain_follow(search, &chain, i);
        return r;
}

/* What cannot be started or stopped, or is not stopped by us; that it is started again harms nobody. */
static bool is_untouchable(const char *line, size_t n_unit, const char *now) {
        CLEANUP_FREE char *unit = strndup(line, n_unit);

        return !unit || string_ends_with(unit, ".device") || string_ends_with(unit, ".scope") ||
               (unit_is_running(now) && unit_is_critical(unit));
}

/* Did it go from @before to @now in this way? */
typedef bool (*Change)(const char *before, const char *now);

static bool was_started(const char *before, const char *now) {
        return !unit_is_running(before) && unit_is_running(now);
}

/* One that was on its way, a oneshot maybe, has come to its end: to start it would do its work a second time. */
static bool was_stopped(const char *before, const char *now) {
        return strcmp(before, "active") == 0 && !unit_is_running(now);
}

static bool has_failed(const char *before, const char *now) {
        return !unit_is_running(before) && strcmp(before, "failed") != 0 && strcmp(now, "failed") == 0;
}

/* Units of @list, which are in both or in the one that counts, that changed so and went along. */
static int find_in(const Search *search, const char *list, Change change, const Edge *edges, char ***strings,
                size_t *n_strings) {
        int r = 0;

        for (const char *line = list; r >= 0 && *line;) {
                size_t n_line = strcspn(line, "\n"), n_unit = strcspn(line, " ");
                char before[32], now[32];

                if (change(state_in(search->before, line, n_unit, before),
                                    state_in(search->now, line, n_unit, now)) &&
                                !find_record(search, line, n_unit) && !is_untouchable(line, n_unit, now)) {
                        r = is_drift(search, line, n_unit, edges);
                        if (r > 0)
                                r = strings_add(strings, n_strings, line, n_unit);
                }
                line += n_line + (line[n_line] == '\n');
        }
        return r;
}

int unit_drift_find(MachineBus *bus, Json *const *records, size_t n_records, UnitDrift *ret_drift, Error *reterr) {
        CLEANUP_TEXT Text now = TEXT_INIT;
        Search search = { .bus = bus, .records = records, .n_records = n_records, .reterr = reterr };
        int r;

        FOREACH_ARRAY (record, records, n_records)
                if (undo_record_is(*record, "states"))
                        search.before = undo_record_text(*record, "units");
        /* It died before anything was changed. */
        if (!search.before)
                return 0;
        r = machine_bus_list(bus, &now, reterr);
        if (r < 0)
                return r;
        search.now = text_get(&now);
        r = find_in(&search, search.now, was_started, starters, &ret_drift->started, &ret_drift->n_started);
        if (r >= 0)
                r = find_in(&search, search.before, was_stopped, stoppers, &ret_drift->stopped,
                                &ret_drift->n_stopped);
        if (r >= 0)
                r = find_in(&search, search.now, has_failed, starters, &ret_drift->failed, &ret_drift->n_failed);
        return r < 0 ? error_set_errno(reterr, r, "cannot tell which units went along") : 0;
}
