/* SPDX-License-Identifier: MIT */
#include "schedule/playing.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { LAST_WORDS_BYTES = 1500 };

Playing *playing_new(struct Schedule *schedule, const Play *play, uint64_t begin_usec) {
        Playing *playing = calloc(1, sizeof(*playing));
        if (!playing)
                return NULL;

        playing->schedule = schedule;
        playing->play = play;
        playing->performer = PERFORMER_INIT;
        playing->reader = LINE_READER_INIT(-EBADF);
        playing->evidence = PLAY_EVIDENCE_INIT;
        playing->begin_usec = begin_usec;
        if (collection_init(&playing->collection, &playing->evidence) < 0)
                return playing_free(playing);
        return playing;
}

Playing *playing_free(Playing *playing) {
        if (!playing)
                return NULL;

        sd_event_source_disable_unref(playing->on_stream);
        sd_event_source_disable_unref(playing->on_exit);
        sd_event_source_disable_unref(playing->on_deadline);
        performer_done(&playing->performer);
        line_reader_done(&playing->reader);
        play_evidence_done(&playing->evidence);
        collection_done(&playing->collection);
        error_done(&playing->problem);
        free(playing);
        return NULL;
}

void playing_read(Playing *playing) {
        if (playing->problem.code < 0 || playing->reader.has_ended)
                return;
        (void) line_reader_read(&playing->reader, collect_line, &playing->collection, &playing->problem);
}

/* What the performer wrote to its standard error at the end: a sanitizer's report, an assertion. */
static void last_words(const Playing *playing, Text *text) {
        CLEANUP_CLOSE int fd = openat(playing->evidence.folder_fd, "performer.txt", O_RDONLY | O_CLOEXEC);
        char buffer[LAST_WORDS_BYTES];
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0 || status.st_size == 0)
                return;
        off_t from = status.st_size > LAST_WORDS_BYTES ? status.st_size - LAST_WORDS_BYTES : 0;
        ssize_t n = pread(fd, buffer, sizeof(buffer), from);
        while (n > 0 && buffer[n - 1] == '\n')
                n--;
        if (n <= 0)
                return;
        text_append(text, "; it said: ");
        text_append_bytes(text, buffer, (size_t) n);
}

static int add_verdict(Playing *playing, Reason reason, Text *sentence) {
        return judgement_add(&playing->collection.judgement, reason, (Mark){ 0 }, text_take(sentence));
}

static int conclude_without_end(Playing *playing, const char *interrupted_by) {
        CLEANUP_TEXT Text sentence = TEXT_INIT;
        Reason reason = REASON_STREAM_CUT;

        if (playing->stop_level == STOP_ABANDONED)
                text_append(&sentence, "the performer survived SIGKILL and hangs in the kernel");
        else {
                text_append(&sentence, "the performer ");
                wait_status_text(playing->wait_status, &sentence);
        }
        if (playing->problem.code < 0)
                text_printf(&sentence, "; its stream broke: %s", error_text(&playing->problem));
        else if (playing->is_overdue) {
                reason = REASON_TIMEOUT;
                text_append(&sentence, ": it was still there long after the scenario's timeout, and was ended");
        } else if (interrupted_by) {
                reason = REASON_INTERRUPTED;
                text_printf(&sentence, ": the run was ended by %s", interrupted_by);
        } else
                text_append(&sentence, " before it gave a verdict");
        last_words(playing, &sentence);
        return add_verdict(playing, reason, &sentence);
}

static int conclude_with_end(Playing *playing) {
        const Collection *collection = &playing->collection;
        CLEANUP_TEXT Text sentence = TEXT_INIT;
        int r = 0;

        if (collection->judgement.n_verdicts == 0 || collection->judgement.outcome != collection->end) {
                text_printf(&sentence, "the performer says %s, its %zu verdicts say %s",
                                outcome_name(collection->end), collection->judgement.n_verdicts,
                                outcome_name(collection->judgement.outcome));
                r = add_verdict(playing, REASON_STREAM_CUT, &sentence);
        }
        if (r < 0 || playing->wait_status == 0)
                return r;

        /* The verdicts were given, then the stage could not be taken down. */
        text_append(&sentence, "after its verdicts the performer ");
        wait_status_text(playing->wait_status, &sentence);
        last_words(playing, &sentence);
        return add_verdict(playing, REASON_STAGE, &sentence);
}

int playing_conclude(Playing *playing, const char *interrupted_by) {
        if (playing->collection.has_end && playing->problem.code == 0)
                return conclude_with_end(playing);
        return conclude_without_end(playing, interrupted_by);
}
