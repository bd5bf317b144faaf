/* SPDX-License-Identifier: MIT */

/* agenttest schema, agenttest manual: the language, from the tables that the parser works from. */

#include "cli/command.h"
#include "cli/language.h"
#include "scenario/parse.h"

static int print(void (*write_language)(const Language *, Text *)) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        Language language = language_known();

        write_language(&language, &text);
        if (text.is_broken) {
                complain("Out of memory");
                return STATUS_ERROR;
        }
        fputs(text_get(&text), stdout);
        return finish_output(STATUS_PASS);
}

int command_schema(const Options *options) {
        return print(language_write_schema);
}

int command_manual(const Options *options) {
        return print(language_write_manual);
}
