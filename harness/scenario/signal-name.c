/* SPDX-License-Identifier: MIT */
#include "scenario/signal-name.h"

#include <signal.h>
#include <string.h>

#include "base/macros.h"

/* A table, because sigabbrev_np() gives no list to choose from. Source: signal(7). */
static const struct {
        int number;
        const char *name;
} signals[] = {
        { SIGHUP, "SIGHUP" },
        { SIGINT, "SIGINT" },
        { SIGQUIT, "SIGQUIT" },
        { SIGILL, "SIGILL" },
        { SIGTRAP, "SIGTRAP" },
        { SIGABRT, "SIGABRT" },
        { SIGBUS, "SIGBUS" },
        { SIGFPE, "SIGFPE" },
        { SIGKILL, "SIGKILL" },
        { SIGUSR1, "SIGUSR1" },
        { SIGSEGV, "SIGSEGV" },
        { SIGUSR2, "SIGUSR2" },
        { SIGPIPE, "SIGPIPE" },
        { SIGALRM, "SIGALRM" },
        { SIGTERM, "SIGTERM" },
        { SIGSTKFLT, "SIGSTKFLT" },
        { SIGCHLD, "SIGCHLD" },
        { SIGCONT, "SIGCONT" },
        { SIGSTOP, "SIGSTOP" },
        { SIGTSTP, "SIGTSTP" },
        { SIGTTIN, "SIGTTIN" },
        { SIGTTOU, "SIGTTOU" },
        { SIGURG, "SIGURG" },
        { SIGXCPU, "SIGXCPU" },
        { SIGXFSZ, "SIGXFSZ" },
        { SIGVTALRM, "SIGVTALRM" },
        { SIGPROF, "SIGPROF" },
        { SIGWINCH, "SIGWINCH" },
        { SIGIO, "SIGIO" },
        { SIGPWR, "SIGPWR" },
        { SIGSYS, "SIGSYS" },
};

static int parse_number(const char *text) {
        int number = 0;

        if (!*text || strlen(text) > 3 || strspn(text, "0123456789") != strlen(text))
                return -EINVAL;
        for (; *text; text++)
                number = number * 10 + (*text - '0');
        return number;
}

int signal_parse(const char *text) {
        int number = parse_number(text);

        if (number >= 0)
                return number > 0 && number <= SIGRTMAX ? number : -EINVAL;
        if (strncmp(text, "SIG", 3) == 0)
                text += 3;
        FOREACH_ARRAY (known, signals, ELEMENTS_OF(signals))
                if (strcmp(known->name + 3, text) == 0)
                        return known->number;
        if (strncmp(text, "RTMIN", 5) != 0)
                return -EINVAL;
        number = text[5] == '\0' ? 0 : text[5] == '+' ? parse_number(text + 6) : -EINVAL;
        return number >= 0 && SIGRTMIN + number <= SIGRTMAX ? SIGRTMIN + number : -EINVAL;
}

const char *signal_text(int number, char buffer[static SIGNAL_TEXT_MAX]) {
        FOREACH_ARRAY (known, signals, ELEMENTS_OF(signals))
                if (known->number == number) {
                        (void) snprintf(buffer, SIGNAL_TEXT_MAX, "%s", known->name);
                        return buffer;
                }
        if (number >= SIGRTMIN && number <= SIGRTMAX)
                (void) snprintf(buffer, SIGNAL_TEXT_MAX, "SIGRTMIN+%d", (number - SIGRTMIN) & 0x3f);
        else
                (void) snprintf(buffer, SIGNAL_TEXT_MAX, "%d", number);
        return buffer;
}

const char *signal_nth_name(size_t i) {
        return i < ELEMENTS_OF(signals) ? signals[i].name : NULL;
}
