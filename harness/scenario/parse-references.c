/* SPDX-License-Identifier: MIT */
/* What names another expectation, which may stand before it or behind it: looked at when all of them are known. */
#include <string.h>

#include "scenario/parser.h"

typedef struct Reference {
        const Scenario *scenario;
        DiagnosticList *diagnostics;
        const Expectation *expectation; /* that names another */
        const Value *value;             /* the name */
        Nearest nearest;
        bool is_found;
} Reference;

static void compare(const Expectation *other, void *userdata) {
        Reference *reference = userdata;

        if (other == reference->expectation || other->kind != reference->expectation->kind)
                return;
        if (strcmp(other->id, reference->value->text) == 0)
                reference->is_found = true;
        nearest_offer(&reference->nearest, other->id);
}

static void check_reference(Reference *reference, const KeySpec *key) {
        const char *kind = reference->expectation->kind->name, *name = reference->value->text;

        reference->nearest = NEAREST_INIT(name);
        reference->is_found = false;
        scenario_visit_expectations(reference->scenario, compare, reference);
        if (reference->is_found)
                return;
        if (reference->nearest.best)
                diagnostic_add(reference->diagnostics, reference->value->mark, 0,
                                "`%s` names another `%s` expectation, and none is called `%s`; did you mean `%s`?",
                                key->name, kind, name, reference->nearest.best);
        else
                diagnostic_add(reference->diagnostics, reference->value->mark, 0,
                                "`%s` names another `%s` expectation, and none is called `%s`", key->name, kind,
                                name);
}

static void check_expectation(const Expectation *expectation, void *userdata) {
        Reference *reference = userdata;

        reference->expectation = expectation;
        if (expectation->kind->check_in)
                expectation->kind->check_in(reference->scenario, expectation, reference->diagnostics);
        for (size_t i = 0; i < expectation->kind->n_keys; i++) {
                reference->value = &expectation->values[i];
                if (expectation->kind->keys[i].type == VALUE_EXPECTATION && reference->value->is_set)
                        check_reference(reference, &expectation->kind->keys[i]);
        }
}

void references_check(Parser *parser) {
        Reference reference = { .scenario = parser->scenario, .diagnostics = parser->diagnostics };

        scenario_visit_expectations(parser->scenario, check_expectation, &reference);
}
