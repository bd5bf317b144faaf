/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <time.h>

#include "base/quantity.h"
#include "stage/machine.h"

/*
 * journald writes to /run until /var is there and it was told so (systemd-journal-flush.service), and moves its files
 * then: what is in /run says which. Journals of other machines and name spaces lie beside it and are not read.
 */
int machine_find_journal(char **ret_folder, Error *reterr) {
        static const char *const folders[] = { "/run/log/journal", "/var/log/journal" };
        char id[SD_ID128_STRING_MAX];
        sd_id128_t machine_id;
        int r;

        r = sd_id128_get_machine(&machine_id);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read /etc/machine-id, which names the journal's folder");
        (void) sd_id128_to_string(machine_id, id);
        for (size_t i = 0; i < ELEMENTS_OF(folders); i++) {
                CLEANUP_FREE char *folder = NULL, *file = NULL;

                if (asprintf(&folder, "%s/%s", folders[i], id) < 0)
                        folder = NULL;
                if (!folder || asprintf(&file, "%s/system.journal", folder) < 0)
                        return error_set(reterr, -ENOMEM, "out of memory");
                if (access(file, R_OK) == 0) {
                        *ret_folder = TAKE_PTR(folder);
                        return 0;
                }
                if (errno != ENOENT)
                        return error_set_errno(reterr, -errno,
                                        "%s cannot be read, and without the journal little can be judged (add the "
                                        "user to the group systemd-journal)",
                                        folder);
        }
        return error_set(reterr, -ENOENT,
                        "there is no journal of this machine in /run/log/journal or /var/log/journal: is "
                        "systemd-journald running, with Storage= other than none?");
}

typedef struct RateLimit {
        uint64_t interval_usec;
        unsigned long burst;
} RateLimit;

/* The last one that is set counts; an empty value is the default again. Source: journald.conf(5). */
static void take_setting(char *line, RateLimit *limit) {
        static const char interval[] = "RateLimitIntervalSec=", burst[] = "RateLimitBurst=";

        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, interval, strlen(interval)) == 0) {
                if (duration_parse(line + strlen(interval), &limit->interval_usec) < 0)
                        limit->interval_usec = 30 * USEC_PER_SEC;
        } else if (strncmp(line, burst, strlen(burst)) == 0)
                limit->burst = line[strlen(burst)] ? strtoul(line + strlen(burst), NULL, 10) : 10000;
}

/* systemd's own program knows in which order the files and drop-ins count. */
static int read_limit(RateLimit *ret_limit) {
        FILE *program = popen("systemd-analyze cat-config systemd/journald.conf 2>/dev/null", "re");
        RateLimit limit = { .interval_usec = 30 * USEC_PER_SEC, .burst = 10000 };
        char line[512];

        if (!program)
                return -errno;
        while (fgets(line, sizeof(line), program))
                take_setting(line, &limit);
        if (pclose(program) != 0)
                return -EIO;
        *ret_limit = limit;
        return 0;
}

static int count_lines(const RateLimit *limit, unsigned *ret_n_lines) {
        sd_journal *journal;
        struct timespec now;
        unsigned n_lines = 0;
        int r;

        if (clock_gettime(CLOCK_REALTIME, &now) < 0)
                return -errno;
        r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY);
        if (r < 0)
                return r;
        r = sd_journal_seek_realtime_usec(
                        journal, usec_sub((uint64_t) now.tv_sec * USEC_PER_SEC, limit->interval_usec));
        while (r >= 0 && n_lines < limit->burst && (r = sd_journal_next(journal)) > 0)
                n_lines++;
        sd_journal_close(journal);
        *ret_n_lines = n_lines;
        return r < 0 ? r : 0;
}

void machine_read_journal_limit(unsigned *ret_burst, unsigned *ret_n_lines) {
        RateLimit limit;

        *ret_burst = *ret_n_lines = 1;
        if (read_limit(&limit) < 0)
                return;
        if (limit.interval_usec == 0 || limit.burst == 0)
                *ret_burst = 0;
        else if (count_lines(&limit, ret_n_lines) >= 0)
                *ret_burst = (unsigned) limit.burst;
}
