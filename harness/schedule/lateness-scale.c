/* SPDX-License-Identifier: MIT */
#include "schedule/lateness-scale.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/quantity.h"

enum { N_ATTEMPTS = 100 };

static int make_one(Error *reterr) {
        int wait_status;
        pid_t pid = fork();

        if (pid < 0)
                return error_set_errno(reterr, -errno, "No process to measure this machine's speed with");
        if (pid == 0)
                _exit(0);
        while (waitpid(pid, &wait_status, 0) < 0)
                if (errno != EINTR)
                        return error_set_errno(reterr, -errno, "The process of a measurement cannot be reaped");
        return 0;
}

int lateness_probe(uint64_t *ret_usec, Error *reterr) {
        uint64_t least_usec = USEC_INFINITY;

        for (unsigned i = 0; i < N_ATTEMPTS; i++) {
                uint64_t begin_usec = clock_now_usec(), took_usec;
                int r = make_one(reterr);

                if (r < 0)
                        return r;
                took_usec = usec_sub(clock_now_usec(), begin_usec);
                if (took_usec < least_usec)
                        least_usec = took_usec;
        }
        *ret_usec = least_usec;
        return 0;
}

unsigned lateness_scale_of(uint64_t probe_usec) {
        uint64_t scale = probe_usec / LATENESS_REFERENCE_USEC +
                         (probe_usec % LATENESS_REFERENCE_USEC >= LATENESS_REFERENCE_USEC / 2);

        if (scale < 1)
                return 1;
        return scale > LATENESS_SCALE_MAX ? LATENESS_SCALE_MAX : (unsigned) scale;
}
