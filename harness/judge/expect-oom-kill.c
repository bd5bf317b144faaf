/* SPDX-License-Identifier: MIT */

/* oom-kill: a process of the unit that the kernel killed for want of memory, by the kernel's own record. */

#include <inttypes.h>
#include <string.h>

#include "base/quantity.h"
#include "judge/count.h"
#include "judge/counters.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "judge/oom.h"
#include "judge/window.h"
#include "scenario/diagnostic.h"

enum { OOM_KEY_VICTIM, OOM_KEY_COUNT, N_OOM_KEYS };

/* The kernel's records in the window. */
typedef struct OomView {
        const Expectation *expectation;
        const Case *facts;
        const Window *window;
        Verdict *verdict;
        size_t n_certain;  /* of the victim that is asked for, in time */
        size_t n_possible; /* the same, and those that may be: by a late stamp, or because the process is not known */
        const Entry *last; /* of the certain ones */
        const Entry *doubtful;
        Text seen;
} OomView;

static void view_done(OomView *view) {
        text_done(&view->seen);
}

static Certainty is_victim_wanted(const OomView *view, OomVictim victim) {
        const char *wanted = expectation_value(view->expectation, "victim")->text;

        if (strcmp(wanted, "any") == 0)
                return CERTAINLY;
        if (victim == OOM_VICTIM_UNKNOWN)
                return UNCERTAIN;
        return strcmp(oom_victim_name(victim), wanted) == 0 ? CERTAINLY : CERTAINLY_NOT;
}

static int take_kill(OomView *view, const OomKill *kill) {
        Certainty certainty = is_victim_wanted(view, kill->victim);

        text_printf(&view->seen, "%s%s was killed (pid %" PRIi64 " on the host)", view->seen.n_bytes > 0 ? ", " : "",
                        oom_victim_name(kill->victim), kill->host_pid);
        if (certainty == CERTAINLY_NOT)
                return verdict_rest_on(view->verdict, kill->record->index);
        view->n_possible++;
        if (certainty == CERTAINLY && kill->record->at_usec <= view->window->deadline_usec) {
                view->n_certain++;
                view->last = kill->record;
        } else
                view->doubtful = kill->record;
        return verdict_rest_on(view->verdict, kill->record->index);
}

/* Records that were read before the anchor step began are of before: the log is read to its end there. */
static int collect(OomView *view) {
        CLEANUP(oom_kills_done) OomKills kills = { 0 };
        int r = oom_kills_collect(view->facts, view->window, view->expectation->unit, &kills);

        for (size_t i = 0; r >= 0 && i < kills.n_items; i++)
                r = take_kill(view, &kills.items[i]);
        if (r < 0)
                return r;
        if (view->seen.n_bytes == 0)
                text_append(&view->seen, "the kernel has no record of a kill");
        free(view->verdict->seen);
        view->verdict->seen = strdup(text_get(&view->seen));
        return view->verdict->seen ? 0 : -ENOMEM;
}

/* Is there a kernel log at all? Without one, "no record" means nothing. */
static bool is_log_absent(const OomView *view) {
        const Timeline *timeline = view->facts->timeline;

        for (const Entry *entry = timeline_last(timeline, view->window->end_index, ENTRY_CHANNEL, NULL); entry;
                        entry = timeline_last(timeline, entry->index, ENTRY_CHANNEL, NULL))
                if (entry_has(entry, "channel", "kmsg"))
                        return entry_has(entry, "health", "absent");
        return false;
}

/* Nobody, or too few, were killed: the load was not what it was meant to be, which is not the daemon's doing. */
static int decide_too_few(OomView *view) {
        const Entry *limit = counter_latest(view->facts->timeline, view->expectation->unit, "memory.max",
                        view->window->anchor_index, view->window->end_index);
        double number = 0;
        int r;

        if (limit && counter_number(limit, &number) && number < (double) (SIZE_MAX / 4))
                return verdict_decide(view->verdict, REASON_LOAD_TOO_LOW,
                                "MemoryMax is in force, but was not reached: the kernel killed nobody");
        r = verdict_rest_on(view->verdict, limit ? limit->index : SIZE_MAX);
        return r < 0 ? r
                     : verdict_decide(view->verdict, REASON_LIMIT_NOT_IN_FORCE,
                                       limit ? "MemoryMax is not in force (memory.max says there is no limit)"
                                             : "whether MemoryMax is in force could not be read back (memory.max)");
}

static int decide_unmet(OomView *view) {
        bool is_other_victim = strstr(text_get(&view->seen), "was killed") != NULL;
        const Value *count = expectation_value(view->expectation, "count");

        /* More than were wanted, or somebody else: that is what the daemon, or its unit, made of the limit. */
        if (!view->expectation->step || is_other_victim ||
                        count_matches(&count->matches->match, view->n_certain + 1, SIZE_MAX, NULL) == CERTAINLY_NOT)
                return verdict_decide(
                                view->verdict, REASON_WRONG_VALUE, "not as expected: %s", text_get(&view->seen));
        return decide_too_few(view);
}

static int decide_uncertain(OomView *view) {
        CLEANUP_TEXT Text why = TEXT_INIT;

        if (view->doubtful && view->doubtful->at_usec > view->window->deadline_usec)
                return verdict_decide(view->verdict, REASON_LATE_STAMP,
                                "the kernel's record was read after the deadline; it may have been written before");
        if (view->doubtful)
                return verdict_decide(view->verdict, REASON_UNREADABLE,
                                "a process of %s was killed, but the kernel's pid cannot be translated to one that "
                                "is known here",
                                view->expectation->unit);
        if (is_log_absent(view))
                return verdict_decide(view->verdict, REASON_CHANNEL_LOST,
                                "there is no kernel log to be read here, and so no record of a kill");
        (void) window_is_complete(view->facts, view->window, CHANNEL_KMSG, view->expectation->unit, &why);
        return verdict_decide(view->verdict, REASON_CHANNEL_LOST, "records may be missing: %s", text_get(&why));
}

static int decide_oom(OomView *view) {
        const Match *count = &expectation_value(view->expectation, "count")->matches->match;
        bool is_complete = view->window->is_closed && !is_log_absent(view) &&
                           window_is_complete(view->facts, view->window, CHANNEL_KMSG, view->expectation->unit, NULL);
        Certainty certainty = count_matches(count, view->n_certain, is_complete ? view->n_possible : SIZE_MAX, NULL);
        char moment[WINDOW_MOMENT_MAX];

        view->verdict->at_usec = view->last ? view->last->at_usec : 0;
        if (certainty == CERTAINLY && view->last) {
                view->verdict->margin_usec = window_margin(view->window, view->last->at_usec);
                return verdict_decide(view->verdict, REASON_HELD, "the kernel's record was read %s",
                                window_moment(view->facts, view->window, view->last->at_usec, moment));
        }
        if (certainty == CERTAINLY) {
                view->verdict->margin_usec = USEC_INFINITY;
                return verdict_decide(view->verdict, REASON_HELD, "the kernel killed no such process");
        }
        if (certainty == CERTAINLY_NOT)
                return decide_unmet(view);
        return view->window->is_closed ? decide_uncertain(view) : 0;
}

static int evaluate_oom(const Expectation *expectation, const Case *facts, const Window *window, Verdict *ret_verdict,
                Error *reterr) {
        CLEANUP(view_done)
        OomView view = { .expectation = expectation, .facts = facts, .window = window, .verdict = ret_verdict };
        int r = collect(&view);

        return r < 0 ? r : decide_oom(&view);
}

static char *describe_oom(const Expectation *expectation, const Case *facts) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_printf(&text, "OOM kill in %s: victim %s, ", expectation->unit,
                        expectation_value(expectation, "victim")->text);
        describe_matches(&text, expectation, facts, "");
        return text_take(&text);
}

static const KeySpec oom_keys[] = {
        [OOM_KEY_VICTIM] = { .name = "victim",
                        .type = VALUE_CHOICE,
                        .choices = "any|main|child|hog",
                        .default_text = "any",
                        .doc = "Whose process: the unit's main one, any other one of the unit, or the hog of a "
                               "step." },
        [OOM_KEY_COUNT] = { .name = "count",
                        .type = VALUE_MATCH,
                        .default_text = "\">= 1\"",
                        .doc = "How many such kills in the window." },
};

const ExpectKind oom_kill_expectation = {
        .spec = {
                .name = "oom-kill",
                .doc = "A process of the unit was killed by the kernel for want of memory, by the kernel's own record. "
                       "Where none was, and MemoryMax= is not in force or was not reached, that is inconclusive.",
                .example = "oom-kill: { victim: main }",
                .keys = oom_keys,
                .n_keys = N_OOM_KEYS,
                .shorthand = OOM_KEY_VICTIM,
                .takes_unit = true,
        },
        .question = QUESTION_COUNTERS,
        .channels = CHANNEL_BUS | CHANNEL_KMSG,
        .evaluate = evaluate_oom,
        .describe = describe_oom,
};
