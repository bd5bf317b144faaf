/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <ctype.h>
#include <getopt.h>
#include <string.h>

#include "base/quantity.h"
#include "scenario/nearest.h"
#include "schedule/lateness-scale.h"

enum { JOBS_MAX = 1024, REPEATS_MAX = 100000, SHARDS_MAX = 9999, HELP_COLUMN = 34 };

typedef struct OptionSpec {
        OptionBit bit;
        const char *name;
        char letter;               /* 0: none */
        const char *argument;      /* "N"; NULL: none */
        bool argument_is_optional; /* then only as --name=ARGUMENT */
        const char *doc;
        int (*apply)(Options *options, const char *argument, Error *reterr);
        bool may_be_repeated; /* else an argument given twice is a mistake: one of them would be dropped */
} OptionSpec;

static int parse_count(const char *name, const char *text, unsigned max, unsigned *ret, Error *reterr) {
        char *end;
        unsigned long number;

        errno = 0;
        number = strtoul(text, &end, 10);
        if (!isdigit((unsigned char) text[0]) || *end || errno != 0 || number == 0 || number > max)
                return error_set(reterr, -EINVAL, "%s takes a number from 1 to %u, not \"%s\"", name, max, text);
        *ret = (unsigned) number;
        return 0;
}

static int add_text(PathList *list, const char *name, const char *text, Error *reterr) {
        if (text[0] == '\0')
                return error_set(reterr, -EINVAL, "%s must not be empty", name);
        return path_list_add(list, text) < 0 ? error_set(reterr, -ENOMEM, "Out of memory") : 0;
}

static int apply_jobs(Options *options, const char *argument, Error *reterr) {
        return parse_count("--jobs", argument, JOBS_MAX, &options->n_jobs, reterr);
}

static int apply_repeat(Options *options, const char *argument, Error *reterr) {
        return parse_count("--repeat", argument, REPEATS_MAX, &options->n_repeats, reterr);
}

static int apply_filter(Options *options, const char *argument, Error *reterr) {
        return add_text(&options->filters, "--filter", argument, reterr);
}

static int apply_tag(Options *options, const char *argument, Error *reterr) {
        return add_text(&options->tags, "--tag", argument, reterr);
}

static int apply_evidence(Options *options, const char *argument, Error *reterr) {
        if (argument[0] == '\0')
                return error_set(reterr, -EINVAL, "--evidence must not be empty");
        options->evidence = argument;
        return 0;
}

static int add_define(Options *options, char *name, char *value) {
        Setting *defines;

        if (!name || !value)
                return -ENOMEM;
        defines = reallocarray(options->defines, options->n_defines + 1, sizeof(*defines));
        if (!defines)
                return -ENOMEM;
        options->defines = defines;
        defines[options->n_defines++] = (Setting){ .name = name, .value = value };
        return 0;
}

static int define(Options *options, const char *name, size_t n_name, const char *value) {
        char *name_copy = strndup(name, n_name), *value_copy = strdup(value);
        int r = add_define(options, name_copy, value_copy);

        if (r < 0) {
                free(name_copy);
                free(value_copy);
        }
        return r;
}

static int apply_define(Options *options, const char *argument, Error *reterr) {
        const char *equals = strchr(argument, '=');

        if (!equals || equals == argument)
                return error_set(reterr, -EINVAL, "--define takes NAME=VALUE, not \"%s\"", argument);
        for (size_t i = 0; i < options->n_defines; i++)
                if (strncmp(options->defines[i].name, argument, (size_t) (equals - argument)) == 0 &&
                                options->defines[i].name[equals - argument] == '\0')
                        return error_set(reterr, -EINVAL, "--define %s is given twice", options->defines[i].name);
        return define(options, argument, (size_t) (equals - argument), equals + 1) < 0
                               ? error_set(reterr, -ENOMEM, "Out of memory")
                               : 0;
}

static int apply_tap(Options *options, const char *argument, Error *reterr) {
        if (argument && argument[0] == '\0')
                return error_set(reterr, -EINVAL, "--tap must not be empty");
        options->writes_tap = true;
        options->tap_path = argument;
        return 0;
}

static int apply_fail_fast(Options *options, const char *argument, Error *reterr) {
        options->is_fail_fast = true;
        return 0;
}

static int apply_rerun(Options *options, const char *argument, Error *reterr) {
        options->reruns_failed = true;
        return 0;
}

static int apply_shard(Options *options, const char *argument, Error *reterr) {
        const char *slash = strchr(argument, '/');
        CLEANUP_FREE char *half = slash ? strndup(argument, (size_t) (slash - argument)) : NULL;
        unsigned number, n;

        if (!half || parse_count("", half, SHARDS_MAX, &number, NULL) < 0 ||
                        parse_count("", slash + 1, SHARDS_MAX, &n, NULL) < 0 || number > n)
                return error_set(reterr, -EINVAL, "--shard takes I/N with I from 1 to N and N at most %d, not \"%s\"",
                                SHARDS_MAX, argument);
        options->shard = (Shard){ .number = number, .n = n };
        return 0;
}

static int apply_junit(Options *options, const char *argument, Error *reterr) {
        if (argument[0] == '\0')
                return error_set(reterr, -EINVAL, "--junit must not be empty");
        options->junit_path = argument;
        return 0;
}

/* The place of @argument among @names. */
static int apply_choice(
                const char *option, const char *const *names, size_t n_names, const char *argument, Error *reterr) {
        CLEANUP_TEXT Text known = TEXT_INIT;

        for (size_t i = 0; i < n_names; i++) {
                if (strcmp(argument, names[i]) == 0)
                        return (int) i;
                text_printf(&known, "%s%s", i == 0 ? "" : i + 1 < n_names ? ", " : " or ", names[i]);
        }
        return error_set(reterr, -EINVAL, "%s takes %s, not \"%s\"", option, text_get(&known), argument);
}

static int apply_junit_flavor(Options *options, const char *argument, Error *reterr) {
        static const char *const NAMES[N_JUNIT_FLAVORS] = { "common", "xunit2", "gitlab" };
        int r = apply_choice("--junit-flavor", NAMES, ELEMENTS_OF(NAMES), argument, reterr);

        if (r < 0)
                return r;
        options->junit_flavor = (JunitFlavor) r;
        return 0;
}

static int apply_junit_attachments(Options *options, const char *argument, Error *reterr) {
        static const char *const NAMES[N_JUNIT_ATTACHMENTS] = { "relative", "absolute", "none" };
        int r = apply_choice("--junit-attachments", NAMES, ELEMENTS_OF(NAMES), argument, reterr);

        if (r < 0)
                return r;
        options->junit_attachments = (JunitAttachments) r;
        return 0;
}

static int apply_quiet(Options *options, const char *argument, Error *reterr) {
        options->verbosity = -1;
        return 0;
}

static int apply_verbose(Options *options, const char *argument, Error *reterr) {
        options->verbosity = 1;
        return 0;
}

static int apply_color(Options *options, const char *argument, Error *reterr) {
        static const char *const NAMES[] = {
                [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"
        };

        for (unsigned i = 0; i < ELEMENTS_OF(NAMES); i++)
                if (strcmp(argument, NAMES[i]) == 0) {
                        options->color = (ColorChoice) i;
                        return 0;
                }
        return error_set(reterr, -EINVAL, "--color takes auto, always or never, not \"%s\"", argument);
}

static int apply_inconclusive(Options *options, const char *argument, Error *reterr) {
        if (strcmp(argument, "pass") == 0)
                options->exit_policy.inconclusive_as = OUTCOME_PASS;
        else if (strcmp(argument, "fail") == 0)
                options->exit_policy.inconclusive_as = OUTCOME_FAIL;
        else
                return error_set(reterr, -EINVAL, "--inconclusive takes pass or fail, not \"%s\"", argument);
        return 0;
}

static int apply_exit_protocol(Options *options, const char *argument, Error *reterr) {
        if (strcmp(argument, "automake") != 0 && strcmp(argument, "agenttest") != 0)
                return error_set(
                                reterr, -EINVAL, "--exit-protocol takes agenttest or automake, not \"%s\"", argument);
        options->exit_policy.is_automake = strcmp(argument, "automake") == 0;
        return 0;
}

static int apply_stage(Options *options, const char *argument, Error *reterr) {
        CLEANUP_TEXT Text names = TEXT_INIT;

        for (size_t i = 0; i < n_stage_kinds; i++) {
                if (strcmp(argument, stage_kinds[i]->name) == 0) {
                        options->stage = stage_kinds[i];
                        return 0;
                }
                text_printf(&names, "%s%s", i > 0 ? ", " : "", stage_kinds[i]->name);
        }
        return error_set(reterr, -EINVAL, "There is no stage \"%s\"; there are: %s", argument, text_get(&names));
}

static int apply_timeout(Options *options, const char *argument, Error *reterr) {
        if (duration_parse(argument, &options->timeout_usec) < 0 || options->timeout_usec == 0)
                return error_set(reterr, -EINVAL,
                                "--timeout takes a duration as systemd writes it (90s, 5min), not \"%s\"", argument);
        return 0;
}

static int apply_for(Options *options, const char *argument, Error *reterr) {
        if (duration_parse(argument, &options->for_usec) < 0 || options->for_usec < USEC_PER_SEC ||
                        options->for_usec > 24 * 3600 * USEC_PER_SEC)
                return error_set(reterr, -EINVAL, "--for takes a duration from 1s to 1d (10s, 5min), not \"%s\"",
                                argument);
        return 0;
}

static int apply_lateness(Options *options, const char *argument, Error *reterr) {
        if (strcmp(argument, "auto") == 0) {
                options->lateness_scale = 0;
                return 0;
        }
        if (parse_count("--lateness-scale", argument, LATENESS_SCALE_MAX, &options->lateness_scale, NULL) < 0)
                return error_set(reterr, -EINVAL, "--lateness-scale takes auto or a number from 1 to %u, not \"%s\"",
                                LATENESS_SCALE_MAX, argument);
        return 0;
}

static int apply_json(Options *options, const char *argument, Error *reterr) {
        options->writes_json = true;
        return 0;
}

static int apply_scenario(Options *options, const char *argument, Error *reterr) {
        options->scenario_path = argument;
        return 0;
}

static int apply_help(Options *options, const char *argument, Error *reterr) {
        options->wants_help = true;
        return 0;
}

static int apply_version(Options *options, const char *argument, Error *reterr) {
        options->wants_version = true;
        return 0;
}

static const OptionSpec SPECS[] = {
        { OPTION_FILTER, "filter", 'f', "TEXT", false,
                        "only scenarios whose name contains TEXT, or matches it where it is a glob; may be repeated",
                        apply_filter, true },
        { OPTION_TAG, "tag", 't', "TAG", false, "only scenarios with this tag (!TAG: without it); may be repeated",
                        apply_tag, true },
        { OPTION_DEFINE, "define", 'D', "NAME=VALUE", false, "what ${NAME} stands for in scenarios; may be repeated",
                        apply_define, true },
        { OPTION_JOBS, "jobs", 'j', "N", false,
                        "scenarios side by side; four for each core by default, fewer where limits demand it",
                        apply_jobs },
        { OPTION_REPEAT, "repeat", 0, "N", false, "play every scenario N times; each time counts", apply_repeat },
        { OPTION_FAIL_FAST, "fail-fast", 0, NULL, false,
                        "begin no more scenarios once one did not pass; those are skipped, with that reason",
                        apply_fail_fast },
        { OPTION_RERUN, "rerun-failed", 0, NULL, false,
                        "only scenarios that did not pass, or were not run, when they were last to be played",
                        apply_rerun },
        { OPTION_SHARD, "shard", 0, "I/N", false,
                        "only the I-th of N parts: every N-th of the scenarios that are selected", apply_shard },
        { OPTION_TIMEOUT, "timeout", 0, "DURATION", false,
                        "the longest any scenario may take, instead of its own `timeout`", apply_timeout },
        { OPTION_LATENESS, "lateness-scale", 0, "N", false,
                        "let budgets for lateness (`late-by-at-most`), and no deadline, count N times; auto: as many "
                        "times as this machine is slower than an ordinary one, as an emulated one is",
                        apply_lateness },
        { OPTION_FOR, "for", 0, "DURATION", false, "how long to look; 10s by default", apply_for },
        { OPTION_STAGE, "stage", 0, "NAME", false,
                        "where to play: sandbox (a private systemd for each scenario; the default), system (this "
                        "machine's own, every change is undone), user (the calling user's own)",
                        apply_stage },
        { OPTION_EVIDENCE, "evidence", 'e', "FOLDER", false,
                        "keep the evidence of all scenarios there; otherwise that of those that did not pass is kept "
                        "in "
                        "$XDG_STATE_HOME/agenttest",
                        apply_evidence },
        { OPTION_SCENARIO, "scenario", 0, "FILE", false, "judge by this scenario file instead of the recorded one",
                        apply_scenario },
        { OPTION_TAP, "tap", 0, "FILE", true, "write TAP version 13 to FILE, or to standard output", apply_tap },
        { OPTION_JUNIT, "junit", 0, "FILE", false,
                        "write JUnit XML to FILE when the run ends, in whatever way; it appears whole", apply_junit },
        { OPTION_JUNIT, "junit-flavor", 0, "NAME", false,
                        "common (default), xunit2 (what the schemas of Jenkins allow), gitlab", apply_junit_flavor },
        { OPTION_JUNIT, "junit-attachments", 0, "HOW", false,
                        "how files of the evidence are named: relative to the project (default), absolute, none",
                        apply_junit_attachments },
        { OPTION_JSON, "json", 0, NULL, false, "write JSON", apply_json },
        { OPTION_QUIET, "quiet", 'q', NULL, false, "only what did not pass, and the summary", apply_quiet },
        { OPTION_VERBOSE, "verbose", 'v', NULL, false, "every verdict", apply_verbose },
        { OPTION_COLOR, "color", 0, "WHEN", false, "auto, always, never", apply_color },
        { OPTION_INCONCLUSIVE, "inconclusive", 0, "AS", false, "count inconclusive scenarios as pass or as fail",
                        apply_inconclusive },
        { OPTION_EXIT_PROTOCOL, "exit-protocol", 0, "NAME", false,
                        "automake: 0, 1, 77 for nothing ran, 99 for a hard error", apply_exit_protocol },
        { OPTION_HELP, "help", 'h', NULL, false, "this text", apply_help },
        { OPTION_VERSION, "version", 0, NULL, false, "the version", apply_version },
};

void options_done(Options *options) {
        path_list_done(&options->paths);
        path_list_done(&options->filters);
        path_list_done(&options->tags);
        FOREACH_ARRAY (setting, options->defines, options->n_defines) {
                free(setting->name);
                free(setting->value);
        }
        free(options->defines);
}

const char *options_find_define(const Options *options, const char *name) {
        FOREACH_ARRAY (setting, options->defines, options->n_defines)
                if (strcmp(setting->name, name) == 0)
                        return setting->value;
        return NULL;
}

int options_default_define(Options *options, const char *name, const char *value) {
        return options_find_define(options, name) ? 0 : define(options, name, strlen(name), value);
}

/* getopt_long's own tables, from the rows that are taken. Source: getopt_long(3). */
static void build_tables(unsigned bits, char *letters, struct option *long_options) {
        /* ':' first: a missing argument is told apart from an unknown option, and nothing is printed. */
        *letters++ = ':';
        for (size_t i = 0; i < ELEMENTS_OF(SPECS); i++) {
                const OptionSpec *spec = &SPECS[i];

                if (!(bits & spec->bit))
                        continue;
                *long_options++ = (struct option){
                        .name = spec->name,
                        .has_arg = !spec->argument              ? no_argument
                                   : spec->argument_is_optional ? optional_argument
                                                                : required_argument,
                        .val = (int) i + 256,
                };
                if (spec->letter) {
                        *letters++ = spec->letter;
                        if (spec->argument)
                                *letters++ = ':';
                }
        }
        *letters = '\0';
        *long_options = (struct option){ 0 };
}

static const OptionSpec *find_spec(int code) {
        if (code >= 256)
                return &SPECS[code - 256];
        for (size_t i = 0; i < ELEMENTS_OF(SPECS); i++)
                if (SPECS[i].letter == code)
                        return &SPECS[i];
        return NULL;
}

static int explain_unknown(const char *word, unsigned bits, Error *reterr) {
        size_t n_name = strcspn(word, "=");
        CLEANUP_FREE char *name = strndup(word, n_name);
        Nearest nearest = NEAREST_INIT(name && strncmp(name, "--", 2) == 0 ? name + 2 : "");

        for (size_t i = 0; i < ELEMENTS_OF(SPECS); i++)
                if (bits & SPECS[i].bit)
                        nearest_offer(&nearest, SPECS[i].name);
        if (nearest.best)
                return error_set(reterr, -EINVAL, "unknown option %.*s; did you mean --%s?", (int) n_name, word,
                                nearest.best);
        return error_set(reterr, -EINVAL, "unknown option %.*s", (int) n_name, word);
}

static int take_paths(Options *options, int argc, char *argv[], Error *reterr) {
        for (int i = optind; i < argc; i++) {
                int r = add_text(&options->paths, "A path", argv[i], reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int options_parse(int argc, char *argv[], unsigned bits, Options *options, Error *reterr) {
        bool is_given[ELEMENTS_OF(SPECS)] = { 0 };
        char letters[2 * ELEMENTS_OF(SPECS) + 2];
        struct option long_options[ELEMENTS_OF(SPECS) + 1];

        build_tables(bits, letters, long_options);
        optind = 0; /* glibc: start anew */
        for (;;) {
                const char *word;
                int code = getopt_long(argc, argv, letters, long_options, NULL), r;

                if (code < 0)
                        return take_paths(options, argc, argv, reterr);
                word = argv[optind > 0 ? optind - 1 : 0];
                /* Of a word of letters the next one may be in turn: optind does not tell which word that is. */
                if (code == '?' && optopt > ' ' && optopt < 127)
                        return error_set(reterr, -EINVAL,
                                        "unknown option -%c; what is no option and begins with a dash goes behind --",
                                        optopt);
                if (code == '?')
                        return explain_unknown(word, bits, reterr);
                if (code == ':')
                        return error_set(reterr, -EINVAL, "option %s needs an argument", word);
                const OptionSpec *spec = find_spec(code);
                assert(spec); /* getopt returns what build_tables() put in */
                if (is_given[spec - SPECS] && spec->argument && !spec->may_be_repeated)
                        return error_set(reterr, -EINVAL, "--%s is given twice", spec->name);
                is_given[spec - SPECS] = true;
                r = spec->apply(options, optarg, reterr);
                if (r < 0)
                        return r;
        }
}

/* Words of @doc in lines that begin at HELP_COLUMN. */
static void write_wrapped(Text *text, const char *doc) {
        enum { WIDTH = 80 };
        size_t column = HELP_COLUMN;

        while (*doc) {
                size_t n = strcspn(doc, " ");

                if (column > HELP_COLUMN && column + 1 + n > WIDTH) {
                        text_printf(text, "\n%*s", HELP_COLUMN, "");
                        column = HELP_COLUMN;
                } else if (column > HELP_COLUMN) {
                        text_append(text, " ");
                        column++;
                }
                text_append_bytes(text, doc, n);
                column += n;
                doc += n;
                doc += strspn(doc, " ");
        }
        text_append(text, "\n");
}

void options_write_help(unsigned bits, Text *ret_text) {
        FOREACH_ARRAY (spec, SPECS, ELEMENTS_OF(SPECS)) {
                size_t n_before = ret_text->n_bytes, n;

                if (!(bits & spec->bit))
                        continue;
                if (spec->letter)
                        text_printf(ret_text, "  -%c, ", spec->letter);
                else
                        text_append(ret_text, "      ");
                text_printf(ret_text, "--%s", spec->name);
                if (spec->argument)
                        text_printf(ret_text, spec->argument_is_optional ? "[=%s]" : "=%s", spec->argument);
                n = ret_text->n_bytes - n_before;
                text_printf(ret_text, "%*s", n < HELP_COLUMN ? (int) (HELP_COLUMN - n) : 1, "");
                write_wrapped(ret_text, spec->doc);
        }
}
