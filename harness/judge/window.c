/* SPDX-License-Identifier: MIT */
#include "judge/window.h"

#include <string.h>

#include "base/quantity.h"
#include "judge/judge.h"

static const struct {
        Channel channel;
        const char *name;
        bool may_be_absent; /* a machine without it is told of in the report, not taken for a loss */
} channels_known[] = {
        { CHANNEL_BUS, "bus", false },
        { CHANNEL_JOURNAL, "journal", false },
        { CHANNEL_ACCT, "acct", true },
        { CHANNEL_KMSG, "kmsg", true },
};

/* The last entry of @kind of this run of the step, in (after, before). */
static size_t find_of_run(const Timeline *timeline, const Entry *begin, size_t before, EntryKind kind) {
        const char *step = entry_get(begin, "step"), *run = entry_get(begin, "run");

        for (const Entry *entry = timeline_last(timeline, before, kind, NULL); entry && entry->index > begin->index;
                        entry = timeline_last(timeline, entry->index, kind, NULL))
                if (entry_has(entry, "step", step) && (!run || entry_has(entry, "run", run)))
                        return entry->index;
        return SIZE_MAX;
}

void step_run_find(const Timeline *timeline, size_t begin_index, StepRun *ret_step_run) {
        const Entry *begin = timeline_get(timeline, begin_index);
        const Entry *next = timeline_next(timeline, begin_index + 1, ENTRY_STEP_BEGIN, NULL);
        const Entry *end = timeline_next(timeline, begin_index + 1, ENTRY_SCENARIO_END, NULL);
        size_t next_index = timeline_length(timeline);

        if (end)
                next_index = end->index;
        if (next && next->index < next_index)
                next_index = next->index;
        *ret_step_run = (StepRun){
                .begin = begin,
                .window_index = find_of_run(timeline, begin, next_index, ENTRY_WINDOW),
                .deadline_index = find_of_run(timeline, begin, next_index, ENTRY_DEADLINE),
                .barrier_index = find_of_run(timeline, begin, next_index, ENTRY_BARRIER),
                .end_index = find_of_run(timeline, begin, next_index, ENTRY_STEP_END),
                .next_index = next_index,
        };
}

/* An expect step does nothing, and `repeat` only counts: neither is something to measure from. */
static bool is_anchor(const Entry *begin) {
        return !entry_has(begin, "kind", "expect") && !entry_has(begin, "kind", "repeat");
}

size_t judge_anchor(const Timeline *timeline, const Scenario *scenario, const Step *step, size_t begin_index) {
        const Entry *latest = NULL;

        for (const Entry *begin = timeline_last(timeline, begin_index, ENTRY_STEP_BEGIN, NULL); begin;
                        begin = timeline_last(timeline, begin->index, ENTRY_STEP_BEGIN, NULL)) {
                if (step->since && entry_has(begin, "step", step->since))
                        return begin->index;
                if (!latest && is_anchor(begin))
                        latest = begin;
                if (latest && !step->since)
                        break;
        }
        return latest ? latest->index : begin_index;
}

uint64_t window_until(const Window *window) {
        return usec_add(window->deadline_usec, window->for_usec);
}

bool window_is_over(const Window *window) {
        return window->end_index != SIZE_MAX;
}

bool window_holds(const Window *window, size_t index) {
        return index >= window->anchor_index && index < window->end_index;
}

void window_of_step(const Case *facts, const Step *step, size_t begin_index, Window *ret_window) {
        const Timeline *timeline = facts->timeline;
        size_t anchor_index = judge_anchor(timeline, facts->scenario, step, begin_index);
        uint64_t from_usec = timeline_get(timeline, anchor_index)->at_usec;
        StepRun step_run;

        step_run_find(timeline, begin_index, &step_run);
        *ret_window = (Window){
                .begin_index = begin_index,
                .anchor_index = anchor_index,
                .from_usec = from_usec,
                .deadline_usec = usec_add(from_usec, step->within_usec),
                .for_usec = step->for_usec,
                .end_index = SIZE_MAX,
        };
        if (step_run.barrier_index != SIZE_MAX) {
                uint64_t until_usec = window_until(ret_window);

                ret_window->complete_usec =
                                entry_get_usec(timeline_get(timeline, step_run.barrier_index), "since", 0);
                /* A recording that ends before the (edited) deadline says nothing about the rest. */
                ret_window->is_closed = until_usec == USEC_INFINITY || ret_window->complete_usec >= until_usec;
                ret_window->end_index = step_run.barrier_index;
        } else if (step_run.end_index != SIZE_MAX)
                ret_window->end_index = step_run.end_index;
        else if (step_run.next_index < timeline_length(timeline))
                ret_window->end_index = step_run.next_index;
}

void window_of_scenario(const Case *facts, Window *ret_window) {
        const Timeline *timeline = facts->timeline;
        const Entry *end = timeline_next(timeline, 0, ENTRY_SCENARIO_END, NULL);
        const Entry *barrier = end ? timeline_last(timeline, end->index, ENTRY_BARRIER, NULL) : NULL;

        *ret_window = (Window){
                .from_usec = timeline_length(timeline) > 0 ? timeline_get(timeline, 0)->at_usec : 0,
                .deadline_usec = USEC_INFINITY,
                .end_index = end ? end->index : SIZE_MAX,
        };
        /* The scenario's own barrier names no step. */
        if (barrier && !entry_get(barrier, "step")) {
                ret_window->is_closed = true;
                ret_window->complete_usec = entry_get_usec(barrier, "since", 0);
        }
}

/* Is @word one of the words in @list, which are separated by blanks? */
static bool list_has(const char *list, const char *word) {
        size_t n = strlen(word);

        for (const char *at = list; (at = strstr(at, word)); at += n)
                if ((at == list || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' '))
                        return true;
        return false;
}

static bool channel_is_healthy(const Entry *entry, bool may_be_absent) {
        return entry_has(entry, "health", "ok") || (may_be_absent && entry_has(entry, "health", "absent"));
}

/* What the channel said last before the window, and all it said in it. NULL: nothing against it. */
static const Entry *find_loss(const Timeline *timeline, const Window *window, const char *name, bool may_be_absent) {
        for (const Entry *entry = timeline_last(timeline, window->end_index, ENTRY_CHANNEL, NULL); entry;
                        entry = timeline_last(timeline, entry->index, ENTRY_CHANNEL, NULL)) {
                if (!entry_has(entry, "channel", name))
                        continue;
                if (!channel_is_healthy(entry, may_be_absent))
                        return entry;
                if (entry->index < window->anchor_index)
                        return NULL;
        }
        return NULL;
}

/* The barrier that closed the window. */
static const Entry *closing_barrier(const Timeline *timeline, const Window *window) {
        if (!window->is_closed)
                return NULL;
        if (window->end_index < timeline_length(timeline) &&
                        timeline_get(timeline, window->end_index)->kind == ENTRY_BARRIER)
                return timeline_get(timeline, window->end_index);
        return timeline_last(timeline, window->end_index, ENTRY_BARRIER, NULL);
}

static bool is_drained(const Timeline *timeline, const Window *window, const char *name, bool may_be_absent) {
        const Entry *barrier = closing_barrier(timeline, window);
        const char *drained = barrier ? entry_get(barrier, "channels") : NULL;
        const Entry *health;

        if (drained && list_has(drained, name))
                return true;
        /* A channel that the machine does not have needs no draining. */
        for (health = timeline_last(timeline, window->end_index, ENTRY_CHANNEL, NULL); may_be_absent && health;
                        health = timeline_last(timeline, health->index, ENTRY_CHANNEL, NULL))
                if (entry_has(health, "channel", name))
                        return entry_has(health, "health", "absent");
        return false;
}

/*
 * To the timeline's end: journald tells that it dropped lines with the next line it lets through, after the interval
 * of the limit and so perhaps after the window. What was decided while the scenario ran did not know; the final
 * judgement does, live and in a replay.
 */
static const Entry *find_journal_loss(const Timeline *timeline, const Window *window, const char *unit) {
        for (const Entry *entry = timeline_next(timeline, window->anchor_index, ENTRY_JOURNAL_LOSS, NULL); entry;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_JOURNAL_LOSS, NULL))
                if (!unit || !entry->unit || strcmp(entry->unit, unit) == 0)
                        return entry;
        return NULL;
}

/*
 * journald tells of what it dropped with the unit's next line behind the interval of the limit. Where no such line
 * comes, nobody tells: of a unit with a limit, silence proves nothing. Source: journal_ratelimit_test() of systemd.
 */
static bool has_rate_limit(const Timeline *timeline, const char *unit) {
        const char *interval = timeline_property(timeline, unit, SIZE_MAX, "LogRateLimitIntervalUSec");
        const char *burst = timeline_property(timeline, unit, SIZE_MAX, "LogRateLimitBurst");

        return interval && burst && strcmp(interval, "0") != 0 && strcmp(burst, "0") != 0;
}

/*
 * Settings by which lines of the unit never come to the journal that is read, and nobody tells of one. NULL: none.
 * Source: systemd.exec(5).
 */
static const char *hiding_setting(const Timeline *timeline, const char *unit) {
        const char *level_max = timeline_property(timeline, unit, SIZE_MAX, "LogLevelMax");
        const char *name_space = timeline_property(timeline, unit, SIZE_MAX, "LogNamespace");

        if (name_space && *name_space)
                return "LogNamespace=";
        return level_max && strcmp(level_max, "-1") != 0 && strcmp(level_max, "7") != 0 ? "LogLevelMax=" : NULL;
}

/*
 * journald's own limit, which holds for every unit where the machine's journal is used: as long as all units together
 * have written less than one may, nothing was dropped.
 */
static bool may_have_been_limited(const Case *facts) {
        const Entry *versions = timeline_next(facts->timeline, 0, ENTRY_VERSIONS, NULL);
        int64_t burst = versions ? entry_get_number(versions, "journal-burst", 0) : 0;

        return burst > 0 && facts->logbook &&
               entry_get_number(versions, "journal-lines-before", 0) + (int64_t) logbook_n_lines(facts->logbook) >=
                               burst;
}

static bool journal_is_complete(const Case *facts, const Window *window, const char *unit, Text *ret_why) {
        const Entry *loss = find_journal_loss(facts->timeline, window, unit);
        const char *hiding = unit ? hiding_setting(facts->timeline, unit) : NULL;

        if (loss) {
                text_printf(ret_why, "journald dropped lines (%s)", entry_get(loss, "MESSAGE") ?: "no message");
                return false;
        }
        if (hiding) {
                text_printf(ret_why, "%s of %s keeps lines from the journal", hiding, unit);
                return false;
        }
        if (unit && has_rate_limit(facts->timeline, unit)) {
                text_printf(ret_why,
                                "%s has a rate limit (LogRateLimitIntervalSec=, LogRateLimitBurst=), and journald "
                                "does not always tell what it dropped because of it",
                                unit);
                return false;
        }
        if (may_have_been_limited(facts)) {
                text_append(ret_why, "the journal got more lines than one unit may write (RateLimitBurst= of the "
                                     "machine's journald.conf), and journald does not always tell what it dropped");
                return false;
        }
        if (facts->logbook && logbook_has_gap(facts->logbook)) {
                text_append(ret_why, "the journal's sequence numbers have a gap");
                return false;
        }
        return true;
}

bool window_has_loss(const Case *facts, const Window *window, unsigned channels, const char *unit, Text *ret_why) {
        CLEANUP_TEXT Text ignored = TEXT_INIT;
        Text *why = ret_why ? ret_why : &ignored;

        FOREACH_ARRAY (known, channels_known, ELEMENTS_OF(channels_known)) {
                const Entry *loss;

                if (!(channels & known->channel))
                        continue;
                loss = find_loss(facts->timeline, window, known->name, known->may_be_absent);
                if (loss) {
                        text_printf(why, "the channel \"%s\" was %s: %s", known->name,
                                        entry_get(loss, "health") ?: "lost",
                                        entry_get(loss, "text") ?: "no reason given");
                        return true;
                }
                if (known->channel == CHANNEL_JOURNAL && !journal_is_complete(facts, window, unit, why))
                        return true;
        }
        return false;
}

bool window_is_complete(const Case *facts, const Window *window, unsigned channels, const char *unit, Text *ret_why) {
        if (window_has_loss(facts, window, channels, unit, ret_why))
                return false;
        FOREACH_ARRAY (known, channels_known, ELEMENTS_OF(channels_known))
                if ((channels & known->channel) &&
                                !is_drained(facts->timeline, window, known->name, known->may_be_absent)) {
                        if (ret_why)
                                text_printf(ret_why, "the channel \"%s\" was not drained", known->name);
                        return false;
                }
        return true;
}

Timing window_timing(const Window *window, uint64_t lower_usec, uint64_t upper_usec) {
        if (upper_usec < window->from_usec)
                return TIMING_BEFORE;
        if (upper_usec <= window->deadline_usec)
                return TIMING_IN_TIME;
        return lower_usec >= window->deadline_usec ? TIMING_LATE : TIMING_UNDECIDED;
}

uint64_t window_margin(const Window *window, uint64_t at_usec) {
        return window->deadline_usec == USEC_INFINITY ? USEC_INFINITY : usec_sub(window->deadline_usec, at_usec);
}

const char *window_moment(
                const Case *facts, const Window *window, uint64_t at_usec, char buffer[static WINDOW_MOMENT_MAX]) {
        const Entry *anchor = window->anchor_index < timeline_length(facts->timeline)
                                              ? timeline_get(facts->timeline, window->anchor_index)
                                              : NULL;
        const char *step = anchor && anchor->kind == ENTRY_STEP_BEGIN ? entry_get(anchor, "step") : NULL;
        char duration[DURATION_TEXT_MAX];

        (void) snprintf(buffer, WINDOW_MOMENT_MAX, "%s after %.30s began",
                        duration_text(usec_sub(at_usec, window->from_usec), duration), step ? step : "the scenario");
        return buffer;
}
