/* SPDX-License-Identifier: MIT */
#include "schedule/stop-signals.h"

#include <signal.h>
#include <stdbool.h>

#include "base/macros.h"

static bool is_ignored(int number) {
        struct sigaction action;

        return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

size_t stop_signals(int ret_numbers[static STOP_SIGNALS_MAX]) {
        size_t n = 0;

        ret_numbers[n++] = SIGINT;
        ret_numbers[n++] = SIGTERM;
        if (!is_ignored(SIGHUP))
                ret_numbers[n++] = SIGHUP;
        return n;
}

int stop_signals_block(void) {
        int numbers[STOP_SIGNALS_MAX];
        size_t n = stop_signals(numbers);
        sigset_t set;

        (void) sigemptyset(&set);
        FOREACH_ARRAY (number, numbers, n)
                (void) sigaddset(&set, *number);
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}
