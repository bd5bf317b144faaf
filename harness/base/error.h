/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What to tell the person when the harness could not do its work.
 *
 * Three channels, never mixed: an `int` says whether the harness could do its work (0 or a negative errno), an
 * `Error` says it to the person, a `Verdict` (judge/verdict.h) says what the daemon did. The message is composed
 * where the facts are and names what, where and what to do; only cli/ prints it.
 */

#include <stdarg.h>

#include "base/macros.h"

typedef struct Error {
        int code;      /* negative errno; 0 while nothing is wrong */
        char *message; /* one or more lines, no trailing newline; NULL while nothing is wrong */
} Error;

#define ERROR_INIT ((Error){ 0 })

/* Releases the message and makes the error empty again. */
void error_done(Error *error);

/**
 * error_set() - record what went wrong
 * @reterr: where to; NULL drops the message. A message that is there already is kept: the innermost knows most.
 * @code:   negative errno
 * @format: printf format of the message
 *
 * Returns @code, so that `return error_set(reterr, -EINVAL, "…");` is the usual form.
 */
int error_set(Error *reterr, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* As error_set(), with ": " and the text of errno @code behind the message. */
int error_set_errno(Error *reterr, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "@format: " before a message that is there, so that the outer layers can say where it happened. Returns code.
 */
int error_prefix(Error *reterr, const char *format, ...) PRINTF_LIKE(2, 3);

/* The message, or the text of the errno where nobody composed one; never NULL. Borrowed. */
const char *error_text(const Error *error);

#define CLEANUP_ERROR CLEANUP(error_done)
