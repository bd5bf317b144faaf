/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * For the `check` of kinds: literals that can never be observed. A misspelt word makes `not` and `never` hold for
 * good, which is a green that proves nothing; a text where a number is observed does the same.
 */

#include "scenario/diagnostic.h"
#include "scenario/kind.h"

/* Every literal of the comparison is one of @words ("a|b|c") or holds ${captures}. @name is the key, for people. */
void check_words(const Match *match, Mark mark, const char *name, const char *words, DiagnosticList *diagnostics);

/* The same where systemd may say more words than these: only what looks like one of them, misspelt, is refused. */
void check_spelling(const Match *match, Mark mark, const char *name, const char *words, DiagnosticList *diagnostics);

/* Every literal of the comparison is a signal's name as reports write it (SIGTERM), or holds ${captures}. */
void check_signals(const Match *match, Mark mark, const char *name, DiagnosticList *diagnostics);

/* Every literal of the comparison is a number, with a unit or without, or holds ${captures}. */
void check_numbers(const Match *match, Mark mark, const char *name, DiagnosticList *diagnostics);

/* The same where there may be no limit: a number or `infinity`. */
void check_limit_number(const Match *match, Mark mark, const char *name, DiagnosticList *diagnostics);
