/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The evidence card of a unit: what it was allowed, how far it got, and how often it was held up, in a few items for
 * a report. Made from the timeline alone, so a replay makes the same one.
 *
 *     CLEANUP(cards_done) Cards cards = { 0 };
 *     r = cards_make(timeline, &cards);
 *     FOREACH_ARRAY (card, cards.items, cards.n_items)
 *             FOREACH_ARRAY (item, card->items, card->n_items)
 *                     ... "card.%s.%s" of (card->unit, item->name), item->value ...
 *
 * Items, each only where something was read: memory-max, memory-high, memory-peak, memory-headroom (percent of the
 * limit that was never used), oom-kills, high-hits, tasks-max, tasks-peak, tasks-headroom, tasks-denied, cpu-quota
 * (percent of one processor), cpu-usage (microseconds), cpu-throttled (percent of the periods in which the unit
 * wanted to run), fds-max, fds-most (the most that was seen). Sizes in bytes; "infinity" is no limit. A value with
 * ">= " before it is a lower bound: a cgroup was gone before it was read for the last time, or the unit ran more than
 * once. Of a peak that is a lower bound no headroom is told. oom-kills is the larger of what the counter and what the
 * kernel's records say.
 */

#include "base/text.h"
#include "timeline/timeline.h"

typedef struct CardItem {
        const char *name;
        char value[48];
} CardItem;

#define CARD_ITEMS_MAX 16

typedef struct Card {
        const char *unit;     /* borrowed from the timeline */
        bool is_about_quotas; /* the scenario has to do with limits; else only what was read at its end is in it */
        CardItem items[CARD_ITEMS_MAX];
        size_t n_items;
} Card;

typedef struct Cards {
        Card *items; /* of the units whose counters were read, in the order of their first reading */
        size_t n_items;
} Cards;

/* -ENOMEM. */
int cards_make(const Timeline *timeline, Cards *ret_cards);
void cards_done(Cards *cards);

/* NULL where the card has no such item. */
const char *card_value(const Card *card, const char *name);

/* All of them as one JSON object {"UNIT": {"memory-max": "...", ...}, ...} with a newline. */
void cards_encode(const Cards *cards, Text *ret_text);
/* One line for people: "memory max 48M, peak 48M (0% left), 1 oom kill; ...". */
void card_line(const Card *card, Text *ret_text);

/* How late the harness's own timer ran at most; 0: not recorded. */
uint64_t lateness_usec(const Timeline *timeline);
