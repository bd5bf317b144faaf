/* SPDX-License-Identifier: MIT */
#pragma once

/* The reports that the command line asks for. */

#include "cli/options.h"

enum { REPORTS_MAX = 6, FENCE_MAX = 32 };

typedef struct Reports {
        Report *items[REPORTS_MAX];
        size_t n_items;
        char fence[FENCE_MAX]; /* see TerminalOptions */
} Reports;

#define REPORTS_INIT ((Reports){ 0 })

/* The terminal, and the files. What was opened is to be closed, on errors too. */
int reports_open(const Options *options, Reports *reports, Error *reterr);
/* Only those that programs read: for a run of which there is nothing to tell people but one sentence. */
int reports_open_for_programs(const Options *options, Reports *reports, Error *reterr);

/* Where GitHub reads along: a word that nothing that is tested can know; else an empty one. See TerminalOptions. */
int reports_make_fence(char fence[static FENCE_MAX], Error *reterr);

/* Where the project lies for the CI system that will read the files: what they name is relative to it. Borrowed. */
const char *project_folder(void);

/* One more, the list's from now on. Returns STATUS_PASS, or STATUS_ERROR with a complaint where it is NULL. */
int reports_add(Reports *reports, Report *report);

/* Closes all, tells what could not be written. Returns @status, or STATUS_ERROR where that is worse. */
int reports_close(Reports *reports, int status);
