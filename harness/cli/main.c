/* SPDX-License-Identifier: MIT */

/* agenttest: the table of commands, and the help. */

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "cli/command.h"
#include "cli/report-files.h"
#include "reports/entry-line.h"

enum {
        OPTIONS_COMMON = OPTION_HELP | OPTION_VERSION,
        OPTIONS_SELECT = OPTION_FILTER | OPTION_TAG | OPTION_DEFINE | OPTIONS_COMMON,
};

const Command COMMANDS[] = {
        {
                        .name = "run",
                        .arguments = "PATH...",
                        .about = "play scenarios (the command that is meant where none is named)",
                        .details = "Plays the scenario files, and all *.yaml and *.yml files of the folders, each "
                                   "scenario under a\n"
                                   "systemd of its own. All files are checked before anything runs.\n"
                                   "\n"
                                   "${build} in a scenario is the folder of this program unless defined otherwise.\n"
                                   "\n"
                                   "Exit status: 0 all passed; 1 a scenario failed: the daemon broke an expectation; "
                                   "2 error: the\n"
                                   "harness or the stage did not work; 3 wrong usage or an invalid scenario file; 4 "
                                   "inconclusive:\n"
                                   "evidence was lost, so nobody may say pass; 5 nothing ran; 128+n ended by signal "
                                   "n.\n"
                                   "\n"
                                   "On SIGINT or SIGTERM the scenarios are ended in order and reported; a second one "
                                   "kills them.\n",
                        .options = OPTIONS_SELECT | OPTION_JOBS | OPTION_EVIDENCE | OPTION_REPEAT | OPTION_TAP |
                                   OPTION_QUIET | OPTION_VERBOSE | OPTION_COLOR | OPTION_INCONCLUSIVE |
                                   OPTION_EXIT_PROTOCOL | OPTION_STAGE | OPTION_TIMEOUT | OPTION_JUNIT |
                                   OPTION_FAIL_FAST | OPTION_RERUN | OPTION_SHARD | OPTION_LATENESS,
                        .takes_paths = true,
                        .needs_paths = true,
                        .run = command_run,
        },
        {
                        .name = "check",
                        .arguments = "PATH...",
                        .about = "tell every mistake in scenario files, play nothing",
                        .details = "Each mistake is told with file, line and column. Exit status: 0 there is none, 3 "
                                   "there are some.\n",
                        .options = OPTION_DEFINE | OPTIONS_COMMON,
                        .takes_paths = true,
                        .needs_paths = true,
                        .run = command_check,
        },
        {
                        .name = "list",
                        .arguments = "PATH...",
                        .about = "list scenarios with their tags and what they are about",
                        .details = "With --json, one JSON object a scenario and line: name, path, document, tags, "
                                   "about.\n",
                        .options = OPTIONS_SELECT | OPTION_JSON,
                        .takes_paths = true,
                        .needs_paths = true,
                        .run = command_list,
        },
        {
                        .name = "replay",
                        .arguments = "EVIDENCE...",
                        .about = "judge recorded evidence again",
                        .details = "EVIDENCE is the folder of one scenario, or a folder of such folders. Judged by "
                                   "the recorded\n"
                                   "scenario the verdicts must be the recorded ones, byte for byte. With --scenario "
                                   "they tell what\n"
                                   "the recorded run is worth by an edited scenario; what was not recorded is "
                                   "inconclusive.\n"
                                   "\n"
                                   "Exit status: as of run, by the verdicts; 2 also where they differ from the "
                                   "recorded ones.\n",
                        .options = OPTION_SCENARIO | OPTION_QUIET | OPTION_VERBOSE | OPTION_COLOR |
                                   OPTION_INCONCLUSIVE | OPTIONS_COMMON,
                        .takes_paths = true,
                        .needs_paths = true,
                        .run = command_replay,
        },
        {
                        .name = "merge",
                        .arguments = "EVIDENCE...",
                        .about = "tell of many runs as of one: of the parts that --shard makes, mostly",
                        .details = "EVIDENCE is the folder of a run, as given to --evidence. Nothing is judged "
                                   "again. A part that is\n"
                                   "missing, and a run that died, are an error: what is not known is not green.\n"
                                   "\n"
                                   "Exit status: as of one run of all scenarios.\n",
                        .options = OPTION_TAP | OPTION_JUNIT | OPTION_QUIET | OPTION_VERBOSE | OPTION_COLOR |
                                   OPTION_INCONCLUSIVE | OPTION_EXIT_PROTOCOL | OPTIONS_COMMON,
                        .takes_paths = true,
                        .needs_paths = true,
                        .run = command_merge,
        },
        {
                        .name = "doctor",
                        .arguments = "",
                        .about = "tell what this machine can stage, what is missing, and how to get it",
                        .details = "Exit status: 0 the stage can be played here, 2 it cannot.\n",
                        .options = OPTION_STAGE | OPTIONS_COMMON,
                        .run = command_doctor,
        },
        {
                        .name = "observe",
                        .arguments = "UNIT...",
                        .about = "watch units that run on this machine, and change nothing",
                        .details = "Is it running, and does it stay so? Are its limits in force? Is what runs what "
                                   "the "
                                   "unit file and\n"
                                   "the executable on the disk say now? Does it grow (descriptors, threads, "
                                   "children, "
                                   "memory)? Nothing is\n"
                                   "started, signalled, written or reloaded. On stage system unless --stage=user.\n"
                                   "\n"
                                   "Exit status: as of run.\n",
                        .options = OPTION_FOR | OPTION_STAGE | OPTION_EVIDENCE | OPTION_TAP | OPTION_QUIET |
                                   OPTION_VERBOSE | OPTION_COLOR | OPTION_INCONCLUSIVE | OPTION_EXIT_PROTOCOL |
                                   OPTIONS_COMMON,
                        .takes_paths = true,
                        .needs_paths = true,
                        .run = command_observe,
        },
        {
                        .name = "rollback",
                        .arguments = "",
                        .about = "undo what a run that died changed on this machine",
                        .details = "Of the stages system and user: files, drop-ins and the states of units, from the "
                                   "undo log. The\n"
                                   "next run does the same. A run that lives is left alone.\n"
                                   "\n"
                                   "Exit status: 0 all is as it was, 2 something could not be undone; the log stays "
                                   "for another try.\n",
                        .options = OPTIONS_COMMON,
                        .run = command_rollback,
        },
        {
                        .name = "schema",
                        .arguments = "",
                        .about = "print the JSON Schema of scenario files",
                        .details = "For editors: the schema comes from the tables that the parser works from.\n",
                        .options = OPTIONS_COMMON,
                        .run = command_schema,
        },
        {
                        .name = "manual",
                        .arguments = "",
                        .about = "print every step, expectation and key of scenario files (Markdown)",
                        .details = "From the tables that the parser works from.\n",
                        .options = OPTIONS_COMMON,
                        .run = command_manual,
        },
        { 0 },
};

/* File names are told as they are not: nothing in them may move a cursor. */
void complain(const char *format, ...) {
        CLEANUP_TEXT Text shown = TEXT_INIT;
        CLEANUP_FREE char *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&message, format, arguments) < 0)
                message = NULL;
        va_end(arguments);
        printable_lines(message ?: "out of memory", 0, &shown);
        fprintf(stderr, "agenttest: %s", text_get(&shown));
}

int finish_output(int exit_status) {
        if (fflush(stdout) == 0 && !ferror(stdout))
                return exit_status;
        complain("Standard output could not be written: %m");
        return exit_status_and_error(exit_status);
}

static const Command *find_command(const char *name) {
        for (const Command *command = COMMANDS; command->name; command++)
                if (strcmp(command->name, name) == 0)
                        return command;
        return NULL;
}

static int print_help(void) {
        printf("agenttest asks whether a daemon survives: it plays scenario files under a real systemd and\n"
               "tells for every expectation whether it held, with the evidence.\n"
               "\n"
               "usage: agenttest [run] PATH...        play scenarios\n"
               "       agenttest COMMAND [OPTION...] [ARGUMENT...]\n"
               "\n");
        for (const Command *command = COMMANDS; command->name; command++)
                printf("  %-8s %-12s %s\n", command->name, command->arguments, command->about);
        printf("\n"
               "agenttest COMMAND --help tells the options of a command. Begin with `agenttest doctor`, then\n"
               "`agenttest scenarios/`; `agenttest manual` is the language of scenario files.\n");
        return finish_output(STATUS_PASS);
}

static int print_command_help(const Command *command) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        options_write_help(command->options, &text);
        printf("usage: agenttest %s [OPTION...] %s\n\n%s\noptions:\n%s", command->name, command->arguments,
                        command->details, text_get(&text));
        return finish_output(STATUS_PASS);
}

static int run_command(const Command *command, int argc, char *argv[]) {
        CLEANUP(options_done) Options options = OPTIONS_INIT;
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        r = options_parse(argc, argv, command->options, &options, &error);
        if (r >= 0 && options.wants_help)
                return print_command_help(command);
        if (r >= 0 && options.wants_version) {
                printf("agenttest %s\n", AGENTTEST_VERSION);
                return finish_output(STATUS_PASS);
        }
        if (r >= 0 && command->needs_paths && options.paths.n_items == 0)
                r = error_set(&error, -EINVAL, "no %s given", command->arguments);
        else if (r >= 0 && !command->takes_paths && options.paths.n_items > 0)
                r = error_set(&error, -EINVAL, "%s takes no argument, not \"%s\"", command->name,
                                options.paths.items[0]);
        if (r >= 0)
                r = report_files_check(&options, &error);
        if (r < 0) {
                complain("%s; see agenttest %s --help", error_text(&error), command->name);
                return exit_status_by_protocol(STATUS_USAGE, &options.exit_policy);
        }
        return exit_status_by_protocol(command->run(&options), &options.exit_policy);
}

/*
 * Descriptors 0 to 2 are there, or the next file that is opened gets their number and what is printed. Nothing can be
 * written to what takes the place of a closed one: that is told, as with a full disk.
 */
static int open_standard_descriptors(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY | O_NOCTTY) != fd)
                        return -EBADF;
        return 0;
}

int main(int argc, char *argv[]) {
        const Command *command;

        if (open_standard_descriptors() < 0)
                return STATUS_ERROR;
        /* Character types only: numbers are read and written as in C. */
        (void) setlocale(LC_CTYPE, "C.UTF-8");
        /* A reader that goes away shows as an error of writing, after which the run still ends in order. */
        (void) signal(SIGPIPE, SIG_IGN);

        if (argc < 2) {
                complain("nothing to do; see agenttest --help");
                return STATUS_USAGE;
        }
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
                return print_help();
        command = find_command(argv[1]);
        return command ? run_command(command, argc - 1, argv + 1) : run_command(&COMMANDS[0], argc, argv);
}
