/* SPDX-License-Identifier: MIT */

/*
 * trend: does the main process grow while the window is open?
 *
 * What goes up and down is no leak. One shows when everything that was seen in the last third of the window lies
 * above everything that was seen in the first: the distance is the growth, a third of what a steady leak makes of the
 * window. (Halves lie side by side: there the distance is only what came between two looks.) A leak too slow for the
 * window is not seen.
 */

#include <inttypes.h>
#include <string.h>

#include "base/quantity.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "judge/proc-text.h"
#include "judge/window.h"
#include "scenario/diagnostic.h"

enum { TREND_FDS, TREND_THREADS, TREND_CHILDREN, TREND_MEMORY, N_TREND_KEYS };
enum { LOOKS_MIN = 3 }; /* in the first third, and in the last */

typedef struct Third {
        unsigned n_looks;
        uint64_t min, max;
} Third;

typedef struct Trend {
        const Expectation *expectation;
        const Timeline *timeline;
        const Window *window;
        pid_t pid;        /* 0: no process was seen */
        bool has_changed; /* another process at the end than at the beginning */
        Third thirds[N_TREND_KEYS][3];
        uint64_t begin_usec, end_usec;
} Trend;

static bool word_number(const Entry *entry, const char *name, uint64_t *ret) {
        const char *status = entry_get(entry, "status");
        size_t n_bytes = 0;
        const char *word = status ? proc_status_word(status, name, 0, &n_bytes) : NULL;

        if (!word)
                return false;
        *ret = strtoull(word, NULL, 10);
        return true;
}

static bool field_number(const Entry *entry, const char *name, uint64_t *ret) {
        if (!entry_get(entry, name))
                return false;
        *ret = (uint64_t) entry_get_number(entry, name, 0);
        return true;
}

static bool read_number(const Entry *entry, size_t key, uint64_t *ret) {
        switch (key) {
        case TREND_FDS:
                return field_number(entry, "n_fds", ret);
        case TREND_THREADS:
                return word_number(entry, "Threads", ret);
        case TREND_CHILDREN:
                return field_number(entry, "n_children", ret);
        default:
                /* Of its own: what is shared or of a file comes and goes with the page cache. Source: proc(5), kB. */
                if (!word_number(entry, "RssAnon", ret))
                        return false;
                *ret *= 1024;
                return true;
        }
}

static void third_take(Third *third, uint64_t number) {
        if (third->n_looks == 0 || number < third->min)
                third->min = number;
        if (third->n_looks == 0 || number > third->max)
                third->max = number;
        third->n_looks++;
}

/* Looks at the main process in the window; the next one behind @from. */
static const Entry *next_look(const Trend *trend, size_t from) {
        const Entry *entry = timeline_next(trend->timeline, from, ENTRY_PROCESS, trend->expectation->unit);

        while (entry && (!entry_has(entry, "role", "main") || !window_holds(trend->window, entry->index)))
                entry = timeline_next(trend->timeline, entry->index + 1, ENTRY_PROCESS, trend->expectation->unit);
        return entry;
}

static void trend_span(Trend *trend) {
        for (const Entry *look = next_look(trend, trend->window->anchor_index); look;
                        look = next_look(trend, look->index + 1)) {
                pid_t pid = (pid_t) entry_get_number(look, "pid", 0);

                trend->has_changed |= trend->end_usec > 0 && pid != trend->pid;
                trend->pid = pid;
                if (trend->begin_usec == 0)
                        trend->begin_usec = look->at_usec;
                trend->end_usec = look->at_usec;
        }
}

static void trend_look(Trend *trend) {
        uint64_t third_usec = (trend->end_usec - trend->begin_usec) / 3 + 1;

        for (const Entry *look = next_look(trend, trend->window->anchor_index); look;
                        look = next_look(trend, look->index + 1))
                for (size_t key = 0; key < N_TREND_KEYS; key++) {
                        uint64_t number;

                        if (read_number(look, key, &number))
                                third_take(&trend->thirds[key][(look->at_usec - trend->begin_usec) / third_usec],
                                                number);
                }
}

static uint64_t allowed(const Trend *trend, size_t key) {
        const Value *value = &trend->expectation->values[key];

        return key == TREND_MEMORY ? value->bytes : value->integer;
}

static uint64_t growth(const Third *thirds) {
        return usec_sub(thirds[2].min, thirds[0].max);
}

static const char *trend_key_name(size_t key) {
        static const char *const names[] = { "fds", "threads", "children", "memory" };

        return names[key];
}

static int see(const Trend *trend, Verdict *verdict) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        for (size_t key = 0; key < N_TREND_KEYS; key++) {
                const Third *thirds = trend->thirds[key];

                if (!trend->expectation->values[key].is_set)
                        continue;
                text_printf(&text, "%s%s %" PRIu64 " to %" PRIu64 " at first, %" PRIu64 " to %" PRIu64 " at last",
                                text.n_bytes > 0 ? "; " : "", trend_key_name(key), thirds[0].min, thirds[0].max,
                                thirds[2].min, thirds[2].max);
        }
        verdict->seen = text_take(&text);
        return verdict->seen ? 0 : -ENOMEM;
}

static int decide(const Trend *trend, Verdict *verdict) {
        CLEANUP_TEXT Text grown = TEXT_INIT;
        char span[DURATION_TEXT_MAX];

        for (size_t key = 0; key < N_TREND_KEYS; key++) {
                const Third *thirds = trend->thirds[key];

                if (!trend->expectation->values[key].is_set)
                        continue;
                if (thirds[0].n_looks < LOOKS_MIN || thirds[2].n_looks < LOOKS_MIN)
                        return verdict_decide(verdict, REASON_UNREADABLE,
                                        "%s was read %u and %u times in the first and the last third of the window, "
                                        "too seldom to tell",
                                        trend_key_name(key), thirds[0].n_looks, thirds[2].n_looks);
                if (growth(thirds) > allowed(trend, key))
                        text_printf(&grown, "%s%s by %" PRIu64, grown.n_bytes > 0 ? ", " : "", trend_key_name(key),
                                        growth(thirds));
        }
        (void) duration_text(trend->end_usec - trend->begin_usec, span);
        verdict->at_usec = trend->end_usec;
        verdict->margin_usec = USEC_INFINITY;
        if (grown.n_bytes > 0)
                return verdict_decide(verdict, REASON_WRONG_VALUE, "process %d grew for good within %s: %s",
                                (int) trend->pid, span, text_get(&grown));
        return verdict_decide(
                        verdict, REASON_HELD, "process %d did not grow for good within %s", (int) trend->pid, span);
}

static int evaluate_trend(const Expectation *expectation, const Case *facts, const Window *window,
                Verdict *ret_verdict, Error *reterr) {
        Trend trend = { .expectation = expectation, .timeline = facts->timeline, .window = window };
        int r;

        if (!window_is_over(window))
                return 0;
        if (!window->is_closed)
                return verdict_decide(ret_verdict, REASON_NOT_RECORDED, "the recording ends before the window does");
        trend_span(&trend);
        if (trend.pid == 0)
                return verdict_decide(ret_verdict, REASON_NOT_OBSERVED, "%s has no main process", expectation->unit);
        if (trend.has_changed)
                return verdict_decide(ret_verdict, REASON_UNREADABLE,
                                "the main process changed in the window: there is no trend of one process");
        trend_look(&trend);
        r = see(&trend, ret_verdict);
        return r < 0 ? r : decide(&trend, ret_verdict);
}

static char *describe_trend(const Expectation *expectation, const Case *facts) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_printf(&text, "main process of %s grows by at most:", expectation->unit);
        for (size_t key = 0; key < N_TREND_KEYS; key++)
                if (expectation->values[key].is_set)
                        text_printf(&text, " %s %s", trend_key_name(key), expectation->values[key].text);
        return text_take(&text);
}

static const KeySpec trend_keys[] = {
        [TREND_FDS] = { .name = "fds", .type = VALUE_INTEGER, .doc = "Open file descriptors: by how many at most." },
        [TREND_THREADS] = { .name = "threads", .type = VALUE_INTEGER, .doc = "Threads: by how many at most." },
        [TREND_CHILDREN] = { .name = "children",
                        .type = VALUE_INTEGER,
                        .doc = "Children, zombies included: by how many at most." },
        [TREND_MEMORY] = { .name = "memory",
                        .type = VALUE_SIZE,
                        .doc = "Memory of its own (RssAnon): by how much at most." },
};

static void check_trend(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        for (size_t key = 0; key < N_TREND_KEYS; key++)
                if (values[key].is_set)
                        return;
        diagnostic_add(diagnostics, mark, 0, "`trend` of what? fds, threads, children, memory");
}

const ExpectKind trend_expectation = {
        .spec = {
                .name = "trend",
                .doc = "The unit's main process does not grow for good while the window (`within`) is open: not all "
                       "that was seen in its last third lies by more than this above all that was seen in its "
                       "first. A leak too slow for the window is not seen.",
                .example = "trend: { fds: 0, threads: 0, memory: 1M }",
                .keys = trend_keys,
                .n_keys = N_TREND_KEYS,
                .shorthand = -1,
                .takes_unit = true,
                .check = check_trend,
        },
        .question = QUESTION_PROCESS,
        .evaluate = evaluate_trend,
        .describe = describe_trend,
};
