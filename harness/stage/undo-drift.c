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

/* Was, or is, the unit running by this list? */
static bool is_running_in(const char *list, const char *unit, size_t n_unit) {
        for (const char *line = list; *line;) {
                size_t n_line = strcspn(line, "\n");

                if (n_line > n_unit && strncmp(line, unit, n_unit) == 0 && line[n_unit] == ' ') {
                        CLEANUP_FREE char *active_state = strndup(line + n_unit + 1, n_line - n_unit - 1);

                        return active_state && unit_is_running(active_state);
                }
                line += n_line + (line[n_line] == '\n');
        }
        return false;
}

/* One that the scenario names, or one of ours. */
static bool is_of_scenario(const Search *search, const char *unit, size_t n_unit) {
        FOREACH_ARRAY (record, search->records, search->n_records) {
                const char *name = undo_record_text(*record, "unit");

                if (strlen(name) == n_unit && strncmp(name, unit, n_unit) == 0)
                        return true;
        }
        return false;
}

static bool has_changed(const Search *search, const char *unit) {
        size_t n = strlen(unit);

        return is_running_in(search->before, unit, n) != is_running_in(search->now, unit, n);
}

typedef struct Edge {
        const char *property;
        bool passes_unchanged; /* the effect goes on through a unit that was running all the time */
} Edge;

/* From one that was started to who may have had it started. A timer that ran before fires for its own reasons. */
static const Edge starters[] = {
        { "RequiredBy", true },
        { "WantedBy", true },
        { "BoundBy", true },
        { "UpheldBy", true },
        { "OnFailureOf", false },
        { "OnSuccessOf", false },
        { "TriggeredBy", false },
        { NULL, false },
};

/* From one that was stopped to whose stop may have taken it along. */
static const Edge stoppers[] = {
        { "Requires", false },
        { "Requisite", false },
        { "BindsTo", false },
        { "PartOf", false },
        { NULL, false },
};

typedef struct Chain {
        char **names;
        size_t n_names;
} Chain;

static void chain_done(Chain *chain) {
        strings_done(chain->names, chain->n_names);
}

static bool chain_has(const Chain *chain, const char *name, size_t n) {
        FOREACH_ARRAY (item, chain->names, chain->n_names)
                if (strlen(*item) == n && strncmp(*item, name, n) == 0)
                        return true;
        return false;
}

/* Takes in the units of one property; 1 where one of the scenario's is among them. */
static int chain_extend(const Search *search, Chain *chain, const char *units, bool passes_unchanged) {
        for (size_t n; *units; units += n + strspn(units + n, " ")) {
                int r;

                n = strcspn(units, " ");
                if (is_of_scenario(search, units, n))
                        return 1;
                if (chain_has(chain, units, n) || chain->n_names >= ANCESTORS_MAX)
                        continue;
                r = strings_add(&chain->names, &chain->n_names, units, n);
                if (r < 0)
                        return r;
                if (!passes_unchanged && !has_changed(search, chain->names[chain->n_names - 1]))
                        free(chain->names[--chain->n_names]);
        }
        return 0;
}

static int chain_follow(const Search *search, Chain *chain, const char *unit, const Edge *edges) {
        CLEANUP_FREE char *object = NULL;
        int r = machine_bus_load(search->bus, unit, &object, search->reterr);

        for (; r == 0 && edges->property; edges++) {
                CLEANUP_FREE char *units = NULL;

                r = machine_bus_property(search->bus, object, "Unit", edges->property, &units, search->reterr);
                if (r >= 0)
                        r = chain_extend(search, chain, units, edges->passes_unchanged);
        }
        return r;
}

/* 1: the unit went along with one of the scenario's. */
static int is_drift(const Search *search, const char *unit, size_t n_unit, const Edge *edges) {
        CLEANUP(chain_done) Chain chain = { 0 };
        int r = strings_add(&chain.names, &chain.n_names, unit, n_unit);

        for (size_t i = 0; r == 0 && i < chain.n_names; i++)
                r = chain_follow(search, &chain, chain.names[i], edges);
        return r;
}

static bool is_untouchable(const char *line, size_t n_unit) {
        CLEANUP_FREE char *unit = strndup(line, n_unit);
        const char *dot = unit ? strrchr(unit, '.') : NULL;

        return !dot || strcmp(dot, ".device") == 0 || strcmp(dot, ".scope") == 0 || unit_is_critical(unit);
}

/* Units that run by list @list and do not by @other. */
static int find_in(const Search *search, const char *list, const char *other, const Edge *edges, char ***strings,
                size_t *n_strings) {
        int r = 0;

        for (const char *line = list; r >= 0 && *line;) {
                size_t n_line = strcspn(line, "\n"), n_unit = strcspn(line, " ");

                if (is_running_in(list, line, n_unit) && !is_running_in(other, line, n_unit) &&
                                !is_of_scenario(search, line, n_unit) && !is_untouchable(line, n_unit)) {
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
        r = find_in(&search, search.now, search.before, starters, &ret_drift->started, &ret_drift->n_started);
        if (r >= 0)
                r = find_in(&search, search.before, search.now, stoppers, &ret_drift->stopped, &ret_drift->n_stopped);
        return r < 0 ? error_set_errno(reterr, r, "cannot tell which units went along") : 0;
}
