/* SPDX-License-Identifier: MIT */
#include "perform/stream.h"

#include "base/write-all.h"
#include "timeline/codec.h"

/* A pipe's buffer: more than that is not written in one go anyway. */
#define FULL_BYTES ((size_t) 64 * 1024)

struct Stream {
        int fd;
        Text lines;
        sd_event_source *idle;
        void (*on_error)(int error, void *userdata);
        void *userdata;
};

static int write_text(int fd, const Text *text) {
        return text->is_broken ? -ENOMEM : write_all(fd, text_get(text), text->n_bytes);
}

Stream *stream_free(Stream *stream) {
        if (!stream)
                return NULL;
        sd_event_source_disable_unref(stream->idle);
        text_done(&stream->lines);
        free(stream);
        return NULL;
}

static int on_idle(sd_event_source *source, void *userdata) {
        Stream *stream = userdata;
        int r = stream_flush(stream);

        if (r < 0)
                stream->on_error(r, stream->userdata);
        return 0;
}

int stream_new(int fd, sd_event *event, void (*on_error)(int error, void *userdata), void *userdata,
                Stream **ret_stream) {
        CLEANUP(stream_free_p) Stream *stream = calloc(1, sizeof(*stream));
        int r;

        if (!stream)
                return -ENOMEM;
        stream->fd = fd;
        stream->on_error = on_error;
        stream->userdata = userdata;
        r = sd_event_add_defer(event, &stream->idle, on_idle, stream);
        if (r >= 0) /* behind everything, the player's moves too */
                r = sd_event_source_set_priority(stream->idle, SD_EVENT_PRIORITY_IDLE + 1);
        if (r >= 0)
                r = sd_event_source_set_enabled(stream->idle, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret_stream = TAKE_PTR(stream);
        return 0;
}

int stream_entry(Stream *stream, const Entry *entry) {
        entry_encode(entry, &stream->lines);
        if (stream->lines.is_broken || stream->lines.n_bytes >= FULL_BYTES)
                return stream_flush(stream);
        return sd_event_source_set_enabled(stream->idle, SD_EVENT_ONESHOT);
}

int stream_flush(Stream *stream) {
        int r = write_text(stream->fd, &stream->lines);

        text_truncate(&stream->lines, 0);
        return r;
}

int stream_verdicts(int fd, const Judgement *judgement) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        FOREACH_ARRAY (verdict, judgement->verdicts, judgement->n_verdicts)
                verdict_encode(verdict, &text);
        return write_text(fd, &text);
}

int stream_end(int fd, Outcome outcome) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_printf(&text, "{\"end\":\"%s\"}\n", outcome_name(outcome));
        return write_text(fd, &text);
}
