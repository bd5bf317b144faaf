/* SPDX-License-Identifier: MIT */
#include "judge/card.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/quantity.h"
#include "judge/counters.h"
#include "judge/oom.h"

/* What all readings of one counter come to. */
typedef struct Total {
        double number;
        bool is_known;
        bool is_at_least; /* a cgroup was gone before it was read for the last time */
} Total;

/* Did it run more than once? Then a cgroup may have come and gone without a reading. */
static bool has_several_invocations(const Timeline *timeline, const char *unit) {
        const char *first = NULL;

        for (const Entry *entry = timeline_next(timeline, 0, ENTRY_PROPERTIES, unit); entry;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_PROPERTIES, unit)) {
                const char *invocation = entry_get(entry, "InvocationID");

                if (!invocation || strspn(invocation, "0") == strlen(invocation))
                        continue;
                if (first && strcmp(first, invocation) != 0)
                        return true;
                first = invocation;
        }
        return false;
}

/* A limit is the latest reading, a peak the largest, a count the sum over the cgroups that were there. */
static Total total_of(const Timeline *timeline, const char *unit, const char *counter) {
        const CounterKind *kind = counter_kind(counter);
        const char *cgroup = NULL;
        double before = 0, now = 0, number = 0;
        Total total = { 0 };

        for (const Entry *entry = timeline_next(timeline, 0, ENTRY_COUNTER, unit); entry;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_COUNTER, unit)) {
                const char *next = entry_get(entry, "cgroup") ?: "";

                if (!is_reading(entry, unit, counter))
                        continue;
                if (!counter_number(entry, &number)) {
                        total.is_at_least |= total.is_known;
                        continue;
                }
                if (cgroup && strcmp(cgroup, next) != 0) {
                        before += now;
                        total.is_at_least = true;
                }
                cgroup = next;
                now = number;
                total.is_known = true;
                if (kind->nature == COUNTER_PEAK)
                        total.number = number > total.number ? number : total.number;
                else
                        total.number = kind->nature == COUNTER_COUNT ? before + now : now;
        }
        total.is_at_least |= total.is_known && has_several_invocations(timeline, unit);
        if (kind->nature == COUNTER_GAUGE)
                total.is_at_least = false;
        return total;
}

/* The counter of a cgroup that is gone was read before the kill as a rule; the kernel's records stay. */
static Total total_of_kills(const Timeline *timeline, const char *unit) {
        Total total = total_of(timeline, unit, "memory.oom-kills");
        double n_records = (double) oom_records_count(timeline, unit);

        if (n_records > total.number) {
                total.number = n_records;
                total.is_known = true;
        }
        return total;
}

static void add(Card *card, const char *name, Total total, const char *unit) {
        CardItem *item = &card->items[card->n_items];
        char text[COUNTER_TEXT_MAX];

        if (!total.is_known || card->n_items == CARD_ITEMS_MAX)
                return;
        item->name = name;
        (void) snprintf(item->value, sizeof(item->value), "%s%s%s", total.is_at_least ? ">= " : "",
                        counter_text(total.number, text), isinf(total.number) ? "" : unit);
        card->n_items++;
}

/* What of the limit was never used. */
static void add_headroom(Card *card, const char *name, Total limit, Total peak) {
        Total headroom = { .is_known = limit.is_known && peak.is_known && !isinf(limit.number) && limit.number > 0 };

        if (!headroom.is_known || peak.is_at_least)
                return;
        headroom.number = peak.number >= limit.number ? 0 : floor((limit.number - peak.number) * 100 / limit.number);
        add(card, name, headroom, "%");
}

static void add_memory(const Timeline *timeline, Card *card) {
        Total limit = total_of(timeline, card->unit, "memory.max"),
              peak = total_of(timeline, card->unit, "memory.peak");

        add(card, "memory-max", limit, "");
        add(card, "memory-high", total_of(timeline, card->unit, "memory.high"), "");
        add(card, "memory-peak", peak, "");
        add_headroom(card, "memory-headroom", limit, peak);
        add(card, "oom-kills", total_of_kills(timeline, card->unit), "");
        add(card, "high-hits", total_of(timeline, card->unit, "memory.high-hits"), "");
}

static void add_tasks(const Timeline *timeline, Card *card) {
        Total limit = total_of(timeline, card->unit, "pids.max"), peak = total_of(timeline, card->unit, "pids.peak");

        add(card, "tasks-max", limit, "");
        add(card, "tasks-peak", peak, "");
        add_headroom(card, "tasks-headroom", limit, peak);
        add(card, "tasks-denied", total_of(timeline, card->unit, "pids.denied"), "");
}

static void add_cpu(const Timeline *timeline, Card *card) {
        Total throttled = total_of(timeline, card->unit, "cpu.throttled"),
              periods = total_of(timeline, card->unit, "cpu.periods");

        add(card, "cpu-quota", total_of(timeline, card->unit, "cpu.max"), "%");
        add(card, "cpu-usage", total_of(timeline, card->unit, "cpu.usage"), "");
        if (!throttled.is_known || !periods.is_known || periods.number <= 0)
                return;
        throttled.number = round(throttled.number * 100 / periods.number);
        throttled.is_at_least = false;
        add(card, "cpu-throttled", throttled, "%");
}

/* Of the main process, at the moments it was looked at. */
static void add_fds(const Timeline *timeline, Card *card) {
        Total limit = { 0 }, most = { 0 };

        for (const Entry *look = timeline_next(timeline, 0, ENTRY_PROCESS, card->unit); look;
                        look = timeline_next(timeline, look->index + 1, ENTRY_PROCESS, card->unit)) {
                double n_fds = (double) entry_get_number(look, "n_fds", -1);

                if (!entry_has(look, "role", "main") || n_fds < 0)
                        continue;
                limit.is_known |= process_limit(look, "Max open files", &limit.number);
                most.number = n_fds > most.number ? n_fds : most.number;
                most.is_known = most.is_at_least = true;
        }
        add(card, "fds-max", limit, "");
        add(card, "fds-most", most, "");
}

static Card *find_card(Cards *cards, const char *unit) {
        FOREACH_ARRAY (card, cards->items, cards->n_items)
                if (strcmp(card->unit, unit) == 0)
                        return card;
        return NULL;
}

static int add_card(const Timeline *timeline, const char *unit, Cards *cards) {
        Card *items = reallocarray(cards->items, cards->n_items + 1, sizeof(Card)), *card;

        if (!items)
                return -ENOMEM;
        cards->items = items;
        card = &items[cards->n_items++];
        *card = (Card){ .unit = unit };
        add_memory(timeline, card);
        add_tasks(timeline, card);
        add_cpu(timeline, card);
        add_fds(timeline, card);
        return 0;
}

int cards_make(const Timeline *timeline, Cards *ret_cards) {
        for (const Entry *entry = timeline_next(timeline, 0, ENTRY_COUNTER, NULL); entry;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_COUNTER, NULL)) {
                Card *card = entry->unit ? find_card(ret_cards, entry->unit) : NULL;

                if (!entry->unit)
                        continue;
                if (!card) {
                        int r = add_card(timeline, entry->unit, ret_cards);

                        if (r < 0)
                                return r;
                        card = &ret_cards->items[ret_cards->n_items - 1];
                }
                card->is_about_quotas |= entry_has(entry, "moment", "begin");
        }
        return 0;
}

void cards_done(Cards *cards) {
        free(cards->items);
        *cards = (Cards){ 0 };
}

const char *card_value(const Card *card, const char *name) {
        FOREACH_ARRAY (item, card->items, card->n_items)
                if (strcmp(item->name, name) == 0)
                        return item->value;
        return NULL;
}

void cards_encode(const Cards *cards, Text *ret_text) {
        text_append(ret_text, "{");
        for (size_t i = 0; i < cards->n_items; i++) {
                const Card *card = &cards->items[i];

                text_append(ret_text, i > 0 ? "," : "");
                json_write_string(ret_text, card->unit, strlen(card->unit));
                text_append(ret_text, ":{");
                for (size_t j = 0; j < card->n_items; j++) {
                        text_append(ret_text, j > 0 ? "," : "");
                        json_write_string(ret_text, card->items[j].name, strlen(card->items[j].name));
                        text_append(ret_text, ":");
                        json_write_string(ret_text, card->items[j].value, strlen(card->items[j].value));
                }
                text_append(ret_text, "}");
        }
        text_append(ret_text, "}\n");
}

void card_line(const Card *card, Text *ret_text) {
        const char *separator = "";

        FOREACH_ARRAY (item, card->items, card->n_items) {
                bool is_nothing = strcmp(item->value, "0") == 0 || strcmp(item->value, "infinity") == 0;

                if (is_nothing)
                        continue;
                text_printf(ret_text, "%s%s %s", separator, item->name, item->value);
                separator = ", ";
        }
}

uint64_t lateness_usec(const Timeline *timeline) {
        const Entry *last = timeline_last(timeline, SIZE_MAX, ENTRY_LATENESS, NULL);

        return last ? entry_get_usec(last, "worst", 0) : 0;
}
