/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A scenario: one YAML document after its variables and one point of its matrix have been put in. Plain data, made by
 * scenario/parse.h, read by the performer (what to do) and the judge (what must hold).
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "scenario/kind.h"

typedef struct Expectation {
        const KindSpec *kind; /* first member of an ExpectKind (judge/expect.h) */
        char *id;             /* "steps[4].expect.log", "steps[4].expect[1].log", "never[0].log", or its `name` */
        Mark mark;
        char *unit;        /* never NULL where kind->takes_unit, unless kind->is_unitless() */
        Value *values;     /* parallel to kind->keys */
        struct Step *step; /* the expect step it belongs to; NULL for invariants */
} Expectation;

typedef struct Step {
        const KindSpec *kind; /* first member of a StepKind (perform/step.h); NULL for `expect` */
        char *id;             /* "steps[4]", "steps[2].repeat[0]", or its `name` */
        Mark mark;
        char *quote; /* the step's first line in the file, trimmed */
        char *unit;  /* where kind->takes_unit */
        Value *values;
        uint64_t within_usec; /* USEC_INFINITY: not given */
        uint64_t for_usec;    /* `for`; 0: not given. expect only */
        char *since;          /* id of an earlier step; NULL: the latest step before this one that is no expect */
        char *save;           /* `save`: name of the variable that takes the standard output (run) */
        Expectation *expectations; /* expect only */
        size_t n_expectations;
} Step;

typedef struct Setting {
        char *name, *value;
        Mark mark;
} Setting;

typedef struct ScenarioUnit {
        char *name;          /* on the stage */
        char *source_path;   /* host file, absolute; NULL: installed on the machine or made of properties alone */
        bool is_installed;   /* `NAME: installed` */
        Setting *properties; /* a drop-in for this scenario, in systemd's spelling */
        size_t n_properties;
        Mark mark;
} ScenarioUnit;

typedef struct ScenarioFile {
        char *path;        /* on the stage */
        char *source_path; /* host file, absolute; NULL: content, or a directory */
        char *content;
        char *owner, *group;
        mode_t mode; /* 0: the source's, else 0644 or 0755 */
        bool is_directory;
        Mark mark;
} ScenarioFile;

typedef struct ScenarioRequires {
        char **controllers; /* "memory", "cpu", "pids": delegated to the stage */
        size_t n_controllers;
        char **commands; /* must be found in PATH */
        size_t n_commands;
        char **paths; /* must exist on the host, e.g. a package's unit file */
        size_t n_paths;
        unsigned systemd_version; /* at least; 0: any */
        char *cgroup;             /* "v1" or "v2"; NULL: any */
        Mark mark;
} ScenarioRequires;

typedef struct Scenario {
        char *path;          /* of the file, as the user gave it */
        unsigned n_document; /* 0-based, of the file */
        char *name; /* PATH, PATH#name or PATH#2 where a file has several documents, then "[signal=SIGKILL]" */
        char *about;
        char **tags;
        size_t n_tags;
        ScenarioRequires requires;
        ScenarioUnit *units;
        size_t n_units;
        Setting *environment; /* for every service unit of the scenario, and for its commands */
        size_t n_environment;
        ScenarioFile *files;
        size_t n_files;
        Setting *variables; /* defines, matrix point, `variables`: what the texts were resolved with */
        size_t n_variables;
        Step *steps;
        size_t n_steps;
        Expectation *always, *never;
        size_t n_always, n_never;
        bool is_exclusive;         /* `exclusive`: nothing is played beside it, and it is given the processor first */
        bool allows_child_signals; /* `allow: [child-signals]`: a parent may end its children by a signal (rule 6) */
        uint64_t timeout_usec;     /* the whole scenario; default 10min */
} Scenario;

Scenario *scenario_free(Scenario *scenario);
DEFINE_CLEANUP(Scenario, scenario_free)

/* The value of key @name of a step or expectation; never NULL, asserts that the kind has such a key. */
const Value *step_value(const Step *step, const char *name);
const Value *expectation_value(const Expectation *expectation, const char *name);

/* The unit of the scenario called @name; NULL where there is none. */
const ScenarioUnit *scenario_find_unit(const Scenario *scenario, const char *name);
/* Calls @visit for every expectation: of the steps (nested ones too), then always, then never. */
void scenario_visit_expectations(
                const Scenario *scenario, void (*visit)(const Expectation *, void *), void *userdata);
