/* SPDX-License-Identifier: MIT */

/* oom-kill: a process of the unit that the kernel killed for want of memory, by the kernel's own record. */

#include <inttypes.h>
#include <string.h>

#include "base/quantity.h"
#include "judge/check-words.h"
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
        size_t n_own;      /* of these, those not known to be by another limit than the unit's */
        size_t n_possible; /* the same, and those that may be: by a late stamp, or because the process is not known */
        const Entry *last; /* of the certain ones */
        uint64_t last_usec;
        const OomKill *doubtful;
        const OomKill *other; /* a certain one by another limit */
        OomKills kills;
        Text seen;
} OomView;

static void view_done(OomView *view) {
        oom_kills_done(&view->kills);
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

static void tell_kill(OomView *view, const OomKill *kill) {
        text_printf(&view->seen, "%s%s was killed", view->seen.n_bytes > 0 ? ", " : "",
                        oom_victim_name(kill->victim));
        if (kill->host_pid > 0)
                text_printf(&view->seen, " (pid %" PRIi64 " on the host)", kill->host_pid);
        else
                text_append(&view->seen,
                                " (by the unit's own counter; which of the kernel's records is of it is not known)");
        if (kill->limit != OOM_LIMIT_OTHER)
                return;
        text_append(&view->seen, " by the limit of ");
        oom_limit_name(view->facts->timeline, kill->first, &view->seen);
}

static int take_kill(OomView *view, const OomKill *kill) {
        Certainty certainty = is_victim_wanted(view, kill->victim);

        tell_kill(view, kill);
        if (certainty == CERTAINLY_NOT)
                return verdict_rest_on(view->verdict, kill->record->index);
        view->n_possible++;
        if (certainty == CERTAINLY && kill->at_usec <= view->window->deadline_usec) {
                view->n_certain++;
                view->last = kill->record;
                view->last_usec = kill->at_usec;
                if (kill->limit == OOM_LIMIT_OTHER)
                        view->other = kill;
                else
                        view->n_own++;
        } else
                view->doubtful = kill;
        return verdict_rest_on(view->verdict, kill->record->index);
}

/* Records that were read before the anchor step began are of before: the log is read to its end there. */
static int collect(OomView *view) {
        int r = oom_kills_collect(view->facts, view->window, view->expectation->unit, &view->kills);

        for (size_t i = 0; r >= 0 && i < view->kills.n_items; i++)
                r = take_kill(view, &view->kills.items[i]);
        if (r < 0)
                return r;
        view->n_possible += view->kills.n_unrecorded;
        if (view->seen.n_bytes == 0)
                text_append(&view->seen, "the kernel has no record of a kill");
        if (view->kills.n_unrecorded > 0)
                text_printf(&view->seen, ", memory.oom-kills of the unit rose by %zu more", view->kills.n_unrecorded);
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
        if (window_is_complete(view->facts, view->window, CHANNEL_KMSG, view->expectation->unit, &why))
                text_append(&why, "the unit's own counter (memory.oom-kills) rose by more than there are records");
        return verdict_decide(view->verdict, REASON_CHANNEL_LOST, "records may be missing: %s", text_get(&why));
}

/* It was killed, but the unit's limit was not what did it (rule 7). */
static int decide_other_limit(OomView *view) {
        CLEANUP_TEXT Text name = TEXT_INIT;

        oom_limit_name(view->facts->timeline, view->other->first, &name);
        return verdict_decide(view->verdict, REASON_LOAD_TOO_LOW,
                        "MemoryMax of %s was not reached: the kernel killed for the limit of %s",
                        view->expectation->unit, text_get(&name));
}

static int decide_held(OomView *view) {
        char moment[WINDOW_MOMENT_MAX];

        if (!view->last) {
                view->verdict->margin_usec = USEC_INFINITY;
                return verdict_decide(view->verdict, REASON_HELD, "the kernel killed no such process");
        }
        view->verdict->margin_usec = window_margin(view->window, view->last_usec);
        return verdict_decide(view->verdict, REASON_HELD, "the kernel's record was read %s",
                        window_moment(view->facts, view->window, view->last_usec, moment));
}

static int decide_oom(OomView *view) {
        const Match *count = &expectation_value(view->expectation, "count")->matches->match;
        bool is_complete = view->window->is_closed && !is_log_absent(view) &&
                           window_is_complete(view->facts, view->window, CHANNEL_KMSG, view->expectation->unit, NULL);
        Certainty certainty = count_matches(count, view->n_certain, is_complete ? view->n_possible : SIZE_MAX, NULL);
        /* An invariant asks whether anybody was killed, whatever for. */
        bool is_by_other = view->expectation->step && view->other &&
                           count_matches(count, view->n_own, view->n_own, NULL) != CERTAINLY;

        view->verdict->at_usec = view->last_usec;
        if (certainty == CERTAINLY && !is_by_other)
                return decide_held(view);
        if (certainty == CERTAINLY)
                return view->window->is_closed ? decide_other_limit(view) : 0;
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

static void check_oom(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *count = &values[OOM_KEY_COUNT];

        if (count->is_set)
                check_count(&count->matches->match, count->mark, "count", diagnostics);
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
                .check = check_oom,
        },
        .question = QUESTION_COUNTERS,
        .channels = CHANNEL_BUS | CHANNEL_KMSG,
        .evaluate = evaluate_oom,
        .describe = describe_oom,
};
