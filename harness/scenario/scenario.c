/* SPDX-License-Identifier: MIT */
#include "scenario/scenario.h"

#include <string.h>

#include "scenario/array.h"
#include "scenario/parser.h"

void values_free(Value *values, size_t n_values) {
        FOREACH_ARRAY (value, values, n_values) {
                free(value->text);
                FOREACH_ARRAY (match, value->matches, value->n_matches) {
                        free(match->name);
                        match_done(&match->match);
                }
                free(value->matches);
                array_free_strings(value->strings, value->n_strings);
                steps_free(value->steps, value->n_steps);
        }
        free(values);
}

void expectations_free(Expectation *expectations, size_t n_expectations) {
        FOREACH_ARRAY (expectation, expectations, n_expectations) {
                if (expectation->values)
                        values_free(expectation->values, expectation->kind->n_keys);
                free(expectation->id);
                free(expectation->unit);
        }
        free(expectations);
}

void steps_free(Step *steps, size_t n_steps) {
        FOREACH_ARRAY (step, steps, n_steps) {
                if (step->values)
                        values_free(step->values, step->kind->n_keys);
                expectations_free(step->expectations, step->n_expectations);
                free(step->id);
                free(step->quote);
                free(step->unit);
                free(step->since);
                free(step->save);
        }
        free(steps);
}

static void units_free(ScenarioUnit *units, size_t n_units) {
        FOREACH_ARRAY (unit, units, n_units) {
                free(unit->name);
                free(unit->source_path);
                settings_free(unit->properties, unit->n_properties);
        }
        free(units);
}

static void files_free(ScenarioFile *files, size_t n_files) {
        FOREACH_ARRAY (file, files, n_files) {
                free(file->path);
                free(file->source_path);
                free(file->content);
                free(file->owner);
                free(file->group);
        }
        free(files);
}

Scenario *scenario_free(Scenario *scenario) {
        if (!scenario)
                return NULL;

        free(scenario->path);
        free(scenario->name);
        free(scenario->about);
        array_free_strings(scenario->tags, scenario->n_tags);
        array_free_strings(scenario->requires.controllers, scenario->requires.n_controllers);
        array_free_strings(scenario->requires.commands, scenario->requires.n_commands);
        array_free_strings(scenario->requires.paths, scenario->requires.n_paths);
        free(scenario->requires.cgroup);
        units_free(scenario->units, scenario->n_units);
        settings_free(scenario->environment, scenario->n_environment);
        files_free(scenario->files, scenario->n_files);
        settings_free(scenario->variables, scenario->n_variables);
        steps_free(scenario->steps, scenario->n_steps);
        expectations_free(scenario->always, scenario->n_always);
        expectations_free(scenario->never, scenario->n_never);
        free(scenario);
        return NULL;
}

static const Value *find_value(const KindSpec *kind, const Value *values, const char *name) {
        size_t i = 0;

        while (i < kind->n_keys && strcmp(kind->keys[i].name, name) != 0)
                i++;
        assert(i < kind->n_keys);
        return &values[i];
}

const Value *step_value(const Step *step, const char *name) {
        assert(step->kind);
        return find_value(step->kind, step->values, name);
}

const Value *expectation_value(const Expectation *expectation, const char *name) {
        return find_value(expectation->kind, expectation->values, name);
}

const ScenarioUnit *scenario_find_unit(const Scenario *scenario, const char *name) {
        FOREACH_ARRAY (unit, scenario->units, scenario->n_units)
                if (strcmp(unit->name, name) == 0)
                        return unit;
        return NULL;
}

static void visit_steps(
                const Step *steps, size_t n_steps, void (*visit)(const Expectation *, void *), void *userdata) {
        FOREACH_ARRAY (step, steps, n_steps) {
                FOREACH_ARRAY (expectation, step->expectations, step->n_expectations)
                        visit(expectation, userdata);
                for (size_t i = 0; step->kind && i < step->kind->n_keys; i++)
                        visit_steps(step->values[i].steps, step->values[i].n_steps, visit, userdata);
        }
}

void scenario_visit_expectations(
                const Scenario *scenario, void (*visit)(const Expectation *, void *), void *userdata) {
        visit_steps(scenario->steps, scenario->n_steps, visit, userdata);
        FOREACH_ARRAY (expectation, scenario->always, scenario->n_always)
                visit(expectation, userdata);
        FOREACH_ARRAY (expectation, scenario->never, scenario->n_never)
                visit(expectation, userdata);
}
