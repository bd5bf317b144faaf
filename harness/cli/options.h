/* SPDX-License-Identifier: MIT */
#pragma once

/* The command line -> Options. One table of options; a command says by bits which of them it takes. */

#include "base/quantity.h"
#include "reports/report.h"
#include "schedule/discover.h"
#include "stage/stage.h"

typedef enum OptionBit {
        OPTION_JOBS = 1 << 0,
        OPTION_FILTER = 1 << 1,
        OPTION_TAG = 1 << 2,
        OPTION_EVIDENCE = 1 << 3,
        OPTION_REPEAT = 1 << 4,
        OPTION_DEFINE = 1 << 5,
        OPTION_TAP = 1 << 6,
        OPTION_QUIET = 1 << 7,
        OPTION_VERBOSE = 1 << 8,
        OPTION_COLOR = 1 << 9,
        OPTION_INCONCLUSIVE = 1 << 10,
        OPTION_EXIT_PROTOCOL = 1 << 11,
        OPTION_STAGE = 1 << 12,
        OPTION_TIMEOUT = 1 << 13,
        OPTION_JSON = 1 << 14,
        OPTION_SCENARIO = 1 << 15,
        OPTION_FOR = 1 << 30,
        OPTION_HELP = 1 << 16,
        OPTION_VERSION = 1 << 17,
        OPTION_JUNIT = 1 << 18,
        OPTION_FAIL_FAST = 1 << 19,
        OPTION_RERUN = 1 << 20,
        OPTION_SHARD = 1 << 21,
        OPTION_LATENESS = 1 << 22,
} OptionBit;

typedef enum ColorChoice {
        COLOR_AUTO,
        COLOR_ALWAYS,
        COLOR_NEVER,
} ColorChoice;

typedef struct Options {
        PathList paths;
        PathList filters, tags;
        Setting *defines;
        size_t n_defines;
        unsigned n_jobs; /* 0: as many as fit */
        unsigned n_repeats;
        const char *evidence;      /* borrowed from argv, as all texts here; NULL: the state folder */
        const char *tap_path;      /* NULL: standard output */
        const char *scenario_path; /* NULL: the recorded one */
        const char *junit_path;    /* NULL: none is written */
        JunitFlavor junit_flavor;
        JunitAttachments junit_attachments;
        Shard shard; /* n 0: all */
        bool is_fail_fast;
        bool reruns_failed;
        bool writes_tap;
        bool writes_json;
        bool wants_help, wants_version;
        int verbosity;
        ColorChoice color;
        ExitPolicy exit_policy;
        const StageKind *stage;
        uint64_t for_usec;       /* how long to observe */
        uint64_t timeout_usec;   /* 0: each scenario's own */
        unsigned lateness_scale; /* how many times budgets for lateness count; 0: to be measured */
} Options;

#define OPTIONS_INIT                                                                                                 \
        ((Options){ .n_repeats = 1,                                                                                  \
                        .for_usec = 10 * USEC_PER_SEC,                                                               \
                        .exit_policy = EXIT_POLICY_DEFAULT,                                                          \
                        .stage = &sandbox_stage,                                                                     \
                        .lateness_scale = 1 })

void options_done(Options *options);

/**
 * options_parse() - read the arguments behind the command's name
 * @argv: [0] is the name for messages
 * @bits: the options that are taken
 *
 * Errors: -EINVAL with what is wrong in @reterr; -ENOMEM.
 */
int options_parse(int argc, char *argv[], unsigned bits, Options *options, Error *reterr);

/* The options of @bits with their documentation, for a help text. */
void options_write_help(unsigned bits, Text *ret_text);

/* The value of a define; NULL where there is none. */
const char *options_find_define(const Options *options, const char *name);
/* Sets a define that is not there yet. -ENOMEM. */
int options_default_define(Options *options, const char *name, const char *value);
