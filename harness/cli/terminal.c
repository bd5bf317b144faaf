/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <string.h>
#include <sys/ioctl.h>

static bool is_set(const char *name) {
        const char *value = getenv(name);
        return value && value[0] != '\0';
}

static bool is_dumb(void) {
        const char *term = getenv("TERM");
        return !term || strcmp(term, "dumb") == 0;
}

static bool wants_color(const Options *options, bool is_terminal) {
        const char *clicolor = getenv("CLICOLOR");

        if (options->color != COLOR_AUTO)
                return options->color == COLOR_ALWAYS;
        if (is_set("NO_COLOR"))
                return false;
        if (is_set("FORCE_COLOR") || is_set("CLICOLOR_FORCE"))
                return true;
        return is_terminal && !is_dumb() && !(clicolor && strcmp(clicolor, "0") == 0);
}

TerminalOptions terminal_options(FILE *file, const Options *options) {
        bool is_terminal = isatty(fileno(file));
        struct winsize size = { 0 };

        if (is_terminal)
                (void) ioctl(fileno(file), TIOCGWINSZ, &size);
        return (TerminalOptions){
                .file = file,
                .is_live = is_terminal && !is_dumb() && !is_set("CI"),
                .has_color = wants_color(options, is_terminal),
                .verbosity = options->verbosity,
                .n_columns = size.ws_col,
                .n_rows = size.ws_row,
        };
}
