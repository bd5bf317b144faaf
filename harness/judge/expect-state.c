/* SPDX-License-Identifier: MIT */

/* state: properties of a unit, by systemd's names. */

#include <string.h>

#include "base/quantity.h"
#include "judge/check-words.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "judge/state-properties.h"
#include "scenario/diagnostic.h"
#include "scenario/nearest.h"

enum { STATE_PROPERTIES, N_STATE_KEYS };

/*
 * Properties that change only together with the unit's state, so that StateChangeTimestampMonotonic says since when
 * they are what they are. NRestarts (counted before the state changes), MainPID (MAINPID=) and the like are not among
 * them. Source: service_set_state() and its callers in service.c of systemd 252.
 */
static const char *const stamped_properties[] = {
        "ActiveState",
        "SubState",
        "Result",
        "ExecMainCode",
        "ExecMainStatus",
        "InvocationID",
};

static bool is_among(const char *const *names, size_t n_names, const char *name) {
        FOREACH_ARRAY (known, names, n_names)
                if (strcmp(*known, name) == 0)
                        return true;
        return false;
}

/* Since when the unit has been in this state, where that is the moment for all that is asked for. */
static uint64_t stamp_of(const Value *properties, const Case *facts, const Entry *entry) {
        const char *text = timeline_property(
                        facts->timeline, entry->unit, entry->index, "StateChangeTimestampMonotonic");
        uint64_t stamp_usec = text ? strtoull(text, NULL, 10) : 0;

        FOREACH_ARRAY (property, properties->matches, properties->n_matches)
                if (!is_among(stamped_properties, ELEMENTS_OF(stamped_properties), property->name))
                        return entry->at_usec;
        return stamp_usec > 0 && stamp_usec < entry->at_usec ? stamp_usec : entry->at_usec;
}

static void examine_property(Examiner *examiner, const Case *facts, const NamedMatch *expected) {
        const Entry *entry = examiner->entry;
        const char *value = timeline_property(facts->timeline, entry->unit, entry->index, expected->name);

        if (!value)
                examine_note(examiner, TRUTH_FALSE, "the unit has no property %s", expected->name);
        else
                examine_note(examiner,
                                match_text(&expected->match, value, strlen(value), &examiner->lookup) ? TRUTH_TRUE
                                                                                                      : TRUTH_FALSE,
                                "%s was \"%s\"", expected->name, value);
}

static int examine_state(const Expectation *expectation, const Case *facts, const Entry *entry, Examination *ret,
                Error *reterr) {
        const Value *properties = expectation_value(expectation, "properties");
        Examiner examiner;

        if (entry->kind != ENTRY_PROPERTIES || !entry->unit || strcmp(entry->unit, expectation->unit) != 0)
                return 0;
        examiner_init(&examiner, expectation, facts, entry, ret);
        if (entry_get_number(entry, "errno", 0) != 0)
                examine_note(&examiner, TRUTH_UNKNOWN, "the manager answered: %s",
                                strerror((int) entry_get_number(entry, "errno", 0)));
        else
                FOREACH_ARRAY (property, properties->matches, properties->n_matches)
                        examine_property(&examiner, facts, property);
        ret->at_usec = stamp_of(properties, facts, entry);
        examiner_finish(&examiner);
        return 0;
}

static char *describe_state(const Expectation *expectation, const Case *facts) {
        const Value *properties = expectation_value(expectation, "properties");
        CaptureScope scope = { .facts = facts, .before = SIZE_MAX };
        TemplateLookup lookup = capture_lookup(&scope);
        CLEANUP_TEXT Text text = TEXT_INIT;

        FOREACH_ARRAY (property, properties->matches, properties->n_matches) {
                CLEANUP_FREE char *description = match_describe(&property->match, &lookup);

                if (!description)
                        return NULL;
                text_printf(&text, "%s%s %s", text.n_bytes > 0 ? ", " : "", property->name, description);
        }
        return text_take(&text);
}

static const KeySpec state_keys[] = {
        [STATE_PROPERTIES] = { .name = "properties",
                        .type = VALUE_MATCH_MAP,
                        .is_required = true,
                        .doc = "Properties of the unit by their names on D-Bus, as `systemctl show` prints them: "
                               "ActiveState, SubState, "
                               "Result, NRestarts, MemoryMax, ... Durations are in microseconds (`TimeoutStopUSec: "
                               "5s` compares by "
                               "value), booleans are yes and no." },
};

static bool is_known(const char *name) {
        for (const char *const *known = state_properties; *known; known++)
                if (strcmp(*known, name) == 0)
                        return true;
        return false;
}

static void diagnose_property(const NamedMatch *property, DiagnosticList *diagnostics) {
        Nearest nearest = NEAREST_INIT(property->name);

        for (const char *const *known = state_properties; *known; known++)
                nearest_offer(&nearest, *known);
        if (nearest.best)
                diagnostic_add(diagnostics, property->mark, 0,
                                "no unit has a property `%s` that can be compared; did you mean `%s`?",
                                property->name, nearest.best);
        else
                diagnostic_add(diagnostics, property->mark, 0, "no unit has a property `%s` that can be compared",
                                property->name);
}

/* Source: org.freedesktop.systemd1(5), systemctl --state=help. */
static void check_property_words(const NamedMatch *property, DiagnosticList *diagnostics) {
        static const char active_states[] =
                        "active|reloading|refreshing|inactive|failed|activating|deactivating|maintenance";
        static const char results[] =
                        "success|resources|protocol|timeout|exit-code|signal|core-dump|watchdog|start-limit-hit|"
                        "oom-kill|exec-condition|trigger-limit-hit|service-start-limit-hit|unit-start-limit-hit";
        static const char *const counted[] = { "NRestarts", "ExecMainStatus", "ExecMainCode", "MainPID", "ControlPID",
                "ExecMainPID" };
        static const char *const measured[] = { "MemoryMax", "MemoryHigh", "TasksMax", "LimitNOFILE",
                "LimitNOFILESoft", "LimitNPROC", "LimitNPROCSoft" };

        if (strcmp(property->name, "ActiveState") == 0)
                check_words(&property->match, property->mark, property->name, active_states, diagnostics);
        if (strcmp(property->name, "Result") == 0)
                check_spelling(&property->match, property->mark, property->name, results, diagnostics);
        if (is_among(counted, ELEMENTS_OF(counted), property->name))
                check_count(&property->match, property->mark, property->name, diagnostics);
        if (is_among(measured, ELEMENTS_OF(measured), property->name))
                check_amount(&property->match, property->mark, property->name, LITERAL_BYTES, "infinity",
                                diagnostics);
        if (string_ends_with(property->name, "USec") || string_ends_with(property->name, "TimestampMonotonic"))
                check_amount(&property->match, property->mark, property->name, LITERAL_USEC, "infinity", diagnostics);
}

static void check_state(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *properties = &values[STATE_PROPERTIES];

        FOREACH_ARRAY (property, properties->matches, properties->n_matches) {
                if (!is_known(property->name))
                        diagnose_property(property, diagnostics);
                check_property_words(property, diagnostics);
        }
}

const ExpectKind state_expectation = {
        .spec = {
                .name = "state",
                .doc = "Properties of a unit. The manager tells of every change, and is asked once more at the window's end.",
                .example = "state: { ActiveState: active, SubState: running, NRestarts: 0 }",
                .keys = state_keys,
                .n_keys = N_STATE_KEYS,
                .shorthand = STATE_PROPERTIES,
                .takes_unit = true,
                .check = check_state,
        },
        .question = QUESTION_PROPERTIES,
        .channels = CHANNEL_BUS,
        .examine = examine_state,
        .describe = describe_state,
};
