/* SPDX-License-Identifier: MIT */
#include "judge/check-cgroup.h"

#include <string.h>

#include "base/quantity.h"
#include "judge/check-words.h"
#include "judge/counters.h"
#include "scenario/literal.h"

static LiteralDimension unit_of(const char *counter) {
        if (strcmp(counter, "cpu.load") == 0 || strcmp(counter, "cpu.max") == 0)
                return LITERAL_PERCENT;
        return strcmp(counter, "cpu.usage") == 0 ? LITERAL_USEC : LITERAL_BYTES;
}

void check_counters(const Value *counters, DiagnosticList *diagnostics) {
        FOREACH_ARRAY (wanted, counters->matches, counters->n_matches)
                if (!counter_kind(wanted->name))
                        diagnostic_add(diagnostics, wanted->mark, 0,
                                        "there is no counter `%s`; names are like `memory.peak`, `pids.denied`, "
                                        "`cpu.throttled` (`agenttest manual`), raw files like \"file:memory.stat\"",
                                        wanted->name);
                else if (strncmp(wanted->name, "file:", 5) != 0)
                        check_amount(&wanted->match, wanted->mark, wanted->name, unit_of(wanted->name), "infinity",
                                        diagnostics);
}

/* The limit that the scenario itself sets; false where it sets none, or none of a known size. */
static bool find_setting(const Scenario *scenario, const char *unit_name, const char *property, double *ret_number) {
        const ScenarioUnit *unit = unit_name ? scenario_find_unit(scenario, unit_name) : NULL;
        LiteralDimension dimension;
        bool is_found = false;

        FOREACH_ARRAY (setting, unit ? unit->properties : NULL, unit ? unit->n_properties : 0)
                if (strcmp(setting->name, property) == 0)
                        is_found = literal_parse(setting->value, ret_number, &dimension) >= 0;
        return is_found;
}

/* Is every number from 0 to @limit as wanted? */
static bool is_always_met(const Match *match, double limit) {
        const Match *refused = match->operator== MATCH_NOT ? match->children : NULL;

        if (refused && refused->has_number)
                return (refused->operator== MATCH_GREATER && refused->low >= limit) ||
                       (refused->operator== MATCH_GREATER_EQUAL && refused->low> limit);
        if (!match->has_number)
                return false;
        return (match->operator== MATCH_LESS_EQUAL && match->low >= limit) ||
               (match->operator== MATCH_LESS && match->low> limit) ||
               (match->operator== MATCH_RANGE && match->low <= 0 && match->high >= limit);
}

void check_counters_in(const Scenario *scenario, const Expectation *expectation, DiagnosticList *diagnostics) {
        const Value *counters = expectation_value(expectation, "counters");

        FOREACH_ARRAY (wanted, counters->matches, counters->n_matches) {
                const CounterKind *kind = counter_kind(wanted->name);
                double limit;

                /* Under MemoryMax=64M no peak is ever above 64M, whatever the daemon does. */
                if (kind && kind->is_bounded && find_setting(scenario, expectation->unit, kind->property, &limit) &&
                                is_always_met(&wanted->match, limit))
                        diagnostic_add(diagnostics, wanted->mark, 0,
                                        "`%s` can never fail here: %s keeps it at most at its limit", wanted->name,
                                        kind->property);
                if (kind && kind->nature == COUNTER_LOAD && expectation->step &&
                                expectation->step->within_usec <= LOAD_MIN_USEC)
                        diagnostic_add(diagnostics, wanted->mark, 0,
                                        "`%s` is measured over more than 1s: `within` has to be longer",
                                        wanted->name);
        }
}
