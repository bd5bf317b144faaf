/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * For the `check` of kinds: literals that can never be observed. A misspelt word makes `not` and `never` hold for
 * good, which is a green that proves nothing; a text where a number is observed does the same.
 */

#include "scenario/diagnostic.h"
#include "scenario/kind.h"
#include "scenario/literal.h"

/* Every literal of the comparison is one of @words ("a|b|c") or holds ${captures}. @name is the key, for people. */
void check_words(const Match *match, Mark mark, const char *name, const char *words, DiagnosticList *diagnostics);

/* The same where systemd may say more words than these: only what looks like one of them, misspelt, is refused. */
void check_spelling(const Match *match, Mark mark, const char *name, const char *words, DiagnosticList *diagnostics);

/* Every literal of the comparison is a signal's name as reports write it (SIGTERM), or holds ${captures}. */
void check_signals(const Match *match, Mark mark, const char *name, DiagnosticList *diagnostics);

/* Every literal of the comparison is a number, with a unit or without, or holds ${captures}. */
void check_numbers(const Match *match, Mark mark, const char *name, DiagnosticList *diagnostics);

/* check_numbers(), and a whole number from 0 up can be this and can be something else. */
void check_count(const Match *match, Mark mark, const char *name, DiagnosticList *diagnostics);

/* A number of @unit from 0 up, not always a whole one, or @word ("infinity"; may be NULL) can be this. */
void check_amount(const Match *match, Mark mark, const char *name, LiteralDimension unit, const char *word,
                DiagnosticList *diagnostics);

/* A process can end with this status, or, with @or_signal, by a signal of this name. */
void check_status(const Match *match, Mark mark, const char *name, bool or_signal, DiagnosticList *diagnostics);

/* `code` and `clean` do not contradict each other; @mark is that of `clean`. */
void check_clean(const Match *code, Mark mark, bool is_clean, DiagnosticList *diagnostics);

/* Every literal consists of @n_digits of @digits; @example says so to people. */
void check_digits(const Match *match, Mark mark, const char *name, const char *digits, size_t n_digits,
                const char *example, DiagnosticList *diagnostics);
#define OCTAL_DIGITS  "01234567", 4, "four octal digits like \"0640\""
#define SHA256_DIGITS "0123456789abcdef", 64, "64 hexadecimal digits in lower case"

/* A command line says something. */
void check_line(const Value *line, const char *name, DiagnosticList *diagnostics);
