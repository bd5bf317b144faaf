/* SPDX-License-Identifier: MIT */
/*
 * How long a sandbox takes to boot, beside systemd's own start-up time in there: bench-sandbox [ROUNDS [PARALLEL]].
 * Prints one line a boot and the medians.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include "stage/deadline.h"
#include "stage/ownership.h"
#include "stage/stage.h"

typedef struct Boot {
        uint64_t ready_usec;   /* fork to READY=1 */
        uint64_t entered_usec; /* fork to the function on the stage */
        uint64_t systemd_usec; /* systemd's own: from its main() to "Startup finished" */
        uint64_t service_usec; /* fork to the first service started and reported */
        uint64_t down_usec;    /* taking it down */
        uint64_t returned_usec;
        uint64_t info_cycle_usec;  /* stop and start of a service, systemd at log level info */
        uint64_t debug_cycle_usec; /* the same at debug, which is what the sandbox runs it at */
} Boot;

#define N_CYCLES 50

typedef struct Job {
        char *removed_path; /* of the job that ended last */
} Job;

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *reterr_bus) {
        Job *job = userdata;
        const char *path = NULL;

        if (sd_bus_message_read(message, "uo", NULL, &path) < 0)
                return 0;
        free(job->removed_path);
        job->removed_path = strdup(path);
        return 0;
}

static int manager_job(sd_bus *bus, const char *method, Job *job) {
        sd_bus_message *reply = NULL;
        const char *path = NULL;
        int r;

        r = sd_bus_call_method(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                        "org.freedesktop.systemd1.Manager", method, NULL, &reply, "ss", "bench.service", "replace");
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        while (r >= 0 && (!job->removed_path || strcmp(job->removed_path, path) != 0)) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, 5 * USEC_PER_SEC);
        }
        sd_bus_message_unref(reply);
        return r;
}

/* One stop and start of a service, in microseconds, with systemd at @log_level. */
static uint64_t cycle_usec(sd_bus *bus, const char *log_level, Job *job) {
        uint64_t begin_usec;

        if (sd_bus_set_property(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                            "org.freedesktop.systemd1.Manager", "LogLevel", NULL, "s", log_level) < 0)
                return 0;
        begin_usec = clock_now_usec();
        for (int i = 0; i < N_CYCLES; i++)
                if (manager_job(bus, "StopUnit", job) < 0 || manager_job(bus, "StartUnit", job) < 0)
                        return 0;
        return (clock_now_usec() - begin_usec) / N_CYCLES;
}

static int measure_cycles(sd_bus *bus, Boot *boot) {
        Job job = { 0 };

        if (sd_bus_match_signal(bus, NULL, NULL, NULL, "org.freedesktop.systemd1.Manager", "JobRemoved",
                            on_job_removed, &job) < 0 ||
                        sd_bus_call_method(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                        "org.freedesktop.systemd1.Manager", "Subscribe", NULL, NULL, "") < 0)
                return -EIO;
        boot->info_cycle_usec = cycle_usec(bus, "info", &job);
        boot->debug_cycle_usec = cycle_usec(bus, "debug", &job);
        return 0;
}

/* $BENCH_INSPECT, run in every sandbox: for looking around. */
static const char *inspect_command;

static uint64_t manager_stamp(sd_bus *bus, const char *name) {
        uint64_t usec = 0;

        (void) sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                        "org.freedesktop.systemd1.Manager", name, NULL, 't', &usec);
        return usec;
}

static int on_stage(const StageContext *context, void *userdata) {
        Boot *boot = userdata;
        sd_bus *bus = NULL;

        boot->entered_usec = clock_now_usec() - context->forked_usec;
        boot->ready_usec = context->booted_usec - context->forked_usec;
        if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, context->bus_address) < 0 || sd_bus_start(bus) < 0)
                return EXIT_FAILURE;
        boot->systemd_usec = manager_stamp(bus, "FinishTimestampMonotonic") -
                             manager_stamp(bus, "UserspaceTimestampMonotonic");
        if (system("systemctl start bench.service") != 0)
                return EXIT_FAILURE;
        boot->service_usec = clock_now_usec() - context->forked_usec;
        if (measure_cycles(bus, boot) < 0)
                return EXIT_FAILURE;
        sd_bus_unref(bus);
        if (inspect_command && system(inspect_command) != 0)
                return EXIT_FAILURE;
        boot->returned_usec = clock_now_usec();
        return EXIT_SUCCESS;
}

static int one(const char *run_id, unsigned index, Boot *boot) {
        static const char unit[] =
                        "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=exec\nExecStart=/bin/sleep 1000\n";
        const StageFile file = {
                .path = "/etc/systemd/system/bench.service",
                .content = unit,
                .n_content_bytes = sizeof(unit) - 1,
        };
        const StageRequest request = {
                .run_id = run_id,
                .scenario_index = index,
                .files = &file,
                .n_files = 1,
        };
        CLEANUP_ERROR Error error = ERROR_INIT;
        int wait_status, r;

        r = sandbox_stage.run(&request, on_stage, boot, &wait_status, &error);
        boot->down_usec = clock_now_usec() - boot->returned_usec;
        if (r < 0) {
                (void) fprintf(stderr, "%s\n", error_text(&error));
                return EXIT_FAILURE;
        }
        return wait_status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int compare(const void *a, const void *b) {
        const uint64_t *left = a, *right = b;

        return (*left > *right) - (*left < *right);
}

static double median_msec(const Boot *boots, size_t n_boots, size_t offset) {
        CLEANUP_FREE uint64_t *values = calloc(n_boots, sizeof(uint64_t));

        for (size_t i = 0; i < n_boots; i++)
                values[i] = *(const uint64_t *) ((const char *) &boots[i] + offset);
        qsort(values, n_boots, sizeof(uint64_t), compare);
        return (double) values[n_boots / 2] / 1000;
}

int main(int argc, char **argv) {
        unsigned n_rounds = argc > 1 ? (unsigned) atoi(argv[1]) : 10;
        unsigned n_parallel = argc > 2 ? (unsigned) atoi(argv[2]) : 1;
        unsigned n_boots = n_rounds * n_parallel;
        CLEANUP(ownership_free_p) Ownership *ownership = NULL;
        CLEANUP_ERROR Error error = ERROR_INIT;
        int exit_status = EXIT_SUCCESS;
        Boot *boots;

        inspect_command = getenv("BENCH_INSPECT");
        boots = mmap(NULL, n_boots * sizeof(Boot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (boots == MAP_FAILED || n_boots == 0 || ownership_new(&ownership, &error) < 0) {
                (void) fprintf(stderr, "%s\n", error_text(&error));
                return EXIT_FAILURE;
        }
        for (unsigned round = 0; round < n_rounds; round++) {
                uint64_t begin_usec = clock_now_usec();

                for (unsigned i = 0; i < n_parallel; i++)
                        if (fork() == 0)
                                _exit(one(ownership_run_id(ownership), round * n_parallel + i,
                                                &boots[round * n_parallel + i]));
                for (int wait_status; wait(&wait_status) > 0;)
                        if (wait_status != 0)
                                exit_status = EXIT_FAILURE;
                if (n_parallel > 1)
                        (void) printf("round %u: %u sandboxes booted, used and gone in %.0f ms\n", round, n_parallel,
                                        (double) (clock_now_usec() - begin_usec) / 1000);
        }
        (void) printf("median of %u boots, ms: ready %.1f, entered %.1f, systemd's own %.1f, first service %.1f, "
                      "taken down in %.1f; stop and start of a service: log level info %.2f, debug %.2f\n",
                        n_boots, median_msec(boots, n_boots, offsetof(Boot, ready_usec)),
                        median_msec(boots, n_boots, offsetof(Boot, entered_usec)),
                        median_msec(boots, n_boots, offsetof(Boot, systemd_usec)),
                        median_msec(boots, n_boots, offsetof(Boot, service_usec)),
                        median_msec(boots, n_boots, offsetof(Boot, down_usec)),
                        median_msec(boots, n_boots, offsetof(Boot, info_cycle_usec)),
                        median_msec(boots, n_boots, offsetof(Boot, debug_cycle_usec)));
        if (ownership_release(TAKE_PTR(ownership), deadline_in(10 * USEC_PER_SEC), &error) < 0) {
                (void) fprintf(stderr, "%s\n", error_text(&error));
                return EXIT_FAILURE;
        }
        return exit_status;
}
