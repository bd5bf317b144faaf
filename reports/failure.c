/* SPDX-License-Identifier: MIT */
#include "reports/failure.h"

#include <string.h>

#include "base/quantity.h"
#include "judge/card.h"
#include "reports/entry-line.h"

enum {
        VERDICTS_SHOWN = 6,
        ENTRIES_AROUND = 4, /* before and behind each entry that a verdict rests on */
        EVIDENCE_SHOWN = 3, /* entries a verdict rests on; the last ones */
        ENTRIES_AT_END = 8, /* where it rests on none */
        ENTRY_COLUMNS_MAX = 150,
        TEXT_COLUMNS_MAX = 1200,
        LATENESS_TOLD_MSEC = 100,
};

const char *outcome_label(Outcome outcome) {
        static const char *const LABELS[N_OUTCOMES] = {
                [OUTCOME_PENDING] = "?",
                [OUTCOME_PASS] = "PASS",
                [OUTCOME_SKIP] = "SKIP",
                [OUTCOME_INCONCLUSIVE] = "INCONCLUSIVE",
                [OUTCOME_ERROR] = "ERROR",
                [OUTCOME_FAIL] = "FAIL",
        };
        return LABELS[outcome];
}

unsigned outcome_color(Outcome outcome) {
        enum { RED = 31, GREEN = 32, YELLOW = 33, MAGENTA = 35, CYAN = 36, PLAIN = 0 };

        switch (outcome) {
        case OUTCOME_PASS:
                return GREEN;
        case OUTCOME_FAIL:
                return RED;
        case OUTCOME_ERROR:
                return MAGENTA;
        case OUTCOME_INCONCLUSIVE:
                return YELLOW;
        case OUTCOME_SKIP:
                return CYAN;
        default:
                return PLAIN;
        }
}

/* Line @line of @source, 1-based. */
static const char *find_line(const char *source, size_t n_bytes, unsigned line, size_t *ret_n) {
        const char *end = source + n_bytes, *begin = source;

        for (unsigned i = 1; i < line && begin < end; i++) {
                const char *newline = memchr(begin, '\n', (size_t) (end - begin));
                if (!newline)
                        return NULL;
                begin = newline + 1;
        }
        if (begin >= end)
                return NULL;
        const char *newline = memchr(begin, '\n', (size_t) (end - begin));
        *ret_n = (size_t) ((newline ?: end) - begin);
        return begin;
}

static void write_quote(const Play *play, Mark mark, Text *text) {
        const char *line;
        size_t n;

        if (!play->source || mark.line == 0)
                return;
        line = find_line(play->source, play->n_source_bytes, mark.line, &n);
        if (!line)
                return;
        text_printf(text, "  %5u | ", mark.line);
        printable(line, n, 0, text);
        text_append(text, "\n");
        if (mark.column > 0)
                text_printf(text, "        | %*s^\n", (int) mark.column - 1, "");
}

static void write_labelled(Text *text, const char *label, const char *value) {
        if (!value)
                return;
        text_printf(text, "  %-9s ", label);
        printable(value, strlen(value), TEXT_COLUMNS_MAX, text);
        text_append(text, "\n");
}

static void write_place(const PlayResult *result, const Verdict *verdict, const FailureStyle *style, Text *text) {
        const Scenario *scenario = result->play->scenario;

        text_append(text, "  ");
        if (style->has_color)
                text_append(text, "\033[1m");
        printable(scenario->path, strlen(scenario->path), 0, text);
        if (verdict->mark.line > 0)
                text_printf(text, ":%u:%u", verdict->mark.line, verdict->mark.column);
        text_printf(text, ": %s", verdict->id ?: "scenario");
        if (style->has_color)
                text_append(text, "\033[0m");
        text_printf(text, " (%s: %s)\n", outcome_name(verdict->outcome), reason_name(verdict->reason));
}

/* What is about no place in the file (a death) happened during some step all the same. */
static void write_step_then(const PlayResult *result, const Verdict *verdict, Text *text) {
        const Entry *then = NULL;

        if (verdict->mark.line > 0 || verdict->at_usec == 0 || !result->timeline)
                return;
        for (const Entry *begin = timeline_next(result->timeline, 0, ENTRY_STEP_BEGIN, NULL);
                        begin && begin->at_usec <= verdict->at_usec;
                        begin = timeline_next(result->timeline, begin->index + 1, ENTRY_STEP_BEGIN, NULL))
                then = begin;
        if (then)
                write_labelled(text, "during:", entry_get(then, "quote"));
}

static void write_verdict(const PlayResult *result, const Verdict *verdict, const FailureStyle *style, Text *text) {
        write_place(result, verdict, style, text);
        write_quote(result->play, verdict->mark, text);
        if (verdict->sentence)
                printable_lines(verdict->sentence, 2, text);
        write_step_then(result, verdict, text);
        write_labelled(text, "expected:", verdict->expected);
        write_labelled(text, "seen:", verdict->seen);
        for (size_t i = 0; i < verdict->n_near_misses; i++)
                write_labelled(text, i == 0 ? "nearest:" : "", verdict->near_misses[i]);
}

/* --- the surrounding timeline --- */

/* The same moment as in the judge's sentences (window_of_scenario()). */
static uint64_t timeline_start(const Timeline *timeline) {
        return timeline_get(timeline, 0)->at_usec;
}

static bool rests_on(const Verdict *verdict, size_t index) {
        for (size_t i = 0; i < verdict->n_evidence; i++)
                if (verdict->evidence[i] == index)
                        return true;
        return false;
}

/* Counters are read at every turn; they are told where a verdict rests on them. */
static bool is_noise(const Entry *entry) {
        return entry->kind == ENTRY_COUNTER;
}

/* Where a verdict rests on nothing ("no such line came") the end is told: from this entry on. */
static size_t find_end_part(const Timeline *timeline) {
        size_t index = timeline_length(timeline), n_told = 0;

        while (index > 0 && n_told < ENTRIES_AT_END)
                n_told += !is_noise(timeline_get(timeline, --index));
        return index;
}

static bool is_near_evidence(const Verdict *verdict, size_t index) {
        size_t first = verdict->n_evidence > EVIDENCE_SHOWN ? verdict->n_evidence - EVIDENCE_SHOWN : 0;

        for (size_t i = first; i < verdict->n_evidence; i++)
                if (index + ENTRIES_AROUND >= verdict->evidence[i] && index <= verdict->evidence[i] + ENTRIES_AROUND)
                        return true;
        return false;
}

static void write_stamp(uint64_t at_usec, uint64_t start_usec, Text *text) {
        bool is_before = at_usec < start_usec;
        uint64_t usec = is_before ? start_usec - at_usec : at_usec - start_usec;

        text_printf(text, "%c%8.1f", is_before ? '-' : '+', (double) usec / (double) USEC_PER_MSEC);
}

static void write_entry(const Entry *entry, uint64_t start_usec, bool is_evidence, Text *text) {
        text_printf(text, "  %c ", is_evidence ? '>' : ' ');
        write_stamp(entry->at_usec, start_usec, text);
        text_append(text, "  ");
        entry_line(entry, ENTRY_COLUMNS_MAX, text);
        text_append(text, "\n");
}

static void write_timeline(const Timeline *timeline, const Verdict *verdict, Text *text) {
        size_t n = timeline ? timeline_length(timeline) : 0, end_part;
        bool is_gap = false;

        if (n == 0)
                return;
        uint64_t start_usec = timeline_start(timeline);
        end_part = verdict->n_evidence > 0 ? n : find_end_part(timeline);
        text_append(text, "  timeline (ms since the scenario began, > is what the verdict rests on):\n");
        for (size_t i = 0; i < n; i++) {
                const Entry *entry = timeline_get(timeline, i);
                bool is_evidence = rests_on(verdict, i);

                if (is_noise(entry) && !is_evidence)
                        continue;
                if (!is_near_evidence(verdict, i) && i < end_part) {
                        is_gap = true;
                        continue;
                }
                if (is_gap)
                        text_append(text, "    ...\n");
                is_gap = false;
                write_entry(entry, start_usec, is_evidence, text);
        }
}

/* --- what it was allowed, and how the harness itself fared --- */

static void write_cards(const Timeline *timeline, Text *text) {
        CLEANUP(cards_done) Cards cards = { 0 };

        if (!timeline || cards_make(timeline, &cards) < 0)
                return;
        FOREACH_ARRAY (card, cards.items, cards.n_items) {
                CLEANUP_TEXT Text line = TEXT_INIT;

                if (!card->is_about_quotas)
                        continue;
                card_line(card, &line);
                if (line.n_bytes > 0)
                        text_printf(text, "  %-9s %s: %s\n", "limits:", card->unit, text_get(&line));
        }
}

static void write_lateness(const Timeline *timeline, Text *text) {
        uint64_t usec = timeline ? lateness_usec(timeline) : 0;
        char buffer[DURATION_TEXT_MAX];

        if (usec >= LATENESS_TOLD_MSEC * USEC_PER_MSEC)
                text_printf(text, "  the machine was busy: the harness itself ran up to %s late\n",
                                duration_text(usec, buffer));
}

/* --- the whole --- */

static bool is_told(const Verdict *verdict) {
        return verdict->outcome == OUTCOME_FAIL || verdict->outcome == OUTCOME_ERROR ||
               verdict->outcome == OUTCOME_INCONCLUSIVE;
}

static void write_told(const PlayResult *result, const FailureStyle *style, Text *text) {
        const Verdict *worst = judgement_worst(&result->judgement);
        size_t n_told = 0, n_untold = 0;

        if (!worst)
                return;
        write_verdict(result, worst, style, text);
        write_timeline(result->timeline, worst, text);
        FOREACH_ARRAY (verdict, result->judgement.verdicts, result->judgement.n_verdicts) {
                if (verdict == worst || !is_told(verdict))
                        continue;
                if (style->is_verbose || ++n_told < VERDICTS_SHOWN)
                        write_verdict(result, verdict, style, text);
                else
                        n_untold++;
        }
        if (n_untold > 0)
                text_printf(text, "  and %zu more (--verbose shows all)\n", n_untold);
}

static size_t count_not_reached(const Judgement *judgement) {
        size_t n = 0;

        FOREACH_ARRAY (verdict, judgement->verdicts, judgement->n_verdicts)
                n += verdict->reason == REASON_NOT_REACHED;
        return n;
}

void failure_write(const PlayResult *result, const FailureStyle *style, Text *ret_text) {
        size_t n_not_reached = count_not_reached(&result->judgement);

        write_told(result, style, ret_text);
        write_cards(result->timeline, ret_text);
        write_lateness(result->timeline, ret_text);
        if (n_not_reached > 0)
                text_printf(ret_text, "  %zu %s not reached\n", n_not_reached,
                                n_not_reached == 1 ? "step or expectation was" : "steps and expectations were");
        if (result->evidence_path) {
                write_labelled(ret_text, "evidence:", result->evidence_path);
                text_printf(ret_text, "  %-9s agenttest replay %s\n", "replay:", result->evidence_path);
        }
}

void verdicts_write(const Judgement *judgement, Text *ret_text) {
        char buffer[DURATION_TEXT_MAX];

        FOREACH_ARRAY (verdict, judgement->verdicts, judgement->n_verdicts) {
                text_printf(ret_text, "    %-12s %s", outcome_name(verdict->outcome), verdict->id ?: "scenario");
                if (verdict->outcome == OUTCOME_PASS && verdict->margin_usec != USEC_INFINITY)
                        text_printf(ret_text, " (%s left)", duration_text(verdict->margin_usec, buffer));
                if (verdict->sentence) {
                        text_append(ret_text, ": ");
                        printable(verdict->sentence, strlen(verdict->sentence), 0, ret_text);
                }
                text_append(ret_text, "\n");
        }
}
