/* SPDX-License-Identifier: MIT */
#pragma once

/* The suites of the scenario layer, and what they share. */

#include <check.h>

#include "scenario/parse.h"

Suite *template_suite(void);
Suite *match_suite(void);
Suite *diagnostic_suite(void);
Suite *parse_suite(void);
Suite *hostile_suite(void);
Suite *golden_suite(void);
Suite *schema_suite(void);

/* What one text was parsed into. */
typedef struct Parsed {
        ScenarioList scenarios;
        DiagnosticList diagnostics;
} Parsed;

void parsed_done(Parsed *parsed);
/* Parses @text with the test language and one define, `build`; files need not exist. */
Parsed parse_text(const char *text);
/* The same with these defines, "a=1|b=2". */
Parsed parse_text_with(const char *text, const char *defines);
/* The same for bytes that may hold NUL. */
Parsed parse_bytes(const char *bytes, size_t n_bytes);

/* The only scenario of a text that must be valid; borrowed. */
const Scenario *only_scenario(const Parsed *parsed);
/* Asserts that exactly one diagnostic was made, at this place, with @part in its message. */
void assert_only_diagnostic(const Parsed *parsed, unsigned line, unsigned column, const char *part);

#define CLEANUP_PARSED CLEANUP(parsed_done)
