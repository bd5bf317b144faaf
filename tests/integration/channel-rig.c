/* SPDX-License-Identifier: MIT */
#include "channel-rig.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "timeline/codec.h"

#define TIMEOUT_USEC (30 * USEC_PER_SEC)
#define MAX_UNITS    4
/* Entries shown where something did not hold. */
#define N_SHOWN      25

_Noreturn void channels_fail(Channels *channels, const char *file, int line, const char *what) {
        size_t n = timeline_length(channels->observer.timeline);

        (void) fprintf(stderr, "%s:%d: did not hold: %s\n", file, line, what);
        (void) fprintf(stderr, "  journal: %lu lines, %lu marked, %lu gaps\n", channels->n_lines, channels->n_marked,
                        channels->n_gaps);
        for (size_t i = n > N_SHOWN ? n - N_SHOWN : 0; i < n; i++) {
                CLEANUP_TEXT Text text = TEXT_INIT;

                entry_encode(timeline_get(channels->observer.timeline, i), &text);
                (void) fprintf(stderr, "  %.400s%s", text_get(&text), text.n_bytes > 400 ? "...\n" : "");
        }
        _exit(EXIT_FAILURE);
}

static void on_line(const LogLine *line, void *userdata) {
        Channels *channels = userdata;
        size_t n_bytes;
        const char *message = line->get_field(line, "MESSAGE", &n_bytes);

        if (channels->last_seqnum > 0 && line->seqnum != channels->last_seqnum + 1)
                channels->n_gaps++;
        channels->last_seqnum = line->seqnum;
        channels->n_lines++;
        if (!message || n_bytes < 5 || memcmp(message, "mark ", 5) != 0)
                return;
        channels->n_marked++;
        if (n_bytes > channels->n_longest_marked_bytes)
                channels->n_longest_marked_bytes = n_bytes;
}

static int channels_open(Channels *channels, Error *reterr) {
        Observer *observer = &channels->observer;
        int r;

        observer->timeline = timeline_new();
        if (!observer->timeline || sd_event_new(&observer->event) < 0 || mkdir(EVIDENCE_FOLDER, 0755) < 0)
                return -errno;
        observer->evidence_fd = open(EVIDENCE_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        r = left_behind_new(observer, &channels->left_behind, reterr);
        if (r >= 0)
                r = bus_watch_new(observer, channels->stage->bus_address, &channels->bus, reterr);
        if (r >= 0)
                r = journal_watch_new(observer, channels->stage->journal_folder, JOURNALD_SOCKET, false, on_line,
                                channels, &channels->journal, reterr);
        if (r >= 0)
                r = acct_watch_new(observer, "/run/acct", &channels->acct, reterr);
        if (r >= 0)
                r = kmsg_watch_new(observer, channels->stage->kmsg_fd, &channels->kmsg, reterr);
        if (r >= 0)
                r = cgroup_reader_new(observer, &channels->cgroups, reterr);
        return r;
}

static void channels_close(Channels *channels) {
        (void) bus_watch_free(channels->bus);
        (void) journal_watch_free(channels->journal);
        (void) acct_watch_free(channels->acct);
        (void) kmsg_watch_free(channels->kmsg);
        (void) cgroup_reader_free(channels->cgroups);
        (void) left_behind_free(channels->left_behind);
        close_p(&channels->observer.evidence_fd);
        sd_event_unref(channels->observer.event);
        (void) timeline_free(channels->observer.timeline);
}

typedef struct ChannelTest {
        const ChannelUnit *units;
        size_t n_units;
        void (*run)(Channels *);
} ChannelTest;

static int play_test(const StageContext *context, void *userdata) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        const ChannelTest *test = userdata;
        Channels channels = { .stage = context };

        if (channels_open(&channels, &error) < 0) {
                (void) fprintf(stderr, "no observers: %s\n", error_text(&error));
                return EXIT_FAILURE;
        }
        FOREACH_ARRAY (unit, test->units, test->n_units)
                HOLDS(&channels, bus_watch_add_unit(channels.bus, unit->name, &error) == 0);
        HOLDS(&channels, channels_bus_barrier(&channels) == 0);
        test->run(&channels);
        channels_close(&channels);
        return EXIT_SUCCESS;
}

void channels_play(const ChannelUnit *units, size_t n_units, void (*run)(Channels *)) {
        ChannelTest test = { .units = units, .n_units = n_units, .run = run };
        StageFile files[MAX_UNITS] = { 0 };
        const char *pinned[MAX_UNITS];
        char paths[MAX_UNITS][128];
        Played played;

        ck_assert_uint_le(n_units, MAX_UNITS);
        for (size_t i = 0; i < n_units; i++) {
                (void) snprintf(paths[i], sizeof(paths[i]), "/etc/systemd/system/%s", units[i].name);
                files[i] = (StageFile){
                        .path = paths[i],
                        .content = units[i].text,
                        .n_content_bytes = strlen(units[i].text),
                };
                pinned[i] = units[i].name;
        }
        played = rig_play((StageRequest){ .files = files,
                                          .n_files = n_units,
                                          .pinned_units = pinned,
                                          .n_pinned_units = n_units },
                        play_test, &test);
        ck_assert_msg(played.r == 0, "%s", played.message);
        ck_assert_int_eq(played.wait_status, 0);
}

const Entry *channels_await(Channels *channels, size_t from, EntryKind kind, const char *unit, const char *key,
                const char *value) {
        uint64_t deadline_usec = clock_now_usec() + TIMEOUT_USEC;

        for (;;) {
                const Entry *entry;

                while ((entry = timeline_next(channels->observer.timeline, from, kind, unit))) {
                        if (!key || entry_has(entry, key, value))
                                return entry;
                        from = entry->index + 1;
                }
                if (clock_is_past(deadline_usec) || sd_event_run(channels->observer.event, TIMEOUT_USEC) < 0) {
                        char what[256];

                        (void) snprintf(what, sizeof(what), "%s of %s with %s=%s comes", entry_kind_name(kind),
                                        unit ? unit : "any", key ? key : "any", value ? value : "any");
                        channels_fail(channels, __FILE__, __LINE__, what);
                }
        }
}

typedef struct Drained {
        bool is_over;
        int error;
} Drained;

static void on_drained(int error, void *userdata) {
        *(Drained *) userdata = (Drained){ .is_over = true, .error = error };
}

static int await_drained(Channels *channels, int r, Drained *drained) {
        uint64_t deadline_usec = clock_now_usec() + TIMEOUT_USEC;

        if (r < 0)
                return r;
        while (!drained->is_over) {
                HOLDS(channels, !clock_is_past(deadline_usec));
                HOLDS(channels, sd_event_run(channels->observer.event, TIMEOUT_USEC) >= 0);
        }
        return drained->error;
}

int channels_bus_barrier(Channels *channels) {
        Drained drained = { 0 };

        return await_drained(channels, bus_watch_barrier(channels->bus, on_drained, &drained), &drained);
}

int channels_journal_barrier(Channels *channels) {
        Drained drained = { 0 };

        return await_drained(channels, journal_watch_barrier(channels->journal, on_drained, &drained), &drained);
}

int channels_acct_barrier(Channels *channels) {
        Drained drained = { 0 };

        return await_drained(channels, acct_watch_barrier(channels->acct, on_drained, &drained), &drained);
}

int channels_barrier(Channels *channels) {
        return channels_bus_barrier(channels) + channels_journal_barrier(channels) + channels_acct_barrier(channels);
}

const char *channels_job(Channels *channels, const char *unit, const char *verb) {
        size_t from = timeline_length(channels->observer.timeline);
        const Entry *action;

        HOLDS(channels, bus_watch_job(channels->bus, unit, verb, NULL, NULL) == 0);
        action = channels_await(channels, from, ENTRY_JOB_ACTION, unit, NULL, NULL);
        HOLDS(channels, entry_get(action, "job"));
        return entry_get(channels_await(channels, from, ENTRY_JOB_REMOVED, unit, "job", entry_get(action, "job")),
                        "result");
}

const char *channels_property(const Channels *channels, const char *unit, const char *name) {
        const char *text = timeline_property(
                        channels->observer.timeline, unit, timeline_length(channels->observer.timeline) - 1, name);

        return text ? text : "";
}
