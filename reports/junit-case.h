/* SPDX-License-Identifier: MIT */
#pragma once

/* What a JUnit file says of one play, kept until all are over: the counts of a suite stand before its cases. */

#include "reports/measures.h"

typedef enum JunitKind {
        JUNIT_PASS,
        JUNIT_FAILURE, /* the daemon broke */
        JUNIT_ERROR,   /* the harness or the stage; also what is inconclusive */
        JUNIT_SKIPPED,
        N_JUNIT_KINDS,
} JunitKind;

/* All texts are fit for XML (reports/xml-text.h), not escaped. */
typedef struct JunitCase {
        unsigned index; /* of the play in its run */
        char *path;     /* of the scenario's file, as CI systems name it */
        char *name;     /* of the play, without the folders of its file */
        JunitKind kind;
        char *type;       /* the reason's name; NULL for a pass */
        char *message;    /* one sentence; NULL for a pass */
        char *details;    /* what the terminal shows of a failure; NULL for a pass */
        char *system_out; /* NULL: nothing */
        unsigned line;    /* in the file; 0: not known */
        size_t n_verdicts;
        Measures measures;
        char **attachments; /* files of the evidence, as CI systems name them */
        size_t n_attachments;
        uint64_t begin_usec, duration_usec;
} JunitCase;

/**
 * junit_case_new() - keep what the file will say of @result
 * @n_bytes_max: of details; head and tail are kept
 *
 * Errors: -ENOMEM.
 */
int junit_case_new(const JunitOptions *options, const PlayResult *result, size_t n_bytes_max, JunitCase **ret_case);

/* A case of which there is no result: @play was not run, or (@play NULL) the run itself was ended. -ENOMEM. */
int junit_case_new_plain(const JunitOptions *options, const Play *play, JunitKind kind, const char *type,
                const char *message, JunitCase **ret_case);

JunitCase *junit_case_free(JunitCase *junit_case);
/* Bytes of its texts: a whole file must not become too large for a CI system. */
size_t junit_case_bytes(const JunitCase *junit_case);

DEFINE_CLEANUP(JunitCase, junit_case_free)
