/* SPDX-License-Identifier: MIT */
#include "perform/barrier.h"

#include "base/clock.h"
#include "perform/player.h"

/* A channel that does not answer for so long is late: the judge then counts it as incomplete. */
#define BARRIER_TIMEOUT_USEC (30 * USEC_PER_SEC)

struct Barrier {
        Run *run;
        unsigned wanted;  /* bits of Channel: of the barrier that was begun last */
        unsigned waiting; /* wanted, and not drained or given up yet */
        unsigned drained;
        unsigned asked; /* an answer is on its way */
        unsigned stale; /* the answer on its way belongs to an earlier barrier: ask again behind it */
        uint64_t since_usec;
        Text names;
        sd_event_source *deadline;
};

static const struct {
        Channel channel;
        EntrySource source;
        const char *name;
} channels_by_name[] = {
        { CHANNEL_BUS, SOURCE_BUS, "bus" },
        { CHANNEL_JOURNAL, SOURCE_JOURNAL, "journal" },
        { CHANNEL_ACCT, SOURCE_ACCT, "acct" },
        { CHANNEL_KMSG, SOURCE_KMSG, "kmsg" },
};

Barrier *barrier_free(Barrier *barrier) {
        if (!barrier)
                return NULL;
        sd_event_source_disable_unref(barrier->deadline);
        text_done(&barrier->names);
        free(barrier);
        return NULL;
}

static void barrier_ask(Barrier *barrier, Channel channel);

static void barrier_give_up(Barrier *barrier, const char *health, const char *why) {
        for (size_t i = 0; i < ELEMENTS_OF(channels_by_name); i++)
                if (barrier->waiting & channels_by_name[i].channel)
                        (void) observer_channel(&barrier->run->observer, channels_by_name[i].source,
                                        channels_by_name[i].name, health, "%s", why);
        barrier->waiting = 0;
}

static void barrier_advance(Barrier *barrier) {
        /* The manager writes its line about a death after it has seen it, so the others are asked behind the bus. */
        if (barrier->waiting & CHANNEL_BUS)
                return;
        for (size_t i = 0; i < ELEMENTS_OF(channels_by_name); i++) {
                Channel channel = channels_by_name[i].channel;

                if ((barrier->waiting & channel) && !(barrier->asked & channel))
                        barrier_ask(barrier, channel);
        }
        if (barrier->waiting == 0) {
                (void) sd_event_source_set_enabled(barrier->deadline, SD_EVENT_OFF);
                player_wake(barrier->run->player);
        }
}

static void barrier_answer(Barrier *barrier, Channel channel, int error) {
        barrier->asked &= ~(unsigned) channel;
        if (barrier->stale & channel) {
                barrier->stale &= ~(unsigned) channel;
                if (barrier->waiting & channel) {
                        barrier_ask(barrier, channel);
                        return;
                }
        }
        barrier->waiting &= ~(unsigned) channel;
        if (error == 0 && (barrier->wanted & channel))
                barrier->drained |= channel;
        barrier_advance(barrier);
}

static void on_bus(int error, void *userdata) {
        barrier_answer(userdata, CHANNEL_BUS, error);
}

static void on_journal(int error, void *userdata) {
        barrier_answer(userdata, CHANNEL_JOURNAL, error);
}

static void on_acct(int error, void *userdata) {
        barrier_answer(userdata, CHANNEL_ACCT, error);
}

static void barrier_ask(Barrier *barrier, Channel channel) {
        Run *run = barrier->run;
        int r = 0;

        barrier->asked |= channel;
        switch (channel) {
        case CHANNEL_BUS:
                r = bus_watch_barrier(run->bus, on_bus, barrier);
                break;
        case CHANNEL_JOURNAL:
                r = journal_watch_barrier(run->journal, on_journal, barrier);
                break;
        case CHANNEL_ACCT:
                r = acct_watch_barrier(run->acct, on_acct, barrier);
                break;
        case CHANNEL_KMSG:
                barrier_answer(barrier, channel, kmsg_watch_drain(run->kmsg));
                return;
        }
        if (r < 0)
                barrier_answer(barrier, channel, r);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        Barrier *barrier = userdata;

        barrier_give_up(barrier, "late", "did not answer a barrier within 30s");
        player_wake(barrier->run->player);
        return 0;
}

int barrier_new(Run *run, Barrier **ret_barrier) {
        CLEANUP(barrier_free_p) Barrier *barrier = NULL;
        int r;

        barrier = calloc(1, sizeof(*barrier));
        if (!barrier)
                return -ENOMEM;
        barrier->run = run;
        r = sd_event_add_time(run->observer.event, &barrier->deadline, CLOCK_MONOTONIC, 0, 0, on_deadline, barrier);
        if (r >= 0)
                r = sd_event_source_set_enabled(barrier->deadline, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret_barrier = TAKE_PTR(barrier);
        return 0;
}

void barrier_begin(Barrier *barrier, unsigned channels) {
        barrier->since_usec = clock_now_usec();
        barrier->wanted = barrier->waiting = channels;
        barrier->drained = 0;
        barrier->stale = barrier->asked;
        (void) sd_event_source_set_time(barrier->deadline, usec_add(barrier->since_usec, BARRIER_TIMEOUT_USEC));
        (void) sd_event_source_set_enabled(barrier->deadline, SD_EVENT_ONESHOT);

        if ((channels & CHANNEL_BUS) && !(barrier->asked & CHANNEL_BUS))
                barrier_ask(barrier, CHANNEL_BUS);
        else
                barrier_advance(barrier);
}

bool barrier_is_done(const Barrier *barrier) {
        return barrier->waiting == 0;
}

uint64_t barrier_since(const Barrier *barrier) {
        return barrier->since_usec;
}

const char *barrier_channels(const Barrier *barrier) {
        Text *names = &((Barrier *) barrier)->names;

        text_truncate(names, 0);
        for (size_t i = 0; i < ELEMENTS_OF(channels_by_name); i++)
                if (barrier->drained & channels_by_name[i].channel)
                        text_printf(names, "%s%s", names->n_bytes > 0 ? " " : "", channels_by_name[i].name);
        return text_get(names);
}
