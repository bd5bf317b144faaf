/* SPDX-License-Identifier: MIT */
#pragma once

/* The files that the command line has written: no two are one, and none is what is read. */

#include "cli/options.h"
#include "schedule/load.h"

/* Errors: -EINVAL: two reports go to one file; what a terminal or /dev/null shows is lost to nobody. */
int report_files_check(const Options *options, Error *reterr);

/* Errors: -EINVAL: a report would be written over a file of @library. */
int report_files_spare(const Options *options, const Library *library, Error *reterr);
